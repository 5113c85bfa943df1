/* Device memory from one rank to all. Easy to get wrong: a rank whose copy fails must go on
 * sending and receiving; all agree at the end. */
#include "mpi/comm.h"

#include <stdlib.h>

#include "core/mem.h"
#include "mpi/comm_impl.h"

#define PIECE_BYTES ((size_t)64 << 20)

/* Device to host on the root, host to all, host to device elsewhere. */
static skv_status staged(skv_comm *c, skv_backend *be, void *data, size_t bytes, int root)
{
    const size_t room = bytes < PIECE_BYTES ? bytes : PIECE_BYTES;
    void *piece = NULL;
    skv_status st = skv_alloc(&piece, room, 1, "broadcast of device memory"), end;

    SKV_TRY(skv_comm_agree(c, st));
    for (size_t at = 0; at < bytes; at += room) {
        const size_t n = bytes - at < room ? bytes - at : room;
        char *here = (char *)data + at;

        if (st == SKV_OK && c->rank == root)
            st = skv_backend_download(be, piece, here, n);
        end = skv_comm_broadcast(c, piece, n, root);
        if (st == SKV_OK)
            st = end;
        if (st == SKV_OK && c->rank != root)
            st = skv_backend_upload(be, here, piece, n);
    }
    free(piece);
    return skv_comm_agree(c, st);
}

skv_status skv_comm_broadcast_device(skv_comm *c, skv_status st, skv_backend *be, void *data,
                                     size_t bytes, int root, const char **how)
{
    const char *way = "through host memory: some ranks have no GPU";
    int64_t n_host = be->device == SKV_HOST;
    bool done = false;

    if (root < 0 || root >= c->size)
        st = skv_fail(SKV_E_ARG, "broadcast from rank %d of %d", root, c->size);
    SKV_TRY(skv_comm_agree(c, st));
    SKV_TRY(skv_comm_sum_i64(c, &n_host, 1));
    if (c->size == 1) {
        way = "one rank";
    } else if (n_host == c->size) {
        way = "from host memory to host memory";
        SKV_TRY(skv_comm_broadcast(c, data, bytes, root));
    } else {
        if (n_host == 0)
            SKV_TRY(skv_comm__nccl_broadcast(&done, c, be, data, bytes, root, &way));
        if (!done)
            SKV_TRY(staged(c, be, data, bytes, root));
    }
    if (how)
        *how = way;
    return SKV_OK;
}
