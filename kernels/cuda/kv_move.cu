/* kv_pop, kv_push: kept keys and values between a layer's views and the ring of all layers. Tokens
 * of a block are numbered row by row, head by head; a group of lanes moves some tokens' keys and
 * values, 16 bytes of the views a lane at a time. Codes are made, and turned back, on the way: a
 * lane's tokens are from few scales, so it keeps its channels' factors from one to the next.
 * kv_gather: from views to views. Bound by bandwidth. */
#include <cuda_fp8.h>
#include <type_traits>

#include "kernels/cuda/ragged.cuh"

#define BLOCK     256
#define LANES     16 /* of a token */
#define MAX_EDGES 64
#define TOKENS    4 /* of a group of lanes: their loads are on the way together */

typedef struct {
    char *k, *v;
    int32_t *origin;
    float *sum;                           /* NULL: none */
    int64_t k_row, k_head, v_row, v_head; /* bytes */
    int64_t o_row, o_head, s_row, s_head; /* numbers */
    int64_t bytes;                        /* of a token's key */
} views;

typedef struct {
    char *k, *v;
    int32_t *origin;
    float *sum;
    int64_t slots, at, bytes;
} ring;

/* Where a token's key and value lie, its origin and its sum. */
typedef struct {
    char *k, *v;
    int32_t *origin;
    float *sum;
} place;

__device__ __forceinline__ place in_views(const views &w, int64_t r, int h, int64_t position)
{
    return {w.k + r * w.k_row + h * w.k_head + position * w.bytes,
            w.v + r * w.v_row + h * w.v_head + position * w.bytes,
            w.origin + r * w.o_row + h * w.o_head + position,
            w.sum + r * w.s_row + h * w.s_head + position};
}

__device__ __forceinline__ place in_ring(const ring &g, int64_t number)
{
    const int64_t slot = (g.at + number) % g.slots;

    return {g.k + slot * g.bytes, g.v + slot * g.bytes, g.origin + slot, g.sum + slot};
}

/* Scales by their first tokens; of a push: what is kept, and how tokens are numbered and counted.
 */
typedef struct {
    const int32_t *keep;
    int32_t *count;
    int first, n_scales;
    ints<MAX_HEADS> base;
    ints<MAX_EDGES> edge;
} numbering;

/* Where a token's number in the sequence of all scales comes from: a push knows its position. */
__device__ __forceinline__ int32_t origin_of(const numbering &m, const place &from, int h,
                                             int position)
{
    const int behind = position - m.base.v[h];

    return behind < 0 ? *from.origin : m.first + behind;
}

/* What a group of lanes moves: the block's tokens number .. number + n - 1, row by row, head by
 * head, the head's first + t. */
typedef struct {
    int64_t number;
    int first, n;
} share;

__device__ __forceinline__ share share_of(const ragged &b)
{
    const int first = (blockIdx.x * (BLOCK / LANES) + threadIdx.x / LANES) * TOKENS;

    return {blockIdx.z * b.row + b.start.v[blockIdx.y] + first, first,
            min(TOKENS, b.len.v[blockIdx.y] - first)};
}

/* Token t's position in the views, and its places. */
typedef struct {
    int position;
    place from, to;
} way;

template <bool PUSH>
__device__ __forceinline__ way way_of(const share &s, int t, const views &w, const ring &g,
                                      const numbering &m)
{
    const int position = PUSH ? m.keep[s.number + t] : s.first + t;
    const place view = in_views(w, blockIdx.z, blockIdx.y, position);
    const place slot = in_ring(g, s.number + t);

    return {position, PUSH ? view : slot, PUSH ? slot : view};
}

/* The token's number in the sequence of all scales: a push knows that of a new one. */
template <bool PUSH> __device__ __forceinline__ int32_t origin_of(const numbering &m, const way &a)
{
    const int behind = a.position - m.base.v[blockIdx.y];

    return PUSH && behind >= 0 ? m.first + behind : *a.from.origin;
}

/* Origins and sums, a lane a token, and the counts of a push, by integer atomics: exact in any
 * order. */
