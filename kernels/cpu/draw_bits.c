/* Guidance, temperature, top-p and the draw of every bit, in one pass. A tile is a run of tokens.
 */
#include "kernels/cpu/cpu_internal.h"

#include <math.h>

#include "core/rng.h"

#define TILE_TOKENS 64

/* p(bit = 1) of two guided logits; top-p drops the smaller, never the larger. */
static double probability(float l0, float l1, double top_p)
{
    const double p1 = 1.0 / (1.0 + exp((double)l0 - (double)l1));

    if (p1 < 0.5 && p1 <= 1.0 - top_p)
        return 0.0;
    if (p1 > 0.5 && 1.0 - p1 <= 1.0 - top_p)
        return 1.0;
    return p1;
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const skv_draw_bits_args *a = ctx;
    const int64_t prompts = a->bits.shape[0], tokens = a->bits.shape[1], bits = a->bits.shape[2];
    const int64_t first = i * TILE_TOKENS, all = prompts * tokens;
    const int64_t last = first + TILE_TOKENS < all ? first + TILE_TOKENS : all;
    const bool guided = a->logits.shape[0] == 2 * prompts;
    uint8_t *out = a->bits.data;

    (void)scratch;
    for (int64_t t = first; t < last; t++) {
        const float *cond = skv_f32(&a->logits) + t * 2 * bits, *uncond = cond + all * 2 * bits;
        const uint64_t seed = a->seed[t / tokens];

        for (int64_t b = 0; b < bits; b++) {
            float l[2];

            for (int v = 0; v < 2; v++) {
                l[v] = cond[2 * b + v] / a->tau;
                if (guided)
                    l[v] = a->cfg * l[v] + (1.0f - a->cfg) * (uncond[2 * b + v] / a->tau);
                if (a->guided.data)
                    skv_f32(&a->guided)[(t * bits + b) * 2 + v] = l[v];
            }
            out[t * bits + b] =
                (double)skv_uniform(seed, (uint32_t)a->scale, (uint32_t)(t % tokens), (uint32_t)b) <
                probability(l[0], l[1], (double)a->top_p);
        }
    }
}

skv_status skv_cpu_draw_bits(skv_backend *be, const skv_draw_bits_args *a)
{
    const int64_t all = a->bits.shape[0] * a->bits.shape[1];

    skv_cpu__parallel(be, (all + TILE_TOKENS - 1) / TILE_TOKENS, tile, (void *)(uintptr_t)a);
    return SKV_OK;
}
