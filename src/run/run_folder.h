/* The folder of a run: run.json says what every picture in it depends on; a second run must match.
 */
#ifndef SKV_RUN_RUN_FOLDER_H
#define SKV_RUN_RUN_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/flag.h"
#include "core/json.h"
#include "core/status.h"
#include "run/claims.h"
#include "run/group_file.h"
#include "run/run_place.h"
#include "run/segments.h"

#define SKV_ID_BYTES   272         /* room for a row's id */
#define SKV_RUN_RANDOM "torch_gpu" /* key of the common part: whose random numbers are drawn */
#define SKV_FLAT_MAX   10000       /* entries of a folder that is not divided by hundreds */

typedef struct {
    const char *name, *digest;
    const json_t *report; /* policy, budget, options */
    bool reference;
} skv_run_plan_path;

/* What a run is going to put into its folder. Everything is borrowed. */
typedef struct {
    json_t *common; /* what all pictures depend on, and its digest */
    const char *digest;
    const skv_run_plan_path *path;
    int n_paths;
    const skv_segments *segments; /* rows and groups */
    const json_t *grown_from;     /* skv_run_growing_part when it was looked at; NULL: no run */
    int64_t flat_max;             /* SKV_FLAT_MAX */
    json_t *settings;             /* as resolved */
    json_t *start;                /* what is noted of this start (run/starts.h); NULL: nothing */
    const char *device;           /* what computes */
    bool any_device;              /* another one than the run's first is warned of, not refused */
    bool bits, image, png;        /* what is kept */
    /* The id of a row, and whether it is sampled. One thread at a time. */
    skv_status (*row_id)(void *rows, int64_t row, char *id, size_t bytes, bool *sampled);
    void *rows;
    /* NULL; or: not 0 ends the wait for the run's lock, and the scan */
    const skv_flag *stop;
} skv_run_plan;

/* Rank 0: makes the folder and its sub-folders, takes the run's lock (run/run_lock.h, for
 * skv_run_lock_release by the caller), compares run.json with this run (another config is refused
 * with the key that differs, a path with other options by its name; another device is refused or
 * warned of; growth where the file is not as plan.grown_from says, or where other jobs are at
 * work), and writes it, with the paths and segments that are new added. From then on to
 * skv_run_folder_leave this process is a job at work. *claims: of this process in the
 * run, for skv_claims_close, also after a failure (NULL where it did not come so far). *out: which
 * folders are divided, as run.json says; a new run.json: those of which a path would hold more than
 * plan.flat_max entries. */
SKV_MUST skv_status skv_run_folder_open(skv_claims **claims, skv_by_hundred *out, const char *run,
                                        const skv_run_plan *plan);

/* Before the claims are closed. */
void skv_run_folder_leave(skv_claims *claims);

/* The group as the run wants it on a path. */
skv_group_want skv_run_plan_want(const skv_run_plan *plan, int path, int64_t group);

/* Work left in a group, per path. */
#define SKV_WORK_COMPUTE 1u
#define SKV_WORK_PNG     2u
#define SKV_WORK_REPLACE 4u /* with COMPUTE: a file is there, but not what is wanted */

/* Fills work[g·n_paths + path] for the groups of a rank's share, every size-th piece of the index
 * (run/run_index.h); what the index knows is not opened. Damaged and foreign group files are
 * computed again (and said so); PNGs that are absent, empty or no regular files are made again. */
SKV_MUST skv_status skv_run_folder_scan(uint8_t *work, const skv_run_place *run,
                                        const skv_run_plan *plan, int rank, int size);

#endif
