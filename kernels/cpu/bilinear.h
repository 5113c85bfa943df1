/* The two taps of bilinear interpolation along one axis, align_corners false. */
#ifndef SKV_KERNELS_CPU_BILINEAR_H
#define SKV_KERNELS_CPU_BILINEAR_H

#include <stdint.h>

/* Value at the output place = (1 - weight)·in[low] + weight·in[high]. */
typedef struct {
    int64_t low, high;
    float weight;
} skv_cpu__tap;

/* Taps of place `at` of `out` places over an axis of `in`. Positions before the first centre and
 * after the last take the end's value. Equal extents give weight 0. */
skv_cpu__tap skv_cpu__tap_at(int64_t at, int64_t in, int64_t out);

#endif
