/* The largest magnitude of each channel of the current map's values: what scales their codes. */
#include "kernels/cpu/cpu_internal.h"

#include <math.h>

static void head(void *ctx, int64_t i, void *scratch)
{
    const skv_channel_peaks_args *a = ctx;
    const int64_t heads = a->v.shape[1], dim = a->v.shape[3], r = i / heads, h = i % heads;
    const float *v =
        skv_f32(&a->v) + r * a->v.stride[0] + h * a->v.stride[1] + (int64_t)a->base[h] * dim;
    float *peak = skv_f32(&a->peak) + r * a->peak.stride[0] + h * a->peak.stride[1];

    (void)scratch;
    for (int64_t d = 0; d < dim; d++)
        peak[d] = 0;
    for (int64_t t = 0; t < a->tokens; t++)
        for (int64_t d = 0; d < dim; d++) {
            const float x = fabsf(v[t * dim + d]);

            if (x > peak[d] || isnan(x))
                peak[d] = x;
        }
}

skv_status skv_cpu_channel_peaks(skv_backend *be, const skv_channel_peaks_args *a)
{
    skv_channel_peaks_args job = *a;

    skv_cpu__parallel(be, a->v.shape[0] * a->v.shape[1], head, &job);
    return SKV_OK;
}
