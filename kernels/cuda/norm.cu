/* norm, gate_norm, gate_add: a block a token; its numbers stay in registers between the
 * residual update, the two passes of the statistics (mean, then distances) and the output, so
 * memory is read and written once. Bound by bandwidth. Longer or odd rows walk memory again. */
#include "kernels/cuda/device.cuh"

#define BLOCK     128
#define WARPS     (BLOCK / WARP)
#define MAX_FOURS 16 /* float4 a thread: rows of up to 8192 numbers */

/* (R,C) with row strides */
typedef struct {
    const float *g, *a, *b;
    int64_t gs, as, bs;
} vectors;

__device__ __forceinline__ float4 fma4(float4 g, float4 h, float4 x)
{
    return make_float4(fmaf(g.x, h.x, x.x), fmaf(g.y, h.y, x.y), fmaf(g.z, h.z, x.z),
                       fmaf(g.w, h.w, x.w));
}

template <typename T> __device__ __forceinline__ float4 biased4(float4 h, const T *bias)
{
    if (!bias)
        return h;
    const float4 c = load4(bias);

    return make_float4(h.x + c.x, h.y + c.y, h.z + c.z, h.w + c.w);
}

/* y = (x - mean - rest)·rstd⊙a + b */
__device__ __forceinline__ float apply(float x, float mean, float rest, float rstd, float a,
                                       float b)
{
    return fmaf((x - mean - rest) * rstd, a, b);
}

__device__ __forceinline__ float4 apply4(float4 x, float mean, float rest, float rstd, float4 a,
                                         float4 b)
{
    return make_float4(
        apply(x.x, mean, rest, rstd, a.x, b.x), apply(x.y, mean, rest, rstd, a.y, b.y),
        apply(x.z, mean, rest, rstd, a.z, b.z), apply(x.w, mean, rest, rstd, a.w, b.w));
}

/* Both sums over the block, for all of its threads; `room` is this call's own. */
__device__ __forceinline__ float2 sums(float a, float b, float2 room[WARPS])
{
    float2 t = make_float2(warp_sum(a), warp_sum(b));

    if (threadIdx.x % WARP == 0)
        room[threadIdx.x / WARP] = t;
    __syncthreads();
    t = room[0];
    for (int i = 1; i < WARPS; i++) {
        t.x += room[i].x;
        t.y += room[i].y;
    }
    return t;
}

/* The distances' own mean corrects the first mean's rounding, which shows where |mean| is large. */
__device__ __forceinline__ void finish(float *rest, float *rstd, float sum, float square, int n,
                                       float eps, float2 room[WARPS])
{
    const float2 t = sums(sum, square, room);

    *rest = t.x / n;
    *rstd = 1.0f / sqrtf(fmaxf(t.y / n - *rest * *rest, 0.0f) + eps);
}

/* Block = token row·L + l. GATED: x += g⊙(h + c) first. y may be h: a thread reads its numbers of h
 * before anything is written. */
template <typename TY, typename TH, int FOURS, bool GATED>
__global__ __launch_bounds__(BLOCK) void norm_fours(TY *y, float *x, const TH *h, const TH *bias,
                                                    vectors v, unsigned tokens, int c4, float eps)
{
    __shared__ float2 room[2][WARPS];
    const int64_t at = (int64_t)blockIdx.x * c4 * 4, r = blockIdx.x / tokens;
    float4 t[FOURS];
    float sum = 0, square = 0, mean, rest, rstd;

#pragma unroll
    for (int i = 0; i < FOURS; i++) {
        const int c = i * BLOCK + threadIdx.x;

        if (c >= c4)
            continue;
        t[i] = load4(x + at + 4 * c);
        if (GATED)
            t[i] = fma4(load4(v.g + r * v.gs + 4 * c),
                        biased4(load4(h + at + 4 * c), bias ? bias + 4 * c : NULL), t[i]);
        sum += (t[i].x + t[i].y) + (t[i].z + t[i].w);
    }
    mean = sums(sum, 0, room[0]).x / (4 * c4);
    sum = 0;
#pragma unroll
    for (int i = 0; i < FOURS; i++) {
        if (i * BLOCK + threadIdx.x >= c4)
            continue;
        const float4 d = make_float4(t[i].x - mean, t[i].y - mean, t[i].z - mean, t[i].w - mean);

        sum += (d.x + d.y) + (d.z + d.w);
        square += (d.x * d.x + d.y * d.y) + (d.z * d.z + d.w * d.w);
    }
    finish(&rest, &rstd, sum, square, 4 * c4, eps, room[1]);
#pragma unroll
    for (int i = 0; i < FOURS; i++) {
        const int c = i * BLOCK + threadIdx.x;

        if (c >= c4)
            continue;
        if (GATED)
            store4(x + at + 4 * c, t[i]);
        store4(y + at + 4 * c, apply4(t[i], mean, rest, rstd, load4(v.a + r * v.as + 4 * c),
                                      load4(v.b + r * v.bs + 4 * c)));
    }
}

