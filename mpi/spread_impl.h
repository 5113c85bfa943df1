/* Inside mpi/ only: the ways by which device memory goes from rank to rank (mpi/spread.h). */
#ifndef SKV_MPI_SPREAD_IMPL_H
#define SKV_MPI_SPREAD_IMPL_H

#include "mpi/comm_impl.h"
#include "mpi/spread_plan.h"

/* ---------------------------------------------------- NCCL (comm_nccl.c, or no_nccl.c) */

/* The device that this process uses: *gpu and *slot of skv_spread_rank, of which only the host is
 * yet to be mixed into the slot. */
SKV_MUST skv_status skv_nccl__device(int64_t *gpu, int64_t *slot);

/* Collective over all ranks of c; NCCL runs between p's takers. With data: `bytes` of the first
 * taker's to the others'. data NULL: nothing is sent, a sum over all takers shows that NCCL works.
 * SKV_OK and *good false: NCCL failed, or did not end in time, on some rank; no rank is inside it
 * any more, and the message says why on all ranks. */
SKV_MUST skv_status skv_nccl__run(bool *good, skv_comm *c, const skv_spread_plan *p,
                                  skv_backend *be, void *data, size_t bytes);

/* The same with a number between each two takers, both ways. *partner on each rank: with which
 * other taker its own exchange failed, -1: none. */
SKV_MUST skv_status skv_nccl__pairs(bool *good, int *partner, skv_comm *c, const skv_spread_plan *p,
                                    skv_backend *be);

/* ---------------------------------------------------- shared memory (spread_window.c) */

/* Two halves of SKV_WINDOW_BYTES, between ranks of one host. */
#define SKV_WINDOW_BYTES ((size_t)8 << 20)

typedef struct {
    unsigned char *half[2]; /* NULL: there is no window */
} skv_window;

/* Collective over all ranks of c. A rank that cannot have its host's window has none, which is not
 * a failure: it must read for itself. */
SKV_MUST skv_status skv_window__open(skv_window *w, skv_comm *c, const skv_spread_plan *p,
                                     int64_t host);
void skv_window__close(skv_window *w);

#endif
