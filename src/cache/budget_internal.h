/* What budget.c (the rule) and budget_json.c (the released files) share. */
#ifndef SKV_CACHE_BUDGET_INTERNAL_H
#define SKV_CACHE_BUDGET_INTERNAL_H

#include "cache/budget.h"

typedef struct {
    int limit, max, min;
    uint64_t drafters; /* bit l: layer l */
} skv_budget__row;

struct skv_budget {
    int depth, first; /* rows[si] for first <= si < n_scales-1 */
    skv_schedule schedule;
    skv_budget__row rows[SKV_MAX_SCALES];
};

/* A table without rows. */
SKV_MUST skv_status skv_budget__new(skv_budget **out, const skv_dims *dims,
                                    const skv_schedule *schedule);

#endif
