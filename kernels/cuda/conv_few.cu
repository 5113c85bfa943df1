/* The decoder's last convolution: 128 channels to 3, bf16 to fp32. Too few outputs for tensor
 * cores.
 *
 * A warp walks along a row of places; a lane holds four input channels' weights for all taps and
 * outputs in registers, and the columns of the neighbourhood, of which each step loads one ahead.
 * Bound by the arithmetic of one pass over x. */
#include "kernels/cuda/device.cuh"

#define CHANNELS 128
#define OUTPUTS  3
#define WARPS    4
#define STRIP    32 /* places a warp */

__device__ __forceinline__ void load_column(float4 column[3], const bf16 *x, int64_t row, int at,
                                            int y, int height, int width)
{
#pragma unroll
    for (int dy = 0; dy < 3; dy++) {
        const bool inside = at >= 0 && at < width && y + dy > 0 && y + dy <= height;

        column[dy] = make_float4(0, 0, 0, 0);
        if (inside)
            column[dy] = load4(x + (row + dy - 1) * width * CHANNELS + (int64_t)at * CHANNELS);
    }
}

/* grid (strips, rows of all pictures) */
__global__ __launch_bounds__(WARPS *WARP) void conv_few(float *out, const bf16 *x, const bf16 *w,
                                                        const float *b, int height, int width)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int first = (blockIdx.x * WARPS + warp) * STRIP, end = min(first + STRIP, width);
    const int64_t row = blockIdx.y;
    const int y = (int)(row % height);
    float4 tap[OUTPUTS][9], column[4][3]; /* of the neighbourhood, and the one after it */

    if (first >= width)
        return;
    x += 4 * lane;
#pragma unroll
    for (int o = 0; o < OUTPUTS; o++)
#pragma unroll
        for (int t = 0; t < 9; t++)
            tap[o][t] = load4(w + (o * 9 + t) * CHANNELS + 4 * lane);
    load_column(column[0], x, row, first - 1, y, height, width);
    load_column(column[1], x, row, first, y, height, width);
    load_column(column[2], x, row, first + 1, y, height, width);
    for (int at = first; at < end; at++) {
        float sum[OUTPUTS] = {};

        load_column(column[3], x, row, at + 2, y, height, width);
#pragma unroll
        for (int o = 0; o < OUTPUTS; o++) {
#pragma unroll
            for (int t = 0; t < 9; t++) {
                const float4 v = column[t % 3][t / 3], f = tap[o][t];

                sum[o] = fmaf(v.x, f.x, sum[o]);
                sum[o] = fmaf(v.y, f.y, sum[o]);
                sum[o] = fmaf(v.z, f.z, sum[o]);
                sum[o] = fmaf(v.w, f.w, sum[o]);
            }
            sum[o] = warp_sum(sum[o]);
        }
        if (lane == 0)
            for (int o = 0; o < OUTPUTS; o++)
                out[(row * width + at) * OUTPUTS + o] = sum[o] + b[o];
#pragma unroll
        for (int dy = 0; dy < 3; dy++) {
            column[0][dy] = column[1][dy];
            column[1][dy] = column[2][dy];
            column[2][dy] = column[3][dy];
        }
    }
}

extern "C" skv_status skv_cuda__conv_few(skv_backend *be, const skv_conv3x3_args *a, bool *done)
{
    const int64_t rows = a->x.shape[0] * a->x.shape[1], width = a->x.shape[2];
    const dim3 grid((unsigned)div_up(width, WARPS * STRIP), (unsigned)rows);

    *done = a->x.dtype == SKV_BF16 && a->y.dtype == SKV_F32 && a->x.shape[3] == CHANNELS &&
            a->w.shape[0] == OUTPUTS && rows <= 65535;
    if (*done)
        SKV_LAUNCH(be, conv_few, grid, WARPS * WARP, 0, (float *)a->y.data, (const bf16 *)a->x.data,
                   (const bf16 *)a->w.data, (const float *)a->b.data, (int)a->x.shape[1],
                   (int)width);
    return SKV_OK;
}
