#define _GNU_SOURCE /* mkostemp */
#include "core/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/aside.h"
#include "core/file.h"

static skv_status make_file(skv_spool *s, const char *what)
{
    const char *folder = getenv("TMPDIR");
    char path[4200];

    snprintf(path, sizeof path, "%.4096s/skv-spool-XXXXXX", folder && *folder ? folder : "/tmp");
    s->fd = mkostemp(path, O_CLOEXEC);
    if (s->fd < 0)
        return skv_fail(SKV_E_IO, "%s: cannot make a temporary file for %s (TMPDIR says where): %s",
                        path, what, strerror(errno));
    s->has_file = true;
    if (unlink(path) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot use a temporary file: %s", path, strerror(errno));
    return SKV_OK;
}

/* All that is held goes to the file's end. */
static skv_status write_out(skv_spool *s, const char *what)
{
    int reason;

    if (!s->has_file)
        SKV_TRY(make_file(s, what));
    reason = skv_write_fully(s->fd, s->held.data, s->held.n);
    if (reason != 0)
        return skv_fail(SKV_E_IO,
                        "the temporary file for %s (TMPDIR says where) cannot be written: %s", what,
                        strerror(reason));
    s->n_out += s->held.n;
    s->held.n = 0;
    return SKV_OK;
}

skv_status skv_spool_add(skv_spool *s, const void *data, size_t n, const char *what)
{
    const char *from = data;

    while (n > 0) {
        const size_t room = SKV_SPOOL_BYTES - s->held.n, part = n < room ? n : room;

        if (room == 0) {
            SKV_TRY(write_out(s, what));
            continue;
        }
        SKV_TRY(skv_bytes_add(&s->held, from, part, what));
        s->n += part;
        from += part;
        n -= part;
    }
    return SKV_OK;
}

skv_status skv_spool_read(const skv_spool *s, size_t at, size_t n, void *out, const char *what)
{
    const size_t there = at >= s->n_out ? 0 : n < s->n_out - at ? n : s->n_out - at;

    assert(at <= s->n && n <= s->n - at);
    if (there > 0)
        SKV_TRY(skv_read_at(s->fd, out, there, (int64_t)at, what));
    if (n > there)
        memcpy((char *)out + there, s->held.data + (at + there - s->n_out), n - there);
    return SKV_OK;
}

void skv_spool_clear(skv_spool *s)
{
    skv_bytes_clear(&s->held);
    if (s->has_file)
        close(s->fd);
    *s = (skv_spool){0};
}
