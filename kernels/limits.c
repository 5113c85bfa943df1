#include "kernels/limits.h"

#define WGMMA_DIM 128 /* wgmma's kernel has heads of this dimension alone.. */
#define WGMMA_SM  90  /* ..and instructions of this capability alone */
#define WALK      8   /* tiles of a block, at most */

/* What CUDA takes of a multiprocessor's shared memory for each block; a block may have all but that
 * of the multiprocessor's. */
#define BLOCK_OVERHEAD ((size_t)1 << 10)
#define WGMMA_SHARED   ((size_t)227 << 10)

/* Measured on an H200 with the 2B in bf16, 8 pictures of 1M a group; kernels/README.md has the
 * speeds. */
const skv_limits skv_limits_cuda = {
    .tokens_at_once = 16384,    /* all at once is no faster, 4,096 are 1.4 % slower */
    .absorbed_tokens = 2048,    /* below, launches weigh more than what is saved */
    .map_per_text = 8,          /* a text token's share of its own product must be repaid */
    .divided_tokens = 1024,     /* going two ways on shorter maps was no faster */
    .text_step = 8,             /* 16 bytes of bf16 */
    .short_text_step = 16,      /* fewer lengths, fewer launches */
    .long_map = 2048,           /* from here on exact lengths gain more than launches cost */
    .cudnn_queries = 64,        /* up to these our kernel starts sooner than a cuDNN plan */
    .staying_queries = 128,     /* 144 queries: 26 to 22 us; 64: slower */
    .third_group = 1536,        /* 4,096 queries: 153 us by two, 137 by three; 1,024: two */
    .group_queries = 128,       /* 144 queries: 115 to 71 us; blocks of 128 */
    .many_blocks = 2 * 4 * 132, /* two rounds of four blocks on 132 multiprocessors */
};

/* Where both have a limit the CPU has the GPU's value, so that both compute in the same way and can
 * be compared; the values are not measured on CPUs. It has no attention kernels to choose from. */
const skv_limits skv_limits_cpu = {
    .tokens_at_once = 16384,
    .absorbed_tokens = 2048,
    .map_per_text = 8,
    .divided_tokens = 1024,
    .text_step = 8,
    .short_text_step = 16,
    .long_map = 2048,
};

int skv_limits_rows_at_once(const skv_limits *l, int n_rows, int64_t tokens)
{
    const int64_t turns = (n_rows * tokens + l->tokens_at_once - 1) / l->tokens_at_once;

    return turns < n_rows ? (int)((n_rows + turns - 1) / turns) : 1;
}

/* A map's token costs 4·T·C·H operations through keys and values of T text tokens and 4·C·C through
 * the projections, equal at T = D; a text token costs as much as D tokens of the map. */
int skv_limits_absorbed_text(const skv_limits *l, int dim, int n_rows, int64_t tokens)
{
    const int64_t by_width = 3 * (int64_t)dim / 4, by_map = tokens / l->map_per_text;

    if (n_rows * tokens < l->absorbed_tokens)
        return 0;
    return (int)(by_width < by_map ? by_width : by_map);
}

bool skv_limits_divided(const skv_limits *l, int64_t tokens)
{
    return tokens >= l->divided_tokens;
}

int64_t skv_limits_text_step(const skv_limits *l, int64_t tokens)
{
    return tokens < l->long_map ? l->short_text_step : l->text_step;
}

bool skv_limits_library_attention(const skv_limits *l, skv_dtype act, int64_t tokens, bool equal)
{
    return act == SKV_BF16 && equal && tokens > l->cudnn_queries;
}

skv_flash skv_limits_flash_tiled(int64_t longest)
{
    return longest <= SKV_FLASH_TILE_KEYS ? SKV_FLASH_ONE_TILE : SKV_FLASH_LONG;
}

skv_flash skv_limits_flash(const skv_limits *l, const skv_flash_case *c)
{
    const bool stays =
        c->by_row && c->longest <= SKV_FLASH_STAYING_KEYS && c->queries >= l->staying_queries;
    const bool groups = c->sm == WGMMA_SM && c->dim == WGMMA_DIM && c->shared >= WGMMA_SHARED;

    if (stays && groups)
        return c->queries < l->third_group ? SKV_FLASH_TWO : SKV_FLASH_THREE;
    if (groups && !c->equal && c->queries >= l->group_queries && c->longest > SKV_FLASH_TILE_KEYS)
        return SKV_FLASH_MANY; /* equal ones are cuDNN's */
    if (stays && c->longest > SKV_FLASH_TILE_KEYS)
        return SKV_FLASH_STAYING;
    return skv_limits_flash_tiled(c->longest);
}

bool skv_limits_two_blocks(size_t shared, size_t bytes)
{
    return 2 * (bytes + BLOCK_OVERHEAD) <= shared + BLOCK_OVERHEAD;
}

int skv_limits_tiles_a_block(const skv_limits *l, int64_t tiles)
{
    if (tiles >= WALK * l->many_blocks)
        return WALK;
    return tiles >= 2 * l->many_blocks ? (int)(tiles / l->many_blocks) : 1;
}
