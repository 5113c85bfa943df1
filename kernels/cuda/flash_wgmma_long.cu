/* Attention to many keys on sm_90, for heads of 128 whose lengths may differ, after
 * FlashAttention-3. Of a block's three warpgroups one copies tiles of keys and values to shared
 * memory, two stages of each; the others have 64 queries each, and multiply a tile's values while
 * they turn the next tile's scores into weights. They take turns at the tensor cores. A block
 * walks over parts of the work, the next part's queries and tiles on their way meanwhile. Bound by
 * the tensor cores and the exponentials. o may be q: a part's queries are read before its output
 * is written. Compiled for sm_90a alone. */
#include "kernels/cuda/wgmma.cuh"

#define GROUPS    2 /* that compute */
#define THREADS   ((GROUPS + 1) * GROUP)
#define MANY      128                /* keys of a tile */
#define PANEL     (MANY * PANEL_ROW) /* bytes of one of its panels */
#define STAGE     (2 * PANEL)        /* of a tile of keys, or of values */
#define STAGES    2
#define ROUND     (GROUPS * QUERIES)
#define BARRIERS  (4 * STAGES * 8)
#define SHARED    (2 * STAGES * STAGE + 2 * GROUPS * TILE + BARRIERS)
#define LATE      2  /* tiles on their way behind the one that is waited for */
#define COPYING   40 /* registers of a thread that copies, and of one that computes */
#define COMPUTING 232

/* A part is 128 queries of a row and head. Parts count through the tiles of queries, the rows, and
 * the heads from the longest on, so that neighbours read the same keys and the last are short. */
typedef struct {
    int rows, tiles, parts;
    ints<MAX_LENS> head;
} share;

typedef struct {
    place at;
    int first;        /* query */
    int tiles, there; /* of keys; keys of the first tile, which may be short */
} part;

__device__ __forceinline__ part part_of(const flash_job &j, const share &all, int number)
{
    const int tile = number % all.tiles, row = number / all.tiles % all.rows;
    const place at = place_of(j, row, all.head.v[number / (all.tiles * all.rows)]);
    const int tiles = (at.len + MANY - 1) / MANY;

    return {at, tile * ROUND, tiles, at.len - (tiles - 1) * MANY};
}

/* ------------------------------------------------------------------- barriers */

/* Barriers in shared memory: a stage of keys or values is filled, or has been read. */
enum { OF_K, OF_V };

__device__ __forceinline__ unsigned filled(unsigned barriers, int which, int n)
{
    return barriers + (which * STAGES + n % STAGES) * 8;
}

__device__ __forceinline__ unsigned emptied(unsigned barriers, int which, int n)
{
    return filled(barriers, 2 + which, n);
}

__device__ __forceinline__ void expect(unsigned barrier, int arrivals)
{
    asm volatile("mbarrier.init.shared.b64 [%0], %1;\n" ::"r"(barrier), "r"(arrivals) : "memory");
}

__device__ __forceinline__ void arrive(unsigned barrier)
{
    asm volatile("mbarrier.arrive.shared.b64 _, [%0];\n" ::"r"(barrier) : "memory");
}

/* Until all have arrived for the `round`-th time, from 0; round -1 is over. */
__device__ __forceinline__ void await(unsigned barrier, int round)
{
    asm volatile("{\n"
                 ".reg .pred over;\n"
                 "again: mbarrier.try_wait.parity.shared.b64 over, [%0], %1;\n"
                 "@!over bra again;\n"
                 "}\n" ::"r"(barrier),
                 "r"(round & 1)
                 : "memory");
}

/* The turn of a warpgroup at the tensor cores: named barriers, the first for itself. */
#define TURN_OF(group) (1 + GROUPS + (group))

__device__ __forceinline__ void wait_turn(int group)
{
    asm volatile("bar.sync %0, %1;\n" ::"r"(TURN_OF(group)), "n"(ROUND * 2) : "memory");
}

__device__ __forceinline__ void give_turn(int group)
{
    asm volatile("bar.arrive %0, %1;\n" ::"r"(TURN_OF(1 - group)), "n"(ROUND * 2) : "memory");
}

/* ------------------------------------------------------------------- copying */

/* The tiles of all parts of this block, in the order in which they are read. */
__device__ __forceinline__ void supply(const flash_job &j, const share &all, char *tiles,
                                       unsigned barriers, int thread)
{
    int n = 0, asked = 0, said = 0; /* tiles so far; keys and values count apart in the last two */
    const auto say = [&] {
        arrive(filled(barriers, said % 2, said / 2));
        said++;
    };

    for (int number = blockIdx.x; number < all.parts; number += gridDim.x) {
        const part w = part_of(j, all, number);

        for (int tile = 0; tile < w.tiles; tile++, n++) {
            const int key = tile ? w.there + (tile - 1) * MANY : 0;
            const int64_t from = w.at.kv + key * j.token_stride;

#pragma unroll
            for (int which = OF_K; which <= OF_V; which++) {
                await(emptied(barriers, which, n), n / STAGES - 1);
                load_panels<GROUP>(tiles + (which * STAGES + n % STAGES) * STAGE, PANEL,
                                   (which == OF_K ? j.k : j.v) + from, j.token_stride, MANY,
                                   tile ? MANY : w.there, thread);
                commit_copies();
                if (++asked - said > LATE) {
                    copied<LATE>();
                    say();
                }
            }
        }
    }
    copied<0>();
    while (said < asked)
        say();
}

