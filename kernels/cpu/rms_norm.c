/* Root-mean-square norm of rows; the sum of squares is taken in double over eight lanes. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

#include <math.h>

#define TILE_ROWS 8
#define LANES     8

typedef struct {
    const skv_rms_norm_args *a;
} job;

SKV_CLONES static double squares(const float *x, int64_t n)
{
    double lane[LANES] = {0}, sum = 0;
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lane[l] += (double)x[i + l] * (double)x[i + l];
    for (int l = 0; l < LANES; l++)
        sum += lane[l];
    for (; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

SKV_CLONES static void scale_row(float *y, const float *x, const float *w, int64_t n, float scale)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = w[i] * (x[i] * scale);
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const skv_rms_norm_args *a = ((const job *)ctx)->a;
    const int64_t n = a->x.shape[1], first = i * TILE_ROWS;
    const int64_t end = first + skv_cpu__tile_length(i, a->x.shape[0], TILE_ROWS);

    (void)scratch;
    for (int64_t m = first; m < end; m++) {
        const float *x = skv_f32(&a->x) + m * n;
        const double mean = squares(x, n) / (double)n;

        scale_row(skv_f32(&a->y) + m * n, x, skv_f32(&a->w), n,
                  (float)(1.0 / sqrt(mean + (double)a->eps)));
    }
}

skv_status skv_cpu_rms_norm(skv_backend *be, const skv_rms_norm_args *a)
{
    job j = {.a = a};

    skv_cpu__parallel(be, skv_cpu__tiles(a->x.shape[0], TILE_ROWS), tile, &j);
    return SKV_OK;
}
