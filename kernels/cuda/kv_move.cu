/* kv_pop, kv_push: kept keys and values between a layer's views and the ring of all layers. Tokens
 * of a block are numbered row by row, head by head; a group of lanes moves some tokens' keys and
 * values, 16 bytes a lane at a time. Bound by bandwidth. */
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
} views;

typedef struct {
    char *k, *v;
    int32_t *origin;
    float *sum;
    int64_t slots, at;
} ring;

/* Where a token's key and value lie, its origin and its sum. */
typedef struct {
    char *k, *v;
    int32_t *origin;
    float *sum;
} place;

__device__ __forceinline__ place in_views(const views &w, int64_t r, int h, int64_t position,
                                          int64_t bytes)
{
    return {w.k + r * w.k_row + h * w.k_head + position * bytes,
            w.v + r * w.v_row + h * w.v_head + position * bytes,
            w.origin + r * w.o_row + h * w.o_head + position,
            w.sum + r * w.s_row + h * w.s_head + position};
}

__device__ __forceinline__ place in_ring(const ring &g, int64_t number, int64_t bytes)
{
    const int64_t slot = (g.at + number) % g.slots;

    return {g.k + slot * bytes, g.v + slot * bytes, g.origin + slot, g.sum + slot};
}

/* Of a push: what is kept, and how pushed tokens are numbered and counted. */
typedef struct {
    const int32_t *keep;
    int32_t *count;
    int first, n_scales;
    ints<MAX_HEADS> base;
    ints<MAX_EDGES> edge;
} numbering;

/* The token's number in the sequence of all scales, counted under its scale. */
__device__ __forceinline__ int32_t number_of(const numbering &m, const place &from, int h,
                                             int position, int32_t *counted)
{
    const int behind = position - m.base.v[h];
    const int32_t origin = behind < 0 ? *from.origin : m.first + behind;

    for (int s = 0; s < m.n_scales; s++)
        if (origin >= m.edge.v[s] && origin < m.edge.v[s + 1])
            atomicAdd(&counted[s], 1);
    return origin;
}

/* grid (tiles of tokens, heads, rows). PUSH: view -> ring by m.keep; else ring -> view. Counts by
 * integer atomics: exact in any order. */
template <typename V, bool PUSH>
__global__ __launch_bounds__(BLOCK) void move_tokens(views w, ring g, ragged b, numbering m,
                                                     int words)
{
    __shared__ int32_t counted[MAX_EDGES];
    const int lane = threadIdx.x % LANES, h = blockIdx.y;
    const int first = (blockIdx.x * (BLOCK / LANES) + threadIdx.x / LANES) * TOKENS;
    const int64_t r = blockIdx.z, number = r * b.row + b.start.v[h];
    const int64_t bytes = (int64_t)words * sizeof(V);
    const int n = min(TOKENS, b.len.v[h] - first);
    place from[TOKENS], to[TOKENS];

    if (PUSH) {
        if (threadIdx.x < MAX_EDGES)
            counted[threadIdx.x] = 0;
        __syncthreads();
    }
#pragma unroll
    for (int t = 0; t < TOKENS; t++) {
        const int64_t i = number + first + t;

        if (t >= n)
            continue;
        if (PUSH) {
            to[t] = in_ring(g, i, bytes);
            from[t] = in_views(w, r, h, m.keep[i], bytes);
        } else {
            to[t] = in_views(w, r, h, first + t, bytes);
            from[t] = in_ring(g, i, bytes);
        }
    }
    for (int i = lane; i < words; i += LANES) {
        V k[TOKENS], v[TOKENS];

#pragma unroll
        for (int t = 0; t < TOKENS; t++)
            if (t < n) {
                k[t] = ((const V *)from[t].k)[i];
                v[t] = ((const V *)from[t].v)[i];
            }
#pragma unroll
        for (int t = 0; t < TOKENS; t++)
            if (t < n) {
                ((V *)to[t].k)[i] = k[t];
                ((V *)to[t].v)[i] = v[t];
            }
    }
    if (lane < n) { /* a lane a token */
        const place f = PUSH ? in_views(w, r, h, m.keep[number + first + lane], bytes)
                             : in_ring(g, number + first + lane, bytes);
        const place t = PUSH ? in_ring(g, number + first + lane, bytes)
                             : in_views(w, r, h, first + lane, bytes);

        *t.origin = PUSH ? number_of(m, f, h, m.keep[number + first + lane], counted) : *f.origin;
        if (g.sum)
            *t.sum = *f.sum;
    }
    if (PUSH) {
        __syncthreads();
        if ((int)threadIdx.x < m.n_scales && counted[threadIdx.x] > 0)
            atomicAdd(&m.count[threadIdx.x], counted[threadIdx.x]);
    }
}

