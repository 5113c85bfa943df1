/* Fréchet Inception distance between a path's pictures and a set from elsewhere (frechet.h). */
#include "eval/metrics/inception.h"
#include "eval/metrics/metric.h"

extern const skv_metric skv_metric_fid;

static skv_status reduce(double *out, const skv_feature_sets *s)
{
    return skv_metric_fid.reduce(out, s);
}

const skv_metric skv_metric_fid_against = {
    .name = "fid_against",
    .title = "FID against",
    .long_name = "FID (clean-fid) against other pictures",
    .units = "1",
    .better = SKV_BETTER_LOWER,
    .kind = SKV_METRIC_OF_SET,
    .needs = SKV_NEEDS_AGAINST,
    .digits = 4,
    .network = &skv_network_inception,
    .reduce = reduce,
};
