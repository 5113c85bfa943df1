/* linear and linear_gelu: matrices in the backend's type; fp32 inputs are converted on the way. */
#include "kernels/cuda/cuda_internal.h"

/* Rows of x whose converted form fits the second half of the workspace. */
static int64_t rows_at_once(const skv_linear_args *a, size_t element)
{
    const int64_t rows = (int64_t)(SKV_CUDA_WORKSPACE / 2 / ((size_t)a->x.shape[1] * element));

    return rows < 1 ? 1 : rows;
}

/* x rounded to what the tensor cores read, some rows at a time. */
static skv_status converted(skv_backend *be, const skv_linear_args *a, skv_cuda__matmul_args *m)
{
    const int64_t step = rows_at_once(a, skv_dtype_bytes(be->weight));
    void *half = skv_cuda__of(be)->workspace + SKV_CUDA_WORKSPACE / 2;
    const size_t y_row = (size_t)m->n * skv_dtype_bytes(m->y_type);
    const float *x = a->x.data;
    char *y = a->y.data;

    if ((size_t)m->k * skv_dtype_bytes(be->weight) > SKV_CUDA_WORKSPACE / 2)
        return skv_fail(SKV_E_UNSUPPORTED, "linear: rows of %lld numbers are too long",
                        (long long)m->k);
    m->x = half;
    for (int64_t first = 0, rows = a->x.shape[0]; first < rows; first += step) {
        m->m = rows - first < step ? rows - first : step;
        m->y = y + (size_t)first * y_row;
        SKV_TRY(skv_cuda__convert(be, half, be->weight, x + first * m->k, SKV_F32, m->m * m->k,
                                  skv_cuda__of(be)->tf32));
        SKV_TRY(skv_cuda__matmul(be, m));
    }
    return SKV_OK;
}

/* The product, or the batch of products, whose x is of the matrices' type. */
static skv_cuda__matmul_args product_of(const skv_backend *be, const skv_linear_args *a)
{
    const bool many = a->x.ndim == 3;
    const int64_t *x = a->x.shape + many;

    return (skv_cuda__matmul_args){.y = a->y.data,
                                   .x = a->x.data,
                                   .w = a->w.data,
                                   .b = a->b.data,
                                   .m = x[0],
                                   .n = a->w.shape[0],
                                   .k = x[1],
                                   .y_type = a->y.dtype,
                                   .x_type = be->weight,
                                   .w_shared = many,
                                   .batch = many ? a->x.shape[0] : 1,
                                   .y_step = many ? a->y.stride[0] : 0,
                                   .x_step = many ? a->x.stride[0] : 0};
}

static bool converts(const skv_backend *be, const skv_linear_args *a)
{
    return a->x.dtype != be->weight || skv_cuda__of(be)->tf32;
}

static skv_status linear(skv_backend *be, const skv_linear_args *a, bool gelu)
{
    skv_cuda__matmul_args m = product_of(be, a);

    m.gelu = gelu && be->weight != SKV_F32;
    be->flops += 2 * m.m * m.n * m.k;
    if (m.m == 0 || m.n == 0)
        return SKV_OK;
    if (converts(be, a))
        SKV_TRY(converted(be, a, &m));
    else
        SKV_TRY(skv_cuda__matmul(be, &m));
    if (gelu && !m.gelu) /* cuBLASLt's own is good for bf16, not for a checking form */
        return skv_cuda__gelu(be, a->y.data, a->y.dtype, a->x.shape[0] * m.n);
    return SKV_OK;
}

/* A batch in one product, or one by one where x is converted on the way. */
static skv_status linears(skv_backend *be, const skv_linear_args *a)
{
    const skv_cuda__matmul_args m = product_of(be, a);

    if (!converts(be, a)) {
        be->flops += 2 * m.batch * m.m * m.n * m.k;
        return m.batch * m.m * m.n == 0 ? SKV_OK : skv_cuda__matmul(be, &m);
    }
    for (int64_t b = 0; b < m.batch; b++)
        SKV_TRY(linear(
            be,
            &(skv_linear_args){
                .y = skv_tensor_at(&a->y, b), .x = skv_tensor_at(&a->x, b), .w = a->w, .b = a->b},
            false));
    return SKV_OK;
}

skv_status skv_cuda_linear(skv_backend *be, const skv_linear_args *a)
{
    return a->x.ndim == 3 ? linears(be, a) : linear(be, a, false);
}

skv_status skv_cuda_linear_gelu(skv_backend *be, const skv_linear_gelu_args *a)
{
    return linear(be, a, true);
}
