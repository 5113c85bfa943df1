/* Features of a set of pictures, kept for other evaluations: in this user's cache, as
 *
 *   <cache>/features/<key>.h5      (core/cache_folder.h)
 *
 * The key is a digest of everything that the features depend on, so a file never has to be changed,
 * and pictures that change have another file. Whatever cannot be read is computed again. */
#ifndef SKV_EVAL_METRICS_KEPT_FEATURES_H
#define SKV_EVAL_METRICS_KEPT_FEATURES_H

#include <stdbool.h>

#include "core/status.h"
#include "eval/metrics/feature_set.h"

/* A feature set that owns what it holds. */
typedef struct {
    int64_t n, n_kept;
    float *kept;
    double *mean, *covariance;
} skv_kept_features;

void skv_kept_features_clear(skv_kept_features *f);
skv_feature_set skv_kept_features_set(const skv_kept_features *f); /* borrowed from f */

/* *found: the cache has the features (d each) of this key: *out, cleared by the caller. A damaged
 * file costs a warning. */
SKV_MUST skv_status skv_kept_features_find(skv_kept_features *out, bool *found, const char *key,
                                           int d);

/* Keeps a set; what stands in the way is a warning. */
SKV_MUST skv_status skv_kept_features_keep(const char *key, int d, const skv_feature_set *set);

#endif
