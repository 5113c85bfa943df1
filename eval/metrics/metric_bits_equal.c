/* Share of the bits that a path draws as the reference does, scale by scale. */
#include "eval/metrics/metric.h"

/* Bits [first, end) in which a and b agree. */
static int64_t agreeing(const uint8_t *a, const uint8_t *b, int64_t first, int64_t end)
{
    int64_t n = 0;

    for (int64_t i = first; i < end; i++)
        n += (((a[i / 8] ^ b[i / 8]) >> (i % 8)) & 1) == 0;
    return n;
}

static skv_status compare(double *out, void *network, const skv_metric_pair *pair)
{
    (void)network;
    for (int s = 0; s < pair->n_scales; s++) {
        const int64_t first = pair->scale_offset[s], end = pair->scale_offset[s + 1];

        out[s] =
            (double)agreeing(pair->reference, pair->compared, first, end) / (double)(end - first);
    }
    return SKV_OK;
}

const skv_metric skv_metric_bits_equal = {
    .name = "bits_equal",
    .title = "bits equal",
    .long_name = "share of the bits equal to the reference's, by scale",
    .units = "1",
    .better = SKV_BETTER_HIGHER,
    .kind = SKV_METRIC_OF_SCALE,
    .needs = SKV_NEEDS_BITS,
    .percent = true,
    .digits = 3,
    .compare = compare,
};
