/* Cross attention: a tile of one row's queries against that row's text tokens. */
#include "kernels/cpu/cpu_internal.h"

#include "kernels/cpu/text_attention.h"

#define TILE_Q 128

typedef struct {
    const skv_cross_attention_args *a;
    int64_t tiles;
} job;

/* A tile writes exactly the places of o whose queries it reads, so o may be q: the product that
 * fills o runs after the scores are done. */
static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_cross_attention_args *a = j->a;
    const int64_t tokens = a->q.shape[1], heads = a->q.shape[2], dim = a->q.shape[3];
    const int64_t first = i % j->tiles * TILE_Q, h = i / j->tiles % heads, r = i / j->tiles / heads;
    const int64_t at = (r * tokens + first) * heads * dim + h * dim, step = 2 * heads * dim;
    const float *kv = skv_f32(&a->kv) + a->start[r] * step + h * dim;

    if (a->count[r] == 0)
        return;
    skv_cpu__text_attention(
        &(skv_text_attention){.q = skv_f32(&a->q) + at,
                              .k = kv,
                              .v = kv + heads * dim,
                              .o = skv_f32(&a->o) + at,
                              .q_stride = heads * dim,
                              .k_stride = step,
                              .v_stride = step,
                              .o_stride = heads * dim,
                              .n_q = first + TILE_Q < tokens ? TILE_Q : tokens - first,
                              .n_k = a->count[r],
                              .dim = dim,
                              .scale = a->scale},
        scratch);
}

skv_status skv_cpu_cross_attention(skv_backend *be, const skv_cross_attention_args *a)
{
    const int64_t rows = a->q.shape[0], tokens = a->q.shape[1], heads = a->q.shape[2];
    job j = {.a = a, .tiles = (tokens + TILE_Q - 1) / TILE_Q};

    for (int64_t r = 0; r < rows; r++) {
        if ((size_t)a->count[r] * TILE_Q * sizeof(float) > SKV_CPU_SCRATCH)
            return skv_fail(SKV_E_UNSUPPORTED, "cross_attention: %d text tokens are too many",
                            a->count[r]);
        be->flops += 4 * tokens * heads * a->count[r] * a->q.shape[3];
    }
    skv_cpu__parallel(be, rows * heads * j.tiles, tile, &j);
    return SKV_OK;
}
