/* Fréchet distance between two Gaussians: |mu1-mu2|² + tr S1 + tr S2 - 2·tr sqrt(S1·S2).
 *
 * Singular covariances (fewer pictures than dimensions) are ordinary here: tr sqrt(S1·S2) is a sum
 * of singular values, without a matrix root and without an epsilon. eval/metrics/README.md. */
#ifndef SKV_EVAL_METRICS_FRECHET_H
#define SKV_EVAL_METRICS_FRECHET_H

#include <stdint.h>

#include "core/status.h"

typedef struct {
    double distance; /* not below 0 */
    double mean_term, trace1, trace2, trace_sqrt;
} skv_frechet;

/* Means (d), covariances (d,d). Eigenvalues <= max·d·2.2e-16 count as 0. */
SKV_MUST skv_status skv_frechet_moments(skv_frechet *out, int d, const double *mean1,
                                        const double *covariance1, const double *mean2,
                                        const double *covariance2);

/* From the vectors themselves, x1 (n1,d), x2 (n2,d): exact, and the better way for few of them.
 * n1, n2 >= 2. */
SKV_MUST skv_status skv_frechet_features(skv_frechet *out, int d, const float *x1, int64_t n1,
                                         const float *x2, int64_t n2);

#endif
