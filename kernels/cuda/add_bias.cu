/* y[p,c] += b[c], y (places, channels) bf16 in place, b fp32.
 *
 * A thread keeps the biases of eight neighbouring channels and walks down the places; a row of
 * threads covers the channels. No shared memory; bound by bandwidth. */
#include "kernels/cuda/device.cuh"

#define THREADS 256
#define STEP    8 /* channels of a thread */
#define BLOCKS  2048

__global__ void __launch_bounds__(THREADS)
    add_bias(bf16 *__restrict__ y, const float *__restrict__ b, int64_t places, int64_t channels)
{
    const int64_t first = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
    const int64_t step = (int64_t)gridDim.x * blockDim.y;

    for (int64_t c = (int64_t)threadIdx.x * STEP; c < channels; c += (int64_t)blockDim.x * STEP) {
        const float4 low = load4(b + c), high = load4(b + c + 4);

        for (int64_t p = first; p < places; p += step) {
            uint4 *const at = (uint4 *)(y + p * channels + c);
            uint4 u = *at;

            u.x = pack_bf16(__uint_as_float(u.x << 16) + low.x,
                            __uint_as_float(u.x & 0xffff0000u) + low.y);
            u.y = pack_bf16(__uint_as_float(u.y << 16) + low.z,
                            __uint_as_float(u.y & 0xffff0000u) + low.w);
            u.z = pack_bf16(__uint_as_float(u.z << 16) + high.x,
                            __uint_as_float(u.z & 0xffff0000u) + high.y);
            u.w = pack_bf16(__uint_as_float(u.w << 16) + high.z,
                            __uint_as_float(u.w & 0xffff0000u) + high.w);
            *at = u;
        }
    }
}

extern "C" skv_status skv_cuda__add_bias(skv_backend *be, void *y, const float *b, int64_t places,
                                         int64_t channels)
{
    const int64_t across = channels / STEP < THREADS ? channels / STEP : THREADS;
    dim3 block, grid;

    if (channels < STEP || channels % STEP != 0 || places < 1)
        return skv_fail(SKV_E_SHAPE, "add_bias: %lld places of %lld channels, want a multiple of 8",
                        (long long)places, (long long)channels);
    block = dim3((unsigned)across, (unsigned)(THREADS / across));
    grid = dim3((unsigned)(div_up(places, block.y) < BLOCKS ? div_up(places, block.y) : BLOCKS));
    SKV_LAUNCH(be, add_bias, grid, block, 0, (bf16 *)y, b, places, channels);
    return SKV_OK;
}
