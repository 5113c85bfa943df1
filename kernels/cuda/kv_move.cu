/* kv_pop, kv_push: kept keys and values between a layer's views and the
 * ring of all layers. Tokens of a block are numbered row by row, head by head; a group of lanes
 * moves one token's key and value, 16 bytes a lane at a time. Bound by bandwidth. */
#include "kernels/cuda/kv_blocks.cuh"

#define BLOCK  256
#define LANES  16 /* of a token */
#define TOKENS 4  /* of a group of lanes: their loads are on the way together */

typedef struct {
    char *k, *v;
    int32_t *origin;
    int64_t k_row, k_head, v_row, v_head, o_row, o_head; /* k, v: bytes; origin: numbers */
} views;

typedef struct {
    char *k, *v;
    int32_t *origin;
    int64_t slots, at;
} ring;

/* Where a token's key and value lie, and its origin; NULL: no token. */
typedef struct {
    char *k, *v;
    int32_t *origin;
} place;

__device__ __forceinline__ place in_views(const views &w, int64_t r, int h, int64_t position,
                                          int64_t bytes)
{
    return {w.k + r * w.k_row + h * w.k_head + position * bytes,
            w.v + r * w.v_row + h * w.v_head + position * bytes,
            w.origin + r * w.o_row + h * w.o_head + position};
}

__device__ __forceinline__ place in_ring(const ring &g, int64_t number, int64_t bytes)
{
    const int64_t slot = (g.at + number) % g.slots;

    return {g.k + slot * bytes, g.v + slot * bytes, g.origin + slot};
}

/* grid (tiles of tokens, heads, rows). PUSH: view -> ring by `keep`; else ring -> view. */
template <typename V, bool PUSH>
__global__ __launch_bounds__(BLOCK) void move_tokens(views w, ring g, blocks b, const int32_t *keep,
                                                     int words)
{
    const int lane = threadIdx.x % LANES, h = blockIdx.y;
    const int first = (blockIdx.x * (BLOCK / LANES) + threadIdx.x / LANES) * TOKENS;
    const int64_t r = blockIdx.z, number = r * b.row_tokens + b.start.v[h];
    const int64_t bytes = (int64_t)words * sizeof(V);
    const int n = min(TOKENS, b.len.v[h] - first);
    place from[TOKENS], to[TOKENS];

#pragma unroll
    for (int t = 0; t < TOKENS; t++) {
        const int64_t i = number + first + t;

        if (t >= n)
            continue;
        to[t] = in_ring(g, i, bytes);
        from[t] = in_views(w, r, h, PUSH ? keep[i] : first + t, bytes);
        if (!PUSH) {
            const place swap = to[t];

            to[t] = from[t];
            from[t] = swap;
        }
        if (lane == 0)
            *to[t].origin = *from[t].origin;
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
}

static bool in_words(const skv_kv_move_args *a, size_t row)
{
    const uintptr_t bits = (uintptr_t)a->ring_k.data | (uintptr_t)a->ring_v.data |
                           (uintptr_t)a->k.data | (uintptr_t)a->v.data | row;

    return bits % sizeof(uint4) == 0; /* the views' strides are multiples of a token's bytes */
}

template <bool PUSH> static skv_status run(skv_backend *be, const skv_kv_move_args *a)
{
    const int64_t rows = a->k.shape[0], heads = a->k.shape[1];
    const int64_t element = (int64_t)skv_dtype_bytes(a->k.dtype);
    const size_t row = (size_t)(a->k.shape[3] * element);
    const views w = {(char *)a->k.data,        (char *)a->v.data,        (int32_t *)a->origin.data,
                     a->k.stride[0] * element, a->k.stride[1] * element, a->v.stride[0] * element,
                     a->v.stride[1] * element, a->origin.stride[0],      a->origin.stride[1]};
    const ring g = {(char *)a->ring_k.data, (char *)a->ring_v.data, (int32_t *)a->ring_origin.data,
                    a->ring_k.shape[0], a->at};
    const blocks b = blocks_of(a->len, heads);
    int32_t longest = 0;

    if (heads > MAX_HEADS || rows > 65535)
        return skv_fail(SKV_E_UNSUPPORTED, "kv_move: %lld rows of %lld heads: too many",
                        (long long)rows, (long long)heads);
    for (int64_t h = 0; h < heads; h++)
        longest = a->len[h] > longest ? a->len[h] : longest;
    if (longest == 0)
        return SKV_OK;
    const dim3 grid((unsigned)div_up(longest, BLOCK / LANES * TOKENS), (unsigned)heads,
                    (unsigned)rows);

    if (in_words(a, row))
        SKV_LAUNCH(be, (move_tokens<uint4, PUSH>), grid, BLOCK, 0, w, g, b,
                   (const int32_t *)a->keep.data, (int)(row / sizeof(uint4)));
    else
        SKV_LAUNCH(be, (move_tokens<uint16_t, PUSH>), grid, BLOCK, 0, w, g, b,
                   (const int32_t *)a->keep.data, (int)(row / sizeof(uint16_t)));
    return SKV_OK;
}

extern "C" skv_status skv_cuda_kv_pop(skv_backend *be, const skv_kv_pop_args *a)
{
    return run<false>(be, a);
}

extern "C" skv_status skv_cuda_kv_push(skv_backend *be, const skv_kv_push_args *a)
{
    return run<true>(be, a);
}
