/* Mean and covariance of features in a file as pytorch-fid and clean-fid write and read them:
 * numpy's .npz with the arrays mu (d) and sigma (d,d). */
#ifndef SKV_EVAL_METRICS_STATISTICS_FILE_H
#define SKV_EVAL_METRICS_STATISTICS_FILE_H

#include "eval/metrics/kept_features.h"

/* *out: mean and covariance, of a number of pictures that the file does not say (n 0). What is no
 * covariance (not finite, not symmetric, a variance below 0) is SKV_E_FORMAT; of other dimensions
 * SKV_E_SHAPE; no such arrays or no such file SKV_E_NOTFOUND. Cleared by the caller, also after a
 * failure. */
SKV_MUST skv_status skv_statistics_read(skv_kept_features *out, const char *path, int d);

/* Of a set of two vectors at least; whole or not at all. */
SKV_MUST skv_status skv_statistics_write(const char *path, int d, const skv_feature_set *set);

#endif
