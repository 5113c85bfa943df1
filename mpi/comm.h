/* The communicator: the processes of one run, in one of several forms (alone, MPI, TCP), behind one
 * object. Everything is collective unless it says otherwise: every rank must make the same calls
 * in the same order, so a rank that fails must reach the next skv_comm_agree like all others.
 *
 * Waiting for a rank that is still computing sleeps instead of spinning: ranks may share cores.
 * No wait is silent or endless (skv_comm_wish): its end, and a connection that is lost, fail with
 * SKV_E_PEER and a sentence that names the ranks. From then on the communicator is lost: all calls
 * fail at once with that sentence, and main ends what can still be reached by skv_comm_abort. */
#ifndef SKV_MPI_COMM_H
#define SKV_MPI_COMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/build.h"
#include "core/status.h"
#include "kernels/backend.h"

typedef struct skv_comm skv_comm;

/* What must be known before ranks can talk to one another. */
typedef struct {
    /* The run's folder, on a file system that all ranks see: ranks that were not started by MPI
     * find each other by a file in it, "rendezvous-<job>". NULL: there is none. */
    const char *run;
    const char *why_no_run; /* a sentence, where the arguments do not say; NULL */
    /* Of rank 0, at MASTER_ADDR, in place of that file. Who connects must know SKV_TOKEN (from the
     * environment); where it is not set rank 0 listens to its own host alone. 0: none. */
    int port;
    /* Seconds after which a rank says for whom it waits, and after which the job ends; 0: never. */
    double wait_notice, wait_limit;
} skv_comm_wish;

/* Finds out who started this process and joins the others; once a process, before threads start.
 * By mpirun, or by srun with PMIx: the MPI form. By torchrun, by srun without PMIx, or by hand with
 * RANK and WORLD_SIZE: the TCP form. By nobody: alone, and MPI is not touched. SKV_E_MPI when the
 * environment promises more ranks than can be reached (each would do the whole job and write the
 * same files); SKV_E_UNSUPPORTED for mpirun where MPI is not built in. *out is closed with
 * skv_comm_close. */
SKV_MUST skv_status skv_comm_open(skv_comm **out, const skv_comm_wish *wish);

/* The last collective call: all ranks are done. mpirun takes a rank that ends without the others
 * for a failed one, so a failure here is to be reported like any other. */
SKV_MUST skv_status skv_comm_leave(skv_comm *c);

/* Leaves first, if that was not done and the communicator is not lost. NULL is accepted. */
void skv_comm_close(skv_comm *c);

/* The first rank of this process's host has local rank 0; the device is chosen by it. */
int skv_comm_rank(const skv_comm *c);
int skv_comm_size(const skv_comm *c);
int skv_comm_local_rank(const skv_comm *c);
int skv_comm_local_size(const skv_comm *c);
const char *skv_comm_host(const skv_comm *c); /* borrowed */
const char *skv_comm_form(const skv_comm *c); /* "alone", "mpi", "tcp": for the log */

/* Not collective. Whether ranks can no longer agree, and whether this rank reports the failure that
 * its command ended with: rank 0 does, and a rank that lost the others by itself. */
bool skv_comm_is_lost(const skv_comm *c);
bool skv_comm_reports(const skv_comm *c);

/* Not collective. For rank 0 in long work of its own while the others wait in their next collective
 * call: called all the while, it tells them every few seconds that rank 0 is there, so that
 * --wait-limit does not end them. Nothing on other ranks. */
void skv_comm_here(skv_comm *c);

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

/* The other way: of rank 0's blobs, one for each rank (elsewhere NULL is passed), each gets its
 * own: out->data, freed with free(). When a rank has no memory all fail. */
SKV_MUST skv_status skv_comm_scatter_blobs(skv_blob *out, skv_comm *c, const skv_blob *all);

/* The libraries between ranks, as skv_core_libraries (core/build.h); without a communicator. */
int skv_comm_libraries(skv_library *out);

/* Not collective; from main only, which then leaves with `code`. Ends all other ranks that can be
 * reached, for when ranks can no longer agree: MPI ends them with `code`; in the TCP form they fail
 * with the sentence by which this rank was lost, and leave by themselves. */
void skv_comm_abort(skv_comm *c, int code);

#endif
