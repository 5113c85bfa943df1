/* Peak signal-to-noise ratio of 8-bit pictures. */
#ifndef SKV_EVAL_METRICS_PSNR_H
#define SKV_EVAL_METRICS_PSNR_H

#include <stddef.h>
#include <stdint.h>

/* -10·log10(mean((a-b)²)) in dB, values / 255, over all n numbers of both pictures; +infinity for
 * equal bytes. From the exact sum of squares. Spec metrics.md, PSNR. */
double skv_psnr(const uint8_t *a, const uint8_t *b, size_t n);

#endif
