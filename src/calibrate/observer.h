/* Looks at every layer's attention while a group is sampled, and keeps its figures on the device
 * until the group is done. */
#ifndef SKV_CALIBRATE_OBSERVER_H
#define SKV_CALIBRATE_OBSERVER_H

#include "calibrate/measures.h"
#include "model/infinity.h"

typedef struct {
    skv_backend *be;
    const skv_measures *what;
    int max_prompts;   /* of a group */
    int64_t n_queries; /* of a head at a scale, drawn from the map by `seed`; 0: all */
    uint64_t seed;
} skv_observer_setup;

typedef struct skv_observer skv_observer;

/* SKV_E_ARG: more queries than SKV_STATS_QUERIES. Copies setup; destroy accepts NULL. */
SKV_MUST skv_status skv_observer_create(skv_observer **out, const skv_observer_setup *setup);
void skv_observer_destroy(skv_observer *o);

/* Device bytes that create takes for each of max_prompts. */
size_t skv_observer_bytes(const skv_measures *what);

/* For a path that keeps all tokens. Borrowed; its ctx is the observer. */
const skv_probe *skv_observer_probe(const skv_observer *o);

/* Of the layer that was looked at last: each key's share of a query's attention, summed over the
 * *n_queries that were looked at, (R, heads, keys) f64 on the device, valid until the next layer.
 */
skv_tensor skv_observer_columns(const skv_observer *o, int *n_queries);

/* Fetches the figures of the path that was computed last, of n prompts; waits for it. */
SKV_MUST skv_status skv_observer_fetch(skv_observer *o, int n_prompts);

/* out = those of the i-th of them, in the order of computing: skv_figures numbers. */
void skv_observer_figures(const skv_observer *o, int i, double *out);

#endif
