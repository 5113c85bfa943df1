/* Rank 0's side of an evaluation: pictures' numbers put in their places, features kept or summed,
 * and from them means and the numbers of whole sets. */
#ifndef SKV_EVAL_METRICS_SUMMARY_H
#define SKV_EVAL_METRICS_SUMMARY_H

#include "eval/metrics/record.h"
#include "eval/metrics/results.h"

typedef struct skv_summary skv_summary;

/* Pairs, plan, weights (of the networks: "files" or "formula") and what all sides are held against
 * (NULL: nothing) are borrowed. */
SKV_MUST skv_status skv_summary_create(skv_summary **out, const skv_pairs *pairs,
                                       const skv_record_plan *plan, const char *weights,
                                       const skv_against *against);
void skv_summary_destroy(skv_summary *s); /* accepts NULL */

/* Rows [first, first+n), in order: records and features as record.h has them. Rows without pictures
 * are passed over. */
SKV_MUST skv_status skv_summary_add(skv_summary *s, int64_t first, int64_t n, const double *record,
                                    const float *feature);

/* After a round: its features become one block of the moments. */
SKV_MUST skv_status skv_summary_end_round(skv_summary *s);

/* Moves everything into *out. A set of fewer than two pairs has no number. */
SKV_MUST skv_status skv_summary_finish(skv_results *out, skv_summary *s, int threads);

#endif
