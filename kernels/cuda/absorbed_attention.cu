/* Cross attention with the text taken through the projections: four batched products by cuBLASLt,
 * around them the texts' gathering and the softmax over a token's scores. */
#include "kernels/absorbed.h"
#include "kernels/cuda/device.cuh"

#define BLOCK 256
#define WARPS (BLOCK / WARP)
#define FEW   4 /* packs of scores that a lane keeps */
#define MANY  12

typedef ints<SKV_ABSORBED_ROWS> row_ints;

/* The texts of a batch's rows: where they begin in kv and in the scratch, and their tokens. */
typedef struct {
    row_ints start, at, count;
    int n, longest, step;
} texts;

/* A text's tokens and the zeros after them. */
__device__ __forceinline__ int padded(int count, int step)
{
    return (count + step - 1) / step * step;
}

/* UNIT numbers that a lane holds: 4, or 1 where rows are not a multiple of it. */
template <int UNIT> struct pack {
    float v[UNIT];
};

template <int UNIT, typename T> __device__ __forceinline__ pack<UNIT> load(const T *p)
{
    pack<UNIT> x;

    if constexpr (UNIT == 4)
        *(float4 *)x.v = load4(p);
    else
        x.v[0] = to_f32(*p);
    return x;
}

template <int UNIT, typename T> __device__ __forceinline__ void store(T *p, const pack<UNIT> &x)
{
    if constexpr (UNIT == 4)
        store4(p, make_float4(x.v[0], x.v[1], x.v[2], x.v[3]));
    else
        put(p, x.v[0]);
}

/* Block = a text token of a row: its K and V to the scratch, zeros behind the text up to a multiple
 * of `step`, and k·b_q of each head, which takes the place of the queries' bias. FOURS: head
 * dimensions are multiples of 4. grid (T, rows) */
template <bool FOURS, typename T>
__global__ __launch_bounds__(BLOCK) void gather_text(T *y, float *bias, const T *kv, const T *bq,
                                                     int heads, int dim, const texts all)
{
    constexpr int UNIT = FOURS ? 4 : 1;
    const int t = blockIdx.x, r = blockIdx.y, width = heads * dim, count = all.count.v[r];
    const int64_t to = (int64_t)all.at.v[r] + t;
    const bool inside = t < count;
    const T *from = kv + (int64_t)(all.start.v[r] + (inside ? t : 0)) * 2 * width;

    if (t >= padded(count, all.step))
        return;
    for (int c = threadIdx.x * UNIT; c < 2 * width; c += BLOCK * UNIT) {
        const pack<UNIT> x = inside ? load<UNIT>(from + c) : pack<UNIT>{};

        store<UNIT>(y + to * 2 * width + c, x);
    }
    for (int h = threadIdx.x / WARP; h < heads; h += WARPS) {
        float sum = 0;

        for (int d = threadIdx.x % WARP * UNIT; d < dim; d += WARP * UNIT) {
            const pack<UNIT> k = load<UNIT>(from + h * dim + d), b = load<UNIT>(bq + h * dim + d);

#pragma unroll
            for (int i = 0; i < UNIT; i++)
                sum = fmaf(k.v[i], b.v[i], sum);
        }
        sum = warp_sum(sum);
        if (threadIdx.x % WARP == 0)
            bias[to * heads + h] = inside ? sum : 0.0f;
    }
}

/* How a warp walks (text,H): `units` packs of heads side by side, as many `groups` of text tokens
 * as there are lanes for, a power of two. */
