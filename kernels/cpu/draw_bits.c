/* Temperature, guidance, top-p and the draw, for every prompt, token and bit.
 *
 * The random number is a function of the bit's place alone, so no order matters. Equal logits are
 * never cut by top-p: with two choices it may not drop both. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

#include "core/rng.h"

#include <math.h>

#define TILE_TOKENS 16

typedef struct {
    const skv_draw_bits_args *a;
    bool guidance;
} job;

static inline uint8_t draw(const skv_draw_bits_args *a, const float l[2], int64_t b, int64_t token,
                           int64_t bit)
{
    const double p1 = 1.0 / (1.0 + exp((double)l[0] - (double)l[1]));
    const double small = p1 < 0.5 ? p1 : 1.0 - p1;

    if (small <= 1.0 - (double)a->top_p && p1 != 0.5)
        return p1 > 0.5;
    return (double)skv_uniform(a->seed[b], (uint32_t)a->scale, (uint32_t)token, (uint32_t)bit) < p1;
}

/* One token: `cond` and `uncond` (NULL without guidance) are its 2·bits logits. Returns whether
 * all are finite. */
static bool draw_token(const job *j, int64_t place, const float *cond, const float *uncond)
{
    const skv_draw_bits_args *a = j->a;
    const int64_t tokens = a->bits.shape[1], n = a->bits.shape[2];
    uint8_t *bits = (uint8_t *)a->bits.data + place * n;
    float *guided = a->guided.data != NULL ? skv_f32(&a->guided) + place * 2 * n : NULL;
    bool good = true;

    for (int64_t i = 0; i < n; i++) {
        float l[2];

        for (int v = 0; v < 2; v++) {
            l[v] = cond[2 * i + v] / a->tau;
            if (uncond != NULL)
                l[v] = a->cfg * l[v] + (1.0f - a->cfg) * (uncond[2 * i + v] / a->tau);
            if (guided != NULL)
                guided[2 * i + v] = l[v];
            good = good && isfinite(l[v]);
        }
        bits[i] = draw(a, l, place / tokens, place % tokens, i);
    }
    return good;
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_draw_bits_args *a = j->a;
    const int64_t places = a->bits.shape[0] * a->bits.shape[1], n = 2 * a->bits.shape[2];
    const int64_t end = i * TILE_TOKENS + skv_cpu__tile_length(i, places, TILE_TOKENS);
    const float *logits = skv_f32(&a->logits);

    (void)scratch;
    for (int64_t p = i * TILE_TOKENS; p < end; p++)
        if (!draw_token(j, p, logits + p * n, j->guidance ? logits + (places + p) * n : NULL))
            skv_cpu__note_fault(&a->fault, p / a->bits.shape[1], 1 + a->scale);
}

skv_status skv_cpu_draw_bits(skv_backend *be, const skv_draw_bits_args *a)
{
    job j = {.a = a, .guidance = a->logits.shape[0] == 2 * a->bits.shape[0]};

    skv_cpu__parallel(be, skv_cpu__tiles(a->bits.shape[0] * a->bits.shape[1], TILE_TOKENS), tile,
                      &j);
    return SKV_OK;
}
