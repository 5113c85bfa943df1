/* Attention to texts on sm_90, for heads of 128: a warpgroup takes 64 queries, its products (wgmma)
 * read both sides from shared memory, and all of a text's scores are in registers at once, so that
 * the softmax needs one pass. The warpgroups of a block take turns on the tensor cores, each one's
 * next queries on their way meanwhile. Bound by reading q and writing o below about 128 keys. o may
 * be q: a warpgroup has fetched its queries before it writes. Compiled for sm_90a alone. */
#include "kernels/cuda/flash_texts.cuh"

#define DIM         128
#define GROUP       (4 * WARP)
#define QUERIES     64   /* of a warpgroup */
#define UNIT        32   /* keys */
#define REST        3    /* fetching queries and storing is worth about three units */
#define MANY_TOKENS 1536 /* from here on three warpgroups of a block win over two */
#define TILES       6    /* of queries: all that a block's warpgroups have room for */
/* Rows of 128 numbers lie in two panels, 128 bytes of a row each, in the 128-byte swizzle. */
#define PANEL_ROW 128
#define TILE      (2 * QUERIES * PANEL_ROW)

/* ------------------------------------------------------------------- products */

/* Where a side of a product begins in shared memory; bytes from one 8 rows of a panel to the next,
 * and (`leading`, for V, which is read along its rows) from panel to panel. PTX ISA, "Matrix
 * Descriptor Format". */
__device__ __forceinline__ uint64_t descriptor(unsigned address, unsigned leading)
{
    return (uint64_t)((address & 0x3ffff) >> 4) | (uint64_t)(leading >> 4) << 16 |
           (uint64_t)(8 * PANEL_ROW >> 4) << 32 | (uint64_t)1 << 62;
}

__device__ __forceinline__ void begin_products()
{
    asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory");
}

__device__ __forceinline__ void finish_products()
{
    asm volatile("wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 0;\n" ::
                     : "memory");
}

#define NAMES16 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15"
#define NAMES32 NAMES16 ",%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
#define NAMES64                                                                                    \
    NAMES32 ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,"                    \
            "%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"
#define FOUR(io, d, i) io((d)[i]), io((d)[i + 1]), io((d)[i + 2]), io((d)[i + 3])
#define SIXTEEN(io, d, i)                                                                          \
    FOUR(io, d, i), FOUR(io, d, i + 4), FOUR(io, d, i + 8), FOUR(io, d, i + 12)
#define D32(io)  SIXTEEN(io, d, 0)
#define D64(io)  D32(io), SIXTEEN(io, d, 16)
#define D128(io) D64(io), SIXTEEN(io, d, 32), SIXTEEN(io, d, 48)

/* d (64 queries, n) = or += a·b. A sum must name d as read, a mere product must not: what d held
 * before would need registers. `names`: of d's; `sides`: of a's, b's and how b lies */
#define MULTIPLY(n, names, sides, ...)                                                             \
    do {                                                                                           \
        if constexpr (ADD)                                                                         \
            asm volatile("wgmma.mma_async.sync.aligned.m64n" #n "k16.f32.bf16.bf16 {" names        \
                         "}, " sides(1) ";\n"                                                      \
                         : D##n("+f")                                                              \
                         : __VA_ARGS__);                                                           \
        else                                                                                       \
            asm volatile("wgmma.mma_async.sync.aligned.m64n" #n "k16.f32.bf16.bf16 {" names        \
                         "}, " sides(0) ";\n"                                                      \
                         : D##n("=f")                                                              \
                         : __VA_ARGS__);                                                           \
    } while (0)

#define SIDES32(add)     "%16, %17, " #add ", 1, 1, 0, 0"
#define SIDES64(add)     "%32, %33, " #add ", 1, 1, 0, 0"
#define SIDES128(add)    "%64, %65, " #add ", 1, 1, 0, 0"
#define SIDES_VALUE(add) "{%64,%65,%66,%67}, %68, " #add ", 1, 1, 1"

/* d (64 queries, WIDE keys) = or += a·bᵀ; a (64,16), b (WIDE,16) */
template <int WIDE, bool ADD>
__device__ __forceinline__ void multiply_keys(float *d, uint64_t a, uint64_t b)
{
    if constexpr (WIDE == 32)
        MULTIPLY(32, NAMES16, SIDES32, "l"(a), "l"(b));
    else if constexpr (WIDE == 64)
        MULTIPLY(64, NAMES32, SIDES64, "l"(a), "l"(b));
    else
        MULTIPLY(128, NAMES64, SIDES128, "l"(a), "l"(b));
}

/* d (64 queries, 128) = or += p·b; p (64,16) in registers, b (16,128) */
template <bool ADD>
__device__ __forceinline__ void multiply_values(float *d, const uint32_t p[4], uint64_t b)
{
    MULTIPLY(128, NAMES64, SIDES_VALUE, "r"(p[0]), "r"(p[1]), "r"(p[2]), "r"(p[3]), "l"(b));
}

