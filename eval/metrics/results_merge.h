/* Results of an earlier evaluation, kept beside new ones. */
#ifndef SKV_EVAL_METRICS_RESULTS_MERGE_H
#define SKV_EVAL_METRICS_RESULTS_MERGE_H

#include "eval/metrics/pairs.h"
#include "eval/metrics/results.h"

/* Adds to `results` what the metrics.h5 at `path` (there may be none) has and they do not: a metric
 * is replaced by a newer one of the same metric and path, and by nothing else. Kept are results of
 * the same pictures: the same reference, rows, and digest of the path. What is kept and what is
 * dropped is said in the log. A file that cannot be read is dropped. */
SKV_MUST skv_status skv_results_merge(skv_results *results, const skv_pairs *pairs,
                                      const char *path);

/* Before the work: warns of results in the file that cannot be kept beside those of these pairs,
 * for they are against another reference, or of other pictures. */
SKV_MUST skv_status skv_results_foresee(const skv_pairs *pairs, const char *path);

#endif
