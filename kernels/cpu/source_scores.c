/* source_scores: 1 for tokens of the scales that a head keeps, 0 for others. source_order: some
 * scales' tokens before all others, some behind. */
#include <math.h>

#include "kernels/cpu/cpu_internal.h"

/* What both know of the tokens. */
typedef struct {
    const skv_tensor *origin;
    const int32_t *base, *edge;
    int first, n_scales;
} sources;

/* The bit of the scale of the head's token j; 0: it is of none. */
static int32_t bit_of(const sources *a, int64_t r, int64_t h, int32_t j)
{
    const skv_tensor *o = a->origin;
    const int32_t *origin = (const int32_t *)o->data + r * o->stride[0] + h * o->stride[1];
    const int32_t number = j < a->base[h] ? origin[j] : a->first + j - a->base[h];

    for (int e = 0; e < a->n_scales; e++)
        if (number >= a->edge[e] && number < a->edge[e + 1])
            return 1 << e;
    return 0;
}

skv_status skv_cpu_source_scores(skv_backend *be, const skv_source_scores_args *a)
{
    const sources of = {&a->origin, a->base, a->edge, a->first, a->n_scales};
    float *s = skv_f32(&a->s);

    (void)be;
    for (int64_t r = 0; r < a->origin.shape[0]; r++)
        for (int64_t h = 0; h < a->origin.shape[1]; h++)
            for (int32_t j = 0; j < a->len[h]; j++)
                *s++ = (float)((a->kept[h] & bit_of(&of, r, h, j)) != 0);
    return SKV_OK;
}

skv_status skv_cpu_source_order(skv_backend *be, const skv_source_order_args *a)
{
    const sources of = {&a->origin, a->base, a->edge, a->first, a->n_scales};
    float *s = skv_f32(&a->s);

    (void)be;
    for (int64_t r = 0; r < a->origin.shape[0]; r++)
        for (int64_t h = 0; h < a->origin.shape[1]; h++)
            for (int32_t j = 0; j < a->len[h]; j++, s++) {
                const int32_t bit = bit_of(&of, r, h, j);

                if (a->always[h] & bit)
                    *s = INFINITY;
                else if (a->never[h] & bit)
                    *s = -INFINITY;
            }
    return SKV_OK;
}