/* s = or += of 16 of the 128 columns of q and all keys. */
template <int UNITS, bool ADD>
__device__ __forceinline__ void add_scores(float s[UNITS * 4][4], unsigned q, unsigned k)
{
    constexpr int BY4 = UNITS / 4 * 4, BY2 = UNITS / 2 * 2;
    const uint64_t a = descriptor(q, 0);

#pragma unroll
    for (int unit = 0; unit < BY4; unit += 4)
        multiply_keys<128, ADD>(s[4 * unit], a, descriptor(k + unit * UNIT * PANEL_ROW, 0));
    if constexpr (BY2 > BY4)
        multiply_keys<64, ADD>(s[4 * BY4], a, descriptor(k + BY4 * UNIT * PANEL_ROW, 0));
    if constexpr (UNITS > BY2)
        multiply_keys<32, ADD>(s[4 * BY2], a, descriptor(k + BY2 * UNIT * PANEL_ROW, 0));
}

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

/* `rows` rows of 128 numbers to two panels, `panel` bytes apart; zeros from `there` on. */
__device__ __forceinline__ void load_panels(char *to, unsigned panel, const bf16 *from,
                                            int64_t stride, int rows, int there, int thread,
                                            int threads)
{
#pragma unroll 4
    for (int i = thread; i < rows * (DIM / 8); i += threads) {
        const int row = i / (DIM / 8), chunk = i % (DIM / 8);
        const bool in = row < there;

        copy16((bf16 *)(to + chunk / 8 * panel + row * PANEL_ROW + ((chunk ^ row) & 7) * 16),
               in ? from + row * stride + chunk * 8 : from, in);
    }
}

/* What this thread copied to shared memory is there, for the tensor cores too. */
template <int LEFT> __device__ __forceinline__ void copied()
{
    wait_copies<LEFT>();
    asm volatile("fence.proxy.async.shared::cta;\n" ::: "memory");
}

/* A warpgroup's walk over the queries first, first + ROUND .. below `end` of a row and head.
 * ks, vs: in shared memory, `panel` bytes a panel; mine: STAGES tiles for queries */
template <int GROUPS, int UNITS>
__device__ __forceinline__ void walk(const flash_job &j, const place &at, int first, int end,
                                     unsigned ks, unsigned vs, unsigned panel, char *mine)
{
    constexpr int ROUND = GROUPS * QUERIES, STAGES = TILES / GROUPS;
    const int thread = threadIdx.x % GROUP, group = threadIdx.x / GROUP;
    const auto fetch = [&](int query, int stage) {
        if (query < end)
            load_panels(mine + stage * TILE, TILE / 2, j.q + at.q + query * at.width, at.width,
                        QUERIES, end - query, thread, GROUP);
        commit_copies();
    };

    for (int i = 0; i < STAGES - 1; i++)
        fetch(first + i * ROUND, i);
    for (int stage = 0; first < end; first += ROUND, stage = (stage + 1) % STAGES) {
        const unsigned qs = shared_address(mine + stage * TILE);
        const int row = first + thread / WARP * 16;
        uint32_t p[UNITS * 2][4];
        float s[UNITS * 4][4], o[DIM / 8][4], sum[2];

        copied<STAGES - 2>();
        asm volatile("bar.sync %0, %1;\n" ::"r"(1 + group), "n"(GROUP) : "memory");
        fetch(first + (STAGES - 1) * ROUND, (stage + STAGES - 1) % STAGES);
        begin_products();
        add_scores<UNITS, false>(s, qs, ks);
#pragma unroll
        for (int step = 1; step < DIM / 16; step++)
            add_scores<UNITS, true>(s, qs + step / 4 * (TILE / 2) + step % 4 * 32,
                                    ks + step / 4 * panel + step % 4 * 32);
        finish_products();
        weigh<UNITS>(p, sum, s, at.len, j.scale, threadIdx.x % WARP);
        begin_products();
        multiply_values<false>(o[0], p[0], descriptor(vs, panel));
#pragma unroll
        for (int step = 1; step < UNITS * 2; step++)
            multiply_values<true>(o[0], p[step], descriptor(vs + step * 16 * PANEL_ROW, panel));
        finish_products();
        put_out<DIM>(j.o + at.q + row * at.width, at.width, end - row, DIM, o, sum,
                     threadIdx.x % WARP);
    }
}

#define WALK(units)                                                                                \
    case units:                                                                                    \
        walk<GROUPS, units>(j, at, begin, min((first + n) * ROUND, j.tokens), shared_address(k),   \
                            shared_address(v), panel, mine);                                       \
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
        load_panels(k, panel, j.k + at.kv, j.token_stride, units * UNIT, at.len, threadIdx.x,
                    THREADS);
        load_panels(v, panel, j.v + at.kv, j.token_stride, units * UNIT, at.len, threadIdx.x,
                    THREADS);
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
                              bool *done)
{
    const int keys = (longest + UNIT - 1) / UNIT * UNIT;

    if (skv_cuda__of(be)->sm != 90 || j->dim != DIM)
        return SKV_OK;
    SKV_TRY(j->tokens < MANY_TOKENS ? launch<2>(be, j, rows, keys) : launch<3>(be, j, rows, keys));
    *done = true;
    return SKV_OK;
}
