/* Which way of measuring gives the drafters that were released (cache/budget.h,
 * skv_drafters_known): the number K' and the rule are published nowhere. */
#ifndef SKV_CALIBRATE_EXPECTATION_H
#define SKV_CALIBRATE_EXPECTATION_H

#include "calibrate/drafter_choice.h"

#define SKV_MAX_EXPECTATIONS (SKV_STATS_TOPS * 3 * 3 * 4)

typedef struct {
    skv_asi_choice asi;
    skv_draft_rule rule;
    int count;      /* as released, or 0: by the largest gap */
    double overlap; /* 1: exactly the released pairs of the scales that 10 % cuts */
} skv_expectation;

/* All choices of K', index, rows and rule: *n of them to out (room SKV_MAX_EXPECTATIONS).
 * SKV_E_NOTFOUND: no drafters are known for this model. */
SKV_MUST skv_status skv_expect_released(skv_expectation *out, int *n, const skv_calibration *c,
                                        const skv_dims *dims);

#endif
