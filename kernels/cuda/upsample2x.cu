/* upsample2x: a thread a 16-byte word of the output; bound by writing it. */
#include "kernels/cuda/device.cuh"

#define BLOCK 256

/* One 16-byte word (V = uint4) or one number of y a thread. */
template <typename V>
__global__ void upsample2x(V *y, const V *x, int64_t n, int64_t width, int64_t row)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < n) {
        const int64_t c = i % row, j = i / row % (2 * width), line = i / row / (2 * width);

        y[i] = x[(line / 2 * width + j / 2) * row + c];
    }
}

template <typename V> static skv_status upsample(skv_backend *be, const skv_upsample2x_args *a)
{
    const int64_t row = a->x.shape[3] * (int64_t)skv_dtype_bytes(a->x.dtype) / (int64_t)sizeof(V);
    const int64_t n = a->y.shape[0] * a->y.shape[1] * a->y.shape[2] * row;

    /* lines of all pictures are doubled alike: 2H is even */
    if (n > 0)
        SKV_LAUNCH(be, upsample2x<V>, (unsigned)div_up(n, BLOCK), BLOCK, 0, (V *)a->y.data,
                   (const V *)a->x.data, n, a->x.shape[2], row);
    return SKV_OK;
}

extern "C" skv_status skv_cuda_upsample2x(skv_backend *be, const skv_upsample2x_args *a)
{
    const size_t row = (size_t)a->x.shape[3] * skv_dtype_bytes(a->x.dtype);

    if (row % sizeof(uint4) == 0 && (uintptr_t)a->x.data % 16 == 0 &&
        (uintptr_t)a->y.data % 16 == 0)
        return upsample<uint4>(be, a);
    SKV_FLOAT_SWITCH(a->x.dtype, T, { return upsample<T>(be, a); });
}
