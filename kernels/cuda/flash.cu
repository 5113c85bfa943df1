/* Attention on tensor cores (mma.sync, bf16, every GPU since sm_80), after FlashAttention-2.
 *
 * A warp is 16 queries; keys and values come in tiles through shared memory, two stages by
 * cp.async: bound by the tensor cores. Where every row's keys fit one tile there is that alone,
 * only the keys that are there cost anything, and a block walks over some tiles of queries: bound
 * by reading q and writing o. Head dimensions: multiples of 8 up to 128, padded with zeros in
 * shared memory. o may be q: a block has read all its queries before it writes any.
 *
 * Eight warps keep a multiprocessor busy: two blocks of FEW or, where its shared memory holds only
 * one of them, one block of MANY, whose tiles have fewer keys. */
#include "kernels/cuda/flash.cuh"

#define FEW  4 /* warps of a block */
#define MANY 8

/* Keys of a tile of flash_long: MANY fit 99 KiB by it. */
#define TILE_OF(warps) ((warps) == MANY ? 48 : KEYS)

/* A warp's o/sum to its rows of shared memory. */
template <int DIM>
__device__ __forceinline__ void finish(bf16 *rows, const float o[DIM / 8][4], const running &run,
                                       int lane)
{
    __syncwarp(); /* the rows held the warp's queries, which all lanes have read by now */
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float inverse = 1.0f / quad_sum(run.sum[half]);
        bf16 *row = rows + (lane / 4 + 8 * half) * (DIM + PAD) + lane % 4 * 2;

#pragma unroll
        for (int n = 0; n < DIM / 8; n++)
            *(uint32_t *)(row + 8 * n) =
                pack_bf16(o[n][2 * half] * inverse, o[n][2 * half + 1] * inverse);
    }
}

/* Rows from shared memory to the output. */
template <int DIM>
__device__ __forceinline__ void store(bf16 *out, const bf16 *tile, int64_t stride, int there,
                                      int dim, int thread, int threads)
{
    for (int i = thread; i < there * (DIM / 8); i += threads) {
        const int row = i / (DIM / 8), column = i % (DIM / 8) * 8;

        if (column < dim)
            *(uint4 *)(out + row * stride + column) =
                *(const uint4 *)(tile + row * (DIM + PAD) + column);
    }
}

/* Blocks that a multiprocessor has registers for. */
static constexpr int long_blocks(int dim, int warps)
{
    return warps == MANY ? 1 : dim <= 64 ? 4 : dim <= 96 ? 3 : 2;
}

static constexpr int short_blocks(int dim, int warps)
{
    return warps == MANY ? 1 : dim <= 64 ? 6 : 4;
}

/* Keys of more than one tile: grid (query tiles, heads, rows). */
template <int DIM, int WARPS>
__global__ __launch_bounds__(WARPS *WARP,
                             long_blocks(DIM, WARPS)) void flash_long(const flash_job j)
{
    constexpr int QUERIES = 16 * WARPS, THREADS = WARPS * WARP;
    constexpr int WIDE = TILE_OF(WARPS), TILE = WIDE * (DIM + PAD);
    extern __shared__ __align__(16) bf16 memory[];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int first = blockIdx.x * QUERIES, there = min(QUERIES, j.tokens - first);
    const place at = place_of(j, blockIdx.z, blockIdx.y);
    const bf16 *q_rows = j.q + at.q + first * at.width, *k = j.k + at.kv, *v = j.v + at.kv;
    const bool busy = 16 * warp < there;
    bf16 *qs = memory, *ks = qs + QUERIES * (DIM + PAD), *vs = ks + 2 * TILE;
    bf16 *mine = qs + 16 * warp * (DIM + PAD);
    uint32_t q[DIM / 16][4];
    float o[DIM / 8][4] = {}, s[WIDE / 8][4];
    running run = {{-INFINITY, -INFINITY}, {0, 0}};

    if (at.len == 0)
        return;
    load_tile<DIM>(qs, q_rows, at.width, (there + 15) / 16 * 16, there, j.dim, threadIdx.x,
                   THREADS);
    load_tile<DIM>(ks, k, j.token_stride, WIDE, at.len, j.dim, threadIdx.x, THREADS);
    load_tile<DIM>(vs, v, j.token_stride, WIDE, at.len, j.dim, threadIdx.x, THREADS);
    commit_copies();
    for (int tile = 0; tile * WIDE < at.len; tile++) {
        const int stage = tile % 2 * TILE, left = at.len - tile * WIDE;

        if (left > WIDE) {
            const int other = (tile + 1) % 2 * TILE;
            const int64_t skip = (tile + 1) * WIDE * j.token_stride;

            load_tile<DIM>(ks + other, k + skip, j.token_stride, WIDE, left - WIDE, j.dim,
                           threadIdx.x, THREADS);
            load_tile<DIM>(vs + other, v + skip, j.token_stride, WIDE, left - WIDE, j.dim,
                           threadIdx.x, THREADS);
            commit_copies();
            wait_copies<1>();
        } else {
            wait_copies<0>();
        }
        __syncthreads();
        if (busy) {
            if (tile == 0)
#pragma unroll
                for (int step = 0; step < DIM / 16; step++)
                    load_queries<DIM>(q[step], mine, step, lane);
            scores<DIM, WIDE, false>(s, q, mine, ks + stage, WIDE, lane);
            exclude<WIDE>(s, left, lane);
            soften<DIM, WIDE>(&run, s, o, j.scale);
            accumulate<DIM, WIDE>(o, s, vs + stage, WIDE, lane);
        }
        __syncthreads(); /* the next tile but one comes to this stage */
    }
    if (busy)
        finish<DIM>(mine, o, run, lane);
    __syncthreads();
    store<DIM>(j.o + at.q + first * at.width, qs, at.width, there, j.dim, threadIdx.x, THREADS);
}

