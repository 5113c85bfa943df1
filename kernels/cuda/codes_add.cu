/* codes_add: a thread a number of the residual map; the maps are small. */
#include "kernels/cuda/bilinear.cuh"

#define BLOCK 256

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
