/* What an evaluation computes: which metrics, and where their numbers stand in a row's record,
 * which travels from the rank that made it to rank 0.
 *
 * A record is (sides - 1, plan.numbers) f64: first 1 where the pictures are the same bytes and 0
 * where not, then each metric's numbers; NaN: not computed. Features are (sides, plan.features)
 * fp32, the reference's first. */
#ifndef SKV_EVAL_METRICS_RECORD_H
#define SKV_EVAL_METRICS_RECORD_H

#include "eval/metrics/against.h"
#include "eval/metrics/pairs.h"
#include "eval/metrics/networks.h"

typedef struct {
    const skv_metric *metric;
    void *network;  /* its network's state; NULL: none */
    int at, width;  /* its numbers in the record; width 0: of a set */
    int feature_at; /* of a set: where its network's features begin */
} skv_slot;

typedef struct {
    const skv_metric_network *network;
    void *state;
    int at; /* in the features */
} skv_feature_slot;

typedef struct {
    int n_slots, n_networks; /* n_networks: that give features */
    skv_slot *slot;
    skv_feature_slot *feature;
    int numbers, features;
} skv_record_plan;

/* The metrics of skv_metrics[] that can be computed: the sides have pictures or bits, the network
 * is open, and there is a reference, or what is held against (NULL: nothing). The same on all
 * ranks. Cleared with skv_record_plan_clear. */
SKV_MUST skv_status skv_record_plan_make(skv_record_plan *out, const skv_pairs *pairs,
                                         const skv_networks *networks, const skv_against *against);
void skv_record_plan_clear(skv_record_plan *plan);

#endif