/* All keys in one tile: grid (groups of query tiles, heads, rows). The next tile of queries is on
 * its way while one is computed. */
template <int DIM, int WARPS>
__global__ __launch_bounds__(WARPS *WARP,
                             short_blocks(DIM, WARPS)) void flash_short(const flash_job j,
                                                                        int tiles)
{
    constexpr int QUERIES = 16 * WARPS, THREADS = WARPS * WARP, TILE = QUERIES * (DIM + PAD);
    extern __shared__ __align__(16) bf16 memory[];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int begin = blockIdx.x * tiles * QUERIES, end = min(begin + tiles * QUERIES, j.tokens);
    const place at = place_of(j, blockIdx.z, blockIdx.y);
    const int keys = (at.len + 15) / 16 * 16;
    bf16 *qs = memory, *ks = qs + 2 * TILE, *vs = ks + j.one_tile * (DIM + PAD);

    if (at.len == 0)
        return;
    load_tile<DIM>(ks, j.k + at.kv, j.token_stride, keys, at.len, j.dim, threadIdx.x, THREADS);
    load_tile<DIM>(vs, j.v + at.kv, j.token_stride, keys, at.len, j.dim, threadIdx.x, THREADS);
    load_tile<DIM>(qs, j.q + at.q + begin * at.width, at.width, QUERIES, end - begin, j.dim,
                   threadIdx.x, THREADS);
    commit_copies();
    for (int first = begin; first < end; first += QUERIES) {
        bf16 *tile = qs + (first - begin) / QUERIES % 2 * TILE,
             *mine = tile + 16 * warp * (DIM + PAD);
        const int next = first + QUERIES, there = min(QUERIES, end - first);

        if (next < end) {
            load_tile<DIM>(qs + (next - begin) / QUERIES % 2 * TILE, j.q + at.q + next * at.width,
                           at.width, QUERIES, end - next, j.dim, threadIdx.x, THREADS);
            commit_copies();
            wait_copies<1>();
        } else {
            wait_copies<0>();
        }
        __syncthreads();
        if (16 * warp < there) {
            uint32_t q[DIM / 16][4];
            float o[DIM / 8][4] = {}, s[KEYS / 8][4];
            running run = {{-INFINITY, -INFINITY}, {0, 0}};

            scores<DIM, KEYS, true>(s, q, mine, ks, at.len, lane);
            exclude<KEYS>(s, at.len, lane);
            soften<DIM, KEYS>(&run, s, o, j.scale);
            accumulate<DIM, KEYS>(o, s, vs, at.len, lane);
            finish<DIM>(mine, o, run, lane);
        }
        __syncthreads();
        store<DIM>(j.o + at.q + first * at.width, tile, at.width, there, j.dim, threadIdx.x,
                   THREADS);
        __syncthreads(); /* the tile after the next comes here */
    }
}

/* Shared memory of a block of so many warps. */
template <int DIM> static size_t shared_of(const flash_job *j, int warps)
{
    const int queries = 16 * warps;
    const int rows = j->one_tile ? 2 * queries + 2 * j->one_tile : queries + 4 * TILE_OF(warps);

    return (DIM + PAD) * sizeof(bf16) * (size_t)rows;
}

