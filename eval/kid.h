/* Kernel Inception distance: the unbiased MMD² of two sets of feature vectors with the kernel
 * (x·y/d + 1)³. Spec metrics.md, KID. */
#ifndef SKV_EVAL_KID_H
#define SKV_EVAL_KID_H

#include <stdint.h>

#include "core/status.h"

#define SKV_KID_SUBSET  1000 /* vectors a side */
#define SKV_KID_SUBSETS 100

/* x1 (n1,d), x2 (n2,d), each n >= 2. m = min(n1, n2, SKV_KID_SUBSET): the mean over SKV_KID_SUBSETS
 * random subsets of m a side, drawn from `seed`; where m is all of both sets, over that one. In
 * double; may be slightly negative. */
SKV_MUST skv_status skv_kid(double *out, int d, const float *x1, int64_t n1, const float *x2,
                            int64_t n2, uint64_t seed);

#endif
