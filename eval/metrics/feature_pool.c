#include "eval/metrics/feature_pool.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/metrics/moments.h"

struct skv_feature_pool {
    int d, n_sides;
    bool exact;             /* all are kept: no moments */
    int64_t n, n_seen;      /* pictures of a side: all, so far */
    int64_t room, n_kept;   /* of `kept` */
    int64_t grown, n_round; /* of `round` */
    float **kept;           /* (sides) of (room, d) */
    float **round;          /* (sides) of (grown, d) */
    skv_moments *moments;   /* (sides) */
};

skv_status skv_feature_pool_create(skv_feature_pool **out, int d, int n_sides, int64_t n)
{
    const size_t sides = (size_t)n_sides;
    skv_feature_pool *p = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&p, 1, sizeof *p, "features"), done);
    p->d = d;
    p->n_sides = n_sides;
    p->n = n;
    p->exact = n <= d;
    p->room = n < SKV_FEATURES_KEPT ? n : SKV_FEATURES_KEPT;
    SKV_TRY_GOTO(skv_alloc(&p->kept, sides, sizeof *p->kept, "features"), done);
    SKV_TRY_GOTO(skv_alloc(&p->round, sides, sizeof *p->round, "features"), done);
    SKV_TRY_GOTO(skv_alloc(&p->moments, sides, sizeof *p->moments, "moments"), done);
    for (int i = 0; i < n_sides; i++) {
        SKV_TRY_GOTO(skv_alloc(&p->kept[i], (size_t)p->room * (size_t)d, sizeof(float), "features"),
                     done);
        if (!p->exact)
            SKV_TRY_GOTO(skv_moments_create(&p->moments[i], d), done);
    }
    *out = p;
    p = NULL;
done:
    skv_feature_pool_destroy(p);
    return st;
}

void skv_feature_pool_destroy(skv_feature_pool *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->n_sides; i++) {
        if (p->kept)
            free(p->kept[i]);
        if (p->round)
            free(p->round[i]);
        if (p->moments)
            skv_moments_clear(&p->moments[i]);
    }
    free(p->kept);
    free(p->round);
    free(p->moments);
    free(p);
}

static skv_status grow_round(skv_feature_pool *p)
{
    const int64_t room = p->grown ? 2 * p->grown : 64;

    for (int i = 0; i < p->n_sides; i++) {
        float *more = realloc(p->round[i], (size_t)room * (size_t)p->d * sizeof *more);

        if (!more)
            return skv_fail(SKV_E_MEM, "features of a round: out of memory");
        p->round[i] = more;
    }
    p->grown = room;
    return SKV_OK;
}

skv_status skv_feature_pool_add(skv_feature_pool *p, const float *feature, size_t stride)
{
    const size_t d = (size_t)p->d, bytes = d * sizeof *feature;
    const bool keep = (p->n_seen + 1) * p->room / p->n > p->n_seen * p->room / p->n;

    if (!p->exact && p->n_round == p->grown)
        SKV_TRY(grow_round(p));
    for (int i = 0; i < p->n_sides; i++) {
        const float *from = feature + (size_t)i * stride;

        if (keep)
            memcpy(p->kept[i] + (size_t)p->n_kept * d, from, bytes);
        if (!p->exact)
            memcpy(p->round[i] + (size_t)p->n_round * d, from, bytes);
    }
    p->n_seen++;
    p->n_kept += keep;
    p->n_round += !p->exact;
    return SKV_OK;
}

skv_status skv_feature_pool_end_round(skv_feature_pool *p)
{
    for (int i = 0; i < p->n_sides && p->n_round > 0; i++)
        SKV_TRY(skv_moments_add(&p->moments[i], p->round[i], p->n_round));
    p->n_round = 0;
    return SKV_OK;
}

skv_status skv_feature_pool_finish(skv_feature_pool *p)
{
    for (int i = 0; i < p->n_sides && !p->exact; i++)
        SKV_TRY(skv_moments_covariance(p->moments[i].sum, &p->moments[i]));
    return SKV_OK;
}

skv_feature_set skv_feature_pool_set(const skv_feature_pool *p, int side)
{
    return (skv_feature_set){.n = p->n_seen,
                             .n_kept = p->n_kept,
                             .kept = p->kept[side],
                             .mean = p->exact ? NULL : p->moments[side].mean,
                             .covariance = p->exact ? NULL : p->moments[side].sum};
}

void skv_feature_pool_take(skv_kept_features *out, skv_feature_pool *p)
{
    *out = (skv_kept_features){.n = p->n_seen,
                               .n_kept = p->n_kept,
                               .kept = p->kept[0],
                               .mean = p->moments[0].mean,
                               .covariance = p->moments[0].sum};
    p->kept[0] = NULL;
    p->moments[0] = (skv_moments){0};
}
