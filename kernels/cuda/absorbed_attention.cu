/* Cross attention with the text taken through the projections: four batched products by cuBLASLt,
 * around them the texts' gathering and the softmax over a token's scores. */
#include "kernels/absorbed.h"
#include "kernels/cuda/device.cuh"

#define BLOCK 256
#define WARPS (BLOCK / WARP)

typedef ints<SKV_ABSORBED_ROWS> row_ints;

/* Block = a text token of a row: its K and V to one shape, zeros behind the text, and k·b_q of each
 * head, which takes the place of the queries' bias. grid (T, rows) */
template <typename T>
__global__ __launch_bounds__(BLOCK) void gather_text(T *y, float *bias, const T *kv, const T *bq,
                                                     int heads, int dim, const row_ints start,
                                                     const row_ints count)
{
    const int t = blockIdx.x, r = blockIdx.y, width = heads * dim;
    const int64_t to = (int64_t)r * gridDim.x + t;
    const bool inside = t < count.v[r];
    const T *from = kv + (int64_t)(start.v[r] + (inside ? t : 0)) * 2 * width;

    for (int c = threadIdx.x; c < 2 * width; c += BLOCK)
        put(y + to * 2 * width + c, inside ? to_f32(from[c]) : 0.0f);
    for (int h = threadIdx.x / WARP; h < heads; h += WARPS) {
        float sum = 0;

        for (int d = threadIdx.x % WARP; d < dim; d += WARP)
            sum = fmaf(to_f32(from[h * dim + d]), to_f32(bq[h * dim + d]), sum);
        sum = warp_sum(sum);
        if (threadIdx.x % WARP == 0)
            bias[to * heads + h] = inside ? sum : 0.0f;
    }
}

/* UNIT heads that a lane holds: 4, or 1 where they are no multiple of it. */
template <int UNIT> struct pack {
    float v[UNIT];
};

template <int UNIT> __device__ __forceinline__ pack<UNIT> load(const float *p)
{
    pack<UNIT> x;

    if constexpr (UNIT == 4)
        *(float4 *)x.v = load4(p);
    else
        x.v[0] = *p;
    return x;
}

template <int UNIT, typename T> __device__ __forceinline__ void store(T *p, const pack<UNIT> &x)
{
    if constexpr (UNIT == 4)
        store4(p, make_float4(x.v[0], x.v[1], x.v[2], x.v[3]));
    else
        put(p, x.v[0]);
}

/* How a warp walks (T,H): `units` packs of heads side by side, as many `groups` of text tokens as
 * there are lanes for, a power of two. */
typedef struct {
    int heads, text, units, groups;
} walk;

/* op over the groups, for all of them. Lanes beyond the last group read themselves. */
template <int UNIT, typename OP>
__device__ __forceinline__ void over_groups(pack<UNIT> &x, const walk w, OP op)
{
    const int lane = threadIdx.x % WARP, group = lane / w.units, unit = lane % w.units;

    for (int step = 1; step < w.groups; step *= 2)
#pragma unroll
        for (int i = 0; i < UNIT; i++) {
            const int from = group < w.groups ? (group ^ step) * w.units + unit : lane;

            x.v[i] = op(x.v[i], __shfl_sync(ALL, x.v[i], from));
        }
}

/* Warp = a token: weights (T,H) = softmax of scale·scores (T,H) over t < count, zeros behind.
 * grid (tokens / WARPS, rows, heads / (WARP·UNIT)) */
template <int UNIT, typename T>
__global__ __launch_bounds__(BLOCK) void soften(T *weights, const float *scores, int tokens,
                                                float scale, const walk w, const row_ints count)
{
    const int token = blockIdx.x * WARPS + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    const int head = (blockIdx.z * WARP + lane % w.units) * UNIT, text = count.v[blockIdx.y];
    const int first = lane / w.units < w.groups && head < w.heads ? lane / w.units : w.text;
    const int64_t at = ((int64_t)blockIdx.y * tokens + token) * w.text * w.heads + head;
    pack<UNIT> most, sum;

    if (token >= tokens)
        return;
#pragma unroll
    for (int i = 0; i < UNIT; i++)
        most.v[i] = -INFINITY, sum.v[i] = 0;
    for (int t = first; t < text; t += w.groups) {
        const pack<UNIT> s = load<UNIT>(scores + at + t * w.heads);

#pragma unroll
        for (int i = 0; i < UNIT; i++)
            most.v[i] = fmaxf(most.v[i], s.v[i]);
    }
    over_groups(most, w, [](float a, float b) { return fmaxf(a, b); });
    for (int t = first; t < text; t += w.groups) {
        const pack<UNIT> s = load<UNIT>(scores + at + t * w.heads);

#pragma unroll
        for (int i = 0; i < UNIT; i++)
            sum.v[i] += exp2f((s.v[i] - most.v[i]) * scale);
    }
    over_groups(sum, w, [](float a, float b) { return a + b; });
    for (int t = first; t < w.text; t += w.groups) {
        pack<UNIT> s = load<UNIT>(scores + at + t * w.heads);

#pragma unroll
        for (int i = 0; i < UNIT; i++)
            s.v[i] = t < text ? exp2f((s.v[i] - most.v[i]) * scale) / sum.v[i] : 0.0f;
        store(weights + at + t * w.heads, s);
    }
}

