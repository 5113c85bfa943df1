/* Kernel Inception distance: the unbiased MMD² of two sets of feature vectors with the kernel
 * (x·y/d + 1)³. eval/metrics/README.md, KID. */
#ifndef SKV_EVAL_METRICS_KID_H
#define SKV_EVAL_METRICS_KID_H

#include <stdint.h>

#include "core/status.h"

#define SKV_KID_SUBSET  1000 /* vectors a side */
#define SKV_KID_SUBSETS 100

typedef struct {
    int d;
    const float *x1, *x2; /* (n1,d), (n2,d) */
    int64_t n1, n2;       /* each >= 2 */
} skv_kid_sets;

/* m = min(n1, n2, SKV_KID_SUBSET): the mean over SKV_KID_SUBSETS
 * random subsets of m a side, drawn from `seed`; where m is all of both sets, over that one. In
 * double; may be slightly negative. On up to n_threads threads, which change no bit. */
SKV_MUST skv_status skv_kid(double *out, const skv_kid_sets *sets, uint64_t seed, int n_threads);

#endif
