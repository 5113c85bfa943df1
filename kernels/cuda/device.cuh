/* What kernels share: conversions, four numbers at a time, sums over a warp and a block, launching.
 *
 * Sums run in a fixed order, without atomics: the same bytes in every run. */
#ifndef SKV_KERNELS_CUDA_DEVICE_CUH
#define SKV_KERNELS_CUDA_DEVICE_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

#include "kernels/cuda/cuda_internal.h"

#define WARP 32
#define ALL  0xffffffffu

typedef __nv_bfloat16 bf16;

/* Launches on the backend's stream and returns from the caller if that fails. */
#define SKV_LAUNCH(be, kernel, grid, block, smem, ...)                                             \
    do {                                                                                           \
        kernel<<<(grid), (block), (smem), skv_cuda__of(be)->stream>>>(__VA_ARGS__);                \
        SKV_TRY(skv_cuda__launched((be), #kernel));                                                \
    } while (0)

/* Runs `...` with T as the C++ type of a bf16 or fp32 dtype; returns SKV_E_UNSUPPORTED from the
 * caller for any other. */
#define SKV_FLOAT_SWITCH(dtype, T, ...)                                                            \
    do {                                                                                           \
        if ((dtype) == SKV_BF16) {                                                                 \
            typedef bf16 T;                                                                        \
            __VA_ARGS__;                                                                           \
        } else if ((dtype) == SKV_F32) {                                                           \
            typedef float T;                                                                       \
            __VA_ARGS__;                                                                           \
        } else {                                                                                   \
            return skv_cuda__no_kernel(__func__, (dtype));                                         \
        }                                                                                          \
    } while (0)

/* Host integers that a kernel gets by value. */
template <int N> struct ints {
    int32_t v[N];
};

template <int N> static inline ints<N> ints_of(const int32_t *v, int64_t n)
{
    ints<N> r;

    for (int64_t i = 0; i < n && i < N; i++)
        r.v[i] = v[i];
    return r;
}

static inline int64_t div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

__device__ __forceinline__ float to_f32(float x)
{
    return x;
}

__device__ __forceinline__ float to_f32(bf16 x)
{
    return __bfloat162float(x);
}

__device__ __forceinline__ float to_f32(__half x)
{
    return __half2float(x);
}

__device__ __forceinline__ void put(float *p, float x)
{
    *p = x;
}

__device__ __forceinline__ void put(bf16 *p, float x)
{
    *p = __float2bfloat16_rn(x);
}

__device__ __forceinline__ bool is_finite(float x)
{
    return (__float_as_uint(x) & 0x7f800000u) != 0x7f800000u;
}

/* *fault becomes `code` where it is 0. The threads of an operation all bring the same code, so that
 * their order does not matter. */
__device__ __forceinline__ void note_fault(int32_t *fault, int32_t code)
{
    if (*(volatile int32_t *)fault == 0)
        atomicCAS(fault, 0, code);
}

/* Four neighbours; p aligned to them. */
__device__ __forceinline__ float4 load4(const float *p)
{
    return *(const float4 *)p;
}

__device__ __forceinline__ float4 load4(const bf16 *p)
{
    const uint2 u = *(const uint2 *)p;

    return make_float4(__uint_as_float(u.x << 16), __uint_as_float(u.x & 0xffff0000u),
                       __uint_as_float(u.y << 16), __uint_as_float(u.y & 0xffff0000u));
}

__device__ __forceinline__ void store4(float *p, float4 x)
{
    *(float4 *)p = x;
}

__device__ __forceinline__ uint32_t pack_bf16(float low, float high)
{
    const __nv_bfloat162 h = __floats2bfloat162_rn(low, high);

    return *(const uint32_t *)&h;
}

__device__ __forceinline__ void store4(bf16 *p, float4 x)
{
    *(uint2 *)p = make_uint2(pack_bf16(x.x, x.y), pack_bf16(x.z, x.w));
}

/* Eight neighbours of bf16, or four of fp32: 16 bytes. */
template <typename T> struct wide;

template <> struct wide<bf16> {
    enum { N = 8 };
    float v[N];

    __device__ __forceinline__ void load(const bf16 *p)
    {
        const uint4 u = *(const uint4 *)p;
        const uint32_t w[4] = {u.x, u.y, u.z, u.w};

#pragma unroll
        for (int i = 0; i < 4; i++) {
            v[2 * i] = __uint_as_float(w[i] << 16);
            v[2 * i + 1] = __uint_as_float(w[i] & 0xffff0000u);
        }
    }

    __device__ __forceinline__ void store(bf16 *p) const
    {
        *(uint4 *)p = make_uint4(pack_bf16(v[0], v[1]), pack_bf16(v[2], v[3]),
                                 pack_bf16(v[4], v[5]), pack_bf16(v[6], v[7]));
    }
};

template <> struct wide<float> {
    enum { N = 4 };
    float v[N];

    __device__ __forceinline__ void load(const float *p)
    {
        const float4 t = *(const float4 *)p;

        v[0] = t.x, v[1] = t.y, v[2] = t.z, v[3] = t.w;
    }

    __device__ __forceinline__ void store(float *p) const
    {
        *(float4 *)p = make_float4(v[0], v[1], v[2], v[3]);
    }
};

__device__ __forceinline__ float warp_sum(float x)
{
    for (int step = WARP / 2; step > 0; step /= 2)
        x += __shfl_xor_sync(ALL, x, step);
    return x;
}

__device__ __forceinline__ float warp_max(float x)
{
    for (int step = WARP / 2; step > 0; step /= 2)
        x = fmaxf(x, __shfl_xor_sync(ALL, x, step));
    return x;
}

/* The sum over a block of at most 1024 threads (a multiple of WARP), for all of them; `room` holds
 * WARP numbers of shared memory. */
__device__ __forceinline__ float block_sum(float x, float *room)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;

    x = warp_sum(x);
    __syncthreads();
    if (lane == 0)
        room[warp] = x;
    __syncthreads();
    return warp_sum(lane < warps ? room[lane] : 0.0f);
}

__device__ __forceinline__ float block_max(float x, float *room)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;

    x = warp_max(x);
    __syncthreads();
    if (lane == 0)
        room[warp] = x;
    __syncthreads();
    return warp_max(lane < warps ? room[lane] : -INFINITY);
}

/* Nearest TF32, ties to even, as fp32. */
__device__ __forceinline__ float round_tf32(float x)
{
    uint32_t u = __float_as_uint(x);

    if ((u & 0x7f800000u) == 0x7f800000u)
        return x;
    u += 0xfffu + ((u >> 13) & 1u);
    return __uint_as_float(u & 0xffffe000u);
}

/* t/2·(1 + tanh(u)) = t/(1 + exp(-2u)), which keeps its digits where tanh is near -1. */
__device__ __forceinline__ float gelu_tanh(float t)
{
    return t / (1.0f + expf(-1.5957691216057308f * (t + 0.044715f * t * t * t)));
}

/* For outputs of bf16: exp and the quotient by the fast units. */
__device__ __forceinline__ float silu(float t)
{
    return t * __fdividef(1.0f, 1.0f + __expf(-t));
}

#endif
