/* channel_peaks: a block takes some channels of a head, its threads neighbours of them and every
 * 32nd token; bound by bandwidth. Magnitudes are compared as bits, which orders them, NaN last. */
#include "kernels/cuda/device.cuh"

#define BLOCK  256
#define ACROSS 8                /* threads side by side */
#define DOWN   (BLOCK / ACROSS) /* tokens at a time */
#define AHEAD  4                /* loads of a thread on the way together */

/* Bits of N neighbours' magnitudes. */
__device__ __forceinline__ void magnitudes(uint32_t (&bits)[1], const float *p)
{
    bits[0] = __float_as_uint(*p) & 0x7fffffffu;
}

__device__ __forceinline__ void magnitudes(uint32_t (&bits)[1], const bf16 *p)
{
    bits[0] = __float_as_uint(to_f32(*p)) & 0x7fffffffu;
}

template <typename T> __device__ __forceinline__ void magnitudes(uint32_t (&bits)[4], const T *p)
{
    const float4 x = load4(p);

    bits[0] = __float_as_uint(x.x) & 0x7fffffffu;
    bits[1] = __float_as_uint(x.y) & 0x7fffffffu;
    bits[2] = __float_as_uint(x.z) & 0x7fffffffu;
    bits[3] = __float_as_uint(x.w) & 0x7fffffffu;
}

typedef struct {
    uint32_t *peak;
    int64_t peak_row, peak_head, v_row, v_head;
    int tokens, dim;
} sizes;

/* grid (channels / (ACROSS·N), heads, rows) */
template <typename T, int N>
__global__ __launch_bounds__(BLOCK) void channel_peaks(const T *v, const sizes z, ints<256> base)
{
    __shared__ uint32_t room[DOWN][ACROSS * N + 1];
    const int across = threadIdx.x % ACROSS, down = threadIdx.x / ACROSS;
    const int first = blockIdx.x * ACROSS * N, d = first + across * N;
    uint32_t most[N] = {};

    v += blockIdx.z * z.v_row + blockIdx.y * z.v_head + (int64_t)base.v[blockIdx.y] * z.dim;
    for (int t = down; d < z.dim && t < z.tokens; t += DOWN * AHEAD) {
        uint32_t x[AHEAD][N] = {};

#pragma unroll
        for (int i = 0; i < AHEAD; i++)
            if (t + i * DOWN < z.tokens)
                magnitudes(x[i], v + (int64_t)(t + i * DOWN) * z.dim + d);
#pragma unroll
        for (int i = 0; i < AHEAD; i++)
#pragma unroll
            for (int n = 0; n < N; n++)
                most[n] = max(most[n], x[i][n]);
    }
#pragma unroll
    for (int n = 0; n < N; n++)
        room[down][across * N + n] = most[n];
    __syncthreads();
    if (threadIdx.x < ACROSS * N && first + (int)threadIdx.x < z.dim) {
        uint32_t all = 0;

        for (int i = 0; i < DOWN; i++)
            all = max(all, room[i][threadIdx.x]);
        z.peak[blockIdx.z * z.peak_row + blockIdx.y * z.peak_head + first + threadIdx.x] = all;
    }
}

extern "C" skv_status skv_cuda_channel_peaks(skv_backend *be, const skv_channel_peaks_args *a)
{
    const int64_t rows = a->v.shape[0], heads = a->v.shape[1], dim = a->v.shape[3];
    const sizes z = {(uint32_t *)a->peak.data, a->peak.stride[0], a->peak.stride[1], a->v.stride[0],
                     a->v.stride[1],           a->tokens,         (int)dim};
    const bool wide4 =
        (dim | a->v.stride[0] | a->v.stride[1]) % 4 == 0 && (uintptr_t)a->v.data % 16 == 0;
    const dim3 grid((unsigned)div_up(dim, ACROSS * (wide4 ? 4 : 1)), (unsigned)heads,
                    (unsigned)rows);

    if (heads > 256 || rows > 65535)
        return skv_fail(SKV_E_UNSUPPORTED, "channel_peaks: %lld rows of %lld heads are too many",
                        (long long)rows, (long long)heads);
    if (rows == 0 || heads == 0)
        return SKV_OK;
    SKV_FLOAT_SWITCH(a->v.dtype, T, {
        if (wide4)
            SKV_LAUNCH(be, (channel_peaks<T, 4>), grid, BLOCK, 0, (const T *)a->v.data, z,
                       ints_of<256>(a->base, heads));
        else
            SKV_LAUNCH(be, (channel_peaks<T, 1>), grid, BLOCK, 0, (const T *)a->v.data, z,
                       ints_of<256>(a->base, heads));
    });
    return SKV_OK;
}
