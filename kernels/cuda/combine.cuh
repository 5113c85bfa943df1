/* y[i] = f(y[i], x[i]) for every number: one pass over memory, bound by bandwidth. Where sizes
 * allow a thread takes 16 bytes. */
#ifndef SKV_KERNELS_CUDA_COMBINE_CUH
#define SKV_KERNELS_CUDA_COMBINE_CUH

#include <type_traits>

#include "kernels/cuda/device.cuh"

#define COMBINE_BLOCK 256

template <typename F, typename TY, typename TX>
__global__ void combine_one(TY *y, const TX *x, int64_t n, F f)
{
    const int64_t i = (int64_t)blockIdx.x * COMBINE_BLOCK + threadIdx.x;

    if (i < n)
        put(y + i, f(to_f32(y[i]), to_f32(x[i])));
}

template <typename F, typename T> __global__ void combine_wide(T *y, const T *x, int64_t n, F f)
{
    const int64_t i = ((int64_t)blockIdx.x * COMBINE_BLOCK + threadIdx.x) * wide<T>::N;
    wide<T> a, b;

    if (i >= n)
        return;
    a.load(y + i);
    b.load(x + i);
#pragma unroll
    for (int k = 0; k < wide<T>::N; k++)
        a.v[k] = f(a.v[k], b.v[k]);
    a.store(y + i);
}

template <typename F, typename TY, typename TX>
static skv_status combine(skv_backend *be, TY *y, const TX *x, int64_t n, F f)
{
    if (n == 0)
        return SKV_OK;
    if constexpr (std::is_same<TY, TX>::value)
        if (n % wide<TY>::N == 0 && (uintptr_t)y % 16 == 0 && (uintptr_t)x % 16 == 0) {
            SKV_LAUNCH(be, (combine_wide<F, TY>),
                       (unsigned)div_up(n, (int64_t)wide<TY>::N * COMBINE_BLOCK), COMBINE_BLOCK, 0,
                       y, x, n, f);
            return SKV_OK;
        }
    SKV_LAUNCH(be, (combine_one<F, TY, TX>), (unsigned)div_up(n, COMBINE_BLOCK), COMBINE_BLOCK, 0,
               y, x, n, f);
    return SKV_OK;
}

#endif
