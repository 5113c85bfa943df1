/* Attention on tensor cores (mma.sync, bf16, every GPU since sm_80), after FlashAttention-2.
 *
 * A block is 64 queries of one row and head, a warp 16 of them; keys and values come in tiles of 64
 * through shared memory, two stages by cp.async (one where all keys fit a tile). Scores, softmax
 * (base 2) and the output are fp32 registers; probabilities are rounded to bf16 for the second
 * product. Head dimensions: multiples of 8 up to 128, padded with zeros to multiples of 16. Bound
 * by the tensor cores for long keys, by reading q and writing o for short ones. */
#include "kernels/cuda/device.cuh"

#define WARPS    4
#define QUERIES  (16 * WARPS)
#define KEYS     64
#define PAD      8 /* numbers behind each row in shared memory: no bank conflicts */
#define MAX_ROWS 256
#define MAX_LENS 256

typedef struct {
    bf16 *o;
    const bf16 *q, *k, *v;
    int64_t row_stride, head_stride, token_stride;
    int tokens, heads, dim, first_row, stages;
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
    asm volatile("cp.async.commit_group;\n");
}

template <int LEFT> __device__ __forceinline__ void wait_copies()
{
    asm volatile("cp.async.wait_group %0;\n" ::"n"(LEFT));
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

/* `rows` rows of `dim` numbers into a tile of DIM + PAD columns; rows from `there` on are zeros. */
template <int DIM>
__device__ __forceinline__ void load_tile(bf16 *tile, const bf16 *from, int64_t stride, int rows,
                                          int there, int dim)
{
    const int words = dim / 8;

    for (int i = threadIdx.x; i < rows * words; i += WARPS * WARP) {
        const int row = i / words, word = i % words;

        copy16(tile + row * (DIM + PAD) + 8 * word,
               row < there ? from + row * stride + 8 * word : from, row < there);
    }
}

/* The columns between dim and DIM, which no copy reaches. */
template <int DIM> __device__ __forceinline__ void clear_padding(bf16 *tile, int rows, int dim)
{
    for (int i = threadIdx.x; dim < DIM && i < rows * (DIM - dim); i += WARPS * WARP)
        tile[i / (DIM - dim) * (DIM + PAD) + dim + i % (DIM - dim)] = __float2bfloat16_rn(0.0f);
}

/* s = q·Kᵀ of a warp's 16 queries and a tile's keys. */
template <int DIM>
__device__ __forceinline__ void scores(float s[KEYS / 8][4], const uint32_t q[DIM / 16][4],
                                       const bf16 *k, int lane)
{
    const int key = lane / 16 * 8 + lane % 8, column = lane / 8 % 2 * 8;

#pragma unroll
    for (int n = 0; n < KEYS / 8; n++)
        s[n][0] = s[n][1] = s[n][2] = s[n][3] = 0.0f;
#pragma unroll
    for (int step = 0; step < DIM / 16; step++)
#pragma unroll
        for (int n = 0; n < KEYS / 8; n += 2) {
            uint32_t b[4];

            load_matrices(b, k + (8 * n + key) * (DIM + PAD) + 16 * step + column);
            multiply(s[n], q[step], b[0], b[1]);
            multiply(s[n + 1], q[step], b[2], b[3]);
        }
}

/* o += p·V; p are the scores' registers, rounded in pairs. */
template <int DIM>
__device__ __forceinline__ void accumulate(float o[DIM / 8][4], const float p[KEYS / 8][4],
                                           const bf16 *v, int lane)
{
    const int key = lane / 8 % 2 * 8 + lane % 8, column = lane / 16 * 8;

#pragma unroll
    for (int step = 0; step < KEYS / 16; step++) {
        const uint32_t a[4] = {pack_bf16(p[2 * step][0], p[2 * step][1]),
                               pack_bf16(p[2 * step][2], p[2 * step][3]),
                               pack_bf16(p[2 * step + 1][0], p[2 * step + 1][1]),
                               pack_bf16(p[2 * step + 1][2], p[2 * step + 1][3])};

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

/* s <- 2^(scale·s - new maximum), keys from `there` on excluded; o shrinks with the maximum. */
template <int DIM>
__device__ __forceinline__ void soften(running *run, float s[KEYS / 8][4], float o[DIM / 8][4],
                                       float scale, int there, int lane)
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float most = run->most[half], sum = 0, shrink;

#pragma unroll
        for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
            for (int i = 2 * half; i < 2 * half + 2; i++) {
                const bool in = 8 * n + lane % 4 * 2 + i % 2 < there;

                s[n][i] = in ? s[n][i] * scale : -INFINITY;
                most = fmaxf(most, s[n][i]);
            }
        most = fmaxf(most, __shfl_xor_sync(ALL, most, 1));
        most = fmaxf(most, __shfl_xor_sync(ALL, most, 2));
        shrink = exp2f(run->most[half] - most);
#pragma unroll
        for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
            for (int i = 2 * half; i < 2 * half + 2; i++) {
                s[n][i] = exp2f(s[n][i] - most);
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

/* o/sum to shared memory, from where the block writes whole rows. */
template <int DIM>
__device__ __forceinline__ void store(bf16 *out, bf16 *tile, const float o[DIM / 8][4],
                                      const running &run, int64_t stride, int there, int dim)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, words = dim / 8;

#pragma unroll
    for (int half = 0; half < 2; half++) {
        float sum = run.sum[half];

        sum += __shfl_xor_sync(ALL, sum, 1);
        sum += __shfl_xor_sync(ALL, sum, 2);
        const float inverse = 1.0f / sum;
        bf16 *row = tile + (16 * warp + lane / 4 + 8 * half) * (DIM + PAD) + lane % 4 * 2;

#pragma unroll
        for (int n = 0; n < DIM / 8; n++)
            *(uint32_t *)(row + 8 * n) =
                pack_bf16(o[n][2 * half] * inverse, o[n][2 * half + 1] * inverse);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < there * words; i += WARPS * WARP)
        *(uint4 *)(out + i / words * stride + 8 * (i % words)) =
            *(const uint4 *)(tile + i / words * (DIM + PAD) + 8 * (i % words));
}

/* grid (query tiles, heads, rows) */
template <int DIM> __global__ __launch_bounds__(WARPS *WARP) void flash(const job j)
{
    extern __shared__ __align__(16) bf16 memory[];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, h = blockIdx.y;
    const int first = blockIdx.x * QUERIES, there = min(QUERIES, j.tokens - first);
    const int len = j.len.v[j.by_row ? blockIdx.z : h];
    const int64_t width = (int64_t)j.heads * j.dim;
    const int64_t at =
        (((int64_t)j.first_row + blockIdx.z) * j.tokens + first) * width + (int64_t)h * j.dim;
    const int64_t kv = j.row_start.v[blockIdx.z] * j.row_stride + h * j.head_stride;
    bf16 *qs = memory, *ks = qs + QUERIES * (DIM + PAD);
    bf16 *vs = ks + j.stages * KEYS * (DIM + PAD);
    uint32_t q[DIM / 16][4];
    float o[DIM / 8][4] = {}, s[KEYS / 8][4];
    running run = {{-INFINITY, -INFINITY}, {0, 0}};

    clear_padding<DIM>(qs, QUERIES, j.dim);
    clear_padding<DIM>(ks, 2 * j.stages * KEYS, j.dim);
    load_tile<DIM>(qs, j.q + at, width, QUERIES, there, j.dim);
    load_tile<DIM>(ks, j.k + kv, j.token_stride, KEYS, len, j.dim);
    load_tile<DIM>(vs, j.v + kv, j.token_stride, KEYS, len, j.dim);
    commit_copies();
    for (int tile = 0; tile * KEYS < len; tile++) {
        const int stage = tile % 2 * KEYS * (DIM + PAD), next = (tile + 1) * KEYS;

        if (next < len) {
            const int other = (tile + 1) % 2 * KEYS * (DIM + PAD);
            const int64_t skip = kv + next * j.token_stride;

            load_tile<DIM>(ks + other, j.k + skip, j.token_stride, KEYS, len - next, j.dim);
            load_tile<DIM>(vs + other, j.v + skip, j.token_stride, KEYS, len - next, j.dim);
            commit_copies();
            wait_copies<1>();
        } else {
            wait_copies<0>();
        }
        __syncthreads();
        if (tile == 0)
#pragma unroll
            for (int step = 0; step < DIM / 16; step++)
                load_matrices(q[step], qs + (16 * warp + lane % 16) * (DIM + PAD) + 16 * step +
                                           lane / 16 * 8);
        scores<DIM>(s, q, ks + stage, lane);
        soften<DIM>(&run, s, o, j.scale, len - tile * KEYS, lane);
        accumulate<DIM>(o, s, vs + stage, lane);
        __syncthreads();
    }
    store<DIM>(j.o + at, qs, o, run, width, there, j.dim);
}

template <int DIM> static skv_status launch(skv_backend *be, const job *j, int rows)
{
    const size_t shared = (size_t)(QUERIES + 2 * j->stages * KEYS) * (DIM + PAD) * sizeof(bf16);
    const dim3 grid((unsigned)div_up(j->tokens, QUERIES), (unsigned)j->heads, (unsigned)rows);

    SKV_CUDA(
        cudaFuncSetAttribute(flash<DIM>, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared));
    SKV_LAUNCH(be, flash<DIM>, grid, WARPS * WARP, shared, *j);
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

        j.first_row = (int)first;
        j.stages = 1;
        for (int r = 0; r < rows; r++)
            j.row_start.v[r] = a->row_start ? a->row_start[first + r] : (int32_t)(first + r);
        for (int i = 0; i < n; i++) {
            j.len.v[i] = len[a->by_row ? first + i : i];
            j.stages = j.len.v[i] > KEYS ? 2 : j.stages;
        }
        SKV_TRY(by_dim(be, &j, rows));
    }
    return SKV_OK;
}
