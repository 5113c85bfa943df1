/* mean_positions: a thread a channel of a picture, places added in order. Maps are small (8×8). */
#include "kernels/cuda/device.cuh"

#define BLOCK 128

__global__ void mean_positions(float *y, const float *x, int64_t all, int places, int c)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;
    double sum = 0;

    if (i >= all)
        return;
    x += i / c * places * c + i % c;
    for (int p = 0; p < places; p++)
        sum += x[(int64_t)p * c];
    y[i] = (float)(sum / places);
}

extern "C" skv_status skv_cuda_mean_positions(skv_backend *be, const skv_mean_positions_args *a)
{
    const int64_t *x = a->x.shape, all = x[0] * x[3];

    SKV_LAUNCH(be, mean_positions, (unsigned)div_up(all, BLOCK), BLOCK, 0, (float *)a->y.data,
               (const float *)a->x.data, all, (int)(x[1] * x[2]), (int)x[3]);
    return SKV_OK;
}
