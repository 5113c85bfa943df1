/* Bilinear interpolation between the residual map and a scale's tokens: the CPU's arithmetic,
 * without contraction, so that the bytes are the CPU's. */
#ifndef SKV_KERNELS_CUDA_BILINEAR_CUH
#define SKV_KERNELS_CUDA_BILINEAR_CUH

#include "kernels/cuda/device.cuh"

typedef struct {
    int low, high;
    float weight;
} tap;

__device__ __forceinline__ tap tap_at(int at, int in, int out)
{
    float place = __fsub_rn(__fmul_rn((float)at + 0.5f, __fdiv_rn((float)in, (float)out)), 0.5f);
    tap t;

    place = place < 0.0f ? 0.0f : place;
    t.low = (int)place < in ? (int)place : in - 1;
    t.high = t.low + 1 < in ? t.low + 1 : t.low;
    t.weight = place - (float)t.low;
    return t;
}

__device__ __forceinline__ float mix(float low, float high, float weight)
{
    return __fadd_rn(__fmul_rn(1.0f - weight, low), __fmul_rn(weight, high));
}

typedef struct {
    int h, w, patch; /* tokens: (h,w), each patch² places of the code map */
    int hz, wz, d;   /* the residual map */
} shape;

#endif
