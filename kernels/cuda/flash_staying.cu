/* Attention to texts: all keys and values of a row and head stay in a block's shared memory, and
 * each of its warps walks over the queries by itself, so that loading, products and softmax of
 * different warps overlap. There are as many blocks as multiprocessors; each takes an equal part of
 * the work, in which a row weighs as much as its text is long. Bound by the latencies between a
 * warp's products and its softmax. o may be q: a warp has read its queries before it writes. */
#include "kernels/cuda/flash.cuh"

#define WARPS      12 /* as many as there are registers for */
#define QUERIES    16 /* of a warp */
#define ROUND      (WARPS * QUERIES)
#define TILE       32 /* keys */
#define MAX_KEYS   256
#define MIN_TOKENS 256 /* below, loading all keys is not repaid */

/* What a round over a text costs, in tiles; fetching queries and storing is worth about two. */
static __host__ __device__ __forceinline__ int round_cost(int len)
{
    return len > 0 ? (len + TILE - 1) / TILE + 2 : 0;
}

typedef struct {
    int rows, rounds; /* rounds: of a row and head */
    int64_t cost;     /* of all */
} share;

/* The round, counted over all rows and heads, in which so much of the cost is reached. */
static __device__ int round_at(const flash_job &j, const share &all, int64_t cost)
{
    const int rounds = j.heads * all.rounds;
    int row = 0;

    for (; row < all.rows; row++) {
        const int each = round_cost(j.len.v[row]);

        if (cost < (int64_t)rounds * each)
            return row * rounds + (int)(cost / each);
        cost -= (int64_t)rounds * each;
    }
    return row * rounds;
}

/* x[i] of a quad's lane j becomes x[j] of its lane i. */
__device__ __forceinline__ void transpose_quad(uint32_t x[4], int lane)
{
    const bool odd = lane & 1, high = lane & 2;

#pragma unroll
    for (int i = 0; i < 4; i += 2) {
        const uint32_t got = __shfl_xor_sync(ALL, odd ? x[i] : x[i + 1], 1);

        x[i] = odd ? got : x[i];
        x[i + 1] = odd ? x[i + 1] : got;
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const uint32_t got = __shfl_xor_sync(ALL, high ? x[i] : x[i + 2], 2);

        x[i] = high ? got : x[i];
        x[i + 2] = high ? x[i + 2] : got;
    }
}

/* o/sum of a warp's queries, of which `there` are, from registers to the output: where its queries
 * were in shared memory, the next ones are on their way. */
template <int DIM>
__device__ __forceinline__ void put_out(bf16 *out, int64_t stride, int there, int dim,
                                        const float o[DIM / 8][4], const running &run, int lane)
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = lane / 4 + 8 * half;
        const float inverse = 1.0f / quad_sum(run.sum[half]);

#pragma unroll
        for (int n = 0; n < DIM / 8; n += 4) {
            const int column = 8 * (n + lane % 4);
            uint32_t x[4];

#pragma unroll
            for (int i = 0; i < 4; i++)
                x[i] = pack_bf16(o[n + i][2 * half] * inverse, o[n + i][2 * half + 1] * inverse);
            transpose_quad(x, lane);
            if (row < there && column < dim)
                *(uint4 *)(out + row * stride + column) = make_uint4(x[0], x[1], x[2], x[3]);
        }
    }
}

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
        put_out<DIM>(j.o + at.q + first * at.width, at.width, end - first, j.dim, o, run, lane);
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
    const int end = round_at(j, all, all.cost * (blockIdx.x + 1) / gridDim.x);
    bf16 *ks = memory, *vs = ks + keys * ROW, *mine = vs + keys * ROW + warp * QUERIES * ROW;

    for (int r = round_at(j, all, all.cost * blockIdx.x / gridDim.x), n; r < end; r += n) {
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
    share all = {rows, (int)div_up(j->tokens, ROUND), 0};
    const int64_t most = (int64_t)rows * j->heads * all.rounds;
    const unsigned blocks = (unsigned)min(most, (int64_t)skv_cuda__of(be)->processors);

    if (shared > skv_cuda__of(be)->shared)
        return SKV_OK;
    for (int r = 0; r < rows; r++)
        all.cost += (int64_t)j->heads * all.rounds * round_cost(j->len.v[r]);
    SKV_TRY(skv_cuda__shared(be, (const void *)flash_staying<DIM>, shared));
    SKV_LAUNCH(be, flash_staying<DIM>, blocks, WARPS * WARP, shared, *j, all, keys);
    *done = true;
    return SKV_OK;
}

skv_status flash_staying_launch(skv_backend *be, const flash_job *j, int rows, int longest,
                                bool *done)
{
    const int keys = (longest + TILE - 1) / TILE * TILE;

    if (keys > MAX_KEYS || j->tokens < MIN_TOKENS || !j->by_row)
        return SKV_OK;
    if (j->dim <= 64)
        return launch<64>(be, j, rows, keys, done);
    if (j->dim <= 96)
        return launch<96>(be, j, rows, keys, done);
    return launch<128>(be, j, rows, keys, done);
}
