/* What a run says: its plan, its progress, its table of paths. */
#ifndef SKV_CLI_SAMPLE_PRINT_H
#define SKV_CLI_SAMPLE_PRINT_H

#include "mpi/comm.h"
#include "sample/run_setup.h"

/* One line a rank, groups, memory by purpose, disk; rank 0 prints, to stdout for --dry-run (where
 * it is the result), to the log otherwise. Collective. */
SKV_MUST skv_status skv_print_plan(const skv_run_setup *s, skv_comm *comm, const skv_backend *be);

typedef struct {
    double start;
    int64_t n_groups, done, images;
} skv_progress;

void skv_progress_start(skv_progress *p, int64_t n_groups);
/* After a group: images/s of this rank and the time left; a line that rewrites itself on a
 * terminal. */
void skv_progress_group(skv_progress *p, const skv_run_setup *s, int64_t g, int rank);

/* The table of paths of RUN/run.h5 on stdout: tokens kept, cache bytes, seconds. */
SKV_MUST skv_status skv_print_paths(const char *run);

/* The same as a new JSON list. */
SKV_MUST skv_status skv_paths_summary(json_t **out, const char *run);

#endif
