/* Guidance in the residual stream: conditional and unconditional rows both become their mixture. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

typedef struct {
    float *x;
    int64_t half; /* elements of the conditional rows */
    float cfg;
} job;

SKV_CLONES static void mix(float *cond, float *uncond, int64_t n, float cfg)
{
    const float rest = 1.0f - cfg;

    for (int64_t i = 0; i < n; i++) {
        const float m = cfg * cond[i] + rest * uncond[i];

        cond[i] = m;
        uncond[i] = m;
    }
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t at = i * SKV_CPU_CHUNK;

    (void)scratch;
    mix(j->x + at, j->x + j->half + at, skv_cpu__tile_length(i, j->half, SKV_CPU_CHUNK), j->cfg);
}

skv_status skv_cpu_guide_mix(skv_backend *be, const skv_guide_mix_args *a)
{
    job j = {.x = skv_f32(&a->x), .half = skv_tensor_count(&a->x) / 2, .cfg = a->cfg};

    skv_cpu__parallel(be, skv_cpu__tiles(j.half, SKV_CPU_CHUNK), tile, &j);
    return SKV_OK;
}
