#include "kernels/cuda/matmul_shape.h"

#include <stdio.h>

/* The facts' order. */
enum {
    M,
    N,
    K,
    X_TYPE,
    Y_TYPE,
    BIAS,
    GELU,
    EXACT,
    BY_K,
    BATCH,
    X_ROW,
    W_ROW,
    Y_ROW,
    X_STEP,
    W_STEP,
    Y_STEP,
    B_STEP,
    ALIGNMENT,
    N_FACTS
};

_Static_assert(N_FACTS == SKV_MATMUL_FACTS, "the header's number of facts");

skv_cuda__matmul_args skv_cuda__matmul_completed(const skv_cuda__matmul_args *given)
{
    skv_cuda__matmul_args a = *given;

    a.batch = a.batch ? a.batch : 1;
    a.y_row = a.y_row ? a.y_row : a.n;
    a.x_row = a.x_row ? a.x_row : a.k;
    a.w_row = a.w_row ? a.w_row : a.w_by_k ? a.n : a.k;
    a.y_step = a.y_step && a.batch > 1 ? a.y_step : a.m * a.n;
    a.x_step = a.x_step && a.batch > 1 ? a.x_step : a.m * a.k;
    a.w_step = a.w_shared ? 0 : a.w_step ? a.w_step : a.n * a.k;
    return a;
}

int64_t skv_cuda__matmul_alignment(const skv_cuda__matmul_args *a)
{
    const uintptr_t steps =
        (uintptr_t)(a->y_step * (int64_t)skv_dtype_bytes(a->y_type)) |
        (uintptr_t)((a->x_step | a->w_step) * (int64_t)skv_dtype_bytes(a->x_type));
    const uintptr_t bits =
        (uintptr_t)a->y | (uintptr_t)a->x | (uintptr_t)a->w | (a->batch > 1 ? steps : 0);
    int64_t alignment = 256;

    while (alignment > 1 && bits % (uintptr_t)alignment != 0)
        alignment /= 2;
    return alignment;
}

skv_matmul_shape skv_cuda__matmul_shape(const skv_cuda__matmul_args *a)
{
    return (skv_matmul_shape){.fact = {[M] = a->m,
                                       [N] = a->n,
                                       [K] = a->k,
                                       [X_TYPE] = a->x_type,
                                       [Y_TYPE] = a->y_type,
                                       [BIAS] = a->b != NULL,
                                       [GELU] = a->gelu,
                                       [EXACT] = a->exact,
                                       [BY_K] = a->w_by_k,
                                       [BATCH] = a->batch,
                                       [X_ROW] = a->x_row,
                                       [W_ROW] = a->w_row,
                                       [Y_ROW] = a->y_row,
                                       [X_STEP] = a->x_step,
                                       [W_STEP] = a->w_step,
                                       [Y_STEP] = a->y_step,
                                       [B_STEP] = a->b_step,
                                       [ALIGNMENT] = skv_cuda__matmul_alignment(a)}};
}

skv_status skv_cuda__matmul_key(char *key, size_t bytes, const skv_matmul_shape *s)
{
    const int64_t *f = s->fact;
    const int n = snprintf(
        key, bytes,
        "matmul %lld %lld %lld %s %s%s%s%s%s batch %lld rows %lld %lld %lld steps %lld %lld %lld "
        "%lld align %lld",
        (long long)f[M], (long long)f[N], (long long)f[K], skv_dtype_name((skv_dtype)f[X_TYPE]),
        skv_dtype_name((skv_dtype)f[Y_TYPE]), f[BIAS] ? " bias" : "", f[GELU] ? " gelu" : "",
        f[EXACT] ? " exact" : "", f[BY_K] ? " by k" : "", (long long)f[BATCH], (long long)f[X_ROW],
        (long long)f[W_ROW], (long long)f[Y_ROW], (long long)f[X_STEP], (long long)f[W_STEP],
        (long long)f[Y_STEP], (long long)f[B_STEP], (long long)f[ALIGNMENT]);

    if (n < 0 || (size_t)n >= bytes)
        return skv_fail(SKV_E_ARG, "matmul: the key of %lld x %lld x %lld is too long",
                        (long long)f[M], (long long)f[N], (long long)f[K]);
    return SKV_OK;
}
