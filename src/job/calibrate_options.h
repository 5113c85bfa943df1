/* The options of skv calibrate: sample's for model, prompts and picture, and its own. */
#ifndef SKV_JOB_CALIBRATE_OPTIONS_H
#define SKV_JOB_CALIBRATE_OPTIONS_H

#include "calibrate/budgets.h"
#include "sample/settings.h"

typedef struct {
    skv_settings run; /* first: the rows that both commands have lie in it */
    skv_reals percent;
    char *top, *index, *rows, *drafter_rule, *expect, *compare;
    int64_t queries, drafter_count;
} skv_calibrate_options;

extern const skv_option skv_calibrate_table[];

/* Sets what the table has no rows for, before it is read; clears all. */
SKV_MUST skv_status skv_calibrate_defaults(skv_calibrate_options *o);
void skv_calibrate_clear(skv_calibrate_options *o);

/* Value ranges, one sentence naming the option; out: the choices by name, which the words allow. */
typedef struct {
    skv_measures measures; /* its top sums */
    skv_asi_choice asi;
    skv_draft_rule rule;
} skv_calibrate_choice;
SKV_MUST skv_status skv_calibrate_check(skv_calibrate_choice *out, const skv_calibrate_options *o);

#endif
