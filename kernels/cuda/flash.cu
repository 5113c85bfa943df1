/* Attention on tensor cores (mma.sync, bf16, every GPU since sm_80), after FlashAttention-2.
 *
 * A warp is 16 queries of one row and head, a block 64; keys and values come in tiles of 64 through
 * shared memory, two stages by cp.async: bound by the tensor cores. Where every row's keys fit one
 * tile there is that alone, only the keys that are there cost anything, and a block walks over some
 * tiles of queries: bound by reading q and writing o. Scores, softmax (base 2) and the output are
 * fp32 registers; probabilities are rounded to bf16 for the second product. Head dimensions:
 * multiples of 8 up to 128, padded with zeros in shared memory. o may be q: a block has read all
 * its queries before it writes any. */
#include "kernels/cuda/device.cuh"

#define QUERIES     64 /* of a block */
#define THREADS     128
#define KEYS        64
#define PAD         8 /* numbers behind each row in shared memory: no bank conflicts */
#define MAX_ROWS    256
#define MAX_LENS    256
#define MANY_BLOCKS 1056 /* two rounds of four on 132 multiprocessors */

typedef struct {
    bf16 *o;
    const bf16 *q, *k, *v;
    int64_t row_stride, head_stride, token_stride;
    int tokens, heads, dim, first_row;
    int one_tile; /* keys of the only tile, 0: there are more */
    bool by_row;
    float scale; /* with log2(e) */
    ints<MAX_ROWS> row_start;
    ints<MAX_LENS> len;
} job;

__device__ __forceinline__ unsigned shared_address(const void *p)
{
    return (unsigned)__cvta_generic_to_shared(p);
}

/* 16 bytes, or zeros. */
__device__ __forceinline__ void copy16(bf16 *to, const bf16 *from, bool there)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(to)),
                 "l"(from), "r"(there ? 16 : 0));
}

__device__ __forceinline__ void commit_copies()
{
    asm volatile("cp.async.commit_group;\n" ::: "memory");
}

template <int LEFT> __device__ __forceinline__ void wait_copies()
{
    asm volatile("cp.async.wait_group %0;\n" ::"n"(LEFT) : "memory");
}

__device__ __forceinline__ void load_matrices(uint32_t r[4], const bf16 *p)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(p)));
}

__device__ __forceinline__ void load_transposed(uint32_t r[4], const bf16 *p)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(p)));
}

__device__ __forceinline__ void multiply(float c[4], const uint32_t a[4], uint32_t b0, uint32_t b1)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/* 2^x; results below 2^-126 become 0. */
__device__ __forceinline__ float power_of_two(float x)
{
    float y;

    asm("ex2.approx.ftz.f32 %0, %1;\n" : "=f"(y) : "f"(x));
    return y;
}

/* `rows` rows into a tile of DIM + PAD columns: zeros in rows from `there` on, columns from `dim`
 * on. */
template <int DIM>
__device__ __forceinline__ void load_tile(bf16 *tile, const bf16 *from, int64_t stride, int rows,
                                          int there, int dim)
{
#pragma unroll 2 /* more of them hold more addresses, and so fewer blocks fit */
    for (int i = threadIdx.x; i < rows * (DIM / 8); i += THREADS) {
        const int row = i / (DIM / 8), column = i % (DIM / 8) * 8;
        const bool in = row < there && column < dim;

        copy16(tile + row * (DIM + PAD) + column, in ? from + row * stride + column : from, in);
    }
}

/* A warp's 16 queries, from its first row in shared memory. */
template <int DIM>
__device__ __forceinline__ void load_queries(uint32_t q[4], const bf16 *from, int step, int lane)
{
    load_matrices(q, from + lane % 16 * (DIM + PAD) + 16 * step + lane / 16 * 8);
}

/* s = q·Kᵀ of a warp's 16 queries and a tile's keys. ONE: with the queries `from` shared memory,
 * and only the 16s of keys in which some are there. */
