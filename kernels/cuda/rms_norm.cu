/* rms_norm: a block a token, memory read twice. */
#include "kernels/cuda/device.cuh"

#define BLOCK 256

template <typename TY>
__global__ __launch_bounds__(BLOCK) void rms_norm(TY *y, const float *x, const float *w, int n,
                                                  float eps)
{
    __shared__ float room[WARP];
    const int64_t at = (int64_t)blockIdx.x * n;
    float sum = 0, scale;

    for (int c = threadIdx.x; c < n; c += BLOCK)
        sum += x[at + c] * x[at + c];
    scale = 1.0f / sqrtf(block_sum(sum, room) / n + eps);
    for (int c = threadIdx.x; c < n; c += BLOCK)
        put(y + at + c, w[c] * (x[at + c] * scale));
}

extern "C" skv_status skv_cuda_rms_norm(skv_backend *be, const skv_rms_norm_args *a)
{
    if (a->x.shape[0] == 0)
        return SKV_OK;
    SKV_FLOAT_SWITCH(a->y.dtype, TY, {
        SKV_LAUNCH(be, rms_norm<TY>, (unsigned)a->x.shape[0], BLOCK, 0, (TY *)a->y.data,
                   (const float *)a->x.data, (const float *)a->w.data, (int)a->x.shape[1], a->eps);
    });
    return SKV_OK;
}
