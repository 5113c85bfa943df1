/* maxpool1d, avgpool1d: a thread a number; windows are narrow, so each is walked, beside the
 * ascending positions that are passed over. Bound by bandwidth. */
#include "kernels/cuda/ragged.cuh"

#define BLOCK    256
#define MAX_SKIP 256

/* grid (tiles of the longest list, R·H) */
template <bool MAXIMUM>
__global__ void pool1d(float *y, const float *x, const ragged lists, int unscored, int kernel,
                       ints<MAX_SKIP> skip, int n_skip)
{
    const int len = lists.len.v[blockIdx.y % lists.heads], scored = len - unscored;
    const int j = blockIdx.x * BLOCK + threadIdx.x;
    const int from = max(j - kernel / 2, 0);
    const int64_t at = list_at(lists, blockIdx.y);
    float t = MAXIMUM ? -INFINITY : 0.0f;
    int next = 0;

    if (j >= scored)
        return;
    while (next < n_skip && len - skip.v[next] < from)
        next++;
    x += at;
    for (int i = from; i <= min(j + kernel / 2, scored - 1); i++) {
        if (next < n_skip && len - skip.v[next] == i)
            next++;
        else
            t = MAXIMUM ? fmaxf(t, x[i]) : t + x[i];
    }
    y[at + j] = MAXIMUM ? t : t / (float)kernel;
}

template <bool MAXIMUM> static skv_status run(skv_backend *be, const skv_pool1d_args *a)
{
    const int64_t rows = a->x.shape[0], scored = skv_ragged_longest(a->len, a->heads) - a->unscored;
    const dim3 grid((unsigned)div_up(scored, BLOCK), (unsigned)(rows * a->heads));

    if (scored <= 0 || rows == 0)
        return SKV_OK;
    if (a->n_skip > MAX_SKIP)
        return skv_fail(SKV_E_UNSUPPORTED, "pooling: %d positions left out, want at most %d",
                        a->n_skip, MAX_SKIP);
    SKV_TRY(fits_ragged("pooling", rows, a->heads));
    SKV_LAUNCH(be, pool1d<MAXIMUM>, grid, BLOCK, 0, (float *)a->y.data, (const float *)a->x.data,
               ragged_of(a->len, a->heads), a->unscored, a->kernel,
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
