#include "eval/metrics/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/metrics/frechet.h"
#include "eval/metrics/kid.h"
#include "eval/metrics/moments.h"

#define POOL     8192 /* pictures of a side whose features are kept: 64 MiB */
#define FIXED    3    /* numbers of a record before the bits */
#define KID_SEED 0

struct skv_summary {
    const skv_pairs *pairs;
    skv_eval_result result;
    int n_threads;
    bool with_lpips, with_features, exact; /* exact: FID from the features themselves */
    int64_t n_seen;                        /* usable rows so far */
    int64_t n_pool, n_pooled, n_round;     /* features kept of all, so far, of this round */
    float **pool;                          /* (sides) of (n_pool, SKV_FEATURES) */
    float **round;                         /* (sides) of (rows of a round, SKV_FEATURES) */
    int64_t room;                          /* rows of `round` */
    skv_moments *moments;                  /* (sides) */
};

static skv_status make_side(skv_eval_side *s, const skv_pairs *p, bool with_lpips)
{
    const size_t rows = (size_t)p->n, scales = (size_t)p->n_scales;

    *s = (skv_eval_side){.psnr_mean = NAN,
                         .psnr_mean_finite = NAN,
                         .ssim_mean = NAN,
                         .lpips_mean = NAN,
                         .fid = NAN,
                         .kid = NAN};
    if (!p->no_pictures) {
        SKV_TRY(skv_alloc(&s->psnr, rows, sizeof(double), "metrics"));
        SKV_TRY(skv_alloc(&s->ssim, rows, sizeof(double), "metrics"));
    }
    if (with_lpips)
        SKV_TRY(skv_alloc(&s->lpips, rows, sizeof(double), "metrics"));
    if (scales == 0)
        return SKV_OK;
    SKV_TRY(skv_alloc(&s->bits_equal, rows, scales * sizeof(double), "metrics"));
    return skv_alloc(&s->bits_mean, scales, sizeof(double), "metrics");
}

static skv_status make_features(skv_summary *s)
{
    const size_t sides = (size_t)s->pairs->n_sides;

    s->exact = s->pairs->n_usable <= SKV_FEATURES;
    s->n_pool = s->pairs->n_usable < POOL ? s->pairs->n_usable : POOL;
    SKV_TRY(skv_alloc(&s->pool, sides, sizeof *s->pool, "features"));
    SKV_TRY(skv_alloc(&s->round, sides, sizeof *s->round, "features"));
    SKV_TRY(skv_alloc(&s->moments, sides, sizeof *s->moments, "moments"));
    for (size_t i = 0; i < sides; i++) {
        SKV_TRY(
            skv_alloc(&s->pool[i], (size_t)s->n_pool * SKV_FEATURES, sizeof(float), "features"));
        if (!s->exact)
            SKV_TRY(skv_moments_create(&s->moments[i], SKV_FEATURES));
    }
    return SKV_OK;
}

skv_status skv_summary_create(skv_summary **out, const skv_pairs *pairs, bool with_lpips,
                              bool with_features, int n_threads)
{
    skv_summary *s = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&s, 1, sizeof *s, "metrics"));
    s->pairs = pairs;
    s->with_lpips = with_lpips;
    s->with_features = with_features;
    s->n_threads = n_threads;
    s->result = (skv_eval_result){pairs->n, pairs->n_sides, pairs->n_scales, NULL};
    SKV_TRY_GOTO(
        skv_alloc(&s->result.side, (size_t)pairs->n_sides, sizeof(skv_eval_side), "metrics"), done);
    for (int i = 1; i < pairs->n_sides; i++)
        SKV_TRY_GOTO(make_side(&s->result.side[i], pairs, with_lpips), done);
    if (with_features)
        SKV_TRY_GOTO(make_features(s), done);
    *out = s;
    s = NULL;
done:
    skv_summary_destroy(s);
    return st;
}

void skv_eval_result_clear(skv_eval_result *r)
{
    for (int i = 1; r->side && i < r->n_sides; i++) {
        free(r->side[i].psnr);
        free(r->side[i].ssim);
        free(r->side[i].lpips);
        free(r->side[i].bits_equal);
        free(r->side[i].bits_mean);
    }
    free(r->side);
    *r = (skv_eval_result){0};
}

void skv_summary_destroy(skv_summary *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->pairs->n_sides; i++) {
        if (s->pool)
            free(s->pool[i]);
        if (s->round)
            free(s->round[i]);
        if (s->moments)
            skv_moments_clear(&s->moments[i]);
    }
    free(s->pool);
    free(s->round);
    free(s->moments);
    skv_eval_result_clear(&s->result);
    free(s);
}

/* ---------------------------------------------------------------------- rows */

static skv_status grow_round(skv_summary *s)
{
    const int64_t room = s->room ? 2 * s->room : 64;

    for (int i = 0; i < s->pairs->n_sides; i++) {
        float *grown = realloc(s->round[i], (size_t)room * SKV_FEATURES * sizeof *grown);

        if (!grown)
            return skv_fail(SKV_E_MEM, "features of a round: out of memory");
        s->round[i] = grown;
    }
    s->room = room;
    return SKV_OK;
}

