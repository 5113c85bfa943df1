/* copy, zero, and conversions: one pass over memory, four numbers a thread where alignment allows;
 * bound by bandwidth. */
#include "kernels/cuda/device.cuh"

#define BLOCK 256

template <typename TY, typename TX>
__global__ void convert(TY *y, const TX *x, int64_t n, bool tf32)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < n) {
        const float v = to_f32(x[i]);

        put(y + i, tf32 ? round_tf32(v) : v);
    }
}

template <typename TY, typename TX>
__global__ void convert4(TY *y, const TX *x, int64_t n4, bool tf32)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < n4) {
        float4 v = load4(x + 4 * i);

        if (tf32)
            v = make_float4(round_tf32(v.x), round_tf32(v.y), round_tf32(v.z), round_tf32(v.w));
        store4(y + 4 * i, v);
    }
}

static bool fours(const void *y, const void *x, int64_t n)
{
    return n % 4 == 0 && (uintptr_t)y % 16 == 0 && (uintptr_t)x % 16 == 0;
}

template <typename TY>
static skv_status to(skv_backend *be, TY *y, const void *x, skv_dtype x_type, int64_t n, bool tf32)
{
    const unsigned grid = (unsigned)div_up(n, BLOCK), grid4 = (unsigned)div_up(n / 4, BLOCK);

    if (x_type == SKV_F16) {
        SKV_LAUNCH(be, (convert<TY, __half>), grid, BLOCK, 0, y, (const __half *)x, n, tf32);
        return SKV_OK;
    }
    SKV_FLOAT_SWITCH(x_type, TX, {
        if (fours(y, x, n))
            SKV_LAUNCH(be, (convert4<TY, TX>), grid4, BLOCK, 0, y, (const TX *)x, n / 4, tf32);
        else
            SKV_LAUNCH(be, (convert<TY, TX>), grid, BLOCK, 0, y, (const TX *)x, n, tf32);
    });
    return SKV_OK;
}

extern "C" skv_status skv_cuda__convert(skv_backend *be, void *y, skv_dtype y_type, const void *x,
                                        skv_dtype x_type, int64_t n, bool tf32)
{
    if (n == 0)
        return SKV_OK;
    SKV_FLOAT_SWITCH(y_type, TY,
                     { return to<TY>(be, (TY *)y, x, x_type, n, tf32 && y_type == SKV_F32); });
}

extern "C" skv_status skv_cuda_copy(skv_backend *be, const skv_copy_args *a)
{
    const int64_t n = skv_tensor_count(&a->x);

    if (a->y.dtype != a->x.dtype)
        return skv_cuda__convert(be, a->y.data, a->y.dtype, a->x.data, a->x.dtype, n, false);
    SKV_CUDA(cudaMemcpyAsync(a->y.data, a->x.data, skv_tensor_bytes(&a->x),
                             cudaMemcpyDeviceToDevice, skv_cuda__of(be)->stream));
    return SKV_OK;
}

extern "C" skv_status skv_cuda_zero(skv_backend *be, const skv_zero_args *a)
{
    SKV_CUDA(cudaMemsetAsync(a->y.data, 0, skv_tensor_bytes(&a->y), skv_cuda__of(be)->stream));
    return SKV_OK;
}
