/* Results of an evaluation: of each compared path, one column a metric. What evaluate computes,
 * what metrics.h5 holds, and what is merged of both. */
#ifndef SKV_EVAL_METRICS_RESULTS_H
#define SKV_EVAL_METRICS_RESULTS_H

#include <stdbool.h>

#include "eval/metrics/metric.h"

/* Numbers of one metric. A row without pictures holds NaN. */
typedef struct {
    const skv_metric *metric;
    char *weights; /* of its network: "files" or "formula"; NULL: it needs none */
    int width;     /* numbers of a row: scales, or 1; 0 of a set */
    double *value; /* (n, width); NULL of a set */
    double mean; /* over the pairs (and scales): infinite as soon as one is; of a set its number */
    double mean_finite; /* over the pairs whose number is finite; NaN: none is */
    double *scale_mean; /* (width) of a metric by scale, otherwise NULL */
} skv_column;

typedef struct {
    char *name, *digest; /* digest of what the pictures depend on; NULL: a folder, not known */
    int64_t n_pairs, n_identical;
    int n_columns;
    skv_column *column; /* in the order of skv_metrics[] */
} skv_path_results;

typedef struct {
    int64_t n; /* rows */
    /* What the paths are held against besides the reference path, the digest of its features, and
     * its pictures (0: not known); NULL: nothing */
    char *against, *against_digest;
    int64_t n_against;
    int n_paths;
    skv_path_results *path;
} skv_results;

void skv_column_clear(skv_column *c);
void skv_path_results_clear(skv_path_results *p);
void skv_results_clear(skv_results *r);

/* c->value of n rows, all NaN. */
SKV_MUST skv_status skv_column_make(skv_column *c, const skv_metric *metric, int width, int64_t n);

/* The means over the rows that are usable (n of them), in their order. Not of a set. */
void skv_column_summarise(skv_column *c, int64_t n, const uint8_t *usable);

/* Whether some number of the path comes from a comparison with the reference path. */
bool skv_path_is_compared(const skv_path_results *p);

/* NULL: not computed. */
const skv_column *skv_path_column(const skv_path_results *p, const skv_metric *metric);

#endif
