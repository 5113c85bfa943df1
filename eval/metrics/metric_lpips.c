/* LPIPS 0.1 with AlexNet (lpips.h). The reference's taps are computed once for all sides. */
#include "eval/metrics/lpips.h"

static skv_status compare(double *out, void *network, const skv_metric_pair *pair)
{
    skv_lpips *l = network;

    if (pair->side == 1)
        SKV_TRY(skv_lpips_set(l, 0, pair->reference, pair->height, pair->width));
    SKV_TRY(skv_lpips_set(l, 1, pair->compared, pair->height, pair->width));
    return skv_lpips_distance(out, NULL, l);
}

const skv_metric skv_metric_lpips = {
    .name = "lpips",
    .title = "LPIPS",
    .long_name = "LPIPS (alex) against the reference path",
    .units = "1",
    .better = SKV_BETTER_LOWER,
    .kind = SKV_METRIC_OF_PICTURE,
    .needs = SKV_NEEDS_PICTURES,
    .digits = 6,
    .network = &skv_network_alexnet,
    .compare = compare,
};
