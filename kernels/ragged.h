/* Lists of a layer's heads, each of its own length, that lie row by row, head by head, without
 * gaps. */
#ifndef SKV_KERNELS_RAGGED_H
#define SKV_KERNELS_RAGGED_H

#include <stdint.h>

/* Where head h's list begins in a row; h = number of heads: a row's length. */
static inline int64_t skv_ragged_start(const int32_t *len, int64_t h)
{
    int64_t sum = 0;

    for (int64_t g = 0; g < h; g++)
        sum += len[g];
    return sum;
}

static inline int64_t skv_ragged_longest(const int32_t *len, int64_t heads)
{
    int64_t most = 0;

    for (int64_t h = 0; h < heads; h++)
        most = len[h] > most ? len[h] : most;
    return most;
}

#endif
