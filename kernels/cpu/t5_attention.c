/* T5's self attention over packed prompts: one prompt and head a tile. */
#include "kernels/cpu/cpu_internal.h"

#include "kernels/cpu/text_attention.h"

static void tile(void *ctx, int64_t i, void *scratch)
{
    const skv_t5_attention_args *a = ctx;
    const int64_t heads = a->q.shape[1], dim = a->q.shape[2];
    const int64_t p = i / heads, h = i % heads, n = a->start[p + 1] - a->start[p];
    const int64_t at = (a->start[p] * heads + h) * dim;
    float *bias = scratch, *score = bias + n * n;

    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c < n; c++) {
            int64_t distance = c - r;

            distance = distance < -a->n_rel ? -a->n_rel : distance;
            distance = distance > a->n_rel ? a->n_rel : distance;
            bias[r * n + c] = skv_f32(&a->table)[a->bucket_of[distance + a->n_rel] * heads + h];
        }
    skv_cpu__text_attention(&(skv_text_attention){.q = skv_f32(&a->q) + at,
                                                  .k = skv_f32(&a->k) + at,
                                                  .v = skv_f32(&a->v) + at,
                                                  .o = skv_f32(&a->o) + at,
                                                  .q_stride = heads * dim,
                                                  .k_stride = heads * dim,
                                                  .v_stride = heads * dim,
                                                  .o_stride = heads * dim,
                                                  .n_q = n,
                                                  .n_k = n,
                                                  .dim = dim,
                                                  .scale = 1.0f,
                                                  .bias = bias},
                            score);
}

skv_status skv_cpu_t5_attention(skv_backend *be, const skv_t5_attention_args *a)
{
    const int64_t heads = a->q.shape[1];

    for (int p = 0; p < a->n_prompts; p++) {
        const int64_t n = a->start[p + 1] - a->start[p];

        if ((size_t)(2 * n * n) * sizeof(float) > SKV_CPU_SCRATCH)
            return skv_fail(SKV_E_UNSUPPORTED, "t5_attention: %lld tokens are too many",
                            (long long)n);
        be->flops += 4 * n * n * heads * a->q.shape[2];
    }
    skv_cpu__parallel(be, a->n_prompts * heads, tile, (void *)(uintptr_t)a);
    return SKV_OK;
}
