/* What an evaluation leaves behind: metrics.h5 and metrics.json, and pictures' numbers as a table.
 * README.md has their layout. */
#ifndef SKV_EVAL_METRICS_METRICS_FILE_H
#define SKV_EVAL_METRICS_METRICS_FILE_H

#include "core/json.h"
#include "eval/metrics/pairs.h"
#include "eval/metrics/results.h"

typedef struct {
    const skv_pairs *pairs;
    const skv_results *results; /* of the compared paths, in the order of the run */
    const char *version;        /* of skv */
    const json_t *libraries;    /* that ran; NULL: not known */
} skv_metrics_file;

/* Writes metrics.h5. What was not computed is absent. Whole or not at all. */
SKV_MUST skv_status skv_metrics_write_h5(const skv_metrics_file *m, const char *path);

/* The same without the pictures' own numbers, and with the rows that were left out; infinite and
 * absent values are null. */
SKV_MUST skv_status skv_metrics_json(json_t **out, const skv_metrics_file *m);

/* A line a path and row, with the numbers of pictures: id, path, status (done, failed), each metric
 * (of one by scale the mean over the scales), reason of a failure. What was not computed is empty.
 * Whole or not at all. */
SKV_MUST skv_status skv_metrics_write_csv(const skv_metrics_file *m, const char *path);

/* "formula" if some numbers come from made-up weights, else "files" if some come from a network,
 * else "none". */
const char *skv_results_weights(const skv_results *r);

/* An earlier metrics.h5. */
typedef struct {
    char *reference, *reference_digest, *config_digest; /* reference_digest: NULL, not in it */
    char **id;                                          /* (results.n) */
    skv_results results;                                /* paths by name */
    char *unknown; /* a dataset of no metric of this program, which was passed over; NULL: none */
} skv_old_metrics;

/* SKV_E_NOTFOUND where there is none. Cleared with skv_old_metrics_clear, also after a failure. */
SKV_MUST skv_status skv_metrics_read_h5(skv_old_metrics *out, const char *path);
void skv_old_metrics_clear(skv_old_metrics *old);

#endif
