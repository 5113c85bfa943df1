#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/aside.h"
#include "core/mem.h"

#define READ_TRIES 3 /* of one that fails with EIO */

skv_status skv_read_fully(size_t *n, int fd, void *to, size_t bytes, const char *path)
{
    int tries = 0;

    *n = 0;
    while (*n < bytes) {
        const ssize_t got = read(fd, (char *)to + *n, bytes - *n);

        if (got == 0)
            break;
        if (got > 0)
            *n += (size_t)got;
        else if (errno != EINTR && (errno != EIO || ++tries == READ_TRIES))
            return skv_fail(SKV_E_IO, "%s: cannot read: %s", path, strerror(errno));
    }
    return SKV_OK;
}

skv_status skv_read_at(int fd, void *to, size_t bytes, int64_t offset, const char *path)
{
    size_t n = 0;
    int tries = 0;

    while (n < bytes) {
        const ssize_t got = pread(fd, (char *)to + n, bytes - n, (off_t)(offset + (int64_t)n));

        if (got == 0)
            return skv_fail(SKV_E_FORMAT, "%s: the file has become shorter", path);
        if (got > 0)
            n += (size_t)got;
        else if (errno != EINTR && (errno != EIO || ++tries == READ_TRIES))
            return skv_fail(SKV_E_IO, "%s: cannot read: %s", path, strerror(errno));
    }
    return SKV_OK;
}

/* ------------------------------------------------------------ where a path leads */

/* Without waiting for what is at the other end of a FIFO. */
static skv_status open_file(int *fd, const char *path, int n_below, int how)
{
    struct stat info;
    const char *name = NULL;
    int folder = -1, reason;

    SKV_TRY(skv_folder_of(&folder, &name, path, n_below));
    *fd = openat(folder, name, how | O_NONBLOCK | O_CLOEXEC | (n_below > 0 ? O_NOFOLLOW : 0), 0666);
    reason = errno;
    close(folder);
    if (*fd < 0)
        return skv_cannot_open(path, reason);
    reason = fstat(*fd, &info) == 0 ? 0 : errno;
    if (reason == 0 && S_ISREG(info.st_mode))
        return SKV_OK;
    close(*fd);
    if (reason != 0)
        return skv_fail(SKV_E_IO, "%s: cannot look at it: %s", path, strerror(reason));
    return skv_fail(SKV_E_KIND, "%s: not a regular file", path);
}

skv_status skv_file_open(int *fd, const char *path, int n_below)
{
    return open_file(fd, path, n_below, O_RDONLY);
}

skv_status skv_file_append(int *fd, const char *path, int n_below)
{
    return open_file(fd, path, n_below, O_WRONLY | O_CREAT | O_APPEND);
}

skv_status skv_file_update(int *fd, const char *path, int n_below)
{
    return open_file(fd, path, n_below, O_RDWR | O_CREAT);
}

/* ------------------------------------------------------------------- whole files */

skv_status skv_file_read_below(char **out, size_t *out_bytes, const char *path, int n_below,
                               size_t max_bytes)
{
    skv_status st = SKV_OK;
    struct stat info;
    char *text = NULL;
    size_t used = 0;
    int fd = -1;

    SKV_TRY(skv_file_open(&fd, path, n_below));
    if (fstat(fd, &info) != 0) {
        st = skv_fail(SKV_E_IO, "%s: cannot look at it: %s", path, strerror(errno));
        goto done;
    }
    if (info.st_size < 0 || (uint64_t)info.st_size > max_bytes) {
        st = skv_fail(SKV_E_FORMAT, "%s: %lld bytes, at most %zu expected", path,
                      (long long)info.st_size, max_bytes);
        goto done;
    }
    SKV_TRY_GOTO(skv_alloc(&text, (size_t)info.st_size + 1, 1, path), done);
    SKV_TRY_GOTO(skv_read_fully(&used, fd, text, (size_t)info.st_size, path), done);
    *out_bytes = used;
    *out = text;
    text = NULL;
done:
    free(text);
    close(fd);
    return st;
}

skv_status skv_file_read(char **out, size_t *out_bytes, const char *path, size_t max_bytes)
{
    return skv_file_read_below(out, out_bytes, path, 0, max_bytes);
}

skv_status skv_file_write(const char *path, const void *data, size_t bytes)
{
    skv_aside a;
    skv_status st;

    SKV_TRY(skv_aside_create(&a, path, 0));
    st = skv_aside_write(&a, data, bytes);
    if (st == SKV_OK)
        st = skv_aside_commit(&a);
    skv_aside_drop(&a);
    return st;
}
