/* y = x/(1 + exp(-x)), elementwise. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

typedef struct {
    float *y;
    const float *x;
    int64_t n;
} job;

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t at = i * SKV_CPU_CHUNK;

    (void)scratch;
    skv_cpu__silu(j->y + at, j->x + at, skv_cpu__tile_length(i, j->n, SKV_CPU_CHUNK));
}

skv_status skv_cpu_silu(skv_backend *be, const skv_silu_args *a)
{
    job j = {.y = skv_f32(&a->y), .x = skv_f32(&a->x), .n = skv_tensor_count(&a->x)};

    skv_cpu__parallel(be, skv_cpu__tiles(j.n, SKV_CPU_CHUNK), tile, &j);
    return SKV_OK;
}
