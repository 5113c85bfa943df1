/* codes_add, next_input: bilinear interpolation between the residual map and a scale's tokens, a
 * thread a number. Bound by bandwidth (the maps are small). The arithmetic is the CPU's, without
 * contraction: the same bytes. */
#include "kernels/cuda/device.cuh"

#define BLOCK 256

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

__device__ __forceinline__ float code(const uint8_t *bits, const shape &s, int64_t b, int y, int x,
                                      int c, float unit)
{
    const int p = s.patch;
    const int64_t token = (b * s.h + y / p) * s.w + x / p;
    const uint8_t bit = bits[((token * s.d + c) * p + y % p) * p + x % p];

    return __fmul_rn(2.0f * (float)bit - 1.0f, unit);
}

__global__ void codes_add(float *z, const uint8_t *bits, shape s, int64_t n, float unit)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i >= n)
        return;
    const int c = (int)(i % s.d), x = (int)(i / s.d % s.wz), y = (int)(i / s.d / s.wz % s.hz);
    const int64_t b = i / s.d / s.wz / s.hz;
    const tap ty = tap_at(y, s.h * s.patch, s.hz), tx = tap_at(x, s.w * s.patch, s.wz);
    const float low = mix(code(bits, s, b, ty.low, tx.low, c, unit),
                          code(bits, s, b, ty.low, tx.high, c, unit), tx.weight);
    const float high = mix(code(bits, s, b, ty.high, tx.low, c, unit),
                           code(bits, s, b, ty.high, tx.high, c, unit), tx.weight);

    z[i] = __fadd_rn(z[i], mix(low, high, ty.weight));
}

extern "C" skv_status skv_cuda_codes_add(skv_backend *be, const skv_codes_add_args *a)
{
    const shape s = {
        a->h, a->w, a->patch, (int)a->z.shape[1], (int)a->z.shape[2], (int)a->z.shape[3]};
    const int64_t n = skv_tensor_count(&a->z);

    if (n > 0)
        SKV_LAUNCH(be, codes_add, (unsigned)div_up(n, BLOCK), BLOCK, 0, (float *)a->z.data,
                   (const uint8_t *)a->bits.data, s, n, 1.0f / sqrtf((float)s.d));
    return SKV_OK;
}

/* A thread a number of t, in t's order: (token, channel, dy, dx). */
__global__ void next_input(float *t, const float *z, shape s, int64_t n)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i >= n)
        return;
    const int p = s.patch, dx = (int)(i % p), dy = (int)(i / p % p), c = (int)(i / p / p % s.d);
    const int64_t token = i / p / p / s.d, b = token / s.w / s.h;
    const int y = (int)(token / s.w % s.h) * p + dy, x = (int)(token % s.w) * p + dx;
    const tap ty = tap_at(y, s.hz, s.h * p), tx = tap_at(x, s.wz, s.w * p);
    const float *map = z + b * s.hz * s.wz * s.d + c;
    const float *above = map + (int64_t)ty.low * s.wz * s.d;
    const float *below = map + (int64_t)ty.high * s.wz * s.d;

    t[i] = mix(mix(above[tx.low * s.d], above[tx.high * s.d], tx.weight),
               mix(below[tx.low * s.d], below[tx.high * s.d], tx.weight), ty.weight);
}

extern "C" skv_status skv_cuda_next_input(skv_backend *be, const skv_next_input_args *a)
{
    const shape s = {
        a->h, a->w, a->patch, (int)a->z.shape[1], (int)a->z.shape[2], (int)a->z.shape[3]};
    const int64_t n = skv_tensor_count(&a->t);

    if (n > 0)
        SKV_LAUNCH(be, next_input, (unsigned)div_up(n, BLOCK), BLOCK, 0, (float *)a->t.data,
                   (const float *)a->z.data, s, n);
    return SKV_OK;
}
