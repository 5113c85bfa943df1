/* 1 for tokens of the scales that a head keeps, 0 for others. */
#include "kernels/cpu/cpu_internal.h"

static float score(const skv_source_scores_args *a, int64_t h, int32_t origin)
{
    for (int s = 0; s < a->n_scales; s++)
        if (origin >= a->edge[s] && origin < a->edge[s + 1])
            return (float)(a->kept[h] >> s & 1);
    return 0;
}

skv_status skv_cpu_source_scores(skv_backend *be, const skv_source_scores_args *a)
{
    const skv_tensor *o = &a->origin;
    float *s = skv_f32(&a->s);

    (void)be;
    for (int64_t r = 0; r < o->shape[0]; r++)
        for (int64_t h = 0; h < o->shape[1]; h++) {
            const int32_t *origin = (const int32_t *)o->data + r * o->stride[0] + h * o->stride[1];

            for (int32_t j = 0; j < a->len[h]; j++)
                *s++ = score(a, h, j < a->base[h] ? origin[j] : a->first + j - a->base[h]);
        }
    return SKV_OK;
}
