/* The networks that the metrics need: where their files of weights are, and opening them. */
#ifndef SKV_EVAL_METRICS_NETWORKS_H
#define SKV_EVAL_METRICS_NETWORKS_H

#include "eval/metrics/metric.h"

#define SKV_WEIGHTS_FORMULA "formula" /* in place of a file: made-up weights, for tests */

/* *out = the file to read (free()): `given` as it is; otherwise the first regular file of this name
 * in the folders weights (of the current folder), <program's folder>/../weights and
 * <program's folder>/weights. NULL: it is in none of them. */
SKV_MUST skv_status skv_weights_find(char **out, const char *given, const char *name);

typedef struct {
    const skv_metric_network *network;
    void *state;                   /* NULL: not open */
    char *path[SKV_NETWORK_FILES]; /* its files; NULL: not found */
} skv_open_network;

typedef struct {
    int n;
    skv_open_network *item; /* every network of skv_metrics[] once */
} skv_networks;

/* What the user says of a file: its name, or NULL for the usual one. */
typedef const char *skv_weights_given(void *ctx, const char *option);

/* All networks, none of them open. Cleared with skv_networks_close, also after a failure. */
SKV_MUST skv_status skv_networks_create(skv_networks *out);

/* Finds the files, and opens each network of which all are there. A network of which one is given
 * is opened in any case: what is missing then is an error. */
SKV_MUST skv_status skv_networks_open(skv_networks *networks, skv_backend *be,
                                      skv_weights_given *given, void *ctx);
void skv_networks_close(skv_networks *networks);

/* State of a network; NULL: it is not open. */
void *skv_networks_state(const skv_networks *networks, const skv_metric_network *network);

#endif