/* A usable row's features; evenly spaced rows go to the pool. */
static skv_status add_features(skv_summary *s, const float *feature)
{
    const size_t bytes = SKV_FEATURES * sizeof *feature;
    const int64_t n = s->pairs->n_usable;
    const bool pooled = (s->n_seen + 1) * s->n_pool / n > s->n_seen * s->n_pool / n;

    if (!s->exact && s->n_round == s->room)
        SKV_TRY(grow_round(s));
    for (int i = 0; i < s->pairs->n_sides; i++) {
        const float *from = feature + (size_t)i * SKV_FEATURES;

        if (pooled)
            memcpy(s->pool[i] + (size_t)s->n_pooled * SKV_FEATURES, from, bytes);
        if (!s->exact)
            memcpy(s->round[i] + (size_t)s->n_round * SKV_FEATURES, from, bytes);
    }
    s->n_pooled += pooled;
    s->n_round += !s->exact;
    return SKV_OK;
}

static void add_record(skv_summary *s, int64_t row, const double *record)
{
    const int scales = s->result.n_scales;

    for (int i = 1; i < s->result.n_sides; i++, record += FIXED + scales) {
        skv_eval_side *side = &s->result.side[i];

        if (!s->pairs->no_pictures) {
            side->psnr[row] = record[0];
            side->ssim[row] = record[1];
        }
        if (s->with_lpips)
            side->lpips[row] = record[2];
        if (scales > 0)
            memcpy(side->bits_equal + row * scales, record + FIXED,
                   (size_t)scales * sizeof *record);
    }
}

skv_status skv_summary_add(skv_summary *s, int64_t first, int64_t n, const double *record,
                           const float *feature)
{
    const size_t numbers = (size_t)(s->result.n_sides - 1) * (size_t)(FIXED + s->result.n_scales);

    for (int64_t i = 0; i < n; i++) {
        add_record(s, first + i, record + (size_t)i * numbers);
        if (!s->pairs->usable[first + i])
            continue;
        if (s->with_features)
            SKV_TRY(
                add_features(s, feature + (size_t)i * (size_t)s->result.n_sides * SKV_FEATURES));
        s->n_seen++;
    }
    return SKV_OK;
}

skv_status skv_summary_end_round(skv_summary *s)
{
    for (int i = 0; i < s->pairs->n_sides && s->n_round > 0; i++)
        SKV_TRY(skv_moments_add(&s->moments[i], s->round[i], s->n_round));
    s->n_round = 0;
    return SKV_OK;
}

/* --------------------------------------------------------------------- means */

/* Over usable rows; NaN for a column that was not computed. */
static double mean_of(const skv_summary *s, const double *column, int stride)
{
    double sum = 0;

    if (!column)
        return NAN;
    for (int64_t i = 0; i < s->result.n; i++)
        if (s->pairs->usable[i])
            sum += column[i * stride];
    return sum / (double)s->pairs->n_usable;
}

static void means(const skv_summary *s, skv_eval_side *side)
{
    double finite = 0;

    side->n_pairs = s->pairs->n_usable;
    for (int64_t i = 0; side->psnr && i < s->result.n; i++) {
        if (!s->pairs->usable[i])
            continue;
        if (isinf(side->psnr[i]))
            side->n_identical++;
        else
            finite += side->psnr[i];
    }
    side->psnr_mean = mean_of(s, side->psnr, 1);
    if (side->psnr && side->n_identical < side->n_pairs)
        side->psnr_mean_finite = finite / (double)(side->n_pairs - side->n_identical);
    side->ssim_mean = mean_of(s, side->ssim, 1);
    side->lpips_mean = mean_of(s, side->lpips, 1);
    for (int k = 0; k < s->result.n_scales; k++)
        side->bits_mean[k] = mean_of(s, side->bits_equal + k, s->result.n_scales);
}

static skv_status moments_distance(skv_frechet *out, const skv_moments *a, const skv_moments *b)
{
    const size_t n = (size_t)a->d * (size_t)a->d;
    double *ca = NULL, *cb = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&ca, n, sizeof *ca, "covariance"), done);
    SKV_TRY_GOTO(skv_alloc(&cb, n, sizeof *cb, "covariance"), done);
    SKV_TRY_GOTO(skv_moments_covariance(ca, a), done);
    SKV_TRY_GOTO(skv_moments_covariance(cb, b), done);
    st = skv_frechet_moments(out, a->d, a->mean, ca, b->mean, cb);
done:
    free(ca);
    free(cb);
    return st;
}

static skv_status distances(const skv_summary *s, int i)
{
    skv_eval_side *side = &s->result.side[i];
    skv_frechet f;

    if (!s->with_features || s->n_seen < 2)
        return SKV_OK;
    if (s->exact)
        SKV_TRY(skv_frechet_features(&f, SKV_FEATURES, s->pool[0], s->n_pooled, s->pool[i],
                                     s->n_pooled));
    else
        SKV_TRY(moments_distance(&f, &s->moments[0], &s->moments[i]));
    side->fid = f.distance;
    return skv_kid(&side->kid,
                   &(skv_kid_sets){.d = SKV_FEATURES,
                                   .x1 = s->pool[0],
                                   .x2 = s->pool[i],
                                   .n1 = s->n_pooled,
                                   .n2 = s->n_pooled},
                   KID_SEED, s->n_threads);
}

skv_status skv_summary_finish(skv_eval_result *out, skv_summary *s)
{
    for (int i = 1; i < s->result.n_sides; i++) {
        means(s, &s->result.side[i]);
        SKV_TRY(distances(s, i));
    }
    *out = s->result;
    s->result = (skv_eval_result){0};
    return SKV_OK;
}
