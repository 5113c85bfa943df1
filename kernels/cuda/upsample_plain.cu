/* upsample_conv by a plain kernel, a thread a channel of some places of one phase of an output
 * line. Bound by its loads: the checking form. */
#include "kernels/cuda/device.cuh"

#define BLOCK  64
#define PLACES 8

/* y (2H,2W,Co) of every picture; grid (2·W/PLACES, lines of y, Co/BLOCK) */
template <typename T>
__global__ __launch_bounds__(BLOCK) void upsample_conv(T *y, const T *x, const T *w, const float *b,
                                                       int height, int width, int ci, int co)
{
    const int side = blockIdx.x % 2, first = blockIdx.x / 2 * PLACES;
    const int down = blockIdx.y % 2, c = blockIdx.z * BLOCK + threadIdx.x;
    const int64_t line = blockIdx.y / 2; /* of all pictures */
    const int row = (int)(line % height);
    float sum[PLACES] = {};

    if (c >= co)
        return;
    for (int tap = 0; tap < 4; tap++) {
        const int dy = tap / 2 * (2 * down - 1), dx = tap % 2 * (2 * side - 1);
        const int r = tap / 2 ? 3 - 3 * down : 1 + down, s = tap % 2 ? 3 - 3 * side : 1 + side;
        const T *from = x + ((line + dy) * width + first + dx) * ci;

        if (row + dy < 0 || row + dy >= height)
            continue;
        for (int k = 0; k < ci; k++) {
            const float weight = to_f32(w[((int64_t)k * 16 + 4 * r + s) * co + c]);

#pragma unroll
            for (int p = 0; p < PLACES; p++)
                if (first + p + dx >= 0 && first + p + dx < width && first + p < width)
                    sum[p] = fmaf(to_f32(from[(int64_t)p * ci + k]), weight, sum[p]);
        }
    }
    for (int p = 0; p < PLACES && first + p < width; p++)
        put(y + ((int64_t)blockIdx.y * 2 * width + 2 * (first + p) + side) * co + c, sum[p] + b[c]);
}

extern "C" skv_status skv_cuda__upsample_plain(skv_backend *be, const skv_upsample_conv_args *a)
{
    const int64_t *xs = a->x.shape, lines = 2 * xs[0] * xs[1], co = a->w.shape[3];
    const dim3 grid((unsigned)(2 * div_up(xs[2], PLACES)), (unsigned)lines,
                    (unsigned)div_up(co, BLOCK));

    SKV_FLOAT_SWITCH(a->x.dtype, T, {
        SKV_LAUNCH(be, upsample_conv<T>, grid, BLOCK, 0, (T *)a->y.data, (const T *)a->x.data,
                   (const T *)a->w.data, (const float *)a->b.data, (int)xs[1], (int)xs[2],
                   (int)xs[3], (int)co);
        return SKV_OK;
    });
}
