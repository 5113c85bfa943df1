/* A sampling job on all ranks: from the command's arguments to run.h5.
 *
 * Rank 0 reads the configuration, the prompts and the run's folder, and tells the others. All ranks
 * agree after every phase (job/phase.h), share out the groups that are left, and compute without
 * talking to one another until the groups are gathered. */
#ifndef SKV_JOB_JOB_H
#define SKV_JOB_JOB_H

#include "core/gpus.h"
#include "job/phase.h"
#include "sample/run_setup.h"

/* With --for: of the GPU that is planned for. */
typedef struct {
    skv_planned_gpu gpu;
    size_t available; /* bytes, for the plan's */
    int largest;      /* the largest group that fits, of at most... */
    int most;         /* ..this many rows */
    double hours;     /* of one rank alone; 0: not known */
    bool measured;    /* rates are this GPU's, not scaled from another one's */
} skv_job_estimate;

/* All ranks together, as rank 0 knows them: some seconds behind. */
typedef struct {
    int64_t done, all; /* groups; all: those that the run lacked when the job began */
    double images;     /* done, by the mean of a group */
    double seconds;    /* since rank 0 began with its groups */
    int n_ranks;       /* at work, those of other jobs too */
    bool last;
} skv_job_progress;

/* Called as the job proceeds, for a command that prints; members may be NULL. */
typedef struct {
    void *ctx;
    /* On rank 0, before anything is loaded. rank[r].data: one line of text about rank r. */
    void (*planned)(void *ctx, const skv_run_setup *setup, const skv_blob *rank, int n_ranks);
    /* On rank 0, with --for, once the plan fits. */
    void (*estimated)(void *ctx, const skv_job_estimate *estimate);
    /* On rank 0, about each second while groups are computed, from another thread; `last`: the last
     * time, from the job's own. */
    void (*progress)(void *ctx, const skv_job_progress *progress);
    /* On rank 0, when RUN/run.h5 is complete. */
    skv_status (*gathered)(void *ctx, const char *run);
} skv_job_report;

typedef struct {
    skv_comm *comm;
    int argc; /* the command's arguments (sample/settings.h) */
    char **argv;
    const skv_option *const *others; /* further tables whose keys a config may hold */
    /* Of a command with options of its own: its table and a struct that begins with a skv_settings,
     * read by the command, borrowed. NULL: the job reads sample's from argv. */
    const skv_option *table;
    const void *options;
    /* Device bytes that the command takes for each row of a group beside the plan's; NULL: none. */
    size_t (*probe_row)(const void *probe_ctx, const skv_run_setup *run);
    const void *probe_ctx;
    skv_job_report report;
    skv_phase_failure failure; /* for tests */
} skv_job_setup;

typedef struct {
    int64_t n_failed; /* rows that have no picture; in a dry run, that will have none */
} skv_job_result;

/* Collective; all ranks return the same. SKV_E_ARG: settings that are wrong, or not the same on all
 * ranks. SKV_E_STOPPED: asked to stop by a signal; the same command goes on later. */
SKV_MUST skv_status skv_job_run(skv_job_result *out, const skv_job_setup *setup);

/* Name of the i-th phase, NULL after the last: for tests. */
const char *skv_job_phase_name(int i);

#endif
