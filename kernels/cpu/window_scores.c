/* Scores of cached keys by a window of queries: raw sums (ScaleKV) and sums of softmaxes (SnapKV).
 *
 * Products over a head's dimension run over sixteen lanes folded in a fixed order. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"
#include "kernels/ragged.h"

#include <math.h>
#include <string.h>

#define TILE_KEYS 1024
#define MAX_DIM   256
#define LANES     16

typedef struct {
    const skv_window_scores_args *a;
    int64_t tiles; /* of the longest head's keys */
} scores_job;

typedef struct {
    const skv_window_softmax_args *a;
} softmax_job;

SKV_CLONES void skv_cpu__products(float *s, const float *q, const float *k, int64_t n, int64_t dim,
                                  float scale)
{
    for (int64_t j = 0; j < n; j++) {
        const float *key = k + j * dim;
        float lane[LANES] = {0}, rest = 0;
        int64_t d = 0;

        for (; d + LANES <= dim; d += LANES)
            for (int l = 0; l < LANES; l++)
                lane[l] += q[d + l] * key[d + l];
        for (; d < dim; d++)
            rest += q[d] * key[d];
        for (int half = LANES / 2; half > 0; half /= 2)
            for (int l = 0; l < half; l++)
                lane[l] += lane[l + half];
        s[j] = (lane[0] + rest) * scale;
    }
}

static void scores_tile(void *ctx, int64_t i, void *scratch)
{
    const scores_job *j = ctx;
    const skv_window_scores_args *a = j->a;
    const int64_t heads = a->q.shape[2], dim = a->q.shape[3];
    const int64_t part = i % j->tiles, h = i / j->tiles % heads, r = i / j->tiles / heads;
    const int64_t at = r * a->s.shape[1] + skv_ragged_start(a->len, h), len = a->len[h];
    const float *q = skv_f32(&a->q) + r * a->q.stride[0] + h * a->q.stride[2];
    const float *k = skv_f32(&a->k) + r * a->k.stride[0] + h * a->k.stride[1];
    float *s = skv_f32(&a->s) + at + part * TILE_KEYS, *sum = scratch;

    if (part * TILE_KEYS >= len)
        return;
    memset(sum, 0, (size_t)dim * sizeof *sum);
    for (int64_t w = 0; w < a->q.shape[1]; w++)
        for (int64_t d = 0; d < dim; d++)
            sum[d] += q[w * a->q.stride[1] + d];
    skv_cpu__products(s, sum, k + part * TILE_KEYS * dim,
                      skv_cpu__tile_length(part, len, TILE_KEYS), dim, a->scale);
}

skv_status skv_cpu_window_scores(skv_backend *be, const skv_window_scores_args *a)
{
    const int64_t heads = a->q.shape[2];
    scores_job j = {.a = a, .tiles = skv_cpu__tiles(skv_ragged_longest(a->len, heads), TILE_KEYS)};

    skv_cpu__parallel(be, a->q.shape[0] * heads * j.tiles, scores_tile, &j);
    return SKV_OK;
}

SKV_CLONES void skv_cpu__soften(float *p, int64_t n)
{
    float most = -INFINITY, inverse;
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        most = p[i] > most ? p[i] : most;
    for (int64_t i = 0; i < n; i++)
        p[i] -= most;
    skv_cpu__exp(p, p, n);
    for (int64_t i = 0; i < n; i++)
        sum += (double)p[i];
    inverse = (float)(1.0 / sum);
    for (int64_t i = 0; i < n; i++)
        p[i] *= inverse;
}

static void softmax_tile(void *ctx, int64_t i, void *scratch)
{
    const skv_window_softmax_args *a = ((const softmax_job *)ctx)->a;
    const int64_t heads = a->q.shape[2], dim = a->q.shape[3], h = i % heads, r = i / heads;
    const int64_t at = r * a->s.shape[1] + skv_ragged_start(a->len, h), len = a->len[h];
    const float *q = skv_f32(&a->q) + r * a->q.stride[0] + h * a->q.stride[2];
    const float *k = skv_f32(&a->k) + r * a->k.stride[0] + h * a->k.stride[1];
    float *s = skv_f32(&a->s) + at, *p = scratch;

    memset(s, 0, (size_t)len * sizeof *s);
    for (int w = 0; w < a->n; w++) {
        skv_cpu__products(p, q + a->index[w] * a->q.stride[1], k, len, dim, a->scale);
        skv_cpu__soften(p, len);
        for (int64_t j = 0; j < len; j++)
            s[j] += p[j];
    }
}

skv_status skv_cpu_window_softmax(skv_backend *be, const skv_window_softmax_args *a)
{
    const int64_t longest = skv_ragged_longest(a->len, a->q.shape[2]);
    softmax_job j = {.a = a};

    if ((size_t)longest * sizeof(float) > SKV_CPU_SCRATCH)
        return skv_fail(SKV_E_UNSUPPORTED, "window_softmax: %lld keys are too many",
                        (long long)longest);
    skv_cpu__parallel(be, a->q.shape[0] * a->q.shape[2], softmax_tile, &j);
    return SKV_OK;
}
