/* maxpool1d, avgpool1d: a thread a number; windows are narrow, so each is walked, beside the
 * ascending positions that are passed over. Bound by bandwidth. */
#include "kernels/cuda/device.cuh"

#define BLOCK    256
#define MAX_SKIP 256

typedef struct {
    int64_t row, head;
} strides;

/* grid (tiles, R·H) */
template <bool MAXIMUM>
__global__ void pool1d(float *y, const float *x, strides ys, strides xs, int heads, int len,
                       int kernel, ints<MAX_SKIP> skip, int n_skip)
{
    const int r = blockIdx.y / heads, h = blockIdx.y % heads;
    const int j = blockIdx.x * BLOCK + threadIdx.x;
    const int from = max(j - kernel / 2, 0);
    float t = MAXIMUM ? -INFINITY : 0.0f;
    int next = 0;

    if (j >= len)
        return;
    while (next < n_skip && skip.v[next] < from)
        next++;
    x += r * xs.row + h * xs.head;
    for (int i = from; i <= min(j + kernel / 2, len - 1); i++) {
        if (next < n_skip && skip.v[next] == i)
            next++;
        else
            t = MAXIMUM ? fmaxf(t, x[i]) : t + x[i];
    }
    y[r * ys.row + h * ys.head + j] = MAXIMUM ? t : t / (float)kernel;
}

template <bool MAXIMUM> static skv_status run(skv_backend *be, const skv_pool1d_args *a)
{
    const int64_t lists = a->x.shape[0] * a->x.shape[1], len = a->x.shape[2];
    const strides ys = {a->y.stride[0], a->y.stride[1]}, xs = {a->x.stride[0], a->x.stride[1]};
    const dim3 grid((unsigned)div_up(len, BLOCK), (unsigned)lists);

    if (len == 0 || lists == 0)
        return SKV_OK;
    if (a->n_skip > MAX_SKIP)
        return skv_fail(SKV_E_UNSUPPORTED, "pooling: %d positions left out, want at most %d",
                        a->n_skip, MAX_SKIP);
    if (lists > 65535)
        return skv_fail(SKV_E_UNSUPPORTED, "pooling: %lld rows and heads, want at most 65535",
                        (long long)lists);
    SKV_LAUNCH(be, pool1d<MAXIMUM>, grid, BLOCK, 0, (float *)a->y.data, (const float *)a->x.data,
               ys, xs, (int)a->x.shape[1], (int)len, a->kernel,
               ints_of<MAX_SKIP>(a->skip, a->n_skip), a->n_skip);
    return SKV_OK;
}

extern "C" skv_status skv_cuda_maxpool1d(skv_backend *be, const skv_maxpool1d_args *a)
{
    return run<true>(be, a);
}

extern "C" skv_status skv_cuda_avgpool1d(skv_backend *be, const skv_avgpool1d_args *a)
{
    return run<false>(be, a);
}
