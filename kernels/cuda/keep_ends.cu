/* keep_ends: a block a list of positions. */
#include "kernels/cuda/device.cuh"

__global__ void keep_ends(int32_t *keep, int64_t row, int64_t head, int heads, int n, int first,
                          int len)
{
    keep += blockIdx.x / heads * row + blockIdx.x % heads * head;
    for (int i = threadIdx.x; i < n; i += blockDim.x)
        keep[i] = i < first ? i : len - n + i;
}

extern "C" skv_status skv_cuda_keep_ends(skv_backend *be, const skv_keep_ends_args *a)
{
    const int64_t lists = a->keep.shape[0] * a->keep.shape[1];

    if (lists > 0 && a->keep.shape[2] > 0)
        SKV_LAUNCH(be, keep_ends, (unsigned)lists, 256, 0, (int32_t *)a->keep.data,
                   a->keep.stride[0], a->keep.stride[1], (int)a->keep.shape[1],
                   (int)a->keep.shape[2], a->first, a->len);
    return SKV_OK;
}
