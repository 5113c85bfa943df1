/* mean_heads: a thread a position of a row, over the heads in order. */
#include "kernels/cuda/ragged.cuh"

#define BLOCK 256

/* grid (tiles of the longest head, R) */
__global__ void mean_heads(float *y, const float *x, const ragged lists)
{
    const int j = blockIdx.x * BLOCK + threadIdx.x;
    float sum = 0, mean;
    int n = 0;

    x += blockIdx.y * lists.row;
    y += blockIdx.y * lists.row;
    for (int h = 0; h < lists.heads; h++)
        if (j < lists.len.v[h]) {
            sum += x[lists.start.v[h] + j];
            n++;
        }
    mean = sum / (float)n;
    for (int h = 0; h < lists.heads; h++)
        if (j < lists.len.v[h])
            y[lists.start.v[h] + j] = mean;
}

extern "C" skv_status skv_cuda_mean_heads(skv_backend *be, const skv_mean_heads_args *a)
{
    const int64_t rows = a->x.shape[0], longest = skv_ragged_longest(a->len, a->heads);
    const dim3 grid((unsigned)div_up(longest, BLOCK), (unsigned)rows);

    if (longest == 0 || rows == 0)
        return SKV_OK;
    SKV_TRY(fits_ragged("mean_heads", rows, a->heads));
    SKV_LAUNCH(be, mean_heads, grid, BLOCK, 0, (float *)a->y.data, (const float *)a->x.data,
               ragged_of(a->len, a->heads));
    return SKV_OK;
}
