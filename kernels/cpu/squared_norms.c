/* Squared lengths of cached vectors; the sum of a vector runs in order. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/ragged.h"

static void list(void *ctx, int64_t i, void *scratch)
{
    const skv_squared_norms_args *a = ctx;
    const int64_t heads = a->x.shape[1], dim = a->x.shape[3], r = i / heads, h = i % heads;
    const float *x = skv_f32(&a->x) + r * a->x.stride[0] + h * a->x.stride[1];
    float *s = skv_f32(&a->s) + r * a->s.shape[1] + skv_ragged_start(a->len, h);

    (void)scratch;
    for (int64_t j = 0; j < a->len[h]; j++) {
        float sum = 0;

        for (int64_t d = 0; d < dim; d++)
            sum += x[j * dim + d] * x[j * dim + d];
        s[j] = sum;
    }
}

skv_status skv_cpu_squared_norms(skv_backend *be, const skv_squared_norms_args *a)
{
    skv_squared_norms_args job = *a;

    skv_cpu__parallel(be, a->x.shape[0] * a->x.shape[1], list, &job);
    return SKV_OK;
}
