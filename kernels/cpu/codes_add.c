/* Bits become codes of ±1/sqrt(d), are interpolated to the residual map's size, and added to it. */
#include "kernels/cpu/bilinear.h"
#include "kernels/cpu/cpu_internal.h"

#include <math.h>

typedef struct {
    const skv_codes_add_args *a;
} job;

/* Channel 0 of place (y,x) of the code map of prompt b; channels follow at `patch`² bytes. */
static inline const uint8_t *code(const skv_codes_add_args *a, int64_t b, int64_t y, int64_t x)
{
    const int64_t p = a->patch, d = a->z.shape[3];
    const int64_t token = (b * a->h + y / p) * a->w + x / p;

    return (const uint8_t *)a->bits.data + token * d * p * p + y % p * p + x % p;
}

static inline float value(const uint8_t *bits, int64_t c, int64_t step, float unit)
{
    return (2.0f * (float)bits[c * step] - 1.0f) * unit;
}

static void add_place(const skv_codes_add_args *a, float *z, int64_t b, skv_cpu__tap ty,
                      skv_cpu__tap tx)
{
    const int64_t d = a->z.shape[3], step = (int64_t)a->patch * a->patch;
    const float unit = 1.0f / sqrtf((float)d), wy = ty.weight, wx = tx.weight;
    const uint8_t *ll = code(a, b, ty.low, tx.low), *lh = code(a, b, ty.low, tx.high);
    const uint8_t *hl = code(a, b, ty.high, tx.low), *hh = code(a, b, ty.high, tx.high);

    for (int64_t c = 0; c < d; c++) {
        const float low = (1.0f - wx) * value(ll, c, step, unit) + wx * value(lh, c, step, unit);
        const float high = (1.0f - wx) * value(hl, c, step, unit) + wx * value(hh, c, step, unit);

        z[c] += (1.0f - wy) * low + wy * high;
    }
}

/* One row of the map of one prompt. */
static void tile(void *ctx, int64_t i, void *scratch)
{
    const skv_codes_add_args *a = ((const job *)ctx)->a;
    const int64_t height = a->z.shape[1], width = a->z.shape[2], d = a->z.shape[3];
    const int64_t b = i / height, y = i % height;
    const int64_t rows = (int64_t)a->h * a->patch, columns = (int64_t)a->w * a->patch;
    const skv_cpu__tap ty = skv_cpu__tap_at(y, rows, height);

    (void)scratch;
    for (int64_t x = 0; x < width; x++)
        add_place(a, skv_f32(&a->z) + (i * width + x) * d, b, ty,
                  skv_cpu__tap_at(x, columns, width));
}

skv_status skv_cpu_codes_add(skv_backend *be, const skv_codes_add_args *a)
{
    job j = {.a = a};

    skv_cpu__parallel(be, a->z.shape[0] * a->z.shape[1], tile, &j);
    return SKV_OK;
}
