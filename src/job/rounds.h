/* Groups in rounds of one a rank, for a job whose result is a sum over rows: what the ranks find
 * goes to rank 0 after each round and is added there in the order of rows, so that the result has
 * the same bytes for any number of ranks. */
#ifndef SKV_JOB_ROUNDS_H
#define SKV_JOB_ROUNDS_H

#include "core/bytes.h"
#include "mpi/comm.h"

typedef struct {
    skv_comm *comm;
    int64_t n_groups; /* 0 to n_groups - 1 */
    size_t n_figures; /* of a row */
    const char *done; /* for the log: "measured" */
    /* Computes group g and notes its rows in their order; failed rows are counted instead. */
    skv_status (*group)(void *ctx, int64_t g);
    /* Rank 0: adds a row's figures. */
    skv_status (*add)(void *ctx, int64_t row, const double *figures);
    void *ctx;
    int64_t n_failed; /* rows without figures: of this rank, once run of all */
    skv_bytes found;  /* of this rank's group */
} skv_rounds;

/* A row's figures, n_figures of them; called by `group`. */
SKV_MUST skv_status skv_rounds_note(skv_rounds *r, int64_t row, const double *figures);

/* Collective; all ranks return the same. */
SKV_MUST skv_status skv_rounds_run(skv_rounds *r);

#endif
