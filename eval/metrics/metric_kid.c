/* Kernel Inception distance between a path's pictures and the reference's (kid.h), from the kept
 * features. */
#include "eval/metrics/inception.h"
#include "eval/metrics/kid.h"

#define SEED 0

static skv_status reduce(double *out, const skv_feature_sets *s)
{
    const skv_kid_sets sets = {.d = s->d,
                               .x1 = s->reference.kept,
                               .x2 = s->compared.kept,
                               .n1 = s->reference.n_kept,
                               .n2 = s->compared.n_kept};

    return skv_kid(out, &sets, SEED, s->threads);
}

const skv_metric skv_metric_kid = {
    .name = "kid",
    .title = "KID",
    .long_name = "KID (clean-fid) against the reference path",
    .units = "1",
    .better = SKV_BETTER_LOWER,
    .kind = SKV_METRIC_OF_SET,
    .needs = SKV_NEEDS_FEATURES,
    .digits = 6,
    .network = &skv_network_inception,
    .reduce = reduce,
};
