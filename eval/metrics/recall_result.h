/* "recall" of metrics.json: the share of the full cache's attention that falls on tokens which a
 * path still holds, by path, scale and layer (skv recall). README.md has its shape. */
#ifndef SKV_EVAL_METRICS_RECALL_RESULT_H
#define SKV_EVAL_METRICS_RECALL_RESULT_H

#include "core/json.h"

/* Of one path; share (n_scales, n_layers), by_picture (n_pictures): means as `mean`, which is over
 * layers and scales after the first. Borrowed. */
typedef struct {
    const char *name, *digest; /* of the path */
    const double *share, *by_picture;
    int n_scales, n_layers;
    int64_t n_pictures;
    double mean;
} skv_recall_of;

/* A path as JSON; new reference, NULL: a failure for skv_json_append. */
json_t *skv_recall_path_json(const skv_recall_of *p);

/* Of all. */
typedef struct {
    const char *config_digest;
    const int64_t *row; /* (n_pictures) of the run */
    int64_t n_pictures;
    int64_t queries; /* of each head that were looked at; 0: all */
} skv_recall_about;

/* *out = the value of "recall"; takes over paths, a list of skv_recall_path_json. */
SKV_MUST skv_status skv_recall_json(json_t **out, const skv_recall_about *about, json_t *paths);

/* Sets it to that of an earlier metrics.json (NULL: none), if it is of the same configuration. */
SKV_MUST skv_status skv_recall_keep(json_t *root, const json_t *earlier, const char *config_digest);

#endif
