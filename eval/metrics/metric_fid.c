/* Fréchet Inception distance between a path's pictures and the reference's (frechet.h). */
#include <stdlib.h>

#include "core/mem.h"
#include "eval/metrics/frechet.h"
#include "eval/metrics/inception.h"

static skv_status by_moments(skv_frechet *out, const skv_moments *a, const skv_moments *b)
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

static skv_status reduce(double *out, const skv_feature_sets *s)
{
    skv_frechet f;

    if (s->moments[0])
        SKV_TRY(by_moments(&f, s->moments[0], s->moments[1]));
    else
        SKV_TRY(skv_frechet_features(&f, s->d, s->reference, s->n, s->compared, s->n));
    *out = f.distance;
    return SKV_OK;
}

const skv_metric skv_metric_fid = {
    .name = "fid",
    .title = "FID",
    .long_name = "FID (clean-fid) against the reference path",
    .units = "1",
    .better = SKV_BETTER_LOWER,
    .kind = SKV_METRIC_OF_SET,
    .needs = SKV_NEEDS_FEATURES,
    .digits = 4,
    .network = &skv_network_inception,
    .reduce = reduce,
};
