/* gated_gelu, and the GELU of linear_gelu's checking form. */
#include "kernels/cuda/combine.cuh"

struct gated_gelu_of {
    __device__ float operator()(float y, float x) const
    {
        return gelu_tanh(y) * x;
    }
};

extern "C" skv_status skv_cuda_gated_gelu(skv_backend *be, const skv_gated_gelu_args *a)
{
    const int64_t n = skv_tensor_count(&a->x);

    SKV_FLOAT_SWITCH(a->y.dtype, T, {
        return combine(be, (T *)a->y.data, (const T *)a->x.data, n, gated_gelu_of());
    });
}

struct gelu_of {
    __device__ float operator()(float y, float) const
    {
        return gelu_tanh(y);
    }
};

extern "C" skv_status skv_cuda__gelu(skv_backend *be, void *y, skv_dtype type, int64_t n)
{
    SKV_FLOAT_SWITCH(type, T, { return combine(be, (T *)y, (const T *)y, n, gelu_of()); });
}
