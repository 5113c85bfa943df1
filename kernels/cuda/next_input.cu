/* next_input: interpolated, and unshuffled into tokens; the maps are small. */
#include "kernels/cuda/bilinear.cuh"

#define BLOCK 256

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
