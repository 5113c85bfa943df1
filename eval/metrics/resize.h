/* Pillow's bicubic resize of 8-bit pictures in floating point (mode F), as clean-fid uses it. */
#ifndef SKV_EVAL_METRICS_RESIZE_H
#define SKV_EVAL_METRICS_RESIZE_H

#include <stdint.h>

#include "core/status.h"

/* The taps of one axis: output o reads inputs first[o] .. first[o]+count[o]-1 with the weights
 * weight[o·most ..], zero padded. One block, free(). */
typedef struct {
    int32_t *first, *count;
    double *weight;
    int n_out, most;
} skv_resize_axis;

/* *out's pointers are one block that starts at out->weight: free(out->weight). */
SKV_MUST skv_status skv_resize_axis_make(skv_resize_axis *out, int n_in, int n_out);

/* out (out_height,out_width,3) fp32 <- rgb (height,width,3), clipped to [0,255], not rounded. Bit
 * for bit Pillow's. eval/metrics/README.md, Bicubic. Sides >= 1. */
SKV_MUST skv_status skv_resize_bicubic(float *out, const uint8_t *rgb, int height, int width,
                                       int out_height, int out_width);

#endif
