/* t5_attention: a warp a query, in fp32. Texts are short and encoded once a group: not meant to be
 * fast. */
#include "kernels/cuda/attention_plain.cuh"

#define WARPS 8

struct bucket_bias {
    const float *table;       /* (buckets,H), at this head */
    const int32_t *bucket_of; /* of offset 0 */
    int heads, query, limit;

    __device__ float operator()(int j) const
    {
        const int offset = min(max(j - query, -limit), limit);

        return table[(int64_t)bucket_of[offset] * heads];
    }
};

/* grid (tiles of queries, heads, prompts); start and bucket_of lie in device memory. */
template <typename T>
__global__ __launch_bounds__(WARPS *WARP) void t5_attention(T *o, const T *q, const T *k,
                                                            const T *v, const float *table,
                                                            const int32_t *start,
                                                            const int32_t *bucket_of, int n_rel,
                                                            int heads, int dim)
{
    const int l = blockIdx.x * WARPS + threadIdx.x / WARP, h = blockIdx.y;
    const int64_t first = start[blockIdx.z], width = (int64_t)heads * dim;
    const int n = (int)(start[blockIdx.z + 1] - first);
    const int64_t keys = first * width + h * dim, at = keys + l * width;

    if (l < n)
        attend_one(o + at, q + at, k + keys, v + keys, width, n, dim, 1.0f,
                   bucket_bias{table + h, bucket_of + n_rel, heads, l, n_rel});
}

extern "C" skv_status skv_cuda_t5_attention(skv_backend *be, const skv_t5_attention_args *a)
{
    const int64_t heads = a->q.shape[1], dim = a->q.shape[2];
    const size_t start_bytes = ((size_t)a->n_prompts + 1) * sizeof(int32_t);
    const size_t bucket_bytes = (2 * (size_t)a->n_rel + 1) * sizeof(int32_t);
    int32_t *start = (int32_t *)skv_cuda__of(be)->workspace;
    int32_t *bucket_of = start + a->n_prompts + 1;
    int64_t longest = 0;

    for (int p = 0; p < a->n_prompts; p++) {
        const int64_t n = a->start[p + 1] - a->start[p];

        be->flops += 4 * n * n * heads * dim;
        longest = n > longest ? n : longest;
    }
    if (longest == 0 || heads == 0)
        return SKV_OK;
    if (start_bytes + bucket_bytes > SKV_CUDA_WORKSPACE || a->n_prompts > 65535)
        return skv_fail(SKV_E_UNSUPPORTED, "t5_attention: %d prompts, offsets to %d: too many",
                        a->n_prompts, a->n_rel);
    SKV_TRY(skv_backend_upload(be, start, a->start, start_bytes));
    SKV_TRY(skv_backend_upload(be, bucket_of, a->bucket_of, bucket_bytes));
    const dim3 grid((unsigned)div_up(longest, WARPS), (unsigned)heads, (unsigned)a->n_prompts);

    SKV_FLOAT_SWITCH(a->q.dtype, T, {
        SKV_LAUNCH(be, t5_attention<T>, grid, WARPS * WARP, 0, (T *)a->o.data, (const T *)a->q.data,
                   (const T *)a->k.data, (const T *)a->v.data, (const float *)a->table.data, start,
                   bucket_of, a->n_rel, (int)heads, (int)dim);
    });
    return SKV_OK;
}
