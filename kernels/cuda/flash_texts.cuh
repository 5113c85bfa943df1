/* What the two kernels of attention to texts share: how their blocks divide the work. All keys and
 * values of a row and head stay in a block's shared memory while its warps walk over the queries in
 * rounds. There are as many blocks as multiprocessors; each takes an equal part of the rounds of
 * all rows and heads, in which one weighs as much as its text is long. */
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

#endif
