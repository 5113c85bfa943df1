/* Intervals by the bootstrap over a run's prompts. Samples of a prompt stay together; all series
 * see the same resamples, so a difference of two paths is one of pairs. */
#ifndef SKV_EVAL_REPORT_BOOTSTRAP_H
#define SKV_EVAL_REPORT_BOOTSTRAP_H

#include "core/json.h"
#include "run/segments.h"

/* A mean and where 95 of 100 resamples of the prompts have it; NaN: not known. */
typedef struct {
    double mean, low, high;
} skv_interval;

typedef struct skv_bootstrap skv_bootstrap;

/* Of a run with these segments, borrowed. close accepts NULL. */
SKV_MUST skv_status skv_bootstrap_open(skv_bootstrap **out, const skv_segments *segments);
void skv_bootstrap_close(skv_bootstrap *t);

/* The numbers a[i] of n rows, row[i] (NULL: i), none outside the run; with b (or NULL) each less
 * b[i]. Those that are not finite do not count. *out is set by run. Reads a and b at once. */
SKV_MUST skv_status skv_bootstrap_add(skv_bootstrap *t, skv_interval *out, const double *a,
                                      const double *b, const int64_t *row, int64_t n);

/* Sets all intervals; without bounds (NaN) where fewer than two prompts have numbers. */
void skv_bootstrap_run(skv_bootstrap *t);

/* [mean, low, high], null where there are no bounds. */
json_t *skv_interval_json(const skv_interval *i);

#endif
