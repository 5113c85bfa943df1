/* Where a backend changes its way of computing: sizes found by measurement, and the choices made by
 * them.
 *
 * The values are the backend's (be->limits); the functions are pure, the same for all backends, and
 * tested without a GPU (tests/unit/test_limits.c). Changing a value changes roundings, so a run
 * must finish with the values that it began with: they belong to the program's version. */
#ifndef SKV_KERNELS_LIMITS_H
#define SKV_KERNELS_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "core/dtype.h"

typedef struct skv_limits {
    /* model: rows of a batch that pass through a wide layer together */
    int64_t tokens_at_once; /* QKV or hidden layers of more tokens are computed in turns */
    /* model: texts absorbed into the projections (skv_absorbed_attention) */
    int64_t absorbed_tokens; /* maps of fewer tokens, all rows together, never absorb */
    int64_t map_per_text;    /* least tokens of the map for each text token */
    int64_t divided_tokens;  /* shorter maps send all rows of a layer one way */
    /* absorbed attention: texts are padded to whole steps */
    int64_t text_step;       /* of long maps: keeps rows of weights aligned to 16 bytes */
    int64_t short_text_step; /* of maps below long_map: fewer lengths, fewer launches */
    int64_t long_map;        /* tokens of a map */
    /* attention on a GPU */
    int64_t cudnn_queries;   /* maps of more tokens go to cuDNN where it can serve them */
    int64_t staying_queries; /* least queries for which a text stays whole in shared memory */
    int64_t third_group;     /* queries from which three warpgroups of a block beat two */
    int64_t group_queries;   /* least queries for flash_wgmma_long */
    int64_t many_blocks;     /* blocks that fill the GPU twice: beyond, blocks walk further */
} skv_limits;

extern const skv_limits skv_limits_cpu, skv_limits_cuda;

/* How many rows of `tokens` tokens, 1 to n_rows, have their QKV or hidden layer in memory at once,
 * so that the turns are as equal as rows allow. */
int skv_limits_rows_at_once(const skv_limits *l, int n_rows, int64_t tokens);

/* The longest text that goes through the projections in place of the map, 0: none does. n_rows maps
 * of `tokens` tokens, heads of `dim`. */
int skv_limits_absorbed_text(const skv_limits *l, int dim, int n_rows, int64_t tokens);

/* Whether rows of one layer may go different ways: a long map is worth the launches. */
bool skv_limits_divided(const skv_limits *l, int64_t tokens);

/* Texts beside a map of `tokens` tokens are padded to multiples of this. */
int64_t skv_limits_text_step(const skv_limits *l, int64_t tokens);

/* Whether cuDNN is asked for a self attention of `tokens` queries; `equal`: all heads have one
 * length. */
bool skv_limits_library_attention(const skv_limits *l, skv_dtype act, int64_t tokens, bool equal);

/* Our kernels for attention on tensor cores, and what they are built for: keys of a tile, and keys
 * that stay in shared memory. */
#define SKV_FLASH_TILE_KEYS    64
#define SKV_FLASH_STAYING_KEYS 256
typedef enum {
    SKV_FLASH_LONG,     /* flash_long: any length, tile by tile */
    SKV_FLASH_ONE_TILE, /* flash_short: keys fit one tile */
    SKV_FLASH_STAYING,  /* flash_staying: keys stay in shared memory, by warps */
    SKV_FLASH_TWO,      /* flash_wgmma: the same by two warpgroups, sm_90 with all of its shared
                         * memory, heads of 128 */
    SKV_FLASH_THREE,    /* by three */
    SKV_FLASH_MANY      /* flash_wgmma_long: lengths that differ, by two warpgroups, where
                         * flash_wgmma runs */
} skv_flash;

typedef struct {
    int64_t queries, longest; /* of a row; keys of the longest row or head */
    int dim, sm;              /* head dimension, 90 for compute capability 9.0 */
    size_t shared;            /* bytes of shared memory that a block may have */
    bool by_row;              /* lengths are the rows', not the heads' */
    bool equal;               /* they are all the same */
} skv_flash_case;

/* The kernel to try first; SKV_FLASH_STAYING may find too little shared memory, then it is
 * skv_limits_flash_tiled(). */
skv_flash skv_limits_flash(const skv_limits *l, const skv_flash_case *c);
skv_flash skv_limits_flash_tiled(int64_t longest);

/* Whether a multiprocessor has shared memory for two blocks of `bytes` each, where a block may have
 * `shared`. */
bool skv_limits_two_blocks(size_t shared, size_t bytes);

/* Tiles of queries that one block of flash_short walks over, of `tiles` in all. */
int skv_limits_tiles_a_block(const skv_limits *l, int64_t tiles);

#ifdef __cplusplus
}
#endif
#endif
