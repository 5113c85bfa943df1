/* pool_attention: a warp a head, in fp32; once a group. */
#include "kernels/cuda/attention_plain.cuh"

#define WARPS    8
#define MAX_ROWS 256

/* grid (tiles of heads, rows) */
__global__ __launch_bounds__(WARPS *WARP) void pool_attention(float *o, const float *q,
                                                              const float *kv, ints<MAX_ROWS> start,
                                                              ints<MAX_ROWS> count, int first_row,
                                                              int heads, int dim, float scale)
{
    const int h = blockIdx.x * WARPS + threadIdx.x / WARP;
    const int64_t width = (int64_t)heads * dim, row = (int64_t)first_row + blockIdx.y;
    const float *k = kv + start.v[blockIdx.y] * 2 * width + h * dim;

    if (h < heads)
        attend_one(o + row * width + h * dim, q + h * dim, k, k + width, 2 * width,
                   count.v[blockIdx.y], dim, scale, no_bias());
}

extern "C" skv_status skv_cuda_pool_attention(skv_backend *be, const skv_pool_attention_args *a)
{
    const int64_t heads = a->q.shape[0], dim = a->q.shape[1], rows = a->o.shape[0];

    for (int64_t first = 0; heads > 0 && first < rows; first += MAX_ROWS) {
        const int64_t n = rows - first < MAX_ROWS ? rows - first : MAX_ROWS;

        SKV_LAUNCH(be, pool_attention, dim3((unsigned)div_up(heads, WARPS), (unsigned)n),
                   WARPS * WARP, 0, (float *)a->o.data, (const float *)a->q.data,
                   (const float *)a->kv.data, ints_of<MAX_ROWS>(a->start + first, n),
                   ints_of<MAX_ROWS>(a->count + first, n), (int)first, (int)heads, (int)dim,
                   1.0f / sqrtf((float)dim));
    }
    return SKV_OK;
}
