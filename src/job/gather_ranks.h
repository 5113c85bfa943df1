/* Gather by all ranks: run.h5 of a run. */
#ifndef SKV_JOB_GATHER_RANKS_H
#define SKV_JOB_GATHER_RANKS_H

#include "core/flag.h"
#include "core/json.h"
#include "mpi/comm.h"
#include "run/claims.h"

typedef struct {
    const char *run;
    bool virtual_images, partial; /* run/gather.h */
    skv_claims *claims; /* of rank 0 in the run, which takes the run's lock; others: not used */
    const skv_flag *stop;
    bool names; /* of the groups that are not there are wanted */
} skv_gather_ranks_setup;

typedef struct {
    int64_t n_failed; /* rows without a picture */
    /* Rank 0, where names are wanted, and the files were looked at: skv_gather_lacking. The caller
     * drops them. */
    json_t *missing, *set_aside;
} skv_gathered;

/* Collective: all ranks look at the group files and check them, rank 0 writes (run/gather.h). All
 * return the same status and message, and n_failed. */
SKV_MUST skv_status skv_gather_ranks(skv_gathered *out, skv_comm *comm,
                                     const skv_gather_ranks_setup *setup);

#endif