template <int DIM, bool ONE>
__device__ __forceinline__ void scores(float s[KEYS / 8][4], uint32_t q[DIM / 16][4],
                                       const bf16 *from, const bf16 *k, int there, int lane)
{
    const int key = lane / 16 * 8 + lane % 8, column = lane / 8 % 2 * 8;

#pragma unroll
    for (int n = 0; n < KEYS / 8; n++)
        s[n][0] = s[n][1] = s[n][2] = s[n][3] = 0.0f;
#pragma unroll
    for (int step = 0; step < DIM / 16; step++) {
        if (ONE)
            load_queries<DIM>(q[step], from, step, lane);
#pragma unroll
        for (int n = 0; n < KEYS / 8; n += 2) {
            uint32_t b[4];

            if (ONE && 8 * n >= there)
                continue;
            load_matrices(b, k + (8 * n + key) * (DIM + PAD) + 16 * step + column);
            multiply(s[n], q[step], b[0], b[1]);
            multiply(s[n + 1], q[step], b[2], b[3]);
        }
    }
}

/* o += p·V; p are the scores' registers, rounded in pairs. */
template <int DIM, bool ONE>
__device__ __forceinline__ void accumulate(float o[DIM / 8][4], const float p[KEYS / 8][4],
                                           const bf16 *v, int there, int lane)
{
    const int key = lane / 8 % 2 * 8 + lane % 8, column = lane / 16 * 8;

#pragma unroll
    for (int step = 0; step < KEYS / 16; step++) {
        const uint32_t a[4] = {pack_bf16(p[2 * step][0], p[2 * step][1]),
                               pack_bf16(p[2 * step][2], p[2 * step][3]),
                               pack_bf16(p[2 * step + 1][0], p[2 * step + 1][1]),
                               pack_bf16(p[2 * step + 1][2], p[2 * step + 1][3])};

        if (ONE && 16 * step >= there)
            continue;
#pragma unroll
        for (int n = 0; n < DIM / 8; n += 2) {
            uint32_t b[4];

            load_transposed(b, v + (16 * step + key) * (DIM + PAD) + 8 * n + column);
            multiply(o[n], a, b[0], b[1]);
            multiply(o[n + 1], a, b[2], b[3]);
        }
    }
}

/* The running maximum and sum of a thread's two queries (rows lane/4 and lane/4 + 8). */
typedef struct {
    float most[2], sum[2];
} running;

/* s <- scale·s, keys from `there` on excluded. */
__device__ __forceinline__ void scale_scores(float s[KEYS / 8][4], float scale, int there, int lane)
{
#pragma unroll
    for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            s[n][i] *= scale;
    if (there >= KEYS)
        return;
#pragma unroll
    for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (8 * n + lane % 4 * 2 + i % 2 >= there)
                s[n][i] = -INFINITY;
}

/* s <- 2^(s - new maximum); o shrinks with the maximum. Every query has a key in the first tile, so
 * the maximum is finite. */
template <int DIM>
__device__ __forceinline__ void soften(running *run, float s[KEYS / 8][4], float o[DIM / 8][4])
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float most = run->most[half], sum = 0, shrink;

#pragma unroll
        for (int n = 0; n < KEYS / 8; n++)
            most = fmaxf(most, fmaxf(s[n][2 * half], s[n][2 * half + 1]));
        most = fmaxf(most, __shfl_xor_sync(ALL, most, 1));
        most = fmaxf(most, __shfl_xor_sync(ALL, most, 2));
        shrink = power_of_two(run->most[half] - most);
#pragma unroll
        for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
            for (int i = 2 * half; i < 2 * half + 2; i++) {
                s[n][i] = power_of_two(s[n][i] - most);
                sum += s[n][i];
            }
        run->most[half] = most;
        run->sum[half] = run->sum[half] * shrink + sum;
#pragma unroll
        for (int n = 0; n < DIM / 8; n++) {
            o[n][2 * half] *= shrink;
            o[n][2 * half + 1] *= shrink;
        }
    }
}

/* A warp's o/sum to its rows of shared memory. */
template <int DIM>
__device__ __forceinline__ void finish(bf16 *rows, const float o[DIM / 8][4], const running &run,
                                       int lane)
{
    __syncwarp(); /* the rows held the warp's queries, which all lanes have read by now */
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float sum = run.sum[half];

        sum += __shfl_xor_sync(ALL, sum, 1);
        sum += __shfl_xor_sync(ALL, sum, 2);
        const float inverse = 1.0f / sum;
        bf16 *row = rows + (lane / 4 + 8 * half) * (DIM + PAD) + lane % 4 * 2;

#pragma unroll
        for (int n = 0; n < DIM / 8; n++)
            *(uint32_t *)(row + 8 * n) =
                pack_bf16(o[n][2 * half] * inverse, o[n][2 * half + 1] * inverse);
    }
}