template <bool PUSH>
__device__ __forceinline__ void bring_origins(const share &s, const views &w, const ring &g,
                                              const numbering &m)
{
    __shared__ int32_t counted[MAX_EDGES];
    const int lane = threadIdx.x % LANES;

    if (PUSH) {
        if (threadIdx.x < MAX_EDGES)
            counted[threadIdx.x] = 0;
        __syncthreads();
    }
    if (lane < s.n) {
        const way a = way_of<PUSH>(s, lane, w, g, m);
        const int32_t origin = origin_of<PUSH>(m, a);

        *a.to.origin = origin;
        if (g.sum)
            *a.to.sum = *a.from.sum;
        for (int e = 0; PUSH && e < m.n_scales; e++)
            if (origin >= m.edge.v[e] && origin < m.edge.v[e + 1])
                atomicAdd(&counted[e], 1);
    }
    if (PUSH) {
        __syncthreads();
        if ((int)threadIdx.x < m.n_scales && counted[threadIdx.x] > 0)
            atomicAdd(&m.count[threadIdx.x], counted[threadIdx.x]);
    }
}

/* grid (tiles of tokens, heads, rows). PUSH: view -> ring by m.keep; else ring -> view. */
template <typename V, bool PUSH>
__global__ __launch_bounds__(BLOCK) void move_tokens(views w, ring g, ragged b, numbering m,
                                                     int words)
{
    const share s = share_of(b);
    way a[TOKENS];

#pragma unroll
    for (int t = 0; t < TOKENS; t++)
        if (t < s.n)
            a[t] = way_of<PUSH>(s, t, w, g, m);
    for (int i = threadIdx.x % LANES; i < words; i += LANES) {
        V k[TOKENS], v[TOKENS];

#pragma unroll
        for (int t = 0; t < TOKENS; t++)
            if (t < s.n) {
                k[t] = ((const V *)a[t].from.k)[i];
                v[t] = ((const V *)a[t].from.v)[i];
            }
#pragma unroll
        for (int t = 0; t < TOKENS; t++)
            if (t < s.n) {
                ((V *)a[t].to.k)[i] = k[t];
                ((V *)a[t].to.v)[i] = v[t];
            }
    }
    bring_origins<PUSH>(s, w, g, m);
}

/* ------------------------------------------------------------------- rings of codes */

/* N neighbours, 16 bytes at a time. */
template <typename E, int N> struct __align__(sizeof(E) * N < 16 ? sizeof(E) * N : 16) pack
{
    E v[N];
};

/* Two codes, the first in the low byte. */
template <bool E4M3> __device__ __forceinline__ uint16_t codes_of(float x, float y)
{
    if (E4M3)
        return __nv_cvt_float2_to_fp8x2(make_float2(x, y), __NV_SATFINITE, __NV_E4M3);
    const int a = max(-127, min(127, __float2int_rn(x)));
    const int b = max(-127, min(127, __float2int_rn(y)));

    return (uint16_t)((a & 0xff) | (b & 0xff) << 8);
}

template <bool E4M3> __device__ __forceinline__ float2 numbers_of(uint16_t c)
{
    if (E4M3)
        return __half22float2(__half2(__nv_cvt_fp8x2_to_halfraw2(c, __NV_E4M3)));
    return make_float2((float)(int8_t)(c & 0xff), (float)(int8_t)(c >> 8));
}

template <bool E4M3, typename T, int N>
__device__ __forceinline__ void turn(pack<uint16_t, N / 2> &to, const pack<T, N> &from,
                                     const float (&by)[N])
{
#pragma unroll
    for (int n = 0; n < N; n += 2)
        to.v[n / 2] = codes_of<E4M3>(to_f32(from.v[n]) * by[n], to_f32(from.v[n + 1]) * by[n + 1]);
}

template <bool E4M3, typename T, int N>
__device__ __forceinline__ void turn(pack<T, N> &to, const pack<uint16_t, N / 2> &from,
                                     const float (&by)[N])
{
#pragma unroll
    for (int n = 0; n < N; n += 2) {
        const float2 x = numbers_of<E4M3>(from.v[n / 2]);

        put(&to.v[n], x.x * by[n]);
        put(&to.v[n + 1], x.y * by[n + 1]);
    }
}

