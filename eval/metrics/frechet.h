/* Fréchet distance between two Gaussians: |mu1-mu2|² + tr S1 + tr S2 - 2·tr sqrt(S1·S2).
 *
 * Singular covariances (fewer pictures than dimensions) are ordinary here: tr sqrt(S1·S2) is a sum
 * of singular values, without a matrix root and without an epsilon. eval/metrics/README.md. */
#ifndef SKV_EVAL_METRICS_FRECHET_H
#define SKV_EVAL_METRICS_FRECHET_H

#include <stdint.h>

#include "core/status.h"
#include "eval/metrics/feature_set.h"

typedef struct {
    double distance; /* not below 0 */
    double mean_term, trace1, trace2, trace_sqrt;
} skv_frechet;

/* Of two sets of vectors of d features, each by its mean and covariance where it has them, else by
 * its vectors (two at least): exact, and the better way for few of them. Eigenvalues of a
 * covariance
 * <= max·d·2.2e-16 count as 0. */
SKV_MUST skv_status skv_frechet_distance(skv_frechet *out, int d, const skv_feature_set *a,
                                         const skv_feature_set *b);

#endif