template <int DIM, int WARPS>
static skv_status launch(skv_backend *be, const flash_job *j, int rows, size_t shared)
{
    const int queries = 16 * WARPS;
    const int64_t all = div_up(j->tokens, queries) * j->heads * rows;
    const int tiles = j->one_tile ? skv_limits_tiles_a_block(be->limits, all) : 1;
    const dim3 grid((unsigned)div_up(j->tokens, queries * tiles), (unsigned)j->heads,
                    (unsigned)rows);

    if (j->one_tile) {
        SKV_TRY(skv_cuda__shared(be, (const void *)flash_short<DIM, WARPS>, shared));
        SKV_LAUNCH(be, (flash_short<DIM, WARPS>), grid, WARPS * WARP, shared, *j, tiles);
    } else {
        SKV_TRY(skv_cuda__shared(be, (const void *)flash_long<DIM, WARPS>, shared));
        SKV_LAUNCH(be, (flash_long<DIM, WARPS>), grid, WARPS * WARP, shared, *j);
    }
    return SKV_OK;
}

template <int DIM> static skv_status by_room(skv_backend *be, const flash_job *j, int rows)
{
    constexpr int WARPS = DIM > 64 ? MANY : FEW; /* every GPU has room for two small ones of FEW */
    const size_t room = skv_cuda__of(be)->shared;
    const size_t few = shared_of<DIM>(j, FEW), many = shared_of<DIM>(j, WARPS);

    if (skv_limits_two_blocks(room, few) || many > room)
        return launch<DIM, FEW>(be, j, rows, few);
    return launch<DIM, WARPS>(be, j, rows, many);
}

static skv_status by_dim(skv_backend *be, const flash_job *j, int rows)
{
    if (j->dim <= 16)
        return by_room<16>(be, j, rows);
    if (j->dim <= 32)
        return by_room<32>(be, j, rows);
    if (j->dim <= 64)
        return by_room<64>(be, j, rows);
    if (j->dim <= 96)
        return by_room<96>(be, j, rows);
    if (j->dim <= 112)
        return by_room<112>(be, j, rows);
    return by_room<128>(be, j, rows);
}

/* Up to MAX_ROWS rows by the kernel that suits them. */
static skv_status run(skv_backend *be, flash_job *j, int rows, int longest, bool equal)
{
    const skv_cuda *cuda = skv_cuda__of(be);
    const skv_flash_case c = {j->tokens, longest, j->dim, cuda->sm, cuda->shared, j->by_row, equal};
    const skv_flash way = skv_limits_flash(be->limits, &c);
    bool done = false;

    if (way == SKV_FLASH_TWO || way == SKV_FLASH_THREE)
        return flash_wgmma_launch(be, j, rows, longest, way == SKV_FLASH_THREE ? 3 : 2);
    if (way == SKV_FLASH_MANY)
        return flash_wgmma_long_launch(be, j, rows);
    if (way == SKV_FLASH_STAYING)
        SKV_TRY(flash_staying_launch(be, j, rows, longest, &done));
    if (done)
        return SKV_OK;
    if (skv_limits_flash_tiled(longest) == SKV_FLASH_ONE_TILE)
        j->one_tile = (longest + 15) / 16 * 16;
    else
        j->one_tile = 0;
    return by_dim(be, j, rows);
}

extern "C" skv_status skv_cuda__flash(skv_backend *be, const skv_cuda__flash_args *a)
{
    const int32_t *len = a->len;
    flash_job j = {};

    if (a->dim > 128 || a->dim % 8 != 0 || a->heads > MAX_LENS)
        return skv_fail(SKV_E_UNSUPPORTED, "attention on tensor cores: %lld heads of %lld",
                        (long long)a->heads, (long long)a->dim);
    j.o = (bf16 *)a->o;
    j.q = (const bf16 *)a->q;
    j.k = (const bf16 *)a->k;
    j.v = (const bf16 *)a->v;
    j.row_stride = a->row_stride;
    j.head_stride = a->head_stride;
    j.token_stride = a->token_stride;
    j.tokens = (int)a->tokens;
    j.heads = (int)a->heads;
    j.dim = (int)a->dim;
    j.by_row = a->by_row;
    j.scale = a->scale * LOG2_E;
    for (int64_t first = 0; a->tokens > 0 && first < a->rows; first += MAX_ROWS) {
        const int rows = (int)(a->rows - first < MAX_ROWS ? a->rows - first : MAX_ROWS);
        const int n = a->by_row ? rows : (int)a->heads;
        int32_t longest = 0;
        bool equal = true;

        j.first_row = (int)first;
        for (int r = 0; r < rows; r++)
            j.row_start.v[r] = a->row_start ? a->row_start[first + r] : (int32_t)(first + r);
        for (int i = 0; i < n; i++) {
            j.len.v[i] = len[a->by_row ? first + i : i];
            longest = j.len.v[i] > longest ? j.len.v[i] : longest;
            equal = equal && j.len.v[i] == j.len.v[0];
        }
        SKV_TRY(run(be, &j, rows, longest, equal));
    }
    return SKV_OK;
}
