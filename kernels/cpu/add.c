/* Sums: of two tensors, and of rows with a repeated one. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

#define TILE_ROWS 16

typedef struct {
    float *y;
    const float *x, *b;
    int64_t n, rows; /* n: elements of the tensor, or of a row */
} job;

SKV_CLONES static void sum(float *y, const float *x, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] + b[i];
}

static void add_tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t at = i * SKV_CPU_CHUNK;

    (void)scratch;
    sum(j->y + at, j->y + at, j->x + at, skv_cpu__tile_length(i, j->n, SKV_CPU_CHUNK));
}

skv_status skv_cpu_add(skv_backend *be, const skv_add_args *a)
{
    job j = {.y = skv_f32(&a->y), .x = skv_f32(&a->x), .n = skv_tensor_count(&a->x)};

    skv_cpu__parallel(be, skv_cpu__tiles(j.n, SKV_CPU_CHUNK), add_tile, &j);
    return SKV_OK;
}

static void rows_tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t first = i * TILE_ROWS;
    const int64_t end = first + skv_cpu__tile_length(i, j->rows, TILE_ROWS);

    (void)scratch;
    for (int64_t m = first; m < end; m++)
        sum(j->y + m * j->n, j->x + m * j->n, j->b, j->n);
}

skv_status skv_cpu_add_rows(skv_backend *be, const skv_add_rows_args *a)
{
    job j = {.y = skv_f32(&a->y),
             .x = skv_f32(&a->x),
             .b = skv_f32(&a->b),
             .n = a->x.shape[1],
             .rows = a->x.shape[0]};

    skv_cpu__parallel(be, skv_cpu__tiles(j.rows, TILE_ROWS), rows_tile, &j);
    return SKV_OK;
}
