/* Group norm and SiLU. Three passes over tiles of places: sums, squares about the mean, and the
 * result. Sums are in double, a partial one a tile and channel, added in tile order. */
#include "kernels/cpu/cpu_internal.h"

#include <math.h>
#include <string.h>

#define MAX_TILES    256
#define MAX_CHANNELS 2048

typedef struct {
    const skv_group_norm_silu_args *a;
    int64_t picture, places; /* of a tile */
    double *partial;         /* (tiles, C), in the shared scratch */
    const double *mean;      /* (C): of each channel's group; NULL in the first pass */
    const float *scale, *shift;
} job;

static int64_t tile_end(const job *j, int64_t i, int64_t n)
{
    return (i + 1) * j->places < n ? (i + 1) * j->places : n;
}

SKV_CLONES static void add_squares(double *sum, const float *x, const double *mean, int64_t c)
{
    for (int64_t i = 0; i < c; i++) {
        const double d = (double)x[i] - mean[i];

        sum[i] += d * d;
    }
}

SKV_CLONES static void add_values(double *sum, const float *x, int64_t c)
{
    for (int64_t i = 0; i < c; i++)
        sum[i] += (double)x[i];
}

static void sum_tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t c = j->a->x.shape[3], n = j->a->x.shape[1] * j->a->x.shape[2];
    const float *x = skv_f32(&j->a->x) + j->picture * n * c;
    double *sum = j->partial + i * c;

    (void)scratch;
    memset(sum, 0, (size_t)c * sizeof *sum);
    for (int64_t p = i * j->places; p < tile_end(j, i, n); p++) {
        if (j->mean)
            add_squares(sum, x + p * c, j->mean, c);
        else
            add_values(sum, x + p * c, c);
    }
}

SKV_CLONES static void normalise(float *y, const float *x, const float *scale, const float *shift,
                                 int64_t c)
{
    for (int64_t i = 0; i < c; i++)
        y[i] = x[i] * scale[i] + shift[i];
}

static void apply_tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t c = j->a->x.shape[3], n = j->a->x.shape[1] * j->a->x.shape[2];
    const int64_t at = j->picture * n * c;

    (void)scratch;
    for (int64_t p = i * j->places; p < tile_end(j, i, n); p++) {
        float *y = skv_f32(&j->a->y) + at + p * c;

        normalise(y, skv_f32(&j->a->x) + at + p * c, j->scale, j->shift, c);
        skv_cpu__silu(y, y, c);
    }
}

/* out[c] = the mean over c's group of the summed partials. */
static void group_means(double *out, const job *j, int64_t tiles)
{
    const int64_t c = j->a->x.shape[3], width = c / j->a->groups;
    const double count = (double)(j->a->x.shape[1] * j->a->x.shape[2] * width);

    for (int64_t g = 0; g < j->a->groups; g++) {
        double sum = 0;

        for (int64_t i = 0; i < tiles; i++)
            for (int64_t k = g * width; k < (g + 1) * width; k++)
                sum += j->partial[i * c + k];
        for (int64_t k = g * width; k < (g + 1) * width; k++)
            out[k] = sum / count;
    }
}

static void one_picture(skv_backend *be, job *j, int64_t tiles)
{
    const int64_t c = j->a->x.shape[3];
    double mean[MAX_CHANNELS] = {0}, variance[MAX_CHANNELS] = {0};
    float scale[MAX_CHANNELS], shift[MAX_CHANNELS];

    j->mean = NULL;
    skv_cpu__parallel(be, tiles, sum_tile, j);
    group_means(mean, j, tiles);
    j->mean = mean;
    skv_cpu__parallel(be, tiles, sum_tile, j);
    group_means(variance, j, tiles);
    for (int64_t i = 0; i < c; i++) {
        const double s = (double)skv_f32(&j->a->w)[i] / sqrt(variance[i] + (double)j->a->eps);

        scale[i] = (float)s;
        shift[i] = (float)((double)skv_f32(&j->a->b)[i] - mean[i] * s);
    }
    j->scale = scale;
    j->shift = shift;
    skv_cpu__parallel(be, tiles, apply_tile, j);
}

skv_status skv_cpu_group_norm_silu(skv_backend *be, const skv_group_norm_silu_args *a)
{
    const int64_t c = a->x.shape[3], n = a->x.shape[1] * a->x.shape[2];
    int64_t tiles = (int64_t)(SKV_CPU_SCRATCH / sizeof(double)) / c;
    job j = {.a = a, .partial = skv_cpu__shared(be)};

    if (c > MAX_CHANNELS)
        return skv_fail(SKV_E_UNSUPPORTED, "group_norm_silu: %lld channels are too many",
                        (long long)c);
    tiles = tiles > MAX_TILES ? MAX_TILES : tiles;
    j.places = (n + tiles - 1) / tiles;
    tiles = (n + j.places - 1) / j.places;
    for (j.picture = 0; j.picture < a->x.shape[0]; j.picture++)
        one_picture(be, &j, tiles);
    return SKV_OK;
}
