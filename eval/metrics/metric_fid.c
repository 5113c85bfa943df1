/* Fréchet Inception distance between a path's pictures and the reference's (frechet.h). */
#include "eval/metrics/frechet.h"
#include "eval/metrics/inception.h"

static skv_status reduce(double *out, const skv_feature_sets *s)
{
    skv_frechet f;

    SKV_TRY(skv_frechet_distance(&f, s->d, &s->reference, &s->compared));
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
