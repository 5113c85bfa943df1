/* recent_first: a thread a token. */
#include "kernels/cuda/ragged.cuh"

#define BLOCK 256

/* grid (tiles of the longest head, R·H) */
__global__ void recent_first(float *s, const float *x, int64_t x_row, int64_t x_head,
                             const ragged lists, const ints<MAX_HEADS> recent)
{
    const int r = blockIdx.y / lists.heads, h = blockIdx.y % lists.heads;
    const int j = blockIdx.x * BLOCK + threadIdx.x, len = lists.len.v[h];

    if (j < len)
        s[list_at(lists, blockIdx.y) + j] =
            j < len - recent.v[h] ? x[r * x_row + h * x_head + j] : INFINITY;
}

extern "C" skv_status skv_cuda_recent_first(skv_backend *be, const skv_recent_first_args *a)
{
    const int64_t rows = a->x.shape[0], heads = a->x.shape[1];
    const int64_t longest = skv_ragged_longest(a->len, heads);
    const dim3 grid((unsigned)div_up(longest, BLOCK), (unsigned)(rows * heads));

    if (longest == 0 || rows == 0)
        return SKV_OK;
    SKV_TRY(fits_ragged("recent_first", rows, heads));
    SKV_LAUNCH(be, recent_first, grid, BLOCK, 0, (float *)a->s.data, (const float *)a->x.data,
               a->x.stride[0], a->x.stride[1], ragged_of(a->len, heads),
               ints_of<MAX_HEADS>(a->recent, heads));
    return SKV_OK;
}
