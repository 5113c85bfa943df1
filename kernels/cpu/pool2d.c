/* Pooling over a map: a thread takes rows of the output. */
#include "kernels/cpu/cpu_internal.h"

#include <string.h>

static void window(float *y, const skv_pool2d_args *a, const float *picture, int64_t oy, int64_t ox)
{
    const int64_t h = a->x.shape[1], w = a->x.shape[2], c = a->x.shape[3];
    const int64_t y0 = oy * a->stride - a->pad, x0 = ox * a->stride - a->pad;
    int64_t cells = 0;

    for (int64_t sy = y0 < 0 ? 0 : y0; sy < y0 + a->kernel && sy < h; sy++)
        for (int64_t sx = x0 < 0 ? 0 : x0; sx < x0 + a->kernel && sx < w; sx++, cells++) {
            const float *x = picture + (sy * w + sx) * c;

            if (cells == 0)
                memcpy(y, x, (size_t)c * sizeof *y);
            else if (a->mean)
                for (int64_t i = 0; i < c; i++)
                    y[i] += x[i];
            else
                for (int64_t i = 0; i < c; i++)
                    y[i] = x[i] > y[i] ? x[i] : y[i];
        }
    for (int64_t i = 0; a->mean && i < c; i++)
        y[i] /= (float)cells;
}

static void row(void *ctx, int64_t i, void *scratch)
{
    const skv_pool2d_args *a = ctx;
    const int64_t ho = a->y.shape[1], wo = a->y.shape[2], far = a->y.stride[2];
    const int64_t picture = a->x.shape[1] * a->x.shape[2] * a->x.shape[3];

    (void)scratch;
    for (int64_t ox = 0; ox < wo; ox++)
        window(skv_f32(&a->y) + (i * wo + ox) * far, a, skv_f32(&a->x) + i / ho * picture, i % ho,
               ox);
}

skv_status skv_cpu_pool2d(skv_backend *be, const skv_pool2d_args *a)
{
    skv_pool2d_args args = *a;

    skv_cpu__parallel(be, a->y.shape[0] * a->y.shape[1], row, &args);
    return SKV_OK;
}
