/* Where cached tokens came from: numbering them as they are stored, counting them by scale. */
#include "kernels/cpu/cpu_internal.h"

static int32_t *origins(const skv_tensor *t, int64_t r, int64_t h)
{
    return (int32_t *)t->data + r * t->stride[0] + h * t->stride[1];
}

skv_status skv_cpu_origin_fill(skv_backend *be, const skv_origin_fill_args *a)
{
    (void)be;
    for (int64_t r = 0; r < a->origin.shape[0]; r++)
        for (int64_t h = 0; h < a->origin.shape[1]; h++) {
            int32_t *o = origins(&a->origin, r, h) + a->base[h];

            for (int l = 0; l < a->n; l++)
                o[l] = a->first + l;
        }
    return SKV_OK;
}

/* The scale s with edge[s] <= origin < edge[s+1], or -1. */
static int scale_of(const skv_count_sources_args *a, int32_t origin)
{
    for (int s = 0; s < a->n_scales; s++)
        if (origin >= a->edge[s] && origin < a->edge[s + 1])
            return s;
    return -1;
}

skv_status skv_cpu_count_sources(skv_backend *be, const skv_count_sources_args *a)
{
    const int32_t *keep = a->keep.data;
    int32_t *count = a->count.data;

    (void)be;
    for (int64_t r = 0; r < a->origin.shape[0]; r++)
        for (int64_t h = 0; h < a->origin.shape[1]; h++) {
            const int32_t *o = origins(&a->origin, r, h);

            for (int32_t t = 0; t < a->len[h]; t++) {
                const int s = scale_of(a, o[*keep++]);

                if (s >= 0)
                    count[s]++;
            }
        }
    return SKV_OK;
}
