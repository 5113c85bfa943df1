/* keep_ends: a block a list of positions. */
#include "kernels/cuda/ragged.cuh"

__global__ void keep_ends(int32_t *keep, const ragged kept, const ints<MAX_HEADS> len, int first)
{
    const int h = blockIdx.x % kept.heads, n = kept.len.v[h];

    keep += list_at(kept, blockIdx.x);
    for (int i = threadIdx.x; i < n; i += blockDim.x)
        keep[i] = i < first ? i : len.v[h] - n + i;
}

extern "C" skv_status skv_cuda_keep_ends(skv_backend *be, const skv_keep_ends_args *a)
{
    const int64_t rows = a->keep.shape[0];

    SKV_TRY(fits_ragged("keep_ends", rows, a->heads));
    if (rows * a->keep.shape[1] > 0)
        SKV_LAUNCH(be, keep_ends, (unsigned)(rows * a->heads), 256, 0, (int32_t *)a->keep.data,
                   ragged_of(a->n, a->heads), ints_of<MAX_HEADS>(a->len, a->heads), a->first);
    return SKV_OK;
}
