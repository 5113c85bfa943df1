/* The pooling attention over a row's text: one learned query a head. */
#include "kernels/cpu/cpu_internal.h"

#include <math.h>

#include "kernels/cpu/text_attention.h"

static void tile(void *ctx, int64_t i, void *scratch)
{
    const skv_pool_attention_args *a = ctx;
    const int64_t heads = a->q.shape[0], dim = a->q.shape[1], r = i / heads, h = i % heads;
    const int64_t step = 2 * heads * dim;
    const float *kv = skv_f32(&a->kv) + a->start[r] * step + h * dim;

    skv_cpu__text_attention(&(skv_text_attention){.q = skv_f32(&a->q) + h * dim,
                                                  .k = kv,
                                                  .v = kv + heads * dim,
                                                  .o = skv_f32(&a->o) + (r * heads + h) * dim,
                                                  .q_stride = dim,
                                                  .k_stride = step,
                                                  .v_stride = step,
                                                  .o_stride = dim,
                                                  .n_q = 1,
                                                  .n_k = a->count[r],
                                                  .dim = dim,
                                                  .scale = (float)(1.0 / sqrt((double)dim))},
                            scratch);
}

skv_status skv_cpu_pool_attention(skv_backend *be, const skv_pool_attention_args *a)
{
    skv_cpu__parallel(be, a->o.shape[0] * a->q.shape[0], tile, (void *)(uintptr_t)a);
    return SKV_OK;
}
