/* y[p,c] += b[c] + r[p,c], y (places, channels) bf16 in place, b fp32; r may be absent.
 *
 * A thread keeps the biases of eight neighbouring channels and walks down the places; a row of
 * threads covers the channels. No shared memory; bound by bandwidth. */
#include "kernels/cuda/device.cuh"

#define THREADS 256
#define STEP    8 /* channels of a thread */
#define BLOCKS  2048

/* Two neighbours, in one word as bf16. */
__device__ __forceinline__ uint32_t add_two(uint32_t y, float2 b, uint32_t r)
{
    return pack_bf16(__uint_as_float(y << 16) + b.x + __uint_as_float(r << 16),
                     __uint_as_float(y & 0xffff0000u) + b.y + __uint_as_float(r & 0xffff0000u));
}

__global__ void __launch_bounds__(THREADS)
    add_bias(bf16 *__restrict__ y, const float *__restrict__ b, const bf16 *__restrict__ r,
             int64_t places, int64_t channels)
{
    const int64_t first = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
    const int64_t step = (int64_t)gridDim.x * blockDim.y;

    for (int64_t c = (int64_t)threadIdx.x * STEP; c < channels; c += (int64_t)blockDim.x * STEP) {
        const float4 low = load4(b + c), high = load4(b + c + 4);

        for (int64_t p = first; p < places; p += step) {
            uint4 *const at = (uint4 *)(y + p * channels + c);
            const uint4 u = *at;
            const uint4 v = r ? *(const uint4 *)(r + p * channels + c) : make_uint4(0, 0, 0, 0);

            *at = make_uint4(add_two(u.x, make_float2(low.x, low.y), v.x),
                             add_two(u.y, make_float2(low.z, low.w), v.y),
                             add_two(u.z, make_float2(high.x, high.y), v.z),
                             add_two(u.w, make_float2(high.z, high.w), v.w));
        }
    }
}

extern "C" skv_status skv_cuda__add_bias(skv_backend *be, void *y, const float *b, const void *r,
                                         int64_t places, int64_t channels)
{
    const int64_t across = channels / STEP < THREADS ? channels / STEP : THREADS;
    dim3 block, grid;

    if (channels < STEP || channels % STEP != 0 || places < 1)
        return skv_fail(SKV_E_SHAPE, "add_bias: %lld places of %lld channels, want a multiple of 8",
                        (long long)places, (long long)channels);
    block = dim3((unsigned)across, (unsigned)(THREADS / across));
    grid = dim3((unsigned)(div_up(places, block.y) < BLOCKS ? div_up(places, block.y) : BLOCKS));
    SKV_LAUNCH(be, add_bias, grid, block, 0, (bf16 *)y, b, (const bf16 *)r, places, channels);
    return SKV_OK;
}
