/* Every compared side against the reference, picture by picture, over all ranks.
 *
 * What a picture's numbers are depends on its two pictures alone, and sums run over pictures in row
 * order at rank 0, so no result depends on the number of ranks or threads. */
#ifndef SKV_EVAL_METRICS_EVALUATE_H
#define SKV_EVAL_METRICS_EVALUATE_H

#include "core/flag.h"
#include "eval/metrics/against.h"
#include "eval/metrics/pairs.h"
#include "eval/metrics/results.h"
#include "eval/metrics/networks.h"
#include "mpi/comm.h"

/* Reports the seconds that a stage took for n pictures or pairs. Stages: "read", a metric's name, a
 * network's, or a network's with " input". May be called often for a stage. */
typedef void skv_eval_lap(void *ctx, const char *stage, double seconds, int64_t n);

typedef struct {
    const skv_pairs *pairs;
    skv_comm *comm;
    int threads;                  /* of this rank, for pixels and files */
    const skv_networks *networks; /* the same ones are open on all ranks */
    const skv_against *against;   /* NULL: nothing; or open, its network among the open ones */
    const skv_flag *stop;         /* NULL; or: not 0 ends it with SKV_E_STOPPED */
    const char *weights;          /* what the networks were opened with: "files" or "formula" */
    skv_eval_lap *lap;            /* of this rank; NULL: not wanted */
    void *lap_ctx;
} skv_eval_setup;

/* Collective. Computes every metric whose pictures, bits and networks are at hand. The result, one
 * path for each compared side (against a set from elsewhere also for the reference), is filled at
 * rank 0 alone, and cleared with skv_results_clear. Pictures of a pair that differ in size, or
 * cannot be read, fail the evaluation. */
SKV_MUST skv_status skv_evaluate(skv_results *out, const skv_eval_setup *setup);

#endif
