/* How far a run is, by its folder alone: no rank is asked, and nothing is written. */
#ifndef SKV_RUN_RUN_STATUS_H
#define SKV_RUN_RUN_STATUS_H

#include "run/claims.h"
#include "run/run_json.h"

#define SKV_STATUS_SECONDS 600.0 /* the rate is that of the groups of so long */

/* What a rank says of itself with its heartbeat. */
typedef struct {
    int rank, size;
    int64_t groups; /* that it has finished */
    double seconds; /* of one, in the mean */
} skv_rank_progress;

void skv_rank_progress_say(skv_claims *c, const skv_rank_progress *p);

/* What the living ranks of a run have said last, this process left out (free()). Writes nothing. */
SKV_MUST skv_status skv_rank_progress_others(skv_rank_progress **out, int *n, const char *run);

typedef struct {
    skv_claims_heart heart;
    bool is_rank; /* it has said how far it is */
    skv_rank_progress progress;
} skv_status_process;

typedef struct {
    const char *name; /* part of run */
    int64_t done;     /* groups */
} skv_status_path;

typedef struct {
    skv_run_json run;
    skv_status_path *path; /* in the order of run.json */
    int n_paths;
    int64_t done, all;           /* groups of all paths */
    double rate;                 /* groups a second, 0: none were finished in SKV_STATUS_SECONDS */
    double idle;                 /* seconds since the last group; < 0: there is none yet */
    bool gathered;               /* there is a run.h5 */
    skv_status_process *process; /* with a heartbeat: the living, the slowest ranks first */
    int n_processes, n_dead;     /* n_dead: left out */
} skv_run_status;

/* As skv_run_json_read fails. Cleared with skv_run_status_clear, also after a failure. */
SKV_MUST skv_status skv_run_status_read(skv_run_status *out, const char *run);
void skv_run_status_clear(skv_run_status *s);

#endif
