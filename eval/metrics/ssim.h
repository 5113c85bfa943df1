/* Structural similarity of 8-bit RGB pictures. */
#ifndef SKV_EVAL_METRICS_SSIM_H
#define SKV_EVAL_METRICS_SSIM_H

#include <stdint.h>

#include "core/status.h"

/* Gaussian window of 11 (sigma 1.5), reflected borders, values / 255, data range 1, all in double.
 * a, b: (height,width,3) u8. *mean: of the whole map over pixels and channels, as torchmetrics
 * since 1.4.2; *cropped (may be NULL): of the map less 5 pixels on each side, as before. Both are
 * exactly 1 for equal bytes. See eval/metrics/README.md, SSIM. SKV_E_SHAPE: a side of 5 pixels or
 * fewer; *cropped is NaN where nothing is left of the map. */
SKV_MUST skv_status skv_ssim(double *mean, double *cropped, const uint8_t *a, const uint8_t *b,
                             int height, int width);

#endif
