/* z += bilinear(codes of the bits). A tile is one row of a prompt's map. */
#include "kernels/cpu/cpu_internal.h"

#include <math.h>

#include "kernels/cpu/bilinear.h"

typedef struct {
    const skv_codes_add_args *a;
    float code; /* of a set bit: 1/sqrt(d) */
} job;

/* The code at place (y,x), channel c of the bits' map: with patch 2 a token holds 2×2 places. */
static float code(const job *j, const uint8_t *bits, int64_t y, int64_t x, int64_t c)
{
    const skv_codes_add_args *a = j->a;
    const int64_t p = a->patch, token_bits = a->bits.shape[2];
    const int64_t bit = p == 1 ? c : c * 4 + y % 2 * 2 + x % 2;

    return bits[(y / p * a->w + x / p) * token_bits + bit] ? j->code : -j->code;
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_codes_add_args *a = j->a;
    const int64_t hz = a->z.shape[1], wz = a->z.shape[2], d = a->z.shape[3], b = i / hz;
    const int64_t h = (int64_t)a->h * a->patch, w = (int64_t)a->w * a->patch;
    const uint8_t *bits = (const uint8_t *)a->bits.data + b * a->bits.shape[1] * a->bits.shape[2];
    const skv_taps y = skv_cpu__taps(i % hz, h, hz);
    float *z = skv_f32(&a->z) + i * wz * d;

    (void)scratch;
    for (int64_t col = 0; col < wz; col++) {
        const skv_taps x = skv_cpu__taps(col, w, wz);

        for (int64_t c = 0; c < d; c++)
            z[col * d + c] +=
                skv_blend(code(j, bits, y.low, x.low, c), code(j, bits, y.low, x.high, c),
                          code(j, bits, y.high, x.low, c), code(j, bits, y.high, x.high, c),
                          x.weight, y.weight);
    }
}

skv_status skv_cpu_codes_add(skv_backend *be, const skv_codes_add_args *a)
{
    job j = {.a = a, .code = (float)(1.0 / sqrt((double)a->z.shape[3]))};

    skv_cpu__parallel(be, a->z.shape[0] * a->z.shape[1], tile, &j);
    return SKV_OK;
}
