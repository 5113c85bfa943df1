/* LPIPS 0.1 with AlexNet: a distance between two pictures from five taps of the network. See
 * eval/metrics/README.md, LPIPS. */
#ifndef SKV_EVAL_METRICS_LPIPS_H
#define SKV_EVAL_METRICS_LPIPS_H

#include <stdint.h>

#include "eval/metrics/metric.h"

#define SKV_LPIPS_TAPS  5
#define SKV_LPIPS_LEAST 31 /* pixels a side */

typedef struct skv_lpips skv_lpips;

/* Its state is a skv_lpips. */
extern const skv_metric_network skv_network_alexnet;

/* alexnet: torchvision's file, lin: lpips' v0.1/alex.pth; "formula" for made-up weights. be: fp32,
 * borrowed. */
SKV_MUST skv_status skv_lpips_open(skv_lpips **out, skv_backend *be, const char *alexnet,
                                   const char *lin);
void skv_lpips_close(skv_lpips *l); /* accepts NULL */

/* Computes the taps of a picture (height,width,3) and keeps them in slot 0 or 1. */
SKV_MUST skv_status skv_lpips_set(skv_lpips *l, int slot, const uint8_t *rgb, int height,
                                  int width);

/* Distance of the pictures in the two slots, which have one size; by_tap (SKV_LPIPS_TAPS) may be
 * NULL. */
SKV_MUST skv_status skv_lpips_distance(double *total, double *by_tap, skv_lpips *l);

/* Tap 0 .. 4 of a slot: (1,h,w,c) device memory, borrowed until the slot is set again. */
skv_tensor skv_lpips_tap(const skv_lpips *l, int slot, int tap);

#endif
