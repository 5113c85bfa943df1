/* The recall of a finished run's paths on all ranks: some of its groups are computed again with the
 * bits of its full cache (calibrate/recall.h), and rank 0 adds up what was found, in the order of
 * rows. */
#ifndef SKV_JOB_RECALL_RUN_H
#define SKV_JOB_RECALL_RUN_H

#include "job/job.h"
#include "run/run_json.h"

typedef struct {
    skv_settings run; /* first: the rows that sample has, too, lie in it */
    int64_t n_prompts, queries;
    bool report;
    char *json;
} skv_recall_options;

extern const skv_option skv_recall_table[];

void skv_recall_options_clear(skv_recall_options *o);

/* On rank 0, at the end. */
typedef struct {
    const skv_run_json *json; /* of the run */
    const skv_recall_options *options;
    const skv_path *path;         /* (n_paths) */
    const char *const *digest;    /* (n_paths) of the paths */
    const double *share;          /* (n_paths, n_scales, n_layers): means over pictures */
    const double *by_picture;     /* (n_paths, n_pictures): skv_recall_mean of each */
    const int64_t *row;           /* (n_pictures) of the run, ascending */
    const skv_segments *segments; /* of the run */
    int n_paths, n_scales, n_layers;
    int64_t n_pictures;
} skv_recall_outcome;

typedef struct {
    skv_comm *comm;
    const char *run;             /* the run's folder */
    skv_recall_options *options; /* as the command line has them; the run's settings are added */
    skv_status (*done)(void *ctx, const skv_recall_outcome *outcome);
    void *ctx;
} skv_recall_run_setup;

/* Collective; all ranks return the same. *n_failed = rows of these groups without a picture.
 * SKV_E_ARG: options out of range, a folder that is no run, a run without bits of a full cache, or
 * files that are not those that the run was made of. */
SKV_MUST skv_status skv_recall_run(int64_t *n_failed, const skv_recall_run_setup *setup);

#endif
