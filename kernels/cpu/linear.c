/* y = x·Wᵀ + b by OpenBLAS, one thread a tile. Tiles are a function of the shapes alone. */
#include "kernels/cpu/cpu_internal.h"

#include <cblas.h>
#include <string.h>

#define TILE_ROWS 384
#define TILE_COLS 768
#define MIN_COLS  96 /* of a tile when there are too few rows to share out */
#define MIN_TILES 16

typedef struct {
    const skv_linear_args *a;
    int64_t rows, cols; /* of a tile */
    int64_t across;     /* tiles side by side */
    bool gelu;
} job;

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_linear_args *a = j->a;
    const int64_t m = a->x.shape[0], n = a->w.shape[0], k = a->x.shape[1];
    const int64_t row = i / j->across * j->rows, col = i % j->across * j->cols;
    const int64_t rows = min_i64(j->rows, m - row), cols = min_i64(j->cols, n - col);
    float *y = skv_f32(&a->y) + row * n + col;
    const float *bias = a->b.data ? skv_f32(&a->b) + col : NULL;

    (void)scratch;
    for (int64_t r = 0; bias && r < rows; r++)
        memcpy(y + r * n, bias, (size_t)cols * sizeof *y);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)cols, (int)k, 1.0f,
                skv_f32(&a->x) + row * k, (int)k, skv_f32(&a->w) + col * k, (int)k,
                bias ? 1.0f : 0.0f, y, (int)n);
    for (int64_t r = 0; j->gelu && r < rows; r++)
        skv_cpu__gelu(y + r * n, y + r * n, cols);
}

static skv_status run(skv_backend *be, const skv_linear_args *a, bool gelu)
{
    const int64_t m = a->x.shape[0], n = a->w.shape[0], k = a->x.shape[1];
    job j = {.a = a, .rows = TILE_ROWS, .cols = TILE_COLS, .gelu = gelu};
    int64_t down = (m + j.rows - 1) / j.rows;

    while (down * ((n + j.cols - 1) / j.cols) < MIN_TILES && j.cols > MIN_COLS)
        j.cols /= 2;
    while (down * ((n + j.cols - 1) / j.cols) < MIN_TILES && j.rows > MIN_COLS) {
        j.rows /= 2;
        down = (m + j.rows - 1) / j.rows;
    }
    j.across = (n + j.cols - 1) / j.cols;
    skv_cpu__parallel(be, down * j.across, tile, &j);
    be->flops += 2 * m * n * k;
    return SKV_OK;
}

skv_status skv_cpu_linear(skv_backend *be, const skv_linear_args *a)
{
    if (a->x.ndim == 2)
        return run(be, a, false);
    for (int64_t b = 0; b < a->x.shape[0]; b++)
        SKV_TRY(run(
            be,
            &(skv_linear_args){
                .y = skv_tensor_at(&a->y, b), .x = skv_tensor_at(&a->x, b), .w = a->w, .b = a->b},
            false));
    return SKV_OK;
}

skv_status skv_cpu_linear_gelu(skv_backend *be, const skv_linear_gelu_args *a)
{
    return run(be, a, true);
}
