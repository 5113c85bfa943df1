/* Copies and zeroes of whole tensors. The CPU's activations are fp32, so a copy keeps the type. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

#include <string.h>

#define TILE_BYTES ((int64_t)1 << 18)

typedef struct {
    char *y;
    const char *x; /* NULL: zeroes */
    int64_t bytes;
} job;

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t at = i * TILE_BYTES;
    const size_t n = (size_t)skv_cpu__tile_length(i, j->bytes, TILE_BYTES);

    (void)scratch;
    if (j->x == NULL)
        memset(j->y + at, 0, n);
    else if (j->x != j->y)
        memcpy(j->y + at, j->x + at, n);
}

static skv_status run(skv_backend *be, job *j)
{
    skv_cpu__parallel(be, skv_cpu__tiles(j->bytes, TILE_BYTES), tile, j);
    return SKV_OK;
}

skv_status skv_cpu_copy(skv_backend *be, const skv_copy_args *a)
{
    return run(be,
               &(job){.y = a->y.data, .x = a->x.data, .bytes = (int64_t)skv_tensor_bytes(&a->x)});
}

skv_status skv_cpu_zero(skv_backend *be, const skv_zero_args *a)
{
    return run(be, &(job){.y = a->y.data, .bytes = (int64_t)skv_tensor_bytes(&a->y)});
}
