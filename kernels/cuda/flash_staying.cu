/* Attention to texts: all keys and values of a row and head stay in a block's shared memory, and
 * each of its warps walks over the queries by itself, 32 at once, so that loading, products and
 * softmax of different warps overlap and a key read from shared memory serves twice the products.
 * Bound by shared memory and the tensor cores. o may be q: a warp has read its queries before it
 * writes. */
#include "kernels/cuda/flash.cuh"

#define WARPS      8
#define M          2        /* times 16 queries of a warp */
#define QUERIES    (16 * M) /* of a warp */
#define ROUND      (WARPS * QUERIES)
#define BLOCKS     528 /* wanted: four rounds of one on 132 multiprocessors */
#define MAX_ROUNDS 8
#define MAX_KEYS   256
#define MIN_TOKENS 512 /* below, loading all keys is not repaid */

/* grid (groups of rounds of queries, heads, rows); keys: room for them, a multiple of KEYS */
template <int DIM>
__global__ __launch_bounds__(WARPS *WARP, 1) void flash_staying(const flash_job j, int rounds,
                                                                int keys)
{
    constexpr int ROW = DIM + PAD;
    extern __shared__ __align__(16) bf16 memory[];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int begin = blockIdx.x * rounds * ROUND, end = min(begin + rounds * ROUND, j.tokens);
    const place at = place_of(j, blockIdx.z, blockIdx.y);
    const int tiles = (at.len + KEYS - 1) / KEYS;
    bf16 *ks = memory, *vs = ks + keys * ROW, *mine = vs + keys * ROW + warp * QUERIES * ROW;

    load_tile<DIM>(ks, j.k + at.kv, j.token_stride, tiles * KEYS, at.len, j.dim, threadIdx.x,
                   WARPS * WARP);
    load_tile<DIM>(vs, j.v + at.kv, j.token_stride, tiles * KEYS, at.len, j.dim, threadIdx.x,
                   WARPS * WARP);
    commit_copies();
    wait_copies<0>();
    __syncthreads();
    for (int first = begin + warp * QUERIES; first < end; first += ROUND) {
        const int there = min(QUERIES, end - first);
        const int64_t place = at.q + first * at.width;
        uint32_t q[M][DIM / 16][4];
        float o[M][DIM / 8][4] = {}, s[M][KEYS / 8][4];
        running run[M];

#pragma unroll
        for (int m = 0; m < M; m++)
            run[m] = {{-INFINITY, -INFINITY}, {0, 0}};
        load_tile<DIM>(mine, j.q + place, at.width, QUERIES, there, j.dim, lane, WARP);
        commit_copies();
        wait_copies<0>();
        __syncwarp();
        for (int tile = 0; tile < tiles; tile++) {
            scores<DIM, M, true>(s, q, mine, ks + tile * KEYS * ROW, KEYS, lane);
#pragma unroll
            for (int m = 0; m < M; m++) {
                scale_scores(s[m], j.scale, at.len - tile * KEYS, lane);
                soften<DIM>(&run[m], s[m], o[m]);
            }
            accumulate<DIM, M>(o, s, vs + tile * KEYS * ROW, KEYS, lane);
        }
#pragma unroll
        for (int m = 0; m < M; m++)
            finish<DIM>(mine + 16 * m * ROW, o[m], run[m], lane);
        __syncwarp();
        store<DIM>(j.o + place, mine, at.width, there, j.dim, lane, WARP);
        __syncwarp(); /* the next queries come to where these were */
    }
}

template <int DIM>
static skv_status launch(skv_backend *be, const flash_job *j, int rows, int keys, bool *done)
{
    const size_t shared = (DIM + PAD) * sizeof(bf16) * (2 * (size_t)keys + ROUND);
    const int64_t all = div_up(j->tokens, ROUND) * j->heads * rows;
    const int rounds = all < 2 * BLOCKS ? 1 : (int)min(all / BLOCKS, (int64_t)MAX_ROUNDS);
    const dim3 grid((unsigned)div_up(j->tokens, ROUND * rounds), (unsigned)j->heads,
                    (unsigned)rows);

    if (shared > skv_cuda__of(be)->shared)
        return SKV_OK;
    SKV_TRY(skv_cuda__shared(be, (const void *)flash_staying<DIM>, shared));
    SKV_LAUNCH(be, flash_staying<DIM>, grid, WARPS * WARP, shared, *j, rounds, keys);
    *done = true;
    return SKV_OK;
}

skv_status flash_staying_launch(skv_backend *be, const flash_job *j, int rows, int longest,
                                bool *done)
{
    const int keys = (longest + KEYS - 1) / KEYS * KEYS;

    if (keys > MAX_KEYS || j->tokens < MIN_TOKENS)
        return SKV_OK;
    if (j->dim <= 64)
        return launch<64>(be, j, rows, keys, done);
    if (j->dim <= 96)
        return launch<96>(be, j, rows, keys, done);
    return launch<128>(be, j, rows, keys, done);
}
