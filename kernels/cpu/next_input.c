/* The residual map, interpolated to the next scale's size and unshuffled into tokens. */
#include "kernels/cpu/bilinear.h"
#include "kernels/cpu/cpu_internal.h"

typedef struct {
    const skv_next_input_args *a;
} job;

/* `z` is a prompt's map; channel c goes to t[c·step]. */
static void one_place(const skv_tensor *map, const float *z, float *t, int64_t step,
                      const skv_cpu__tap tap[2])
{
    const int64_t width = map->shape[2], d = map->shape[3];
    const float *ll = z + (tap[0].low * width + tap[1].low) * d;
    const float *lh = z + (tap[0].low * width + tap[1].high) * d;
    const float *hl = z + (tap[0].high * width + tap[1].low) * d;
    const float *hh = z + (tap[0].high * width + tap[1].high) * d;
    const float wy = tap[0].weight, wx = tap[1].weight;

    for (int64_t c = 0; c < d; c++) {
        const float low = (1.0f - wx) * ll[c] + wx * lh[c];
        const float high = (1.0f - wx) * hl[c] + wx * hh[c];

        t[c * step] = (1.0f - wy) * low + wy * high;
    }
}

/* One row of the interpolated map of one prompt. */
static void tile(void *ctx, int64_t i, void *scratch)
{
    const skv_next_input_args *a = ((const job *)ctx)->a;
    const int64_t p = a->patch, rows = a->h * p, columns = a->w * p, step = p * p;
    const int64_t b = i / rows, y = i % rows, d = a->z.shape[3];
    const float *z = skv_f32(&a->z) + b * a->z.shape[1] * a->z.shape[2] * d;

    (void)scratch;
    for (int64_t x = 0; x < columns; x++) {
        const skv_cpu__tap tap[2] = {skv_cpu__tap_at(y, a->z.shape[1], rows),
                                     skv_cpu__tap_at(x, a->z.shape[2], columns)};
        const int64_t token = (b * a->h + y / p) * a->w + x / p;

        one_place(&a->z, z, skv_f32(&a->t) + token * d * step + y % p * p + x % p, step, tap);
    }
}

skv_status skv_cpu_next_input(skv_backend *be, const skv_next_input_args *a)
{
    job j = {.a = a};

    skv_cpu__parallel(be, a->z.shape[0] * a->h * a->patch, tile, &j);
    return SKV_OK;
}
