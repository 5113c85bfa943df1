#include "eval/metrics/psnr.h"

#include <math.h>

#define BLOCK ((size_t)4096) /* of 255² fit 32 bits */

double skv_psnr(const uint8_t *a, const uint8_t *b, size_t n)
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
    if (sum == 0)
        return INFINITY;
    return -10 * log10((double)sum / (255.0 * 255.0) / (double)n);
}
