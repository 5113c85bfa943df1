/* Kernel Inception distance between a path's pictures and a set from elsewhere (kid.h). Statistics
 * of a set hold no vectors, so there is none against them. */
#include <math.h>

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

    if (s->reference.n_kept == 0) {
        *out = NAN;
        return SKV_OK;
    }
    return skv_kid(out, &sets, SEED, s->threads);
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
