/* From a calibration to a budget: the drafters of the scales that a percent cuts, how stable they
 * are, and the table of the rule (cache/budget.h), as a file that skv sample takes. */
#ifndef SKV_CALIBRATE_BUDGETS_H
#define SKV_CALIBRATE_BUDGETS_H

#include "calibrate/comparison.h"
#include "calibrate/stability.h"

typedef struct {
    const skv_calibration *calibration;
    const skv_dims *dims;
    int64_t samples;
    uint64_t seed;
    skv_asi_choice asi;
    skv_draft_rule rule;
    int count;
    const char *identity;         /* digest of what the pictures depend on */
    const skv_compared *compared; /* earlier calibrations, n_compared of them */
    int n_compared;
} skv_budgets_setup;

typedef struct {
    double percent;
    int base, floor;   /* tokens a layer; least of a refiner */
    int first;         /* scale that is computed on a cut cache */
    char why_not[192]; /* why the schedule cannot hold the percent; "": it can */
    skv_stability stability;
    /* With each of the compared ones over the scales that both cut; -1: it lacks this percent. */
    double with_compared[SKV_MAX_COMPARED];
    skv_budget *budget; /* NULL: there is none */
} skv_calibrated;

/* Of number i of the percents (as skv_compared was read with). Caller clears it, in any case. */
SKV_MUST skv_status skv_calibrated_make(skv_calibrated *out, const skv_budgets_setup *setup,
                                        double percent, int i);
void skv_calibrated_clear(skv_calibrated *c);

/* "budget-10.json" into buf. */
void skv_calibrated_name(char *buf, size_t bytes, double percent);

/* Writes folder/budget-<percent>.json: the released form and an object "provenance". */
SKV_MUST skv_status skv_calibrated_write(const skv_calibrated *c, const skv_budgets_setup *setup,
                                         const char *folder);

/* Writes folder/orders.json: for each source scale from the fourth to the last but one a list of
 * all [head, layer], least needed first (HeatKV's orderings); and folder/heads.json, one such list,
 * least column variance at the last scale first (HACK's). */
SKV_MUST skv_status skv_head_orders_write(const skv_calibration *c, const char *folder);

#endif
