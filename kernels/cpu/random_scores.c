/* Random numbers by place: what a choice by chance ranks. */
#include "core/rng.h"
#include "kernels/cpu/cpu_internal.h"

#include <string.h>

skv_status skv_cpu_random_scores(skv_backend *be, const skv_random_scores_args *a)
{
    const int64_t row = a->s.shape[1];
    float *s = skv_f32(&a->s), *first = s;

    (void)be;
    if (a->s.shape[0] == 0)
        return SKV_OK;
    for (int h = 0; h < a->heads; h++)
        for (int32_t j = 0; j < a->len[h]; j++)
            *s++ = skv_uniform(a->seed, a->stream, (uint32_t)h, (uint32_t)j);
    for (int64_t r = 1; r < a->s.shape[0]; r++, s += row)
        memcpy(s, first, (size_t)row * sizeof *s);
    return SKV_OK;
}