/* What numbers are multiplied by on the way: in, 1/s, and out, s. */
template <bool E4M3, bool PUSH> __device__ __forceinline__ float factor_of(float peak)
{
    const float given = peak / (E4M3 ? 256.0f : 127.0f);
    const float s = given < 0x1p-126f ? 0x1p-126f : given; /* NaN stays */

    return PUSH ? 1.0f / s : s;
}

/* Peaks of the values' channels (R,H,scales,dim). */
typedef struct {
    const float *peak;
    int scales, dim;
} channels;

/* Of the last of the scales that begins at or before the token. */
__device__ __forceinline__ const float *peaks_of(const channels &c, const numbering &m, int heads,
                                                 int32_t origin)
{
    int j = 0;

    for (int e = 1; e < c.scales; e++)
        j += m.edge.v[e] <= origin;
    return c.peak + (((int64_t)blockIdx.z * heads + blockIdx.y) * c.scales + j) * c.dim;
}

/* move_tokens with a ring of codes. T: the views' type; N neighbours a lane at a time. */
template <typename T, bool E4M3, int N, bool PUSH>
__global__ __launch_bounds__(BLOCK, 2) void move_codes(views w, ring g, ragged b, numbering m,
                                                       channels c)
{
    typedef pack<T, N> numbers;
    typedef pack<uint16_t, N / 2> codes;
    typedef typename std::conditional<PUSH, numbers, codes>::type given;
    typedef typename std::conditional<PUSH, codes, numbers>::type made;
    const share s = share_of(b);
    const float *peak[TOKENS], *held = NULL;
    float k_by[N], v_by[N];
    way a[TOKENS];

#pragma unroll
    for (int t = 0; t < TOKENS; t++)
        if (t < s.n) {
            a[t] = way_of<PUSH>(s, t, w, g, m);
            peak[t] = peaks_of(c, m, b.heads, origin_of<PUSH>(m, a[t]));
        }
#pragma unroll
    for (int n = 0; n < N; n++)
        k_by[n] = factor_of<E4M3, PUSH>(1.0f);
    for (int i = threadIdx.x % LANES; i < c.dim / N; i += LANES, held = NULL) {
        given k[TOKENS], v[TOKENS];

#pragma unroll
        for (int t = 0; t < TOKENS; t++)
            if (t < s.n) {
                k[t] = ((const given *)a[t].from.k)[i];
                v[t] = ((const given *)a[t].from.v)[i];
            }
#pragma unroll
        for (int t = 0; t < TOKENS; t++)
            if (t < s.n) {
                made k_made, v_made;

                if (peak[t] != held) {
                    const pack<float, N> p = ((const pack<float, N> *)peak[t])[i];

#pragma unroll
                    for (int n = 0; n < N; n++)
                        v_by[n] = factor_of<E4M3, PUSH>(p.v[n]);
                    held = peak[t];
                }
                turn<E4M3>(k_made, k[t], k_by);
                turn<E4M3>(v_made, v[t], v_by);
                ((made *)a[t].to.k)[i] = k_made;
                ((made *)a[t].to.v)[i] = v_made;
            }
    }
    bring_origins<PUSH>(s, w, g, m);
}

/* ----------------------------------------------------------------------- launching */

/* Whether the views' tokens are whole words of 16 bytes, and the ring's of `ring_word`. */
static bool in_words(const skv_kv_pop_args *a, size_t row, size_t ring_word)
{
    const uintptr_t views = (uintptr_t)a->k.data | (uintptr_t)a->v.data | row;
    const uintptr_t ring = (uintptr_t)a->ring_k.data | (uintptr_t)a->ring_v.data;

    /* the views' strides are multiples of a token's bytes */
    return views % sizeof(uint4) == 0 && ring % ring_word == 0;
}

/* What both kernels get. */
typedef struct {
    views w;
    ring g;
    ragged b;
    numbering m;
    dim3 grid;
} launch;

