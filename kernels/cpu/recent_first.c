/* Scores as lists, the last tokens of each head above all others. */
#include "kernels/cpu/cpu_internal.h"

#include <math.h>

skv_status skv_cpu_recent_first(skv_backend *be, const skv_recent_first_args *a)
{
    float *s = skv_f32(&a->s);

    (void)be;
    for (int64_t r = 0; r < a->x.shape[0]; r++)
        for (int64_t h = 0; h < a->x.shape[1]; h++) {
            const float *x = skv_f32(&a->x) + r * a->x.stride[0] + h * a->x.stride[1];

            for (int32_t j = 0; j < a->len[h]; j++)
                *s++ = j < a->len[h] - a->recent[h] ? x[j] : INFINITY;
        }
    return SKV_OK;
}
