/* to_pixels: a thread a number; bound by bandwidth. */
#include "kernels/cuda/device.cuh"

#define BLOCK 256

/* NaN fails both comparisons and becomes 0. No contraction: the same bytes as the CPU's. */
__global__ void to_pixels(uint8_t *y, const float *x, int64_t n, int64_t picture, int32_t *fault,
                          int32_t code)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < n) {
        const float low = x[i] > -1.0f ? x[i] : -1.0f, t = low < 1.0f ? low : 1.0f;

        y[i] = (uint8_t)(int32_t)__fmul_rn(__fadd_rn(t, 1.0f) / 2.0f, 255.0f);
        if (fault && !is_finite(x[i]))
            note_fault(fault + i / picture, code);
    }
}

extern "C" skv_status skv_cuda_to_pixels(skv_backend *be, const skv_to_pixels_args *a)
{
    const int64_t n = skv_tensor_count(&a->x);

    if (n > 0)
        SKV_LAUNCH(be, to_pixels, (unsigned)div_up(n, BLOCK), BLOCK, 0, (uint8_t *)a->y.data,
                   (const float *)a->x.data, n, n / a->x.shape[0], (int32_t *)a->fault.data,
                   a->code);
    return SKV_OK;
}
