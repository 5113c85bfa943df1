/* Lists of a layer's heads, each of its own length, row by row, head by head, without gaps: kept
 * tokens, scores, positions. */
#ifndef SKV_KERNELS_CUDA_RAGGED_CUH
#define SKV_KERNELS_CUDA_RAGGED_CUH

#include "kernels/cuda/device.cuh"
#include "kernels/ragged.h"

#define MAX_HEADS 256

/* Where head h's list begins in a row, and how long it is. A kernel gets it by value. */
typedef struct {
    ints<MAX_HEADS> start, len;
    int64_t row;
    int heads;
} ragged;

/* The host refuses more heads than MAX_HEADS before (fits_ragged). */
static inline ragged ragged_of(const int32_t *len, int64_t heads)
{
    ragged b = {{}, {}, 0, (int)heads};

    for (int64_t h = 0; h < heads && h < MAX_HEADS; h++) {
        b.start.v[h] = (int32_t)b.row;
        b.len.v[h] = len[h];
        b.row += len[h];
    }
    return b;
}

/* Grids have a block, or a column of them, for each of the lists. */
static inline skv_status fits_ragged(const char *op, int64_t rows, int64_t heads)
{
    if (heads <= MAX_HEADS && rows * heads <= 65535)
        return SKV_OK;
    return skv_fail(SKV_E_UNSUPPORTED, "%s: %lld rows of %lld heads are too many", op,
                    (long long)rows, (long long)heads);
}

/* Where list `i` begins, counted over all rows and heads. */
__device__ __forceinline__ int64_t list_at(const ragged &b, int i)
{
    return (int64_t)(i / b.heads) * b.row + b.start.v[i % b.heads];
}

#endif
