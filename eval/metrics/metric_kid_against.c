/* Kernel Inception distance between a path's pictures and a set from elsewhere (kid.h). Statistics
 * of a set hold no vectors, so there is none against them. */
#include <math.h>

#include "eval/metrics/inception.h"
#include "eval/metrics/metric.h"

extern const skv_metric skv_metric_kid;

static skv_status reduce(double *out, const skv_feature_sets *s)
{
    if (s->reference.n_kept > 0)
        return skv_metric_kid.reduce(out, s);
    *out = NAN;
    return SKV_OK;
}

const skv_metric skv_metric_kid_against = {
    .name = "kid_against",
    .title = "KID against",
    .long_name = "KID (clean-fid) against other pictures",
    .units = "1",
    .better = SKV_BETTER_LOWER,
    .kind = SKV_METRIC_OF_SET,
    .needs = SKV_NEEDS_AGAINST,
    .digits = 6,
    .network = &skv_network_inception,
    .reduce = reduce,
};
