/* Cutting a count into tiles of a fixed size: the split depends on shapes alone. */
#ifndef SKV_KERNELS_CPU_TILES_H
#define SKV_KERNELS_CPU_TILES_H

#include <stdint.h>

#define SKV_CPU_CHUNK ((int64_t)1 << 15) /* elements a tile of an elementwise operation */

/* Tiles of `size` that cover n. */
static inline int64_t skv_cpu__tiles(int64_t n, int64_t size)
{
    return (n + size - 1) / size;
}

/* Length of tile i. */
static inline int64_t skv_cpu__tile_length(int64_t i, int64_t n, int64_t size)
{
    const int64_t left = n - i * size;

    return left < size ? left : size;
}

#endif
