/* Mean and covariance of feature vectors, added in blocks.
 *
 * The result depends on the vectors, their order and the blocks' borders, and on nothing else. */
#ifndef SKV_EVAL_METRICS_MOMENTS_H
#define SKV_EVAL_METRICS_MOMENTS_H

#include <stdint.h>

#include "core/status.h"

typedef struct {
    int d;
    int64_t n;
    double *mean; /* (d) */
    double *sum;  /* (d,d) Σ (x-mean)(x-mean)ᵀ: symmetric, both triangles */
} skv_moments;

/* Cleared with skv_moments_clear. 1 <= d <= 16384. */
SKV_MUST skv_status skv_moments_create(skv_moments *out, int d);
void skv_moments_clear(skv_moments *m);

/* Adds a block of n vectors, x (n,d). SKV_E_FORMAT for what is not finite. */
SKV_MUST skv_status skv_moments_add(skv_moments *m, const float *x, int64_t n);

/* sum / (n - 1) -> covariance (d,d), which may be m->sum itself; n >= 2. */
SKV_MUST skv_status skv_moments_covariance(double *covariance, const skv_moments *m);

#endif
