/* Bilinear resizing, two taps a direction, align_corners false, no antialiasing even when
 * shrinking. */
#ifndef SKV_KERNELS_CPU_BILINEAR_H
#define SKV_KERNELS_CPU_BILINEAR_H

#include <stdint.h>

typedef struct {
    int64_t low, high; /* source indices */
    float weight;      /* of high */
} skv_taps;

/* Taps of output index o of n_out, over n_in inputs: source = max(0, (o+½)·in/out - ½). Equal sizes
 * give weight 0: the input itself. */
skv_taps skv_cpu__taps(int64_t o, int64_t n_in, int64_t n_out);

/* Blend of four corners: rows first weighted by x, then by y. */
static inline float skv_blend(float a, float b, float c, float d, float x, float y)
{
    return (1.0f - y) * ((1.0f - x) * a + x * b) + y * ((1.0f - x) * c + x * d);
}

#endif
