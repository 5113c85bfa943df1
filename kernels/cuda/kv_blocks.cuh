/* A layer's block of kept tokens: row by row, head by head; heads may keep different numbers. */
#ifndef SKV_KERNELS_CUDA_KV_BLOCKS_CUH
#define SKV_KERNELS_CUDA_KV_BLOCKS_CUH

#include "kernels/cuda/device.cuh"

#define MAX_HEADS 256

/* Where head h's tokens begin among a row's, and how many there are. */
typedef struct {
    ints<MAX_HEADS> start, len;
    int64_t row_tokens;
    int heads;
} blocks;

static inline blocks blocks_of(const int32_t *len, int64_t heads)
{
    blocks b = {{}, {}, 0, (int)heads};

    for (int64_t h = 0; h < heads && h < MAX_HEADS; h++) {
        b.start.v[h] = (int32_t)b.row_tokens;
        b.len.v[h] = len[h];
        b.row_tokens += len[h];
    }
    return b;
}

#endif
