/* Means over a layer's heads, position by position, which heads of different lengths share. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/ragged.h"

static void row_of_lists(void *ctx, int64_t r, void *scratch)
{
    const skv_mean_heads_args *a = ctx;
    const int64_t longest = skv_ragged_longest(a->len, a->heads);
    const float *x = skv_f32(&a->x) + r * a->x.shape[1];
    float *y = skv_f32(&a->y) + r * a->y.shape[1];

    (void)scratch;
    for (int64_t j = 0; j < longest; j++) {
        int64_t start = 0;
        float sum = 0, mean;
        int n = 0;

        for (int h = 0; h < a->heads; start += a->len[h++])
            if (j < a->len[h]) {
                sum += x[start + j];
                n++;
            }
        mean = sum / (float)n;
        start = 0;
        for (int h = 0; h < a->heads; start += a->len[h++])
            if (j < a->len[h])
                y[start + j] = mean;
    }
}

skv_status skv_cpu_mean_heads(skv_backend *be, const skv_mean_heads_args *a)
{
    skv_mean_heads_args job = *a;

    skv_cpu__parallel(be, a->x.shape[0], row_of_lists, &job);
    return SKV_OK;
}
