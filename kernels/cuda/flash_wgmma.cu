/* Attention to texts on sm_90, for heads of 128: a warpgroup takes 64 queries, its products (wgmma)
 * read both sides from shared memory, and all of a text's scores are in registers at once, so that
 * the softmax needs one pass. The warpgroups of a block take turns on the tensor cores, each one's
 * next queries on their way meanwhile. Bound by reading q and writing o below about 128 keys. o may
 * be q: a warpgroup has fetched its queries before it writes. Compiled for sm_90a alone. */
#include "kernels/cuda/flash_texts.cuh"
#include "kernels/cuda/wgmma.cuh"

#define UNIT  32 /* keys */
#define REST  3  /* fetching queries and storing is worth about three units */
#define TILES 6  /* of queries: all that a block's warpgroups have room for */

/* ------------------------------------------------------------------- softmax */

/* A thread's part of s becomes weights p = 2^(scale·(s - greatest)), bf16 in the order of a
 * product's left side, 0 for keys from `there` on; sum: of its two queries, its part. */
template <int UNITS>
__device__ __forceinline__ void weigh(uint32_t p[UNITS * 2][4], float sum[2], float s[UNITS * 4][4],
                                      int there, float scale, int lane)
{
    float most[2];

    exclude<UNIT>(s + UNITS * 4 - 4, there - (UNITS - 1) * UNIT, lane);
    greatest<UNITS * UNIT>(most, s);
#pragma unroll
    for (int half = 0; half < 2; half++)
        most[half] *= -scale, sum[half] = 0;
#pragma unroll
    for (int n = 0; n < UNITS * 4; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            s[n][i] = power_of_two(fmaf(s[n][i], scale, most[i / 2]));
            sum[i / 2] += s[n][i];
        }
        p[n / 2][n % 2 * 2] = pack_bf16(s[n][0], s[n][1]);
        p[n / 2][n % 2 * 2 + 1] = pack_bf16(s[n][2], s[n][3]);
    }
}

/* ------------------------------------------------------------------- a walk */

/* A warpgroup's walk over the queries first, first + ROUND .. below `end` of a row and head.
 * k, v: descriptors, `panel` bytes a panel; mine: STAGES tiles for queries */
template <int GROUPS, int UNITS>
__device__ __forceinline__ void walk(const flash_job &j, const place &at, int first, int end,
                                     unsigned panel, uint64_t k, uint64_t v, char *mine)
{
    constexpr int ROUND = GROUPS * QUERIES, STAGES = TILES / GROUPS;
    const int thread = threadIdx.x % GROUP, group = threadIdx.x / GROUP;
    const auto fetch = [&](int query, int stage) {
        if (query < end)
            load_panels<GROUP>(mine + stage * TILE, TILE / 2, j.q + at.q + query * at.width,
                               at.width, QUERIES, end - query, thread);
        commit_copies();
    };

    for (int i = 0; i < STAGES - 1; i++)
        fetch(first + i * ROUND, i);
    for (int stage = 0; first < end; first += ROUND, stage = (stage + 1) % STAGES) {
        const uint64_t q = descriptor(shared_address(mine + stage * TILE), 0);
        const int row = first + thread / WARP * 16;
        uint32_t p[UNITS * 2][4];
        float s[UNITS * 4][4], o[DIM / 8][4], sum[2];

        copied<STAGES - 2>();
        asm volatile("bar.sync %0, %1;\n" ::"r"(1 + group), "n"(GROUP) : "memory");
        fetch(first + (STAGES - 1) * ROUND, (stage + STAGES - 1) % STAGES);
        begin_products();
        multiply_keys<UNITS * UNIT, false>(s[0], q, k);
#pragma unroll
        for (int step = 1; step < DIM / 16; step++)
            multiply_keys<UNITS * UNIT, true>(s[0],
                                              q + ENCODED(step / 4 * (TILE / 2) + step % 4 * 32),
                                              k + ENCODED(step / 4 * panel + step % 4 * 32));
        finish_products();
        weigh<UNITS>(p, sum, s, at.len, j.scale, threadIdx.x % WARP);
        begin_products();
        multiply_values<false>(o[0], p[0], v);
#pragma unroll
        for (int step = 1; step < UNITS * 2; step++)
            multiply_values<true>(o[0], p[step], v + ENCODED(step * 16 * PANEL_ROW));
        finish_products();
        put_out<DIM>(j.o + at.q + row * at.width, at.width, end - row, DIM, o, sum,
                     threadIdx.x % WARP);
    }
}

#define WALK(units)                                                                                \
    case units:                                                                                    \
        walk<GROUPS, units>(j, at, begin, min((first + n) * ROUND, j.tokens), panel,               \
                            descriptor(shared_address(k), 0),                                      \
                            descriptor(shared_address(v), panel), mine);                           \
        break

/* keys: room for them, a multiple of UNIT */
template <int GROUPS>
__global__ __launch_bounds__(GROUPS *GROUP, 1) void flash_wgmma(const flash_job j, const share all,
                                                                int keys)
{
    constexpr int ROUND = GROUPS * QUERIES, STAGES = TILES / GROUPS, THREADS = GROUPS * GROUP;
    extern __shared__ __align__(1024) char memory[];
    const int group = threadIdx.x / GROUP, end = round_at(j, all, blockIdx.x + 1);
    const unsigned panel = keys * PANEL_ROW;
    char *k = memory, *v = k + 2 * panel, *mine = v + 2 * panel + group * STAGES * TILE;

    for (int r = round_at(j, all, blockIdx.x), n; r < end; r += n) {
        const int part = r / all.rounds, first = r % all.rounds;
        const int begin = first * ROUND + group * QUERIES;
        const place at = place_of(j, part / j.heads, part % j.heads);
        const int units = (at.len + UNIT - 1) / UNIT;

        n = min(all.rounds - first, end - r);
        if (at.len == 0)
            continue;
        __syncthreads(); /* all warps are done with the keys that were here */
        load_panels<THREADS>(k, panel, j.k + at.kv, j.token_stride, units * UNIT, at.len,
                             threadIdx.x);
        load_panels<THREADS>(v, panel, j.v + at.kv, j.token_stride, units * UNIT, at.len,
                             threadIdx.x);
        commit_copies();
        copied<0>();
        __syncthreads();
        switch (units) {
            WALK(1);
            WALK(2);
            WALK(3);
            WALK(4);
            WALK(5);
            WALK(6);
            WALK(7);
            WALK(8);
        }
    }
}

template <int GROUPS>
static skv_status launch(skv_backend *be, const flash_job *j, int rows, int keys)
{
    const size_t shared = 4 * (size_t)keys * PANEL_ROW + (size_t)TILES * TILE;
    const share all = share_of(j, rows, GROUPS * QUERIES, UNIT, REST);

    SKV_TRY(skv_cuda__shared(be, (const void *)flash_wgmma<GROUPS>, shared));
    SKV_LAUNCH(be, flash_wgmma<GROUPS>, blocks_of(be, j, all), GROUPS * GROUP, shared, *j, all,
               keys);
    return SKV_OK;
}

skv_status flash_wgmma_launch(skv_backend *be, const flash_job *j, int rows, int longest,
                              int groups)
{
    const int keys = (longest + UNIT - 1) / UNIT * UNIT;

    return groups == 2 ? launch<2>(be, j, rows, keys) : launch<3>(be, j, rows, keys);
}
