/* Gather by all ranks: run.h5 of a run. */
#ifndef SKV_JOB_GATHER_RANKS_H
#define SKV_JOB_GATHER_RANKS_H

#include "core/flag.h"
#include "mpi/comm.h"
#include "run/claims.h"

typedef struct {
    const char *run;
    bool virtual_images, partial; /* run/gather.h */
    skv_claims *claims; /* of rank 0 in the run, which takes the run's lock; others: not used */
    const skv_flag *stop;
} skv_gather_ranks_setup;

/* Collective: all ranks look at the group files and check them, rank 0 writes (run/gather.h). All
 * return the same status and message, and *n_failed. */
SKV_MUST skv_status skv_gather_ranks(int64_t *n_failed, skv_comm *comm,
                                     const skv_gather_ranks_setup *setup);

#endif
