/* [-1,1] to bytes, truncating; NaN fails both comparisons and becomes 0. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

typedef struct {
    uint8_t *y;
    const float *x;
    int64_t n;
} job;

SKV_CLONES static void convert(uint8_t *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const float low = x[i] > -1.0f ? x[i] : -1.0f, t = low < 1.0f ? low : 1.0f;

        y[i] = (uint8_t)(int32_t)((t + 1.0f) / 2.0f * 255.0f);
    }
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t at = i * SKV_CPU_CHUNK;

    (void)scratch;
    convert(j->y + at, j->x + at, skv_cpu__tile_length(i, j->n, SKV_CPU_CHUNK));
}

skv_status skv_cpu_to_pixels(skv_backend *be, const skv_to_pixels_args *a)
{
    job j = {.y = a->y.data, .x = skv_f32(&a->x), .n = skv_tensor_count(&a->x)};

    skv_cpu__parallel(be, skv_cpu__tiles(j.n, SKV_CPU_CHUNK), tile, &j);
    return SKV_OK;
}