/* The block's rows from shared memory to the output. */
template <int DIM>
__device__ __forceinline__ void store(bf16 *out, const bf16 *tile, int64_t stride, int there,
                                      int dim)
{
    for (int i = threadIdx.x; i < there * (DIM / 8); i += THREADS) {
        const int row = i / (DIM / 8), column = i % (DIM / 8) * 8;

        if (column < dim)
            *(uint4 *)(out + row * stride + column) =
                *(const uint4 *)(tile + row * (DIM + PAD) + column);
    }
}

/* Where a row and head of this launch begins in q and o, and in k and v. */
typedef struct {
    int64_t q, kv, width; /* width: from token to token of q */
    int len;
} place;

__device__ __forceinline__ place place_of(const job &j, int row, int h)
{
    const int64_t width = (int64_t)j.heads * j.dim;

    return {((int64_t)j.first_row + row) * j.tokens * width + (int64_t)h * j.dim,
            j.row_start.v[row] * j.row_stride + h * j.head_stride, width,
            j.len.v[j.by_row ? row : h]};
}

/* Keys of more than one tile: grid (query tiles, heads, rows). */
template <int DIM>
__global__ __launch_bounds__(THREADS, DIM <= 64   ? 4
                                      : DIM <= 96 ? 3
                                                  : 2) void flash_long(const job j)
{
    constexpr int TILE = KEYS * (DIM + PAD);
    extern __shared__ __align__(16) bf16 memory[];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int first = blockIdx.x * QUERIES, there = min(QUERIES, j.tokens - first);
    const place at = place_of(j, blockIdx.z, blockIdx.y);
    const bf16 *q_rows = j.q + at.q + first * at.width, *k = j.k + at.kv, *v = j.v + at.kv;
    const bool busy = 16 * warp < there;
    bf16 *qs = memory, *ks = qs + QUERIES * (DIM + PAD), *vs = ks + 2 * TILE;
    bf16 *mine = qs + 16 * warp * (DIM + PAD);
    uint32_t q[DIM / 16][4];
    float o[DIM / 8][4] = {}, s[KEYS / 8][4];
    running run = {{-INFINITY, -INFINITY}, {0, 0}};

    load_tile<DIM>(qs, q_rows, at.width, (there + 15) / 16 * 16, there, j.dim);
    load_tile<DIM>(ks, k, j.token_stride, KEYS, at.len, j.dim);
    load_tile<DIM>(vs, v, j.token_stride, KEYS, at.len, j.dim);
    commit_copies();
    for (int tile = 0; tile * KEYS < at.len; tile++) {
        const int stage = tile % 2 * TILE, left = at.len - tile * KEYS;

        if (left > KEYS) {
            const int other = (tile + 1) % 2 * TILE;
            const int64_t skip = (tile + 1) * KEYS * j.token_stride;

            load_tile<DIM>(ks + other, k + skip, j.token_stride, KEYS, left - KEYS, j.dim);
            load_tile<DIM>(vs + other, v + skip, j.token_stride, KEYS, left - KEYS, j.dim);
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
            scores<DIM, false>(s, q, mine, ks + stage, left, lane);
            scale_scores(s, j.scale, left, lane);
            soften<DIM>(&run, s, o);
            accumulate<DIM, false>(o, s, vs + stage, left, lane);
        }
        __syncthreads(); /* the next tile but one comes to this stage */
    }
    if (busy)
        finish<DIM>(mine, o, run, lane);
    __syncthreads();
    store<DIM>(j.o + at.q + first * at.width, qs, at.width, there, j.dim);
}

/* All keys in one tile: grid (groups of query tiles, heads, rows). The next tile of queries is on
 * its way while one is computed. */
