/* [-1,1] to bytes, truncating; NaN fails both comparisons and becomes 0. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

#include <float.h>
#include <math.h>

typedef struct {
    const skv_to_pixels_args *a;
    int64_t values, tiles; /* of a picture */
} job;

/* Whether all of x is finite. */
SKV_CLONES static bool convert(uint8_t *y, const float *x, int64_t n)
{
    int bad = 0;

    for (int64_t i = 0; i < n; i++) {
        const float low = x[i] > -1.0f ? x[i] : -1.0f, t = low < 1.0f ? low : 1.0f;

        y[i] = (uint8_t)(int32_t)((t + 1.0f) / 2.0f * 255.0f);
        bad |= !(fabsf(x[i]) <= FLT_MAX);
    }
    return !bad;
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t picture = i / j->tiles, part = i % j->tiles;
    const int64_t at = picture * j->values + part * SKV_CPU_CHUNK;

    (void)scratch;
    if (!convert((uint8_t *)j->a->y.data + at, skv_f32(&j->a->x) + at,
                 skv_cpu__tile_length(part, j->values, SKV_CPU_CHUNK)))
        skv_cpu__note_fault(&j->a->fault, picture, j->a->code);
}

skv_status skv_cpu_to_pixels(skv_backend *be, const skv_to_pixels_args *a)
{
    job j = {.a = a, .values = a->x.shape[1] * a->x.shape[2] * 3};

    j.tiles = skv_cpu__tiles(j.values, SKV_CPU_CHUNK);
    skv_cpu__parallel(be, a->x.shape[0] * j.tiles, tile, &j);
    return SKV_OK;
}
