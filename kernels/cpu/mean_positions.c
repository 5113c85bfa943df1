/* Mean over a map's places: a thread takes a block of channels, places are added in order. */
#include "kernels/cpu/cpu_internal.h"

#define BLOCK 64 /* channels */

static void block(void *ctx, int64_t i, void *scratch)
{
    const skv_mean_positions_args *a = ctx;
    const int64_t n = a->x.shape[1] * a->x.shape[2], c = a->x.shape[3];
    const int64_t blocks = (c + BLOCK - 1) / BLOCK, first = i % blocks * BLOCK;
    const int64_t m = first + BLOCK < c ? BLOCK : c - first;
    const float *x = skv_f32(&a->x) + i / blocks * n * c + first;
    double sum[BLOCK] = {0};

    (void)scratch;
    for (int64_t p = 0; p < n; p++)
        for (int64_t k = 0; k < m; k++)
            sum[k] += (double)x[p * c + k];
    for (int64_t k = 0; k < m; k++)
        skv_f32(&a->y)[i / blocks * c + first + k] = (float)(sum[k] / (double)n);
}

skv_status skv_cpu_mean_positions(skv_backend *be, const skv_mean_positions_args *a)
{
    skv_mean_positions_args args = *a;

    skv_cpu__parallel(be, a->x.shape[0] * ((a->x.shape[3] + BLOCK - 1) / BLOCK), block, &args);
    return SKV_OK;
}
