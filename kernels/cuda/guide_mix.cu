/* guide_mix: a thread a number of both halves; bound by bandwidth. */
#include "kernels/cuda/device.cuh"

#define BLOCK 256

/* Both halves of x become cfg·first + (1-cfg)·second. */
__global__ void guide_mix(float *x, int64_t half, float cfg)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < half)
        x[i] = x[i + half] = __fadd_rn(__fmul_rn(cfg, x[i]), __fmul_rn(1.0f - cfg, x[i + half]));
}

extern "C" skv_status skv_cuda_guide_mix(skv_backend *be, const skv_guide_mix_args *a)
{
    const int64_t half = skv_tensor_count(&a->x) / 2;

    if (half > 0)
        SKV_LAUNCH(be, guide_mix, (unsigned)div_up(half, BLOCK), BLOCK, 0, (float *)a->x.data, half,
                   a->cfg);
    return SKV_OK;
}
