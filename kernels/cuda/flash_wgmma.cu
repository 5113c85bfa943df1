/* Attention to texts on sm_90, for heads of 128: a warpgroup takes 64 queries, its products (wgmma)
 * read both sides from shared memory, and all of a text's scores are in registers at once, so that
 * the softmax needs one pass. The warpgroups of a block take turns on the tensor cores, each one's
 * next queries on their way meanwhile. Bound by reading q and writing o below about 128 keys. o may
 * be q: a warpgroup has fetched its queries before it writes. Compiled for sm_90a alone. */
#include "kernels/cuda/flash_texts.cuh"

#define DIM     128
#define GROUP   (4 * WARP)
#define QUERIES 64 /* of a warpgroup */
#define UNIT    32 /* keys */
#define REST    3  /* fetching queries and storing is worth about three units */
#define TILES   6  /* of queries: all that a block's warpgroups have room for */
/* Rows of 128 numbers lie in two panels, 128 bytes of a row each, in the 128-byte swizzle. */
#define PANEL_ROW 128
#define TILE      (2 * QUERIES * PANEL_ROW)

/* ------------------------------------------------------------------- products */

/* An address or a distance in shared memory as a descriptor has it; a distance may be added. */
#define ENCODED(bytes) ((uint64_t)((bytes) >> 4))

/* Where a side of a product begins in shared memory; bytes from one 8 rows of a panel to the next,
 * and (`leading`, for V, which is read along its rows) from panel to panel. PTX ISA, "Matrix
 * Descriptor Format". */
__device__ __forceinline__ uint64_t descriptor(unsigned address, unsigned leading)
{
    return ENCODED(address) | ENCODED(leading) << 16 | ENCODED(8 * PANEL_ROW) << 32 |
           (uint64_t)1 << 62;
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
#define NAMES48 NAMES32 ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47"
#define NAMES64 NAMES48 ",%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"
#define NAMES80 NAMES64 ",%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79"
#define NAMES96 NAMES80 ",%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95"
#define NAMES112                                                                                   \
    NAMES96 ",%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111"
#define NAMES128                                                                                   \
    NAMES112 ",%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"
#define FOUR(io, i)    io(d[i]), io(d[i + 1]), io(d[i + 2]), io(d[i + 3])
#define SIXTEEN(io, i) FOUR(io, i), FOUR(io, i + 4), FOUR(io, i + 8), FOUR(io, i + 12)
#define D32(io)        SIXTEEN(io, 0)
#define D64(io)        D32(io), SIXTEEN(io, 16)
#define D96(io)        D64(io), SIXTEEN(io, 32)
#define D128(io)       D96(io), SIXTEEN(io, 48)
#define D160(io)       D128(io), SIXTEEN(io, 64)
#define D192(io)       D160(io), SIXTEEN(io, 80)
#define D224(io)       D192(io), SIXTEEN(io, 96)
#define D256(io)       D224(io), SIXTEEN(io, 112)

/* d (64 queries, n) = or += a·b. When it accumulates, d is an in-out operand ("+f"); the first
 * product writes it only ("=f"), so that old values need no registers. `names`: constraints of d;
 * `sides`: of a and b; `flags`: signs, and the layout of b (and of a, in shared memory) */
#define MULTIPLY(n, names, sides, flags, ...)                                                      \
    do {                                                                                           \
        if constexpr (ADD)                                                                         \
            asm volatile("wgmma.mma_async.sync.aligned.m64n" #n "k16.f32.bf16.bf16 {" names        \
                         "}, " sides ", 1, " flags ";\n"                                           \
                         : D##n("+f")                                                              \
                         : __VA_ARGS__);                                                           \
        else                                                                                       \
            asm volatile("wgmma.mma_async.sync.aligned.m64n" #n "k16.f32.bf16.bf16 {" names        \
                         "}, " sides ", 0, " flags ";\n"                                           \
                         : D##n("=f")                                                              \
                         : __VA_ARGS__);                                                           \
    } while (0)

#define BY_KEYS(n, names, sides) MULTIPLY(n, names, sides, "1, 1, 0, 0", "l"(a), "l"(b))

/* d (64 queries, N keys) = or += a·bᵀ; a (64,16), b (N,16). One product for all keys: a is read
 * once. */
template <int N, bool ADD>
__device__ __forceinline__ void multiply_keys(float *d, uint64_t a, uint64_t b)
{
    if constexpr (N == 32)
        BY_KEYS(32, NAMES16, "%16, %17");
    else if constexpr (N == 64)
        BY_KEYS(64, NAMES32, "%32, %33");
    else if constexpr (N == 96)
        BY_KEYS(96, NAMES48, "%48, %49");
    else if constexpr (N == 128)
        BY_KEYS(128, NAMES64, "%64, %65");
    else if constexpr (N == 160)
        BY_KEYS(160, NAMES80, "%80, %81");
    else if constexpr (N == 192)
        BY_KEYS(192, NAMES96, "%96, %97");
    else if constexpr (N == 224)
        BY_KEYS(224, NAMES112, "%112, %113");
    else
        BY_KEYS(256, NAMES128, "%128, %129");
}

/* d (64 queries, 128) = or += p·b; p (64,16) in registers, b (16,128) */
template <bool ADD>
__device__ __forceinline__ void multiply_values(float *d, const uint32_t p[4], uint64_t b)
{
    MULTIPLY(128, NAMES64, "{%64,%65,%66,%67}, %68", "1, 1, 1", "r"(p[0]), "r"(p[1]), "r"(p[2]),
             "r"(p[3]), "l"(b));
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

/* `rows` rows of 128 numbers to two panels, `panel` bytes apart; zeros from `there` on. A thread
 * takes 16 bytes of every row THREADS / 16 further on, which lie alike in the swizzle. */
template <int THREADS>
__device__ __forceinline__ void load_panels(char *to, unsigned panel, const bf16 *from,
                                            int64_t stride, int rows, int there, int thread)
{
    constexpr int CHUNKS = DIM / 8, STEP = THREADS / CHUNKS;
    const int first = thread / CHUNKS, chunk = thread % CHUNKS;

    static_assert(STEP % 8 == 0);
    to += chunk / 8 * panel + first * PANEL_ROW + ((chunk ^ first) & 7) * 16;
    from += first * stride + chunk * 8;
#pragma unroll 4
    for (int row = first; row < rows; row += STEP) {
        copy16((bf16 *)to, from, row < there);
        to += STEP * PANEL_ROW;
        from += STEP * stride;
    }
}

/* Waits until at most the last LEFT groups of this thread's copies to shared memory are under way;
 * the others are visible, to the tensor cores too. */
template <int LEFT> __device__ __forceinline__ void copied()
{
    wait_copies<LEFT>();
    asm volatile("fence.proxy.async.shared::cta;\n" ::: "memory");
}

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
