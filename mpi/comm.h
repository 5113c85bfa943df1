/* The communicator: the processes of one run, in one of several forms (alone, MPI, ...), behind one
 * object. Everything is collective unless it says otherwise: every rank must make the same calls
 * in the same order, so a rank that fails must reach the next skv_comm_agree like all others.
 *
 * Waiting for a rank that is still computing sleeps instead of spinning: ranks may share cores.
 * There is no deadline: a rank that dies ends the job (its launcher ends the others). */
#ifndef SKV_MPI_COMM_H
#define SKV_MPI_COMM_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "kernels/backend.h"

typedef struct skv_comm skv_comm;

/* Finds out who started this process and joins the others; once a process, before threads start.
 * Started by mpirun or by srun with PMIx: the MPI form. By nobody: alone, and MPI is not touched.
 * SKV_E_UNSUPPORTED for torchrun-style variables that promise more than one rank; SKV_E_MPI when
 * the environment promises more ranks than can be reached (each would do the whole job and write
 * the same files). *out is closed with skv_comm_close. */
SKV_MUST skv_status skv_comm_open(skv_comm **out);

/* Leaves (MPI_Finalize); NULL is accepted. Collective. */
void skv_comm_close(skv_comm *c);

/* The first rank of this process's host has local rank 0; the device is chosen by it. */
int skv_comm_rank(const skv_comm *c);
int skv_comm_size(const skv_comm *c);
int skv_comm_local_rank(const skv_comm *c);
int skv_comm_local_size(const skv_comm *c);
const char *skv_comm_host(const skv_comm *c); /* borrowed */
const char *skv_comm_form(const skv_comm *c); /* "alone", "mpi": for the log */

SKV_MUST skv_status skv_comm_barrier(skv_comm *c);

/* `bytes` (the same on all ranks, any size) from `root`'s `data` into everyone's. */
SKV_MUST skv_status skv_comm_broadcast(skv_comm *c, void *data, size_t bytes, int root);

/* For bytes only `root` knows: there *data and *bytes are what is sent; elsewhere *data is set to
 * a new block (freed with free(); one zero byte follows the last, so text is a string). When a
 * rank has no memory all of them fail. */
SKV_MUST skv_status skv_comm_broadcast_blob(skv_comm *c, void **data, size_t *bytes, int root);

/* Every rank passes its status; all return the same answer: SKV_OK if all are, otherwise the
 * status of the worst rank (a failure is worse than SKV_E_PEER, that than SKV_E_STOPPED; of equals
 * the lowest rank), whose message and origin replace everyone's, with "rank R (host): " in front
 * when R is not 0. Do not call it with a status that is already the same on all ranks. */
SKV_MUST skv_status skv_comm_agree(skv_comm *c, skv_status st);

/* As skv_comm_broadcast, for memory of each rank's backend: by MPI where all are on the CPU, by
 * NCCL where every rank has a GPU of its own, otherwise through host memory. *how, if not NULL,
 * says which, and why: static text. `st` is this rank's status so far: a failure of any rank fails
 * all, as in skv_comm_agree. */
SKV_MUST skv_status skv_comm_broadcast_device(skv_comm *c, skv_status st, skv_backend *be,
                                              void *data, size_t bytes, int root, const char **how);

/* values[0..n) = their element-wise sum, or maximum, over the ranks, on all ranks. Sums must fit.
 */
SKV_MUST skv_status skv_comm_sum_i64(skv_comm *c, int64_t *values, size_t n);
SKV_MUST skv_status skv_comm_max_i64(skv_comm *c, int64_t *values, size_t n);

typedef struct {
    void *data; /* a zero byte follows the last */
    size_t bytes;
} skv_blob;

/* Each rank's bytes (lengths may differ) at rank 0: there *out is an array of `size` blobs by
 * rank, one block freed with free(); elsewhere NULL. When rank 0 has no memory all fail. */
SKV_MUST skv_status skv_comm_gather_blobs(skv_blob **out, skv_comm *c, const void *data,
                                          size_t bytes);

/* Not collective; from main only. Ends all ranks at once with `code`, for when ranks can no
 * longer agree. Returns only where there is no other rank. */
void skv_comm_abort(skv_comm *c, int code);

#endif
