/* Attention to texts by warps, each of which walks over its own queries, so that loading, products
 * and softmax of different warps overlap. Bound by the latencies between a warp's products and its
 * softmax. o may be q: a warp has read its queries before it writes. */
#include "kernels/cuda/flash_texts.cuh"

#define WARPS   12 /* as many as there are registers for */
#define QUERIES 16 /* of a warp */
#define ROUND   (WARPS * QUERIES)
#define TILE    32 /* keys */
#define REST    2  /* fetching queries and storing is worth about two tiles */

/* A warp's walk over the queries first, first + ROUND .. below `end` of a row and head, by way of
 * its own rows of shared memory. */
template <int DIM>
__device__ __forceinline__ void walk(const flash_job &j, const place &at, int first, int end,
                                     const bf16 *ks, const bf16 *vs, bf16 *mine, int lane)
{
    constexpr int ROW = DIM + PAD;

    if (first >= end)
        return;
    load_tile<DIM>(mine, j.q + at.q + first * at.width, at.width, QUERIES, end - first, j.dim, lane,
                   WARP);
    commit_copies();
    for (; first < end; first += ROUND) {
        const int next = first + ROUND;
        uint32_t q[DIM / 16][4];
        float o[DIM / 8][4] = {};
        running run = {{-INFINITY, -INFINITY}, {0, 0}};

        wait_copies<0>();
        __syncwarp();
#pragma unroll
        for (int step = 0; step < DIM / 16; step++)
            load_queries<DIM>(q[step], mine, step, lane);
        __syncwarp();
        if (next < end) {
            load_tile<DIM>(mine, j.q + at.q + next * at.width, at.width, QUERIES, end - next, j.dim,
                           lane, WARP);
            commit_copies();
        }
        for (int key = 0; key < at.len; key += TILE) {
            float s[TILE / 8][4];

            scores<DIM, TILE, false>(s, q, mine, ks + key * ROW, TILE, lane);
            exclude<TILE>(s, at.len - key, lane);
            soften<DIM, TILE>(&run, s, o, j.scale);
            accumulate<DIM, TILE>(o, s, vs + key * ROW, TILE, lane);
        }
        put_out<DIM>(j.o + at.q + first * at.width, at.width, end - first, j.dim, o, run.sum, lane);
    }
}

/* keys: room for them, a multiple of TILE */
template <int DIM>
__global__ __launch_bounds__(WARPS *WARP, 1) void flash_staying(const flash_job j, const share all,
                                                                int keys)
{
    constexpr int ROW = DIM + PAD, THREADS = WARPS * WARP;
    extern __shared__ __align__(16) bf16 memory[];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int end = round_at(j, all, blockIdx.x + 1);
    bf16 *ks = memory, *vs = ks + keys * ROW, *mine = vs + keys * ROW + warp * QUERIES * ROW;

    for (int r = round_at(j, all, blockIdx.x), n; r < end; r += n) {
        const int part = r / all.rounds, first = r % all.rounds;
        const place at = place_of(j, part / j.heads, part % j.heads);
        const int fetched = (at.len + TILE - 1) / TILE * TILE;

        n = min(all.rounds - first, end - r);
        if (at.len == 0)
            continue;
        __syncthreads(); /* all warps are done with the keys that were here */
        load_tile<DIM>(ks, j.k + at.kv, j.token_stride, fetched, at.len, j.dim, threadIdx.x,
                       THREADS);
        load_tile<DIM>(vs, j.v + at.kv, j.token_stride, fetched, at.len, j.dim, threadIdx.x,
                       THREADS);
        commit_copies();
        wait_copies<0>();
        __syncthreads();
        walk<DIM>(j, at, first * ROUND + warp * QUERIES, min((first + n) * ROUND, j.tokens), ks, vs,
                  mine, lane);
    }
}

template <int DIM>
static skv_status launch(skv_backend *be, const flash_job *j, int rows, int keys, bool *done)
{
    const size_t shared = (DIM + PAD) * sizeof(bf16) * (2 * (size_t)keys + ROUND);
    const share all = share_of(j, rows, ROUND, TILE, REST);

    if (shared > skv_cuda__of(be)->shared)
        return SKV_OK;
    SKV_TRY(skv_cuda__shared(be, (const void *)flash_staying<DIM>, shared));
    SKV_LAUNCH(be, flash_staying<DIM>, blocks_of(be, j, all), WARPS * WARP, shared, *j, all, keys);
    *done = true;
    return SKV_OK;
}

skv_status flash_staying_launch(skv_backend *be, const flash_job *j, int rows, int longest,
                                bool *done)
{
    const int keys = (longest + TILE - 1) / TILE * TILE;

    if (j->dim <= 64)
        return launch<64>(be, j, rows, keys, done);
    if (j->dim <= 96)
        return launch<96>(be, j, rows, keys, done);
    return launch<128>(be, j, rows, keys, done);
}
