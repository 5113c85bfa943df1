/* Rank 0's side of an evaluation: pictures' numbers put in their places, features kept or summed,
 * and from them the means, FID and KID.
 *
 * FID comes from the features themselves for as many as they have dimensions, else from moments,
 * added in blocks of a round. KID samples at most POOL pictures, evenly spaced over the run. */
#ifndef SKV_EVAL_METRICS_SUMMARY_H
#define SKV_EVAL_METRICS_SUMMARY_H

#include "eval/metrics/evaluate.h"

typedef struct skv_summary skv_summary;

SKV_MUST skv_status skv_summary_create(skv_summary **out, const skv_pairs *pairs, bool with_lpips,
                                       bool with_features, int n_threads);
void skv_summary_destroy(skv_summary *s); /* accepts NULL */

/* Rows [first, first+n), in order. record (n, sides - 1, 3 + S): PSNR, SSIM, LPIPS, share of equal
 * bits by scale; feature (n, sides, SKV_FEATURES), ignored without features. Rows of failed prompts
 * are passed over. */
SKV_MUST skv_status skv_summary_add(skv_summary *s, int64_t first, int64_t n, const double *record,
                                    const float *feature);

/* After a round: its features become one block of the moments. */
SKV_MUST skv_status skv_summary_end_round(skv_summary *s);

/* Moves everything into *out. */
SKV_MUST skv_status skv_summary_finish(skv_eval_result *out, skv_summary *s);

#endif
