/* The arithmetic of HeatKV: how many (head, layer) pairs lose a source scale. */
#ifndef SKV_CACHE_HEATKV_H
#define SKV_CACHE_HEATKV_H

#include "arch/schedule.h"

/* Pairs of `slots` that drop each source scale but the first `sinks` before scale t, so that no
 * more than `tokens` a layer and head are held on average: ceil(slots·(n - tokens)/(n - n_sinks)),
 * n tokens before t, n_sinks those of the sinks; from 0 to slots. */
int skv_heatkv__dropped(const skv_schedule *schedule, int t, int sinks, int slots, double tokens);

#endif
