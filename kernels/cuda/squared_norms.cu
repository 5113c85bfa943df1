/* squared_norms: a warp a vector, its lanes parts of it. Bound by bandwidth. */
#include "kernels/cuda/ragged.cuh"

#define BLOCK 256
#define TILE  256 /* vectors of a block */

/* grid (tiles of the longest head, R·H) */
template <typename T>
__global__ __launch_bounds__(BLOCK) void squared_norms(float *s, const T *x, int64_t x_row,
                                                       int64_t x_head, const ragged lists, int dim)
{
    const int lane = threadIdx.x % WARP, r = blockIdx.y / lists.heads, h = blockIdx.y % lists.heads;
    const int first = blockIdx.x * TILE, end = min(first + TILE, lists.len.v[h]);

    x += r * x_row + h * x_head;
    s += list_at(lists, blockIdx.y);
    for (int j = first + threadIdx.x / WARP; j < end; j += BLOCK / WARP) {
        float sum = 0;

        for (int d = lane; d < dim; d += WARP) {
            const float v = to_f32(x[(int64_t)j * dim + d]);

            sum = fmaf(v, v, sum);
        }
        sum = warp_sum(sum);
        if (lane == 0)
            s[j] = sum;
    }
}

extern "C" skv_status skv_cuda_squared_norms(skv_backend *be, const skv_squared_norms_args *a)
{
    const int64_t rows = a->x.shape[0], heads = a->x.shape[1];
    const int64_t longest = skv_ragged_longest(a->len, heads);
    const dim3 grid((unsigned)div_up(longest, TILE), (unsigned)(rows * heads));

    if (longest == 0 || rows == 0)
        return SKV_OK;
    SKV_TRY(fits_ragged("squared_norms", rows, heads));
    SKV_FLOAT_SWITCH(a->x.dtype, T, {
        SKV_LAUNCH(be, squared_norms<T>, grid, BLOCK, 0, (float *)a->s.data, (const T *)a->x.data,
                   a->x.stride[0], a->x.stride[1], ragged_of(a->len, heads), (int)a->x.shape[3]);
    });
    return SKV_OK;
}
