/* origin_fill, count_sources: where cached tokens came from. */
#include "kernels/cuda/kv_blocks.cuh"

#define BLOCK     256
#define MAX_EDGES 64

/* grid (tiles of tokens, heads, rows) */
__global__ void origin_fill(int32_t *origin, int64_t row, int64_t head, ints<MAX_HEADS> base,
                            int first, int n)
{
    const int l = blockIdx.x * BLOCK + threadIdx.x;

    if (l < n)
        origin[blockIdx.z * row + blockIdx.y * head + base.v[blockIdx.y] + l] = first + l;
}

extern "C" skv_status skv_cuda_origin_fill(skv_backend *be, const skv_origin_fill_args *a)
{
    const int64_t rows = a->origin.shape[0], heads = a->origin.shape[1];
    const dim3 grid((unsigned)div_up(a->n, BLOCK), (unsigned)heads, (unsigned)rows);

    if (heads > MAX_HEADS || rows > 65535)
        return skv_fail(SKV_E_UNSUPPORTED, "origin_fill: %lld rows of %lld heads: too many",
                        (long long)rows, (long long)heads);
    if (a->n > 0 && rows * heads > 0)
        SKV_LAUNCH(be, origin_fill, grid, BLOCK, 0, (int32_t *)a->origin.data, a->origin.stride[0],
                   a->origin.stride[1], ints_of<MAX_HEADS>(a->base, heads), a->first, a->n);
    return SKV_OK;
}

/* grid (heads, rows): a block counts one head's kept tokens. Integer atomics: exact in any order.
 */
__global__ void count_sources(int32_t *count, const int32_t *origin, int64_t row, int64_t head,
                              const int32_t *keep, blocks b, ints<MAX_EDGES> edge, int n)
{
    __shared__ int32_t mine[MAX_EDGES];
    const int h = blockIdx.x;
    const int64_t r = blockIdx.y;

    origin += r * row + h * head;
    keep += r * b.row_tokens + b.start.v[h];
    if ((int)threadIdx.x < n)
        mine[threadIdx.x] = 0;
    __syncthreads();
    for (int t = threadIdx.x; t < b.len.v[h]; t += BLOCK) {
        const int32_t o = origin[keep[t]];

        for (int s = 0; s < n; s++)
            if (o >= edge.v[s] && o < edge.v[s + 1])
                atomicAdd(&mine[s], 1);
    }
    __syncthreads();
    if ((int)threadIdx.x < n && mine[threadIdx.x] > 0)
        atomicAdd(&count[threadIdx.x], mine[threadIdx.x]);
}

extern "C" skv_status skv_cuda_count_sources(skv_backend *be, const skv_count_sources_args *a)
{
    const int64_t rows = a->origin.shape[0], heads = a->origin.shape[1];
    const blocks b = blocks_of(a->len, heads);

    if (heads > MAX_HEADS || rows > 65535 || a->n_scales >= MAX_EDGES)
        return skv_fail(SKV_E_UNSUPPORTED,
                        "count_sources: %lld rows of %lld heads, %d scales: "
                        "too many",
                        (long long)rows, (long long)heads, a->n_scales);
    if (b.row_tokens > 0 && rows > 0)
        SKV_LAUNCH(be, count_sources, dim3((unsigned)heads, (unsigned)rows), BLOCK, 0,
                   (int32_t *)a->count.data, (const int32_t *)a->origin.data, a->origin.stride[0],
                   a->origin.stride[1], (const int32_t *)a->keep.data, b,
                   ints_of<MAX_EDGES>(a->edge, a->n_scales + 1), a->n_scales);
    return SKV_OK;
}
