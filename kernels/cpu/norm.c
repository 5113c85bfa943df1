/* Layer norm with modulation, gated residuals, and the two in one pass over a row.
 *
 * A row's mean and variance are taken in double over eight lanes that are folded in a fixed order;
 * the variance is of the differences from the mean, so a large mean costs no digits. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

#include <math.h>

#define TILE_ROWS 8
#define LANES     8

typedef struct {
    float *y, *x;
    const float *h;
    const skv_tensor *gate, *mul, *add; /* (R,C), first stride free; gate NULL: no residual */
    const float *bias;                  /* (C) of h, or NULL */
    int64_t rows, tokens, width;
    float eps;
} job;

static inline double fold(const double lane[LANES])
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

SKV_CLONES static double row_mean(const float *x, int64_t n)
{
    double lane[LANES] = {0}, rest = 0;
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lane[l] += (double)x[i + l];
    for (; i < n; i++)
        rest += (double)x[i];
    return (fold(lane) + rest) / (double)n;
}

SKV_CLONES static double row_variance(const float *x, int64_t n, double mean)
{
    double lane[LANES] = {0}, rest = 0;
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            const double t = (double)x[i + l] - mean;

            lane[l] += t * t;
        }
    for (; i < n; i++)
        rest += ((double)x[i] - mean) * ((double)x[i] - mean);
    return (fold(lane) + rest) / (double)n;
}

SKV_CLONES static void modulate(float *y, const float *x, const float *mul, const float *add,
                                int64_t n, double mean, double scale)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)(((double)x[i] - mean) * scale) * mul[i] + add[i];
}

SKV_CLONES static void gate_row(float *x, const float *h, const float *g, const float *bias,
                                int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] += g[i] * (bias ? h[i] + bias[i] : h[i]);
}

static const float *row_of(const skv_tensor *t, int64_t r)
{
    return skv_f32(t) + r * t->stride[0];
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t n = j->width, first = i * TILE_ROWS;
    const int64_t end = first + skv_cpu__tile_length(i, j->rows, TILE_ROWS);

    (void)scratch;
    for (int64_t m = first; m < end; m++) {
        const int64_t r = m / j->tokens;
        float *x = j->x + m * n;

        if (j->gate != NULL)
            gate_row(x, j->h + m * n, row_of(j->gate, r), j->bias, n);
        if (j->y != NULL) {
            const double mean = row_mean(x, n);
            const double scale = 1.0 / sqrt(row_variance(x, n, mean) + (double)j->eps);

            modulate(j->y + m * n, x, row_of(j->mul, r), row_of(j->add, r), n, mean, scale);
        }
    }
}

static job job_of(const skv_tensor *x)
{
    return (job){.x = skv_f32(x),
                 .rows = x->shape[0] * x->shape[1],
                 .tokens = x->shape[1],
                 .width = x->shape[2]};
}

static skv_status run(skv_backend *be, job *j)
{
    skv_cpu__parallel(be, skv_cpu__tiles(j->rows, TILE_ROWS), tile, j);
    return SKV_OK;
}

skv_status skv_cpu_norm(skv_backend *be, const skv_norm_args *a)
{
    job j = job_of(&a->x);

    j.y = skv_f32(&a->y);
    j.mul = &a->scale;
    j.add = &a->shift;
    j.eps = a->eps;
    return run(be, &j);
}

skv_status skv_cpu_gate_norm(skv_backend *be, const skv_gate_norm_args *a)
{
    job j = job_of(&a->x);

    j.y = skv_f32(&a->y);
    j.h = skv_f32(&a->h);
    j.gate = &a->gate;
    j.bias = a->bias.data ? skv_f32(&a->bias) : NULL;
    j.mul = &a->scale;
    j.add = &a->shift;
    j.eps = a->eps;
    return run(be, &j);
}

skv_status skv_cpu_gate_add(skv_backend *be, const skv_gate_add_args *a)
{
    job j = job_of(&a->x);

    j.h = skv_f32(&a->h);
    j.gate = &a->gate;
    return run(be, &j);
}