template <bool PUSH>
static skv_status launch_copy(skv_backend *be, const skv_kv_pop_args *a, const launch *l)
{
    const size_t row = (size_t)l->g.bytes;

    if (in_words(a, row, sizeof(uint4)))
        SKV_LAUNCH(be, (move_tokens<uint4, PUSH>), l->grid, BLOCK, 0, l->w, l->g, l->b, l->m,
                   (int)(row / sizeof(uint4)));
    else
        SKV_LAUNCH(be, (move_tokens<uint16_t, PUSH>), l->grid, BLOCK, 0, l->w, l->g, l->b, l->m,
                   (int)(row / sizeof(uint16_t)));
    return SKV_OK;
}

template <typename T, bool E4M3, bool PUSH>
static skv_status launch_codes(skv_backend *be, const skv_kv_pop_args *a, const launch *l)
{
    const channels c = {(const float *)a->peak.data, (int)a->peak.shape[2], (int)a->k.shape[3]};

    if (c.dim % 2 != 0)
        return skv_fail(SKV_E_UNSUPPORTED,
                        "kv_move: codes of %d numbers a head, want an even "
                        "number",
                        c.dim);
    if (c.dim % 8 == 0 && in_words(a, (size_t)l->w.bytes, 8))
        SKV_LAUNCH(be, (move_codes<T, E4M3, 8, PUSH>), l->grid, BLOCK, 0, l->w, l->g, l->b, l->m,
                   c);
    else
        SKV_LAUNCH(be, (move_codes<T, E4M3, 2, PUSH>), l->grid, BLOCK, 0, l->w, l->g, l->b, l->m,
                   c);
    return SKV_OK;
}

template <bool PUSH>
static skv_status run(skv_backend *be, const skv_kv_pop_args *a, const numbering &m)
{
    const int64_t rows = a->k.shape[0], heads = a->k.shape[1], dim = a->k.shape[3];
    const int64_t element = (int64_t)skv_dtype_bytes(a->k.dtype);
    const int64_t longest = skv_ragged_longest(a->len, heads);
    const launch l = {
        {(char *)a->k.data, (char *)a->v.data, (int32_t *)a->origin.data, (float *)a->sum.data,
         a->k.stride[0] * element, a->k.stride[1] * element, a->v.stride[0] * element,
         a->v.stride[1] * element, a->origin.stride[0], a->origin.stride[1], a->sum.stride[0],
         a->sum.stride[1], dim * element},
        {(char *)a->ring_k.data, (char *)a->ring_v.data, (int32_t *)a->ring_origin.data,
         (float *)a->ring_sum.data, a->ring_k.shape[0], a->at,
         dim * (int64_t)skv_dtype_bytes(a->ring_k.dtype)},
        ragged_of(a->len, heads),
        m,
        dim3((unsigned)div_up(longest, BLOCK / LANES * TOKENS), (unsigned)heads, (unsigned)rows)};

    if (heads > MAX_HEADS || rows > 65535)
        return skv_fail(SKV_E_UNSUPPORTED, "kv_move: %lld rows of %lld heads: too many",
                        (long long)rows, (long long)heads);
    if (longest == 0)
        return SKV_OK;
    if (a->ring_k.dtype == a->k.dtype)
        return launch_copy<PUSH>(be, a, &l);
    SKV_FLOAT_SWITCH(a->k.dtype, T, {
        return a->ring_k.dtype == SKV_E4M3 ? launch_codes<T, true, PUSH>(be, a, &l)
                                           : launch_codes<T, false, PUSH>(be, a, &l);
    });
}

/* n edges of scales. */
static skv_status number_scales(numbering *m, const char *op, const int32_t *edge, int64_t n)
{
    if (n > MAX_EDGES)
        return skv_fail(SKV_E_UNSUPPORTED, "%s: %lld edges of scales, want at most %d", op,
                        (long long)n, MAX_EDGES);
    m->edge = ints_of<MAX_EDGES>(edge, n);
    return SKV_OK;
}

extern "C" skv_status skv_cuda_kv_pop(skv_backend *be, const skv_kv_pop_args *a)
{
    numbering m = {};

    if (a->ring_k.dtype != a->k.dtype)
        SKV_TRY(number_scales(&m, "kv_pop", a->edge, a->peak.shape[2]));
    return run<false>(be, a, m);
}

