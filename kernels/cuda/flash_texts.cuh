/* What the two kernels of attention to texts share: how their blocks divide the work, and how a
 * warp's output gets to memory. All keys and values of a row and head stay in a block's shared
 * memory while its warps walk over the queries in rounds. There are as many blocks as
 * multiprocessors; each takes an equal part of the rounds of all rows and heads, in which one
 * weighs as much as its text is long. */
#ifndef SKV_KERNELS_FLASH_TEXTS_CUH
#define SKV_KERNELS_FLASH_TEXTS_CUH

#include "kernels/cuda/flash.cuh"

/* A round of a row costs as many units as its text has tiles, and `rest` for its queries. */
typedef struct {
    int rows, rounds; /* rounds: of a row and head */
    int tile, rest;
    int64_t cost; /* of all */
} share;

static __host__ __device__ __forceinline__ int round_cost(const share &all, int len)
{
    return len > 0 ? (len + all.tile - 1) / all.tile + all.rest : 0;
}

static share share_of(const flash_job *j, int rows, int round, int tile, int rest)
{
    share all = {rows, (int)div_up(j->tokens, round), tile, rest, 0};

    for (int r = 0; r < rows; r++)
        all.cost += (int64_t)j->heads * all.rounds * round_cost(all, j->len.v[r]);
    return all;
}

static unsigned blocks_of(skv_backend *be, const flash_job *j, const share &all)
{
    return (unsigned)min((int64_t)all.rows * j->heads * all.rounds,
                         (int64_t)skv_cuda__of(be)->processors);
}

/* The round, counted over all rows and heads, with which a block's part begins. */
static __device__ int round_at(const flash_job &j, const share &all, int block)
{
    const int rounds = j.heads * all.rounds;
    int64_t cost = all.cost * block / gridDim.x;
    int row = 0;

    for (; row < all.rows; row++) {
        const int each = round_cost(all, j.len.v[row]);

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

#endif