static bool in_words(const skv_kv_pop_args *a, size_t row)
{
    const uintptr_t bits = (uintptr_t)a->ring_k.data | (uintptr_t)a->ring_v.data |
                           (uintptr_t)a->k.data | (uintptr_t)a->v.data | row;

    return bits % sizeof(uint4) == 0; /* the views' strides are multiples of a token's bytes */
}

template <bool PUSH>
static skv_status run(skv_backend *be, const skv_kv_pop_args *a, const numbering &m)
{
    const int64_t rows = a->k.shape[0], heads = a->k.shape[1];
    const int64_t element = (int64_t)skv_dtype_bytes(a->k.dtype);
    const size_t row = (size_t)(a->k.shape[3] * element);
    const views w = {(char *)a->k.data,        (char *)a->v.data,        (int32_t *)a->origin.data,
                     (float *)a->sum.data,     a->k.stride[0] * element, a->k.stride[1] * element,
                     a->v.stride[0] * element, a->v.stride[1] * element, a->origin.stride[0],
                     a->origin.stride[1],      a->sum.stride[0],         a->sum.stride[1]};
    const ring g = {
        (char *)a->ring_k.data,    (char *)a->ring_v.data, (int32_t *)a->ring_origin.data,
        (float *)a->ring_sum.data, a->ring_k.shape[0],     a->at};
    const ragged b = ragged_of(a->len, heads);
    const int64_t longest = skv_ragged_longest(a->len, heads);

    if (heads > MAX_HEADS || rows > 65535)
        return skv_fail(SKV_E_UNSUPPORTED, "kv_move: %lld rows of %lld heads: too many",
                        (long long)rows, (long long)heads);
    if (longest == 0)
        return SKV_OK;
    const dim3 grid((unsigned)div_up(longest, BLOCK / LANES * TOKENS), (unsigned)heads,
                    (unsigned)rows);

    if (in_words(a, row))
        SKV_LAUNCH(be, (move_tokens<uint4, PUSH>), grid, BLOCK, 0, w, g, b, m,
                   (int)(row / sizeof(uint4)));
    else
        SKV_LAUNCH(be, (move_tokens<uint16_t, PUSH>), grid, BLOCK, 0, w, g, b, m,
                   (int)(row / sizeof(uint16_t)));
    return SKV_OK;
}

extern "C" skv_status skv_cuda_kv_pop(skv_backend *be, const skv_kv_pop_args *a)
{
    return run<false>(be, a, numbering());
}

extern "C" skv_status skv_cuda_kv_push(skv_backend *be, const skv_kv_push_args *a)
{
    const skv_kv_pop_args same = {a->ring_k, a->ring_v, a->ring_origin, a->ring_sum, a->k,
                                  a->v,      a->origin, a->sum,         a->at,       a->len};
    numbering m = {
        (const int32_t *)a->keep.data, (int32_t *)a->count.data, a->first, a->n_scales, {}, {}};

    if (a->n_scales >= MAX_EDGES)
        return skv_fail(SKV_E_UNSUPPORTED, "kv_push: %d scales, want fewer than %d", a->n_scales,
                        MAX_EDGES);
    m.base = ints_of<MAX_HEADS>(a->base, a->k.shape[1]);
    m.edge = ints_of<MAX_EDGES>(a->edge, a->n_scales + 1);
    return run<true>(be, &same, m);
}
