/* Scale schedules: the sides of the token map at every scale, for all aspect ratios and
 * resolutions of the releases; src/arch/README.md, Schedules. Scales are 0-based everywhere. */
#ifndef SKV_ARCH_SCHEDULE_H
#define SKV_ARCH_SCHEDULE_H

#include "core/status.h"

#define SKV_MAX_SCALES 13

typedef struct {
    int n_scales;
    int h[SKV_MAX_SCALES];         /* rows of tokens */
    int w[SKV_MAX_SCALES];         /* columns */
    int start[SKV_MAX_SCALES + 1]; /* tokens before scale si; start[n_scales] = all */
    int rope_h, rope_w;            /* sides of the last scale at 1M: the grid of RoPE positions */
    double ratio;                  /* height / width, one of the table's keys: 1.0, 1.25, 0.8 ... */
    char resolution[8];            /* "0.06M", "0.25M", "0.60M", "1M" */
} skv_schedule;

/* Tokens of scale si. */
static inline int skv_schedule_tokens(const skv_schedule *s, int si)
{
    return s->h[si] * s->w[si];
}

/* Tokens of all scales but the last: the longest cache there can be. */
static inline int skv_schedule_history(const skv_schedule *s)
{
    return s->start[s->n_scales - 1];
}

/* ratio: height/width, within 0.001 of a key of the table (1.333 and 4/3 both fit). SKV_E_ARG lists
 * the ratios or resolutions. */
SKV_MUST skv_status skv_schedule_make(skv_schedule *out, double ratio, const char *resolution);

#endif