/* ------------------------------------------------------------------- products */

/* As await_products. The compiler must not read x, which these products wrote, any earlier. */
template <int LEFT, int N> __device__ __forceinline__ void wait_products(float (*x)[4])
{
    await_products<LEFT>();
#pragma unroll
    for (int n = 0; n < N; n++)
        asm volatile("" : "+f"(x[n][0]), "+f"(x[n][1]), "+f"(x[n][2]), "+f"(x[n][3])::"memory");
}

/* s = q·Kᵀ of a tile. */
__device__ __forceinline__ void queue_scores(float s[MANY / 8][4], uint64_t q, uint64_t k)
{
    begin_products();
    multiply_keys<MANY, false>(s[0], q, k);
#pragma unroll
    for (int step = 1; step < DIM / 16; step++)
        multiply_keys<MANY, true>(s[0], q + ENCODED(step / 4 * (TILE / 2) + step % 4 * 32),
                                  k + ENCODED(step / 4 * PANEL + step % 4 * 32));
    commit_products();
}

/* o += p·V of a tile. */
__device__ __forceinline__ void queue_values(float o[DIM / 8][4], const uint32_t p[MANY / 16][4],
                                             uint64_t v)
{
    begin_products();
#pragma unroll
    for (int step = 0; step < MANY / 16; step++)
        multiply_values<true>(o[0], p[step], v + ENCODED(step * 16 * PANEL_ROW));
    commit_products();
}

/* ------------------------------------------------------------------- softmax */

/* A thread's scores become weights. The maximum follows as soften() says; shrink: what o is to be
 * multiplied by. False: by 1, in the whole warp. */
__device__ __forceinline__ bool weigh_tile(running *run, float s[MANY / 8][4], float shrink[2],
                                           float scale)
{
    float most[2];
    bool grows;

    greatest<MANY>(most, s);
    grows = __any_sync(ALL, (most[0] - run->most[0]) * scale > LAG ||
                                (most[1] - run->most[1]) * scale > LAG);
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float m = grows ? fmaxf(run->most[half], most[half]) : run->most[half];
        float sum = 0;

        shrink[half] = power_of_two((run->most[half] - m) * scale);
        run->most[half] = m;
#pragma unroll
        for (int n = 0; n < MANY / 8; n++)
#pragma unroll
            for (int i = 2 * half; i < 2 * half + 2; i++) {
                s[n][i] = power_of_two(fmaf(s[n][i], scale, -m * scale));
                sum += s[n][i];
            }
        run->sum[half] = run->sum[half] * shrink[half] + sum;
    }
    return grows;
}

/* In the order of a product's left side. */
__device__ __forceinline__ void pack_weights(uint32_t p[MANY / 16][4], const float s[MANY / 8][4])
{
#pragma unroll
    for (int n = 0; n < MANY / 8; n++) {
        p[n / 2][n % 2 * 2] = pack_bf16(s[n][0], s[n][1]);
        p[n / 2][n % 2 * 2 + 1] = pack_bf16(s[n][2], s[n][3]);
    }
}

