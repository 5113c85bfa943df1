/* qkv_rope: bias, normalisation, scale and rotation of one token's heads, keys and values stored
 * where attention reads them. A block a token; a group of lanes (a power of two) takes a head, each
 * lane N neighbouring numbers of q, k and v. Head dimensions: multiples of 8 up to 256, of 4 up to
 * 128. Bound by bandwidth: qkv is read once, q, k and v are written once. The window's raw queries
 * are a kernel of their own: few tokens. */
#include "kernels/cuda/device.cuh"

#define BLOCK      128
#define MAX_HEADS  256
#define MAX_WINDOW 256

typedef struct {
    int64_t row, head; /* strides of k and v, in elements */
} kv_strides;

template <int N> struct numbers {
    float v[N];
};

/* N is 4 or 8: 16 bytes at once where they are there. */
template <int N, typename T> __device__ __forceinline__ numbers<N> get(const T *p)
{
    constexpr int step = N < wide<T>::N ? 4 : wide<T>::N;
    numbers<N> r;

#pragma unroll
    for (int i = 0; i < N; i += step) {
        if constexpr (step == 8) {
            wide<T> w;

            w.load(p);
            for (int k = 0; k < 8; k++)
                r.v[k] = w.v[k];
        } else {
            const float4 t = load4(p + i);

            r.v[i] = t.x, r.v[i + 1] = t.y, r.v[i + 2] = t.z, r.v[i + 3] = t.w;
        }
    }
    return r;
}

template <int N, typename T> __device__ __forceinline__ void set(T *p, const numbers<N> &x)
{
    constexpr int step = N < wide<T>::N ? 4 : wide<T>::N;

#pragma unroll
    for (int i = 0; i < N; i += step) {
        if constexpr (step == 8) {
            wide<T> w;

            for (int k = 0; k < 8; k++)
                w.v[k] = x.v[k];
            w.store(p);
        } else {
            store4(p + i, make_float4(x.v[i], x.v[i + 1], x.v[i + 2], x.v[i + 3]));
        }
    }
}

template <int N> __device__ __forceinline__ float squares(const numbers<N> &x)
{
    float sum = 0;

#pragma unroll
    for (int i = 0; i < N; i++)
        sum = fmaf(x.v[i], x.v[i], sum);
    return sum;
}

/* s·x, then pairs (a,b) -> (a·cos - b·sin, a·sin + b·cos); t = cos, sin, cos, sin, .. */
template <int N>
__device__ __forceinline__ numbers<N> rotate(const numbers<N> &x, const numbers<N> &t, float s)
{
    numbers<N> r;

#pragma unroll
    for (int i = 0; i < N; i += 2) {
        const float a = x.v[i] * s, b = x.v[i + 1] * s;

        r.v[i] = a * t.v[i] - b * t.v[i + 1];
        r.v[i + 1] = a * t.v[i + 1] + b * t.v[i];
    }
    return r;
}

template <int N> __device__ __forceinline__ void add(numbers<N> *x, const numbers<N> &b)
{
#pragma unroll
    for (int i = 0; i < N; i++)
        x->v[i] += b.v[i];
}

/* group: lanes a head. */
template <typename T, int N>
__global__
__launch_bounds__(BLOCK) void qkv_rope(T *q, T *k, T *v, const T *qkv, const float *q_bias,
                                       const float *v_bias, const float *scale, const float *rope,
                                       ints<MAX_HEADS> base, kv_strides ks, kv_strides vs,
                                       unsigned tokens, int heads, int dim, int group)
{
    const int d = (int)threadIdx.x % group * N, first = threadIdx.x / group;
    const int64_t r = blockIdx.x / tokens, l = blockIdx.x % tokens, width = (int64_t)heads * dim;
    const T *in = qkv + (int64_t)blockIdx.x * 3 * width;
    const bool mine = d < dim;
    numbers<N> turn = {};

    if (mine)
        turn = get<N>(rope + l * dim + d);
    for (int h0 = 0; h0 < heads; h0 += BLOCK / group) {
        const int h = h0 + first;
        const bool on = mine && h < heads;
        const int64_t at = (int64_t)h * dim + d, position = on ? base.v[h] + l : 0;
        numbers<N> tq = {}, tk = {}, tv = {};
        float nq, nk;

        if (on) {
            tq = get<N>(in + at);
            tk = get<N>(in + width + at);
            tv = get<N>(in + 2 * width + at);
            add(&tq, get<N>(q_bias + at));
            add(&tv, get<N>(v_bias + at));
        }
        nq = squares(tq);
        nk = squares(tk);
        for (int step = group / 2; step > 0; step /= 2) {
            nq += __shfl_xor_sync(ALL, nq, step);
            nk += __shfl_xor_sync(ALL, nk, step);
        }
        if (!on)
            continue;
        nq = scale[h] / fmaxf(sqrtf(nq), 1e-12f);
        nk = 1.0f / fmaxf(sqrtf(nk), 1e-12f);
        set<N>(q + (int64_t)blockIdx.x * width + at, rotate(tq, turn, nq));
        set<N>(k + r * ks.row + h * ks.head + position * dim + d, rotate(tk, turn, nk));
        set<N>(v + r * vs.row + h * vs.head + position * dim + d, tv);
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

template <typename T, int N>
static skv_status rotate_heads(skv_backend *be, const skv_qkv_rope_args *a)
{
    const int64_t rows = a->q.shape[0], l = a->q.shape[1], h = a->q.shape[2], d = a->q.shape[3];
    const kv_strides ks = {a->k.stride[0], a->k.stride[1]}, vs = {a->v.stride[0], a->v.stride[1]};
    int group = 1;

    while (group * N < d)
        group *= 2;
    if (group > WARP)
        return skv_fail(SKV_E_UNSUPPORTED, "qkv_rope: heads of %lld numbers", (long long)d);
    SKV_LAUNCH(be, (qkv_rope<T, N>), (unsigned)(rows * l), BLOCK, 0, (T *)a->q.data, (T *)a->k.data,
               (T *)a->v.data, (const T *)a->qkv.data, (const float *)a->q_bias.data,
               (const float *)a->v_bias.data, (const float *)a->scale.data,
               (const float *)a->rope.data, ints_of<MAX_HEADS>(a->base, h), ks, vs, (unsigned)l,
               (int)h, (int)d, group);
    return SKV_OK;
}

template <typename T> static skv_status run(skv_backend *be, const skv_qkv_rope_args *a)
{
    const int64_t rows = a->q.shape[0], l = a->q.shape[1], h = a->q.shape[2], d = a->q.shape[3];
    const T *qkv = (const T *)a->qkv.data;

    if (rows * l == 0)
        return SKV_OK;
    if (d % 8 == 0)
        SKV_TRY((rotate_heads<T, 8>(be, a)));
    else
        SKV_TRY((rotate_heads<T, 4>(be, a)));
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