extern "C" skv_status skv_cuda_kv_push(skv_backend *be, const skv_kv_push_args *a)
{
    const skv_kv_pop_args same = {a->ring_k, a->ring_v, a->ring_origin, a->ring_sum,
                                  a->k,      a->v,      a->origin,      a->sum,
                                  a->peak,   a->at,     a->len,         a->edge};
    numbering m = {
        (const int32_t *)a->keep.data, (int32_t *)a->count.data, a->first, a->n_scales, {}, {}};

    SKV_TRY(number_scales(&m, "kv_push", a->edge, a->n_scales + 1));
    m.base = ints_of<MAX_HEADS>(a->base, a->k.shape[1]);
    return run<true>(be, &same, m);
}

/* ------------------------------------------------------------------------ view to view */

/* Bytes between rows and heads. */
typedef struct {
    char *k, *v;
    int64_t k_row, k_head, v_row, v_head;
} view;

static view view_of(const skv_tensor *k, const skv_tensor *v)
{
    const int64_t element = (int64_t)skv_dtype_bytes(k->dtype);

    return {(char *)k->data,        (char *)v->data,        k->stride[0] * element,
            k->stride[1] * element, v->stride[0] * element, v->stride[1] * element};
}

/* grid (tiles of tokens, heads, rows); LANES a token. */
template <typename V>
__global__ __launch_bounds__(BLOCK) void gather_tokens(view to, view from, const int32_t *keep,
                                                       ragged b, int words)
{
    const int h = blockIdx.y, t = blockIdx.x * (BLOCK / LANES) + threadIdx.x / LANES;
    const int64_t row = blockIdx.z, bytes = (int64_t)words * sizeof(V);

    if (t >= b.len.v[h])
        return;
    const int64_t position = keep[row * b.row + b.start.v[h] + t];

    for (int i = threadIdx.x % LANES; i < words; i += LANES) {
        ((V *)(to.k + row * to.k_row + h * to.k_head + t * bytes))[i] =
            ((const V *)(from.k + row * from.k_row + h * from.k_head + position * bytes))[i];
        ((V *)(to.v + row * to.v_row + h * to.v_head + t * bytes))[i] =
            ((const V *)(from.v + row * from.v_row + h * from.v_head + position * bytes))[i];
    }
}

extern "C" skv_status skv_cuda_kv_gather(skv_backend *be, const skv_kv_gather_args *a)
{
    const int64_t rows = a->k.shape[0], heads = a->k.shape[1];
    const int64_t longest = skv_ragged_longest(a->n, heads);
    const size_t bytes = (size_t)a->k.shape[3] * skv_dtype_bytes(a->k.dtype);
    const uintptr_t places = (uintptr_t)a->k.data | (uintptr_t)a->v.data | (uintptr_t)a->k_to.data |
                             (uintptr_t)a->v_to.data | bytes;
    const view to = view_of(&a->k_to, &a->v_to), from = view_of(&a->k, &a->v);
    const dim3 grid((unsigned)div_up(longest, BLOCK / LANES), (unsigned)heads, (unsigned)rows);

    if (heads > MAX_HEADS || rows > 65535)
        return skv_fail(SKV_E_UNSUPPORTED, "kv_gather: %lld rows of %lld heads: too many",
                        (long long)rows, (long long)heads);
    if (longest == 0 || rows == 0)
        return SKV_OK;
    if (places % sizeof(uint4) == 0) /* strides are multiples of a token's bytes */
        SKV_LAUNCH(be, gather_tokens<uint4>, grid, BLOCK, 0, to, from,
                   (const int32_t *)a->keep.data, ragged_of(a->n, heads),
                   (int)(bytes / sizeof(uint4)));
    else
        SKV_LAUNCH(be, gather_tokens<uint16_t>, grid, BLOCK, 0, to, from,
                   (const int32_t *)a->keep.data, ragged_of(a->n, heads),
                   (int)(bytes / sizeof(uint16_t)));
    return SKV_OK;
}
