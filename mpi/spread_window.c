/* Shared memory between the ranks of one host. Its name is gone as soon as all have opened it, so a
 * killed job leaves nothing behind. */
#include "mpi/spread_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/log.h"
#include "core/process.h"

#define BYTES (2 * SKV_WINDOW_BYTES)

static skv_status failed(const char *name, int reason)
{
    return skv_fail(SKV_E_IO, "shared memory %s: %s", name, strerror(reason));
}

static skv_status map(skv_window *w, const char *name, int flags)
{
    const int fd = shm_open(name, flags, 0600);
    int reason = 0;
    void *base;

    if (fd < 0)
        return failed(name, errno);
    if (flags & O_CREAT) /* reserves: writing where there is no room would kill the process */
        reason = posix_fallocate(fd, 0, (off_t)BYTES);
    base = reason ? MAP_FAILED : mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        const skv_status st = failed(name, reason ? reason : errno);

        close(fd);
        if (flags & O_CREAT)
            shm_unlink(name);
        return st;
    }
    close(fd);
    w->half[0] = base;
    w->half[1] = w->half[0] + SKV_WINDOW_BYTES;
    return SKV_OK;
}

/* Rank 0 draws what tells this window from all others. */
static skv_status draw_name(char *name, size_t bytes, skv_comm *c, int64_t host)
{
    uint64_t token = 0;
    skv_status st = SKV_OK;

    if (c->rank == 0)
        st = skv_random_bytes(&token, sizeof token);
    SKV_TRY(skv_comm_agree(c, st));
    SKV_TRY(skv_comm_broadcast(c, &token, sizeof token, 0));
    snprintf(name, bytes, "/skv-%016" PRIx64 "-%016" PRIx64, token, (uint64_t)host);
    return SKV_OK;
}

skv_status skv_window__open(skv_window *w, skv_comm *c, const skv_spread_plan *p, int64_t host)
{
    const bool owner = p->host_first == c->rank;
    skv_status made = SKV_OK, st;
    char name[64];

    *w = (skv_window){{NULL, NULL}};
    SKV_TRY(draw_name(name, sizeof name, c, host));
    if (owner)
        made = map(w, name, O_RDWR | O_CREAT | O_EXCL);
    st = skv_comm_barrier(c);
    if (st == SKV_OK && !owner && p->number >= 0)
        made = map(w, name, O_RDWR);
    if (made != SKV_OK)
        skv_debug("rank %d reads for itself: %s", c->rank, skv_message());
    if (st == SKV_OK)
        st = skv_comm_barrier(c);
    if (owner && w->half[0])
        shm_unlink(name);
    return st;
}

void skv_window__close(skv_window *w)
{
    if (w->half[0])
        (void)munmap(w->half[0], BYTES);
    *w = (skv_window){{NULL, NULL}};
}
