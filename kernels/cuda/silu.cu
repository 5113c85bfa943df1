/* silu, fp32. */
#include "kernels/cuda/combine.cuh"

struct silu_of {
    __device__ float operator()(float, float x) const
    {
        return x / (1.0f + expf(-x));
    }
};

extern "C" skv_status skv_cuda_silu(skv_backend *be, const skv_silu_args *a)
{
    return combine(be, (float *)a->y.data, (const float *)a->x.data, skv_tensor_count(&a->x),
                   silu_of());
}
