/* Features of all sides at rank 0, kept for the metrics of sets.
 *
 * Up to d pictures (d: features of a picture) are all kept. Of more, moments are summed in blocks
 * of a round, and SKV_FEATURES_KEPT pictures, evenly spaced over the run, are kept. */
#ifndef SKV_EVAL_METRICS_FEATURE_POOL_H
#define SKV_EVAL_METRICS_FEATURE_POOL_H

#include <stddef.h>

#include "core/status.h"
#include "eval/metrics/kept_features.h"

#define SKV_FEATURES_KEPT 8192 /* pictures of a side: 64 MiB of Inception's */

typedef struct skv_feature_pool skv_feature_pool;

/* d features of each of n pictures a side. */
SKV_MUST skv_status skv_feature_pool_create(skv_feature_pool **out, int d, int n_sides, int64_t n);
void skv_feature_pool_destroy(skv_feature_pool *p); /* accepts NULL */

/* The next picture's features: side i's d of them begin at feature + i·stride. */
SKV_MUST skv_status skv_feature_pool_add(skv_feature_pool *p, const float *feature, size_t stride);

/* What was added since the last call becomes one block of the moments. */
SKV_MUST skv_status skv_feature_pool_end_round(skv_feature_pool *p);

/* After the last round: turns what was summed up into means and covariances. Nothing is added then.
 */
SKV_MUST skv_status skv_feature_pool_finish(skv_feature_pool *p);

/* Moves the first side's features (after skv_feature_pool_finish) into *out. */
void skv_feature_pool_take(skv_kept_features *out, skv_feature_pool *p);

/* A side's features (after skv_feature_pool_finish), borrowed from p. */
skv_feature_set skv_feature_pool_set(const skv_feature_pool *p, int side);

#endif
