/* What an evaluation leaves behind: metrics.h5 and metrics.json. */
#ifndef SKV_EVAL_METRICS_METRICS_FILE_H
#define SKV_EVAL_METRICS_METRICS_FILE_H

#include "eval/metrics/evaluate.h"

typedef struct {
    const skv_pairs *pairs;
    const skv_eval_result *result;
    const char *version;  /* of skv */
    const char *networks; /* "files", "formula" or "none" */
} skv_metrics;

/* metrics.h5: attributes of "/": skv, config_digest, reference, networks. /metrics/id (n); for
 * every compared side /metrics/<name>/{psnr,ssim,lpips} (n) f64, bits_equal (n,S), bits_equal_mean
 * (S); its attributes: digest, n_pairs, n_identical, psnr_mean, psnr_mean_finite, ssim_mean,
 * lpips_mean, fid, kid. What was not computed is absent. Whole or not at all. */
SKV_MUST skv_status skv_metrics_write_h5(const skv_metrics *m, const char *path);

/* The same without the pictures' own numbers; infinite and absent values are null. */
SKV_MUST skv_status skv_metrics_json(json_t **out, const skv_metrics *m);

#endif
