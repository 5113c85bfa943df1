/* InceptionV3 of 2015-12-05, the network of FID: 2048 features of a picture. See
 * eval/metrics/README.md, Inception. */
#ifndef SKV_EVAL_METRICS_INCEPTION_H
#define SKV_EVAL_METRICS_INCEPTION_H

#include "eval/metrics/metric.h"

#define SKV_FEATURES       2048
#define SKV_INCEPTION_SIDE 299

typedef struct skv_inception skv_inception;

/* Its state is a skv_inception of one picture a call. */
extern const skv_metric_network skv_network_inception;

/* path: pytorch-fid's file, or "formula". Up to `batch` pictures a call. be: fp32, borrowed. */
SKV_MUST skv_status skv_inception_open(skv_inception **out, skv_backend *be, const char *path,
                                       int batch);
void skv_inception_close(skv_inception *net); /* accepts NULL */

/* x (n,299,299,3) of the host, 0..255 as resized; features (n,SKV_FEATURES) of the host. */
SKV_MUST skv_status skv_inception_features(skv_inception *net, const float *x, int n,
                                           float *features);

/* From now on called with the output (n,h,w,c) of every stage (the stem's layers, maxpool1,
 * maxpool2, Mixed_5b .. Mixed_7c), valid during the call. */
typedef skv_status (*skv_inception_probe)(void *ctx, const char *stage, const skv_tensor *y);
void skv_inception_watch(skv_inception *net, skv_inception_probe probe, void *ctx);

#endif
