/* A rank's rows: all their pictures and bits, compared side by side with the reference's. */
#ifndef SKV_EVAL_METRICS_COMPARE_H
#define SKV_EVAL_METRICS_COMPARE_H

#include "eval/metrics/evaluate.h"
#include "eval/metrics/record.h"

/* Rows [first, first + n), their records and features (record.h); the caller fills both with NaN.
 */
typedef struct {
    int64_t first, n;
    double *record; /* (n, sides - 1, numbers) */
    float *feature; /* (n, sides, features) */
} skv_part;

/* Fills the part for every usable row. */
SKV_MUST skv_status skv_compare_rows(skv_part *part, const skv_eval_setup *setup,
                                     const skv_record_plan *plan);

#endif
