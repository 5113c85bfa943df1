/* y = gelu(y)⊙x, elementwise. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

typedef struct {
    float *y;
    const float *x;
    int64_t n;
} job;

SKV_CLONES static void multiply(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] *= x[i];
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t at = i * SKV_CPU_CHUNK, n = skv_cpu__tile_length(i, j->n, SKV_CPU_CHUNK);

    (void)scratch;
    skv_cpu__gelu(j->y + at, j->y + at, n);
    multiply(j->y + at, j->x + at, n);
}

skv_status skv_cpu_gated_gelu(skv_backend *be, const skv_gated_gelu_args *a)
{
    job j = {.y = skv_f32(&a->y), .x = skv_f32(&a->x), .n = skv_tensor_count(&a->x)};

    skv_cpu__parallel(be, skv_cpu__tiles(j.n, SKV_CPU_CHUNK), tile, &j);
    return SKV_OK;
}