/* Any row length: three walks. */
template <typename TY, typename TH, bool GATED>
__global__ __launch_bounds__(BLOCK) void norm_any(TY *y, float *x, const TH *h, const TH *bias,
                                                  vectors v, unsigned tokens, int n, float eps)
{
    __shared__ float2 room[2][WARPS];
    const int64_t at = (int64_t)blockIdx.x * n, r = blockIdx.x / tokens;
    float sum = 0, square = 0, mean, rest, rstd;

    for (int c = threadIdx.x; c < n; c += BLOCK) {
        if (GATED)
            x[at + c] = fmaf(v.g[r * v.gs + c], to_f32(h[at + c]) + (bias ? to_f32(bias[c]) : 0.0f),
                             x[at + c]);
        sum += x[at + c];
    }
    mean = sums(sum, 0, room[0]).x / n;
    sum = 0;
    for (int c = threadIdx.x; c < n; c += BLOCK) {
        const float d = x[at + c] - mean;

        sum += d;
        square += d * d;
    }
    finish(&rest, &rstd, sum, square, n, eps, room[1]);
    for (int c = threadIdx.x; c < n; c += BLOCK)
        put(y + at + c, apply(x[at + c], mean, rest, rstd, v.a[r * v.as + c], v.b[r * v.bs + c]));
}

static bool in_fours(int64_t n, const void *p, int64_t stride)
{
    return n % 4 == 0 && stride % 4 == 0 && (uintptr_t)p % 16 == 0;
}

typedef struct {
    skv_tensor y, x, h, g, a, b, c; /* h, g: data NULL for a plain norm */
    float eps;
} norm_job;

template <typename TY, typename TH, bool GATED>
static skv_status run(skv_backend *be, const norm_job *j)
{
    const int64_t l = j->x.shape[1], n = j->x.shape[2], blocks = j->x.shape[0] * l;
    const vectors v = {(const float *)j->g.data, (const float *)j->a.data, (const float *)j->b.data,
                       j->g.stride[0],           j->a.stride[0],           j->b.stride[0]};
    TY *y = (TY *)j->y.data;
    float *x = (float *)j->x.data;
    const TH *h = (const TH *)j->h.data, *c = (const TH *)j->c.data;
    const int c4 = (int)(n / 4), fours = (int)div_up(c4, BLOCK);
    const bool suits = in_fours(n, y, 0) && in_fours(n, x, 0) && in_fours(n, h, 0) &&
                       in_fours(n, c, 0) && in_fours(n, v.g, GATED ? v.gs : 0) &&
                       in_fours(n, v.a, v.as) && in_fours(n, v.b, v.bs);

    if (blocks == 0)
        return SKV_OK;
    if (!suits || fours > MAX_FOURS)
        SKV_LAUNCH(be, (norm_any<TY, TH, GATED>), (unsigned)blocks, BLOCK, 0, y, x, h, c, v, l,
                   (int)n, j->eps);
    else if (fours <= 1)
        SKV_LAUNCH(be, (norm_fours<TY, TH, 1, GATED>), (unsigned)blocks, BLOCK, 0, y, x, h, c, v,
                   (unsigned)l, c4, j->eps);
    else if (fours <= 2)
        SKV_LAUNCH(be, (norm_fours<TY, TH, 2, GATED>), (unsigned)blocks, BLOCK, 0, y, x, h, c, v,
                   (unsigned)l, c4, j->eps);
    else if (fours <= 4)
        SKV_LAUNCH(be, (norm_fours<TY, TH, 4, GATED>), (unsigned)blocks, BLOCK, 0, y, x, h, c, v,
                   (unsigned)l, c4, j->eps);
    else if (fours <= 8)
        SKV_LAUNCH(be, (norm_fours<TY, TH, 8, GATED>), (unsigned)blocks, BLOCK, 0, y, x, h, c, v,
                   (unsigned)l, c4, j->eps);
    else
        SKV_LAUNCH(be, (norm_fours<TY, TH, MAX_FOURS, GATED>), (unsigned)blocks, BLOCK, 0, y, x, h,
                   c, v, l, c4, j->eps);
    return SKV_OK;
}

extern "C" skv_status skv_cuda_norm(skv_backend *be, const skv_norm_args *a)
{
    norm_job j = {a->y, a->x, {}, {}, a->scale, a->shift, {}, a->eps};

    SKV_FLOAT_SWITCH(a->y.dtype, TY, { return run<TY, TY, false>(be, &j); });
}

extern "C" skv_status skv_cuda_gate_norm(skv_backend *be, const skv_gate_norm_args *a)
{
    norm_job j = {a->y, a->x, a->h, a->gate, a->scale, a->shift, a->bias, a->eps};

    SKV_FLOAT_SWITCH(a->y.dtype, TY,
                     { SKV_FLOAT_SWITCH(a->h.dtype, TH, { return run<TY, TH, true>(be, &j); }); });
}

template <typename TH>
__global__ void gate_add(float *x, const TH *h, const float *g, int64_t stride, int64_t n,
                         int64_t row, int64_t columns)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < n)
        x[i] = fmaf(g[i / row * stride + i % columns], to_f32(h[i]), x[i]);
}

extern "C" skv_status skv_cuda_gate_add(skv_backend *be, const skv_gate_add_args *a)
{
    const int64_t n = skv_tensor_count(&a->x), columns = a->x.shape[2];

    if (n == 0)
        return SKV_OK;
    SKV_FLOAT_SWITCH(a->h.dtype, TH, {
        SKV_LAUNCH(be, gate_add<TH>, (unsigned)div_up(n, BLOCK), BLOCK, 0, (float *)a->x.data,
                   (const TH *)a->h.data, (const float *)a->gate.data, a->gate.stride[0], n,
                   a->x.shape[1] * columns, columns);
    });
    return SKV_OK;
}
