/* "recall" of metrics.json: the share of the full cache's attention that falls on tokens which a
 * path still holds, by path, scale and layer (skv recall). README.md has its shape. */
#ifndef SKV_EVAL_METRICS_RECALL_RESULT_H
#define SKV_EVAL_METRICS_RECALL_RESULT_H

#include "core/json.h"

/* Of one path; share (n_scales, n_layers), borrowed. */
typedef struct {
    const char *name, *digest; /* of the path */
    const double *share;
    int n_scales, n_layers;
} skv_recall_of;

/* Mean over layers and over scales from the second on: the first has only itself to look at. */
double skv_recall_mean(const skv_recall_of *p);

/* A path as JSON; new reference, NULL: a failure for skv_json_append. */
json_t *skv_recall_path_json(const skv_recall_of *p);

/* Sets "recall" of root, a metrics.json in the making: of n_pictures, `queries` of each head looked
 * at (0: all); takes over paths, a list of skv_recall_path_json. */
SKV_MUST skv_status skv_recall_put(json_t *root, const char *config_digest, int64_t n_pictures,
                                   int64_t queries, json_t *paths);

/* Sets it to that of an earlier metrics.json (NULL: none), if it is of the same configuration. */
SKV_MUST skv_status skv_recall_keep(json_t *root, const json_t *earlier, const char *config_digest);

#endif