template <int UNIT, typename T>
static skv_status run_soften(skv_backend *be, const skv_absorbed_attention_args *a, char *scratch,
                             const skv_absorbed_layout *at)
{
    const int rows = (int)a->x.shape[0], tokens = (int)a->x.shape[1], heads = (int)a->kv.shape[2];
    const int packs = heads / UNIT, units = packs < WARP ? packs : WARP;
    const dim3 grid((unsigned)div_up(tokens, WARPS), (unsigned)rows, (unsigned)div_up(packs, WARP));
    walk w = {heads, (int)at->text, units, 1};

    while (2 * w.groups * units <= WARP)
        w.groups *= 2;
    SKV_LAUNCH(be, (soften<UNIT, T>), grid, BLOCK, 0, (T *)(scratch + at->weights),
               (const float *)(scratch + at->scores), tokens, a->scale * 1.4426950408889634f, w,
               ints_of<SKV_ABSORBED_ROWS>(a->count, rows)); /* base 2 */
    return SKV_OK;
}

/* keys = K_h·Wq_h and values = V_h·Wo_hᵀ of all rows' tokens, a product a head. */
template <typename T>
static skv_status absorb(skv_backend *be, const skv_absorbed_attention_args *a, char *scratch,
                         const skv_absorbed_layout *at)
{
    const int64_t c = a->x.shape[2], heads = a->kv.shape[2], dim = a->kv.shape[3];
    skv_cuda__matmul_args m = {};

    m.m = a->x.shape[0] * at->text;
    m.n = c;
    m.k = dim;
    m.y_type = m.x_type = be->act;
    m.exact = true;
    m.batch = heads;
    m.x_row = 2 * c;
    m.w_row = c;
    m.y_row = heads * c;
    m.x_step = dim;
    m.y_step = c;
    m.x = scratch + at->kv;
    m.w = a->wq.data;
    m.y = scratch + at->keys;
    m.w_by_k = true;
    m.w_step = dim * c;
    SKV_TRY(skv_cuda__matmul(be, &m));
    m.x = (const T *)(scratch + at->kv) + c;
    m.w = a->wo.data;
    m.y = scratch + at->values;
    m.w_by_k = false;
    m.w_step = dim;
    return skv_cuda__matmul(be, &m);
}

/* scores = x·keysᵀ + bias, a product a row. */
static skv_status score(skv_backend *be, const skv_absorbed_attention_args *a, char *scratch,
                        const skv_absorbed_layout *at)
{
    skv_cuda__matmul_args m = {};

    m.m = a->x.shape[1];
    m.n = at->text * a->kv.shape[2];
    m.k = a->x.shape[2];
    m.x_type = be->act;
    m.y_type = SKV_F32;
    m.exact = true;
    m.batch = a->x.shape[0];
    m.x = a->x.data;
    m.w = scratch + at->keys;
    m.b = scratch + at->bias;
    m.y = scratch + at->scores;
    m.b_step = m.n;
    m.x_step = a->x.stride[0];
    return skv_cuda__matmul(be, &m);
}

/* y = weights·values + bo, a product a row. */
static skv_status mix(skv_backend *be, const skv_absorbed_attention_args *a, char *scratch,
                      const skv_absorbed_layout *at)
{
    skv_cuda__matmul_args m = {};

    m.m = a->x.shape[1];
    m.n = a->x.shape[2];
    m.k = at->text * a->kv.shape[2];
    m.x_type = m.y_type = be->act;
    m.exact = true;
    m.batch = a->x.shape[0];
    m.x = scratch + at->weights;
    m.w = scratch + at->values;
    m.w_by_k = true;
    m.b = a->bo.data;
    m.y = a->y.data;
    m.y_step = a->y.stride[0];
    return skv_cuda__matmul(be, &m);
}

template <typename T> static skv_status run(skv_backend *be, const skv_absorbed_attention_args *a)
{
    const int64_t rows = a->x.shape[0], tokens = a->x.shape[1], c = a->x.shape[2];
    const int64_t heads = a->kv.shape[2], dim = a->kv.shape[3];
    const skv_absorbed_layout at =
        skv_absorbed__layout(be, rows, tokens, skv_absorbed__longest(a), heads, dim);
    char *scratch = (char *)a->scratch.data;
    const dim3 grid((unsigned)at.text, (unsigned)rows);

    SKV_LAUNCH(be, gather_text<T>, grid, BLOCK, 0, (T *)(scratch + at.kv),
               (float *)(scratch + at.bias), (const T *)a->kv.data, (const T *)a->bq.data,
               (int)heads, (int)dim, ints_of<SKV_ABSORBED_ROWS>(a->start, rows),
               ints_of<SKV_ABSORBED_ROWS>(a->count, rows));
    SKV_TRY(absorb<T>(be, a, scratch, &at));
    SKV_TRY(score(be, a, scratch, &at));
    if (heads % 4 == 0)
        SKV_TRY((run_soften<4, T>(be, a, scratch, &at)));
    else
        SKV_TRY((run_soften<1, T>(be, a, scratch, &at)));
    be->flops += 4 * rows * at.text * heads * c * (tokens + dim);
    return mix(be, a, scratch, &at);
}

extern "C" skv_status skv_cuda_absorbed_attention(skv_backend *be,
                                                  const skv_absorbed_attention_args *a)
{
    if (a->x.shape[1] == 0)
        return SKV_OK;
    SKV_FLOAT_SWITCH(be->act, T, { return run<T>(be, a); });
}
