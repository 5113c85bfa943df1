/* qkv_rope: bias, normalisation, scale and rotation of one token's heads, keys and values stored
 * where attention reads them. A block a token, a warp some of its heads; a lane holds four
 * neighbouring numbers of q, k and v, in rounds of 128. Bound by bandwidth: qkv is read once, q, k
 * and v are written once. The window's raw queries are a kernel of their own: few tokens. */
#include "kernels/cuda/device.cuh"

#define WARPS      4
#define ROUND      (4 * WARP)
#define MAX_ROUNDS 2 /* head dimensions up to 256 */
#define MAX_HEADS  256
#define MAX_WINDOW 256

typedef struct {
    int64_t row, head; /* strides of k and v, in elements */
} kv_strides;

__device__ __forceinline__ float dot4(float4 a)
{
    return (a.x * a.x + a.y * a.y) + (a.z * a.z + a.w * a.w);
}

/* Two pairs (a,b) -> (a·cos - b·sin, a·sin + b·cos); t = cos, sin, cos, sin. */
__device__ __forceinline__ float4 rotate(float4 x, float4 t)
{
    return make_float4(x.x * t.x - x.y * t.y, x.x * t.y + x.y * t.x, x.z * t.z - x.w * t.w,
                       x.z * t.w + x.w * t.z);
}

__device__ __forceinline__ float4 times(float4 x, float s)
{
    return make_float4(x.x * s, x.y * s, x.z * s, x.w * s);
}

__device__ __forceinline__ float4 plus(float4 a, float4 b)
{
    return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

template <typename T, int ROUNDS>
__global__
__launch_bounds__(WARPS *WARP) void qkv_rope(T *q, T *k, T *v, const T *qkv, const float *q_bias,
                                             const float *v_bias, const float *scale,
                                             const float *rope, ints<MAX_HEADS> base, kv_strides ks,
                                             kv_strides vs, unsigned tokens, int heads, int dim)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int64_t r = blockIdx.x / tokens, l = blockIdx.x % tokens, width = (int64_t)heads * dim;
    const T *in = qkv + (int64_t)blockIdx.x * 3 * width;
    float4 turn[ROUNDS];

#pragma unroll
    for (int i = 0; i < ROUNDS; i++)
        if (i * ROUND + 4 * lane < dim)
            turn[i] = load4(rope + l * dim + i * ROUND + 4 * lane);
    for (int h = warp; h < heads; h += WARPS) {
        const int64_t position = base.v[h] + l;
        float4 tq[ROUNDS], tk[ROUNDS], tv[ROUNDS];
        float nq = 0, nk = 0;

#pragma unroll
        for (int i = 0; i < ROUNDS; i++) {
            const int d = i * ROUND + 4 * lane;
            const int64_t at = (int64_t)h * dim + d;

            if (d >= dim)
                continue;
            tq[i] = plus(load4(in + at), load4(q_bias + at));
            tk[i] = load4(in + width + at);
            tv[i] = plus(load4(in + 2 * width + at), load4(v_bias + at));
            nq += dot4(tq[i]);
            nk += dot4(tk[i]);
        }
        nq = scale[h] / fmaxf(sqrtf(warp_sum(nq)), 1e-12f);
        nk = 1.0f / fmaxf(sqrtf(warp_sum(nk)), 1e-12f);
#pragma unroll
        for (int i = 0; i < ROUNDS; i++) {
            const int d = i * ROUND + 4 * lane;

            if (d >= dim)
                continue;
            store4(q + (int64_t)blockIdx.x * width + (int64_t)h * dim + d,
                   rotate(times(tq[i], nq), turn[i]));
            store4(k + r * ks.row + h * ks.head + position * dim + d,
                   rotate(times(tk[i], nk), turn[i]));
            store4(v + r * vs.row + h * vs.head + position * dim + d, tv[i]);
        }
    }
}

/* Block = (row, window token). */
template <typename T>
__global__ void window_queries(float *out, const T *qkv, ints<MAX_WINDOW> window, int n,
                               int64_t tokens, int64_t width)
{
    const int64_t r = blockIdx.x / n, i = blockIdx.x % n;
    const T *in = qkv + (r * tokens + window.v[i]) * 3 * width;

    for (int64_t c = threadIdx.x; c < width; c += blockDim.x)
        out[(int64_t)blockIdx.x * width + c] = to_f32(in[c]);
}

template <typename T> static skv_status run(skv_backend *be, const skv_qkv_rope_args *a)
{
    const int64_t rows = a->q.shape[0], l = a->q.shape[1], h = a->q.shape[2], d = a->q.shape[3];
    const kv_strides ks = {a->k.stride[0], a->k.stride[1]}, vs = {a->v.stride[0], a->v.stride[1]};
    const T *qkv = (const T *)a->qkv.data;

    if (rows * l == 0)
        return SKV_OK;
    if (d <= ROUND)
        SKV_LAUNCH(be, (qkv_rope<T, 1>), (unsigned)(rows * l), WARPS * WARP, 0, (T *)a->q.data,
                   (T *)a->k.data, (T *)a->v.data, qkv, (const float *)a->q_bias.data,
                   (const float *)a->v_bias.data, (const float *)a->scale.data,
                   (const float *)a->rope.data, ints_of<MAX_HEADS>(a->base, h), ks, vs, l, (int)h,
                   (int)d);
    else
        SKV_LAUNCH(be, (qkv_rope<T, MAX_ROUNDS>), (unsigned)(rows * l), WARPS * WARP, 0,
                   (T *)a->q.data, (T *)a->k.data, (T *)a->v.data, qkv,
                   (const float *)a->q_bias.data, (const float *)a->v_bias.data,
                   (const float *)a->scale.data, (const float *)a->rope.data,
                   ints_of<MAX_HEADS>(a->base, h), ks, vs, l, (int)h, (int)d);
    if (a->n_window > 0)
        SKV_LAUNCH(be, window_queries<T>, (unsigned)(rows * a->n_window), 256, 0,
                   (float *)a->q_raw.data, qkv, ints_of<MAX_WINDOW>(a->window, a->n_window),
                   a->n_window, l, h * d);
    return SKV_OK;
}

extern "C" skv_status skv_cuda_qkv_rope(skv_backend *be, const skv_qkv_rope_args *a)
{
    if (a->q.shape[2] > MAX_HEADS || a->n_window > MAX_WINDOW)
        return skv_fail(SKV_E_UNSUPPORTED,
                        "qkv_rope: %lld heads, %d window tokens: want at most "
                        "%d and %d",
                        (long long)a->q.shape[2], a->n_window, MAX_HEADS, MAX_WINDOW);
    SKV_FLOAT_SWITCH(a->q.dtype, T, { return run<T>(be, a); });
}
