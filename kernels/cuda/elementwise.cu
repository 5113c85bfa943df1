/* silu, gated_gelu, add, add_rows, guide_mix, to_pixels, upsample2x: one pass over memory; bound by
 * bandwidth. Where
 * sizes allow a thread takes 16 bytes. */
#include "kernels/cuda/device.cuh"

#define BLOCK 256

/* y[i] = f(y[i], x[i]) */
template <typename F, typename TY, typename TX>
__global__ void combine(TY *y, const TX *x, int64_t n, F f)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < n)
        put(y + i, f(to_f32(y[i]), to_f32(x[i])));
}

/* The same, 16 bytes of each a thread; both of one type. */
template <typename F, typename T> __global__ void combine_wide(T *y, const T *x, int64_t n, F f)
{
    const int64_t i = ((int64_t)blockIdx.x * BLOCK + threadIdx.x) * wide<T>::N;
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

template <typename F, typename T>
static bool run_wide(skv_backend *be, T *y, const T *x, int64_t n, F f, skv_status *st)
{
    const int64_t words = div_up(n, (int64_t)wide<T>::N * BLOCK);

    if (n % wide<T>::N != 0 || (uintptr_t)y % 16 != 0 || (uintptr_t)x % 16 != 0)
        return false;
    combine_wide<F, T><<<(unsigned)words, BLOCK, 0, skv_cuda__of(be)->stream>>>(y, x, n, f);
    *st = skv_cuda__launched(be, "combine_wide");
    return true;
}

template <typename F, typename TY, typename TX>
static bool run_wide(skv_backend *, TY *, const TX *, int64_t, F, skv_status *)
{
    return false;
}

template <typename F, typename TY, typename TX>
static skv_status run(skv_backend *be, TY *y, const TX *x, int64_t n, F f)
{
    skv_status st = SKV_OK;

    if (n == 0 || run_wide(be, y, x, n, f, &st))
        return st;
    SKV_LAUNCH(be, (combine<F, TY, TX>), (unsigned)div_up(n, BLOCK), BLOCK, 0, y, x, n, f);
    return SKV_OK;
}

struct sum_of {
    __device__ float operator()(float y, float x) const
    {
        return y + x;
    }
};

struct gated_gelu_of {
    __device__ float operator()(float y, float x) const
    {
        return gelu_tanh(y) * x;
    }
};

struct gelu_of {
    __device__ float operator()(float y, float) const
    {
        return gelu_tanh(y);
    }
};

extern "C" skv_status skv_cuda__gelu(skv_backend *be, void *y, skv_dtype type, int64_t n)
{
    SKV_FLOAT_SWITCH(type, T, { return run(be, (T *)y, (const T *)y, n, gelu_of()); });
}

struct silu_of {
    __device__ float operator()(float, float x) const
    {
        return x / (1.0f + expf(-x));
    }
};

extern "C" skv_status skv_cuda_add(skv_backend *be, const skv_add_args *a)
{
    const int64_t n = skv_tensor_count(&a->x);

    SKV_FLOAT_SWITCH(a->y.dtype, TY, {
        SKV_FLOAT_SWITCH(a->x.dtype, TX,
                         { return run(be, (TY *)a->y.data, (const TX *)a->x.data, n, sum_of()); });
    });
}

extern "C" skv_status skv_cuda_gated_gelu(skv_backend *be, const skv_gated_gelu_args *a)
{
    const int64_t n = skv_tensor_count(&a->x);

    SKV_FLOAT_SWITCH(a->y.dtype, T,
                     { return run(be, (T *)a->y.data, (const T *)a->x.data, n, gated_gelu_of()); });
}

extern "C" skv_status skv_cuda_silu(skv_backend *be, const skv_silu_args *a)
{
    return run(be, (float *)a->y.data, (const float *)a->x.data, skv_tensor_count(&a->x),
               silu_of());
}

__global__ void add_rows(float *y, const float *x, const float *b, int64_t n, int64_t columns)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < n)
        y[i] = x[i] + b[i % columns];
}

extern "C" skv_status skv_cuda_add_rows(skv_backend *be, const skv_add_rows_args *a)
{
    const int64_t n = skv_tensor_count(&a->x);

    if (n > 0)
        SKV_LAUNCH(be, add_rows, (unsigned)div_up(n, BLOCK), BLOCK, 0, (float *)a->y.data,
                   (const float *)a->x.data, (const float *)a->b.data, n, a->x.shape[1]);
    return SKV_OK;
}

/* Both halves of x become cfg·first + (1-cfg)·second. */
__global__ void guide_mix(float *x, int64_t half, float cfg)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < half)
        x[i] = x[i + half] = __fadd_rn(__fmul_rn(cfg, x[i]), __fmul_rn(1.0f - cfg, x[i + half]));
}

extern "C" skv_status skv_cuda_guide_mix(skv_backend *be, const skv_guide_mix_args *a)
{
    const int64_t half = skv_tensor_count(&a->x) / 2;

    if (half > 0)
        SKV_LAUNCH(be, guide_mix, (unsigned)div_up(half, BLOCK), BLOCK, 0, (float *)a->x.data, half,
                   a->cfg);
    return SKV_OK;
}

/* NaN fails both comparisons and becomes 0. No contraction: the same bytes as the CPU's. */
__global__ void to_pixels(uint8_t *y, const float *x, int64_t n)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < n) {
        const float low = x[i] > -1.0f ? x[i] : -1.0f, t = low < 1.0f ? low : 1.0f;

        y[i] = (uint8_t)(int32_t)__fmul_rn(__fadd_rn(t, 1.0f) / 2.0f, 255.0f);
    }
}

extern "C" skv_status skv_cuda_to_pixels(skv_backend *be, const skv_to_pixels_args *a)
{
    const int64_t n = skv_tensor_count(&a->x);

    if (n > 0)
        SKV_LAUNCH(be, to_pixels, (unsigned)div_up(n, BLOCK), BLOCK, 0, (uint8_t *)a->y.data,
                   (const float *)a->x.data, n);
    return SKV_OK;
}

/* One 16-byte word (V = uint4) or one number of y a thread. */
template <typename V>
__global__ void upsample2x(V *y, const V *x, int64_t n, int64_t width, int64_t row)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < n) {
        const int64_t c = i % row, j = i / row % (2 * width), line = i / row / (2 * width);

        y[i] = x[(line / 2 * width + j / 2) * row + c];
    }
}

template <typename V> static skv_status upsample(skv_backend *be, const skv_upsample2x_args *a)
{
    const int64_t row = a->x.shape[3] * (int64_t)skv_dtype_bytes(a->x.dtype) / (int64_t)sizeof(V);
    const int64_t n = a->y.shape[0] * a->y.shape[1] * a->y.shape[2] * row;

    /* lines of all pictures are doubled alike: 2H is even */
    if (n > 0)
        SKV_LAUNCH(be, upsample2x<V>, (unsigned)div_up(n, BLOCK), BLOCK, 0, (V *)a->y.data,
                   (const V *)a->x.data, n, a->x.shape[2], row);
    return SKV_OK;
}

extern "C" skv_status skv_cuda_upsample2x(skv_backend *be, const skv_upsample2x_args *a)
{
    const size_t row = (size_t)a->x.shape[3] * skv_dtype_bytes(a->x.dtype);

    if (row % sizeof(uint4) == 0 && (uintptr_t)a->x.data % 16 == 0 &&
        (uintptr_t)a->y.data % 16 == 0)
        return upsample<uint4>(be, a);
    SKV_FLOAT_SWITCH(a->x.dtype, T, { return upsample<T>(be, a); });
}
