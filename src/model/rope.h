/* 2-D rotary positions (rope2d_normalized_by_hw = 2); src/model/README.md, Block. */
#ifndef SKV_MODEL_ROPE_H
#define SKV_MODEL_ROPE_H

#include "arch/schedule.h"

/* Fills table (L, head_dim/2, 2) = (cos, sin) of every token of scale si, in raster order. */
void skv_rope_fill(float *table, const skv_schedule *schedule, int si, int head_dim);

/* The grid row or column of index i of n on a side of `last` cells: round-half-to-even of the fp32
 * product i·(last/n). */
int skv_rope_position(int i, int n, int last);

#endif
