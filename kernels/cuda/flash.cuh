/* What the kernels of attention on tensor cores share: a warp is 16 queries of one row and head,
 * keys and values are tiles in shared memory, padded rows of DIM numbers. Scores,
 * softmax (base 2) and the output are fp32 registers; probabilities are rounded to bf16 for the
 * second product. */
#ifndef SKV_KERNELS_FLASH_CUH
#define SKV_KERNELS_FLASH_CUH

#include "kernels/cuda/device.cuh"

#define KEYS     SKV_FLASH_TILE_KEYS
#define PAD      8    /* numbers behind each row in shared memory: no bank conflicts */
#define LAG      8.0f /* powers of two that a weight may pass 1 by */
#define LOG2_E   1.44269504f
#define MAX_ROWS 256
#define MAX_LENS 256

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
} flash_job;

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
 * on. Thread `thread` of `threads` that do it. */
template <int DIM>
__device__ __forceinline__ void load_tile(bf16 *tile, const bf16 *from, int64_t stride, int rows,
                                          int there, int dim, int thread, int threads)
{
#pragma unroll 2 /* more of them hold more addresses, and so fewer blocks fit */
    for (int i = thread; i < rows * (DIM / 8); i += threads) {
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

/* s = q·Kᵀ of a warp's 16 queries and a tile's keys. READ: with the queries `from` shared memory;
 * only the 16s of keys in which some are there. */
template <int DIM, int WIDE, bool READ>
__device__ __forceinline__ void scores(float s[WIDE / 8][4], uint32_t q[DIM / 16][4],
                                       const bf16 *from, const bf16 *k, int there, int lane)
{
    const int key = lane / 16 * 8 + lane % 8, column = lane / 8 % 2 * 8;

#pragma unroll
    for (int n = 0; n < WIDE / 8; n++)
        s[n][0] = s[n][1] = s[n][2] = s[n][3] = 0.0f;
#pragma unroll
    for (int step = 0; step < DIM / 16; step++) {
        if (READ)
            load_queries<DIM>(q[step], from, step, lane);
#pragma unroll
        for (int n = 0; n < WIDE / 8; n += 2) {
            uint32_t b[4];

            if (8 * n >= there)
                continue;
            load_matrices(b, k + (8 * n + key) * (DIM + PAD) + 16 * step + column);
            multiply(s[n], q[step], b[0], b[1]);
            multiply(s[n + 1], q[step], b[2], b[3]);
        }
    }
}

/* o += p·V; p are the scores' registers, rounded in pairs. */
template <int DIM, int WIDE>
__device__ __forceinline__ void accumulate(float o[DIM / 8][4], const float p[WIDE / 8][4],
                                           const bf16 *v, int there, int lane)
{
    const int key = lane / 8 % 2 * 8 + lane % 8, column = lane / 16 * 8;

#pragma unroll
    for (int step = 0; step < WIDE / 16; step++) {
        uint32_t a[4];

        if (16 * step >= there)
            continue;
#pragma unroll
        for (int i = 0; i < 4; i++)
            a[i] = pack_bf16(p[2 * step + i / 2][i % 2 * 2], p[2 * step + i / 2][i % 2 * 2 + 1]);
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

/* Excludes keys from `there` on. */
template <int WIDE>
__device__ __forceinline__ void exclude(float s[WIDE / 8][4], int there, int lane)
{
    if (there >= WIDE)
        return;
#pragma unroll
    for (int n = 0; n < WIDE / 8; n++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (8 * n + lane % 4 * 2 + i % 2 >= there)
                s[n][i] = -INFINITY;
}

/* The greatest of a tile's scores of each of a thread's two queries. */
template <int WIDE>
__device__ __forceinline__ void greatest(float most[2], const float s[WIDE / 8][4])
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float m = fmaxf(s[0][2 * half], s[0][2 * half + 1]);

#pragma unroll
        for (int n = 1; n < WIDE / 8; n++)
            m = fmaxf(m, fmaxf(s[n][2 * half], s[n][2 * half + 1]));
        m = fmaxf(m, __shfl_xor_sync(ALL, m, 1));
        most[half] = fmaxf(m, __shfl_xor_sync(ALL, m, 2));
    }
}

/* s <- 2^(scale·(s - maximum)). The maximum need not be the latest one: it follows, and o and the
 * sum shrink with it, only when a weight would pass 2^LAG, as in FlashAttention-4. Every query has
 * a key in the first tile, so it is finite. */
template <int DIM, int WIDE>
__device__ __forceinline__ void soften(running *run, float s[WIDE / 8][4], float o[DIM / 8][4],
                                       float scale)
{
    float most[2];

    greatest<WIDE>(most, s);
    if (__any_sync(ALL, (most[0] - run->most[0]) * scale > LAG ||
                            (most[1] - run->most[1]) * scale > LAG)) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const float m = fmaxf(run->most[half], most[half]);
            const float shrink = power_of_two((run->most[half] - m) * scale);

            run->most[half] = m;
            run->sum[half] *= shrink;
#pragma unroll
            for (int n = 0; n < DIM / 8; n++) {
                o[n][2 * half] *= shrink;
                o[n][2 * half + 1] *= shrink;
            }
        }
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float below = -run->most[half] * scale;
        float sum = 0;

#pragma unroll
        for (int n = 0; n < WIDE / 8; n++)
#pragma unroll
            for (int i = 2 * half; i < 2 * half + 2; i++) {
                s[n][i] = power_of_two(fmaf(s[n][i], scale, below));
                sum += s[n][i];
            }
        run->sum[half] += sum;
    }
}

/* The sum over the four lanes that share a query. */
__device__ __forceinline__ float quad_sum(float x)
{
    x += __shfl_xor_sync(ALL, x, 1);
    return x + __shfl_xor_sync(ALL, x, 2);
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

/* 16 bytes at once: the compiler may split a vector's assignment. */
__device__ __forceinline__ void store16(bf16 *to, const uint32_t x[4])
{
    asm volatile("st.global.v4.b32 [%0], {%1,%2,%3,%4};\n" ::"l"(to), "r"(x[0]), "r"(x[1]),
                 "r"(x[2]), "r"(x[3])
                 : "memory");
}

/* o/sum of a warp's 16 queries, of which `there` are, from registers to the output; sum: a lane's
 * part of it, of both its queries. */
template <int DIM>
__device__ __forceinline__ void put_out(bf16 *out, int64_t stride, int there, int dim,
                                        const float o[DIM / 8][4], const float sum[2], int lane)
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = lane / 4 + 8 * half;
        const float inverse = 1.0f / quad_sum(sum[half]);

#pragma unroll
        for (int n = 0; n < DIM / 8; n += 4) {
            const int column = 8 * (n + lane % 4);
            uint32_t x[4];

#pragma unroll
            for (int i = 0; i < 4; i++)
                x[i] = pack_bf16(o[n + i][2 * half] * inverse, o[n + i][2 * half + 1] * inverse);
            transpose_quad(x, lane);
            if (row < there && column < dim)
                store16(out + row * stride + column, x);
        }
    }
}

/* Where a row and head of this launch begins in q and o, and in k and v. */
typedef struct {
    int64_t q, kv, width; /* width: from token to token of q */
    int len;
} place;

__device__ __forceinline__ place place_of(const flash_job &j, int row, int h)
{
    const int64_t width = (int64_t)j.heads * j.dim;

    return {((int64_t)j.first_row + row) * j.tokens * width + (int64_t)h * j.dim,
            j.row_start.v[row] * j.row_stride + h * j.head_stride, width,
            j.len.v[j.by_row ? row : h]};
}

/* Attention by row to texts of at most SKV_FLASH_STAYING_KEYS, which stay in shared memory: by
 * two or three warpgroups, on sm_90 and for heads of 128; and by warps, on any GPU (*done = false:
 * shared memory is too small, and nothing was queued). */
skv_status flash_wgmma_launch(skv_backend *be, const flash_job *j, int rows, int longest,
                              int groups);
skv_status flash_staying_launch(skv_backend *be, const flash_job *j, int rows, int longest,
                                bool *done);
/* Attention to any numbers of keys by two warpgroups, on sm_90 and for heads of 128. */
skv_status flash_wgmma_long_launch(skv_backend *be, const flash_job *j, int rows);

#endif
