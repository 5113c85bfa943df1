/* Temperature, guidance, top-p and the draw, for every prompt, token and bit.
 *
 * Probabilities, quotients and their comparison are fp32, as in torch; exp and log are double and
 * rounded once, so that a GPU finds the same bits. Equal logits are never cut by top-p: neither is
 * the weaker. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

#include <math.h>

#define TILE_TOKENS 16

typedef struct {
    const skv_draw_bits_args *a;
    bool guidance;
    float cut; /* 1 - top_p */
} job;

static uint8_t draw(const job *j, const float l[2], int64_t b, int64_t number)
{
    const bool one = l[1] > l[0]; /* the stronger value */
    const float e = (float)exp((double)(one ? l[0] - l[1] : l[1] - l[0]));
    const float strong = 1 / (1 + e), weak = e / (1 + e);
    skv_generator g = j->a->generator[b];
    float q0, q1;

    if (weak <= j->cut && l[0] != l[1])
        return one;
    g.offset += j->a->offset;
    q0 = skv_torch_exponential(&g, j->a->threads, number);
    q1 = skv_torch_exponential(&g, j->a->threads, number + 1);
    return (one ? strong : weak) / q1 > (one ? weak : strong) / q0;
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
        bits[i] = draw(j, l, place / tokens, 2 * (place % tokens * n + i));
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
    job j = {.a = a,
             .guidance = a->logits.shape[0] == 2 * a->bits.shape[0],
             .cut = (float)(1 - a->top_p)};

    skv_cpu__parallel(be, skv_cpu__tiles(a->bits.shape[0] * a->bits.shape[1], TILE_TOKENS), tile,
                      &j);
    return SKV_OK;
}