template <int DIM>
__global__ __launch_bounds__(THREADS, DIM <= 64 ? 6 : 4) void flash_short(const job j, int tiles)
{
    constexpr int TILE = QUERIES * (DIM + PAD);
    extern __shared__ __align__(16) bf16 memory[];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int begin = blockIdx.x * tiles * QUERIES, end = min(begin + tiles * QUERIES, j.tokens);
    const place at = place_of(j, blockIdx.z, blockIdx.y);
    const int keys = (at.len + 15) / 16 * 16;
    bf16 *qs = memory, *ks = qs + 2 * TILE, *vs = ks + j.one_tile * (DIM + PAD);

    load_tile<DIM>(ks, j.k + at.kv, j.token_stride, keys, at.len, j.dim);
    load_tile<DIM>(vs, j.v + at.kv, j.token_stride, keys, at.len, j.dim);
    load_tile<DIM>(qs, j.q + at.q + begin * at.width, at.width, QUERIES, end - begin, j.dim);
    commit_copies();
    for (int first = begin; first < end; first += QUERIES) {
        bf16 *tile = qs + (first - begin) / QUERIES % 2 * TILE,
             *mine = tile + 16 * warp * (DIM + PAD);
        const int next = first + QUERIES, there = min(QUERIES, end - first);

        if (next < end) {
            load_tile<DIM>(qs + (next - begin) / QUERIES % 2 * TILE, j.q + at.q + next * at.width,
                           at.width, QUERIES, end - next, j.dim);
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

            scores<DIM, true>(s, q, mine, ks, at.len, lane);
            scale_scores(s, j.scale, at.len, lane);
            soften<DIM>(&run, s, o);
            accumulate<DIM, true>(o, s, vs, at.len, lane);
            finish<DIM>(mine, o, run, lane);
        }
        __syncthreads();
        store<DIM>(j.o + at.q + first * at.width, tile, at.width, there, j.dim);
        __syncthreads(); /* the tile after the next comes here */
    }
}

/* Query tiles a block: enough blocks to fill a big GPU some times over, then longer walks. */
static int tiles_a_block(const job *j, int rows)
{
    const int64_t all = div_up(j->tokens, QUERIES) * j->heads * rows;

    return all >= 8 * MANY_BLOCKS ? 8 : all >= 2 * MANY_BLOCKS ? (int)(all / MANY_BLOCKS) : 1;
}

template <int DIM> static skv_status launch(skv_backend *be, const job *j, int rows)
{
    const size_t row = (DIM + PAD) * sizeof(bf16);
    const int tiles = j->one_tile ? tiles_a_block(j, rows) : 1;
    const size_t shared =
        row * (j->one_tile ? 2 * QUERIES + 2 * (size_t)j->one_tile : QUERIES + 4 * KEYS);
    const dim3 grid((unsigned)div_up(j->tokens, QUERIES * tiles), (unsigned)j->heads,
                    (unsigned)rows);

    if (j->one_tile) {
        SKV_TRY(skv_cuda__shared(be, (const void *)flash_short<DIM>, shared));
        SKV_LAUNCH(be, flash_short<DIM>, grid, THREADS, shared, *j, tiles);
    } else {
        SKV_TRY(skv_cuda__shared(be, (const void *)flash_long<DIM>, shared));
        SKV_LAUNCH(be, flash_long<DIM>, grid, THREADS, shared, *j);
    }
    return SKV_OK;
}

static skv_status by_dim(skv_backend *be, const job *j, int rows)
{
    if (j->dim <= 16)
        return launch<16>(be, j, rows);
    if (j->dim <= 32)
        return launch<32>(be, j, rows);
    if (j->dim <= 64)
        return launch<64>(be, j, rows);
    if (j->dim <= 96)
        return launch<96>(be, j, rows);
    if (j->dim <= 112)
        return launch<112>(be, j, rows);
    return launch<128>(be, j, rows);
}

extern "C" skv_status skv_cuda__flash(skv_backend *be, const skv_cuda__flash_args *a)
{
    const int32_t *len = a->len;
    job j = {};

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
    j.scale = a->scale * 1.44269504f;
    for (int64_t first = 0; a->tokens > 0 && first < a->rows; first += MAX_ROWS) {
        const int rows = (int)(a->rows - first < MAX_ROWS ? a->rows - first : MAX_ROWS);
        const int n = a->by_row ? rows : (int)a->heads;
        int32_t longest = 0;

        j.first_row = (int)first;
        for (int r = 0; r < rows; r++)
            j.row_start.v[r] = a->row_start ? a->row_start[first + r] : (int32_t)(first + r);
        for (int i = 0; i < n; i++) {
            j.len.v[i] = len[a->by_row ? first + i : i];
            longest = j.len.v[i] > longest ? j.len.v[i] : longest;
        }
        j.one_tile = longest <= KEYS ? (longest + 15) / 16 * 16 : 0;
        SKV_TRY(by_dim(be, &j, rows));
    }
    return SKV_OK;
}
