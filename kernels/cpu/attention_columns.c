/* How much attention each key gets from all queries. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/ragged.h"

#include <string.h>

/* One row's head: a query's softmax after the other, in doubles beside it. */
static void columns_of_head(void *ctx, int64_t i, void *scratch)
{
    const skv_attention_columns_args *a = ctx;
    const int64_t heads = a->q.shape[2], dim = a->q.shape[3], h = i % heads, r = i / heads;
    const int64_t len = a->len[h], n = a->q.shape[1];
    const float *q = skv_f32(&a->q) + r * a->q.stride[0] + h * a->q.stride[2];
    const float *k = skv_f32(&a->k) + r * a->k.stride[0] + h * a->k.stride[1];
    float *sum = skv_f32(&a->sum) + r * a->sum.stride[0] + h * a->sum.stride[1];
    double *column = scratch;
    float *p = (float *)(column + len);

    memset(column, 0, (size_t)len * sizeof *column);
    for (int64_t l = 0; l < n; l++) {
        skv_cpu__products(p, q + l * a->q.stride[1], k, len, dim, a->scale);
        skv_cpu__soften(p, len);
        for (int64_t j = 0; j < len; j++)
            column[j] += (double)p[j];
    }
    for (int64_t j = 0; j < len; j++)
        sum[j] = (j < a->base[h] ? sum[j] : 0.0f) + (float)(column[j] / (double)n);
}

skv_status skv_cpu_attention_columns(skv_backend *be, const skv_attention_columns_args *a)
{
    const int64_t longest = skv_ragged_longest(a->len, a->q.shape[2]);
    skv_attention_columns_args job = *a;

    if ((size_t)longest * (sizeof(float) + sizeof(double)) > SKV_CPU_SCRATCH)
        return skv_fail(SKV_E_UNSUPPORTED, "attention_columns: %lld keys are too many",
                        (long long)longest);
    skv_cpu__parallel(be, a->q.shape[0] * a->q.shape[2], columns_of_head, &job);
    return SKV_OK;
}
