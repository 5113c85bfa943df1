/* A calibration on all ranks: the full cache over a list of prompts, every layer's attention
 * measured, and what follows from it in a folder: budget files, calibration.h5, orders.json,
 * heads.json.
 *
 * Ranks take groups in turn, a round of one each; rank 0 adds the figures in the order of rows. */
#ifndef SKV_JOB_CALIBRATE_H
#define SKV_JOB_CALIBRATE_H

#include "calibrate/calibration_file.h"
#include "calibrate/expectation.h"
#include "job/calibrate_options.h"
#include "job/job.h"

/* On rank 0, once all files are written. */
typedef struct {
    const skv_calibrate_options *options;
    const skv_calibration *calibration;
    const skv_calibrated *budget;       /* one a percent */
    const skv_expectation *expectation; /* --expect: what each choice gives; else n 0 */
    const skv_compared *compared;       /* n_compared of them */
    int n_budgets, n_expectations, n_compared;
    int64_t n_failed; /* rows without figures */
} skv_calibrate_outcome;

typedef struct {
    skv_comm *comm;
    const skv_calibrate_options *options;
    skv_calibrate_choice choice;
    skv_job_report report; /* of the plan */
    skv_status (*done)(void *ctx, const skv_calibrate_outcome *outcome);
    void *ctx;
} skv_calibrate_setup;

typedef struct {
    int64_t n_failed; /* rows without figures; in a dry run, that will have none */
    bool as_expected; /* true without --expect */
} skv_calibrate_result;

/* Collective; all ranks return the same. With --dry-run the plan alone. */
SKV_MUST skv_status skv_calibrate_run(skv_calibrate_result *out, const skv_calibrate_setup *setup);

#endif
