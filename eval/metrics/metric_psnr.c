/* Peak signal-to-noise ratio of 8-bit pictures: -10·log10(mean((a-b)²)) dB, values / 255.
 *
 * The sum of squares is an exact integer, so no order of adding shows. Equal pictures give
 * +infinity. Start a metric of your own from this file. */
#include <math.h>

#include "eval/metrics/metric.h"

#define BLOCK ((size_t)4096) /* of 255² fit 32 bits */

static uint64_t squared_error(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint64_t sum = 0;

    for (size_t at = 0; at < n; at += BLOCK) {
        const size_t end = n - at < BLOCK ? n : at + BLOCK;
        uint32_t block = 0;

        for (size_t i = at; i < end; i++) {
            const int32_t d = (int32_t)a[i] - (int32_t)b[i];

            block += (uint32_t)(d * d);
        }
        sum += block;
    }
    return sum;
}

static skv_status compare(double *out, void *network, const skv_metric_pair *pair)
{
    const size_t n = (size_t)pair->height * (size_t)pair->width * 3;
    const uint64_t sum = squared_error(pair->reference, pair->compared, n);

    (void)network;
    *out = sum == 0 ? (double)INFINITY : -10 * log10((double)sum / (255.0 * 255.0) / (double)n);
    return SKV_OK;
}

const skv_metric skv_metric_psnr = {
    .name = "psnr",
    .title = "PSNR",
    .long_name = "PSNR against the reference path",
    .units = "dB",
    .better = SKV_BETTER_HIGHER,
    .kind = SKV_METRIC_OF_PICTURE,
    .needs = SKV_NEEDS_PICTURES,
    .infinite_when_equal = true,
    .digits = 4,
    .compare = compare,
};
