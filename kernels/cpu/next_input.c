/* t = bilinear(z) at the next scale's size, unshuffled. A tile is one row of tokens. */
#include "kernels/cpu/cpu_internal.h"

#include "kernels/cpu/bilinear.h"

static void tile(void *ctx, int64_t i, void *scratch)
{
    const skv_next_input_args *a = ctx;
    const int64_t hz = a->z.shape[1], wz = a->z.shape[2], d = a->z.shape[3], p = a->patch;
    const int64_t h = a->h * p, w = a->w * p, b = i / a->h, row = i % a->h;
    const float *z = skv_f32(&a->z) + b * hz * wz * d;

    (void)scratch;
    for (int64_t dy = 0; dy < p; dy++) {
        const skv_taps y = skv_cpu__taps(row * p + dy, hz, h);

        for (int64_t col = 0; col < w; col++) {
            const skv_taps x = skv_cpu__taps(col, wz, w);
            const float *low = z + y.low * wz * d, *high = z + y.high * wz * d;
            float *t = skv_f32(&a->t) + (i * a->w + col / p) * d * p * p + dy * p + col % p;

            for (int64_t c = 0; c < d; c++)
                t[c * p * p] =
                    skv_blend(low[x.low * d + c], low[x.high * d + c], high[x.low * d + c],
                              high[x.high * d + c], x.weight, y.weight);
        }
    }
}

skv_status skv_cpu_next_input(skv_backend *be, const skv_next_input_args *a)
{
    skv_cpu__parallel(be, a->z.shape[0] * a->h, tile, (void *)(uintptr_t)a);
    return SKV_OK;
}
