/* What a run prints: its plan, its progress, its table of paths. All but the JSON are members of
 * skv_job_report (job/job.h). */
#ifndef SKV_CLI_SAMPLE_PRINT_H
#define SKV_CLI_SAMPLE_PRINT_H

#include "core/json.h"
#include "io/h5.h"
#include "job/job.h"

/* Their ctx. */
typedef struct {
    double said;         /* skv_job_progress.seconds of the last line in a log */
    char json[4096];     /* --json, a copy: the job's settings end with it; "": none */
    bool has_table;      /* of paths, which was printed */
    skv_json_maker plan; /* of a dry run with --json; ends in skv_print_end */
} skv_progress;

/* One line a rank, groups, memory by purpose, disk: to stdout for --dry-run (where it is the
 * result), to the log otherwise. */
void skv_print_plan(void *progress, const skv_run_setup *setup, const skv_blob *rank, int n_ranks);

/* With --for: memory, the largest group and hours. */
void skv_print_estimate(void *progress, const skv_job_estimate *estimate);

/* After the job: the plan of a dry run as JSON where --json asks for it, also of a plan that does
 * not fit; and a warning where --json asked for a table that this job did not get to. Returns
 * `ended`, the job's status, if that is a failure. */
SKV_MUST skv_status skv_print_end(skv_progress *progress, skv_status ended);

/* How far all ranks are, images/s and the time left: a line with a bar that rewrites itself on a
 * terminal; elsewhere a line a minute. */
void skv_print_progress(void *progress, const skv_job_progress *p);

/* The table of paths of RUN/run.h5 on stdout: tokens kept, cache bytes, seconds. */
SKV_MUST skv_status skv_print_paths(void *progress, const char *run);

/* The same as a new JSON list, of an open run.h5. */
SKV_MUST skv_status skv_paths_summary(json_t **out, skv_h5 *run_h5);

#endif