__device__ __forceinline__ void shrink_output(float o[DIM / 8][4], const float shrink[2])
{
#pragma unroll
    for (int n = 0; n < DIM / 8; n++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            o[n][i] *= shrink[i / 2];
}

/* ------------------------------------------------------------------- computing */

/* The warpgroup's queries of a part, on their way to shared memory. */
__device__ __forceinline__ void fetch_queries(const flash_job &j, const share &all, int number,
                                              int group, char *to)
{
    if (number < all.parts) {
        const part w = part_of(j, all, number);
        const int first = w.first + group * QUERIES;

        load_panels<GROUP>(to, TILE / 2, j.q + w.at.q + first * w.at.width, w.at.width, QUERIES,
                           j.tokens - first, threadIdx.x % GROUP);
    }
    commit_copies();
}

/* One part: the first tile's scores, then of each further tile its scores beside the values of the
 * one before, then the last values. n: tiles of the parts before. */
__device__ __forceinline__ void attend_part(float o[DIM / 8][4], running *run, const part &w,
                                            uint64_t q, uint64_t k, uint64_t v, unsigned barriers,
                                            int n, int group, float scale)
{
    const int lane = threadIdx.x % WARP, last = n + w.tiles - 1;
    float s[MANY / 8][4], shrink[2];
    uint32_t p[MANY / 16][4];
    const auto done = [&](int which, int tile) {
        if (lane == 0)
            arrive(emptied(barriers, which, tile));
    };

    await(filled(barriers, OF_K, n), n / STAGES);
    queue_scores(s, q, k + ENCODED(n % STAGES * STAGE));
    wait_products<0, MANY / 8>(s);
    done(OF_K, n);
    exclude<MANY>(s, w.there, lane);
    (void)weigh_tile(run, s, shrink, scale); /* o is 0 */
    pack_weights(p, s);
    for (; n < last; n++) {
        const int next = n + 1;
        bool shrinks;

        await(filled(barriers, OF_K, next), next / STAGES);
        wait_turn(group);
        queue_scores(s, q, k + ENCODED(next % STAGES * STAGE));
        await(filled(barriers, OF_V, n), n / STAGES);
        queue_values(o, p, v + ENCODED(n % STAGES * STAGE));
        give_turn(group);
        wait_products<1, MANY / 8>(s);
        done(OF_K, next);
        shrinks = weigh_tile(run, s, shrink, scale);
        wait_products<0, DIM / 8>(o);
        done(OF_V, n);
        pack_weights(p, s);
        if (shrinks)
            shrink_output(o, shrink);
    }
    await(filled(barriers, OF_V, last), last / STAGES);
    queue_values(o, p, v + ENCODED(last % STAGES * STAGE));
    wait_products<0, DIM / 8>(o);
    done(OF_V, last);
}

__device__ __forceinline__ void compute(const flash_job &j, const share &all, char *tiles,
                                        char *queries, unsigned barriers, int group)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x % GROUP / WARP;
    const uint64_t k = descriptor(shared_address(tiles), 0);
    const uint64_t v = descriptor(shared_address(tiles + STAGES * STAGE), PANEL);
    char *now = queries + group * TILE, *next = now + GROUPS * TILE;
    int n = 0; /* tiles so far */

    if (group == 1)
        give_turn(group);
    fetch_queries(j, all, blockIdx.x, group, now);
    for (int number = blockIdx.x; number < all.parts; number += gridDim.x) {
        const part w = part_of(j, all, number);
        const int row = w.first + group * QUERIES + warp * 16;
        float o[DIM / 8][4] = {};
        running run = {{-INFINITY, -INFINITY}, {0, 0}};
        char *other = next;

        copied<0>();
        asm volatile("bar.sync %0, %1;\n" ::"r"(1 + group), "n"(GROUP) : "memory");
        fetch_queries(j, all, number + gridDim.x, group, next);
        if (w.tiles > 0) {
            attend_part(o, &run, w, descriptor(shared_address(now), 0), k, v, barriers, n, group,
                        j.scale);
            put_out<DIM>(j.o + w.at.q + row * w.at.width, w.at.width, j.tokens - row, DIM, o,
                         run.sum, lane);
        }
        n += w.tiles;
        next = now;
        now = other;
    }
    if (group == 0)
        wait_turn(group); /* the last that was given */
}

__global__ __launch_bounds__(THREADS, 1) void flash_wgmma_long(const flash_job j, const share all)
{
    extern __shared__ __align__(1024) char memory[];
    char *tiles = memory, *queries = tiles + 2 * STAGES * STAGE;
    const unsigned barriers = shared_address(queries + 2 * GROUPS * TILE);
    const int group = threadIdx.x / GROUP;

    if (threadIdx.x == 0)
        for (int which = OF_K; which <= OF_V; which++)
            for (int n = 0; n < STAGES; n++) {
                expect(filled(barriers, which, n), GROUP);
                expect(emptied(barriers, which, n), ROUND / 16);
            }
    __syncthreads();
    if (group == GROUPS) {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;\n" ::"n"(COPYING));
        supply(j, all, tiles, barriers, threadIdx.x % GROUP);
    } else {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;\n" ::"n"(COMPUTING));
        compute(j, all, tiles, queries, barriers, group);
    }
}

static share share_of(const flash_job *j, int rows)
{
    share all = {rows, (int)div_up(j->tokens, ROUND), 0, {}};

    all.parts = all.tiles * rows * j->heads;
    for (int h = 0; h < j->heads; h++) {
        int at = h;

        for (; !j->by_row && at > 0 && j->len.v[all.head.v[at - 1]] < j->len.v[h]; at--)
            all.head.v[at] = all.head.v[at - 1];
        all.head.v[at] = h;
    }
    return all;
}

skv_status flash_wgmma_long_launch(skv_backend *be, const flash_job *j, int rows)
{
    const share all = share_of(j, rows);

    SKV_TRY(skv_cuda__shared(be, (const void *)flash_wgmma_long, SHARED));
    SKV_LAUNCH(be, flash_wgmma_long, (unsigned)min(all.parts, skv_cuda__of(be)->processors),
               THREADS, SHARED, *j, all);
    return SKV_OK;
}