typedef struct {
    int heads, units, groups;
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

/* Warp = a token of a row's map: weights (text,H) = softmax of scale·scores (text,H) over its
 * tokens, zeros after them. It goes over the scores three times; a lane's first KEPT packs are read
 * from memory once. grid (tokens / WARPS, rows, heads / (WARP·UNIT)) */
template <int UNIT, int KEPT, typename T>
__global__ __launch_bounds__(BLOCK) void soften(T *weights, const float *scores, int tokens,
                                                float scale, const walk w, const texts all)
{
    const int token = blockIdx.x * WARPS + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    const int head = (blockIdx.z * WARP + lane % w.units) * UNIT, count = all.count.v[blockIdx.y];
    const int text = padded(count, all.step);
    const int first = lane / w.units < w.groups && head < w.heads ? lane / w.units : text;
    const int64_t at =
        ((int64_t)all.at.v[blockIdx.y] * tokens + (int64_t)token * text) * w.heads + head;
    pack<UNIT> kept[KEPT], most, sum;
    const auto look = [&](int end, auto see) {
#pragma unroll
        for (int k = 0; k < KEPT; k++)
            if (first + k * w.groups < end)
                see(first + k * w.groups, kept[k]);
        for (int t = first + KEPT * w.groups; t < end; t += w.groups)
            see(t, t < count ? load<UNIT>(scores + at + t * w.heads) : pack<UNIT>{});
    };

    if (token >= tokens)
        return;
#pragma unroll
    for (int k = 0; k < KEPT; k++)
        if (first + k * w.groups < count)
            kept[k] = load<UNIT>(scores + at + (first + k * w.groups) * w.heads);
#pragma unroll
    for (int i = 0; i < UNIT; i++)
        most.v[i] = -INFINITY, sum.v[i] = 0;
    look(count, [&](int, const pack<UNIT> &s) {
#pragma unroll
        for (int i = 0; i < UNIT; i++)
            most.v[i] = fmaxf(most.v[i], s.v[i]);
    });
    over_groups(most, w, [](float a, float b) { return fmaxf(a, b); });
    look(count, [&](int, const pack<UNIT> &s) {
#pragma unroll
        for (int i = 0; i < UNIT; i++)
            sum.v[i] += exp2f((s.v[i] - most.v[i]) * scale);
    });
    over_groups(sum, w, [](float a, float b) { return a + b; });
    look(text, [&](int t, pack<UNIT> s) {
#pragma unroll
        for (int i = 0; i < UNIT; i++)
            s.v[i] = t < count ? exp2f((s.v[i] - most.v[i]) * scale) / sum.v[i] : 0.0f;
        store<UNIT>(weights + at + t * w.heads, s);
    });
}

/* What an operation's steps share. */
typedef struct {
    skv_backend *be;
    const skv_absorbed_attention_args *a;
    skv_absorbed_layout at;
    char *scratch;
    int64_t tokens, width, heads, dim;
    size_t element; /* bytes of one of act */
} work;

static texts texts_of(const work *w, const skv_absorbed_run *runs, int n)
{
    texts all = {};

    all.step = (int)w->at.step;
    for (int k = 0; k < n; k++)
        for (int i = 0; i < runs[k].n; i++, all.n++) {
            const int row = runs[k].first + i * runs[k].apart;

            all.start.v[all.n] = w->a->start[row];
            all.count.v[all.n] = w->a->count[row];
            all.at.v[all.n] = (int)(runs[k].at + i * runs[k].text);
            all.longest = max(all.longest, (int)runs[k].text);
        }
    return all;
}

static skv_status gather(const work *w, const texts &all)
{
    const skv_absorbed_attention_args *a = w->a;
    const dim3 grid((unsigned)all.longest, (unsigned)all.n);
    SKV_FLOAT_SWITCH(w->be->act, T, {
        const auto gather_texts = w->dim % 4 == 0 ? gather_text<true, T> : gather_text<false, T>;

        SKV_LAUNCH(w->be, gather_texts, grid, BLOCK, 0, (T *)(w->scratch + w->at.kv),
                   (float *)(w->scratch + w->at.bias), (const T *)a->kv.data, (const T *)a->bq.data,
                   (int)w->heads, (int)w->dim, all);
        return SKV_OK;
    });
}

/* keys = K_h·Wq_h and values = V_h·Wo_hᵀ of all the batch's text tokens, a product a head. */
static skv_status absorb(const work *w, int64_t text)
{
    const int64_t c = w->width;
    skv_cuda__matmul_args m = {};

    m.m = div_up(text, SKV_ABSORBED_STEP) * SKV_ABSORBED_STEP;
    m.n = c;
    m.k = w->dim;
    m.y_type = m.x_type = w->be->act;
    m.exact = true;
    m.batch = w->heads;
    m.x_row = 2 * c;
    m.w_row = c;
    m.y_row = w->heads * c;
    m.x_step = w->dim;
    m.y_step = c;
    m.x = w->scratch + w->at.kv;
    m.w = w->a->wq.data;
    m.y = w->scratch + w->at.keys;
    m.w_by_k = true;
    m.w_step = w->dim * c;
    SKV_TRY(skv_cuda__matmul(w->be, &m));
    m.x = (const char *)m.x + (size_t)c * w->element;
    m.w = w->a->wo.data;
    m.y = w->scratch + w->at.values;
    m.w_by_k = false;
    m.w_step = w->dim;
    return skv_cuda__matmul(w->be, &m);
}

/* Where a run's part of an array begins, given the array's bytes a text token. */
static char *part(const work *w, const skv_absorbed_run *r, size_t offset, size_t bytes)
{
    return w->scratch + offset + (size_t)r->at * bytes;
}

/* Where its first row begins in x or y. */
static char *row_of(const work *w, const skv_absorbed_run *r, const skv_tensor *map)
{
    return (char *)map->data + (size_t)(r->first * w->tokens * w->width) * w->element;
}

/* scores = x·keysᵀ + bias, a product a row. */
static skv_status score(const work *w, const skv_absorbed_run *r)
{
    skv_cuda__matmul_args m = {};

    m.m = w->tokens;
    m.n = r->text * w->heads;
    m.k = w->width;
    m.x_type = w->be->act;
    m.y_type = SKV_F32;
    m.exact = true;
    m.batch = r->n;
    m.x = row_of(w, r, &w->a->x);
    m.w = part(w, r, w->at.keys, (size_t)(w->heads * w->width) * w->element);
    m.b = part(w, r, w->at.bias, (size_t)w->heads * sizeof(float));
    m.y = part(w, r, w->at.scores, (size_t)(w->tokens * w->heads) * sizeof(float));
    m.b_step = m.n;
    m.x_step = r->apart * w->tokens * w->width;
    return skv_cuda__matmul(w->be, &m);
}

template <int UNIT, typename T> static skv_status soften_by(const work *w, const texts &all)
{
    const int heads = (int)w->heads, packs = heads / UNIT, units = packs < WARP ? packs : WARP;
    const dim3 grid((unsigned)div_up(w->tokens, WARPS), (unsigned)all.n,
                    (unsigned)div_up(packs, WARP));
    const float scale = w->a->scale * 1.4426950408889634f; /* base 2 */
    walk k = {heads, units, 1};

    while (2 * k.groups * units <= WARP)
        k.groups *= 2;
    const auto soften_texts =
        all.longest <= FEW * k.groups ? soften<UNIT, FEW, T> : soften<UNIT, MANY, T>;

    SKV_LAUNCH(w->be, soften_texts, grid, BLOCK, 0, (T *)(w->scratch + w->at.weights),
               (const float *)(w->scratch + w->at.scores), (int)w->tokens, scale, k, all);
    return SKV_OK;
}

static skv_status soften_all(const work *w, const texts &all)
{
    SKV_FLOAT_SWITCH(w->be->act, T, {
        return w->heads % 4 == 0 ? soften_by<4, T>(w, all) : soften_by<1, T>(w, all);
    });
}

/* y = weights·values, a product a row. */
static skv_status mix(const work *w, const skv_absorbed_run *r)
{
    skv_cuda__matmul_args m = {};

    m.m = w->tokens;
    m.n = w->width;
    m.k = r->text * w->heads;
    m.x_type = m.y_type = w->be->act;
    m.exact = true;
    m.batch = r->n;
    m.x = part(w, r, w->at.weights, (size_t)(w->tokens * w->heads) * w->element);
    m.w = part(w, r, w->at.values, (size_t)(w->heads * w->width) * w->element);
    m.w_by_k = true;
    m.y = row_of(w, r, &w->a->y);
    m.y_step = r->apart * w->tokens * w->width;
    return skv_cuda__matmul(w->be, &m);
}

static skv_status attend(const work *w, const skv_absorbed_run *runs, int n, int64_t text)
{
    const texts all = texts_of(w, runs, n);

    SKV_TRY(gather(w, all));
    SKV_TRY(absorb(w, text));
    for (int i = 0; i < n; i++)
        SKV_TRY(score(w, &runs[i]));
    SKV_TRY(soften_all(w, all));
    for (int i = 0; i < n; i++)
        SKV_TRY(mix(w, &runs[i]));
    w->be->flops += 4 * text * w->heads * w->width * (w->tokens + w->dim);
    return SKV_OK;
}

extern "C" skv_status skv_cuda_absorbed_attention(skv_backend *be,
                                                  const skv_absorbed_attention_args *a)
{
    const work w = {be,
                    a,
                    skv_absorbed__layout(be, a),
                    (char *)a->scratch.data,
                    a->x.shape[1],
                    a->x.shape[2],
                    a->kv.shape[2],
                    a->kv.shape[3],
                    skv_dtype_bytes(be->act)};
    skv_absorbed_run runs[SKV_ABSORBED_ROWS];
    bool served[SKV_ABSORBED_ROWS] = {};
    int64_t text;

    for (int n; w.tokens > 0 && (n = skv_absorbed__runs(runs, served, &text, a, &w.at)) > 0;)
        SKV_TRY(attend(&w, runs, n, text));
    return SKV_OK;
}
