/* Structural similarity: the mean of SSIM's map over pixels and channels (ssim.h). */
#include "eval/metrics/metric.h"
#include "eval/metrics/ssim.h"

static skv_status compare(double *out, void *network, const skv_metric_pair *pair)
{
    (void)network;
    return skv_ssim(out, NULL, pair->reference, pair->compared, pair->height, pair->width);
}

const skv_metric skv_metric_ssim = {
    .name = "ssim",
    .title = "SSIM",
    .long_name = "SSIM against the reference path",
    .units = "1",
    .better = SKV_BETTER_HIGHER,
    .kind = SKV_METRIC_OF_PICTURE,
    .needs = SKV_NEEDS_PICTURES,
    .digits = 6,
    .compare = compare,
};
