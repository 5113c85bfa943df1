/* Features of a set of pictures, as far as they are kept: the vectors themselves, or what they sum
 * up to. */
#ifndef SKV_EVAL_METRICS_FEATURE_SET_H
#define SKV_EVAL_METRICS_FEATURE_SET_H

#include <stdint.h>

/* Borrowed. Of d vectors or fewer all are kept, and mean and covariance are NULL. */
typedef struct {
    int64_t n;                /* pictures; 0: not known, a file of statistics does not say it */
    int64_t n_kept;           /* vectors at hand: all, or some evenly spaced ones; 0: none */
    const float *kept;        /* (n_kept, d) */
    const double *mean;       /* (d) of all n */
    const double *covariance; /* (d, d), divisor n - 1; both triangles */
} skv_feature_set;

#endif
