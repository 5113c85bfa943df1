/* add, add_rows: one pass over memory. */
#include "kernels/cuda/combine.cuh"

struct sum_of {
    __device__ float operator()(float y, float x) const
    {
        return y + x;
    }
};

extern "C" skv_status skv_cuda_add(skv_backend *be, const skv_add_args *a)
{
    const int64_t n = skv_tensor_count(&a->x);

    SKV_FLOAT_SWITCH(a->y.dtype, TY, {
        SKV_FLOAT_SWITCH(a->x.dtype, TX, {
            return combine(be, (TY *)a->y.data, (const TX *)a->x.data, n, sum_of());
        });
    });
}

__global__ void add_rows(float *y, const float *x, const float *b, int64_t n, int64_t columns)
{
    const int64_t i = (int64_t)blockIdx.x * COMBINE_BLOCK + threadIdx.x;

    if (i < n)
        y[i] = x[i] + b[i % columns];
}

extern "C" skv_status skv_cuda_add_rows(skv_backend *be, const skv_add_rows_args *a)
{
    const int64_t n = skv_tensor_count(&a->x);

    if (n > 0)
        SKV_LAUNCH(be, add_rows, (unsigned)div_up(n, COMBINE_BLOCK), COMBINE_BLOCK, 0,
                   (float *)a->y.data, (const float *)a->x.data, (const float *)a->b.data, n,
                   a->x.shape[1]);
    return SKV_OK;
}
