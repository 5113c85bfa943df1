/* RUN/run.json as commands other than sample read it. The folder may come from a stranger, so every
 * field here has been checked. */
#ifndef SKV_RUN_RUN_JSON_H
#define SKV_RUN_RUN_JSON_H

#include <stdint.h>

#include "core/json.h"
#include "core/status.h"
#include "run/group_file.h"
#include "run/segments.h"

typedef struct {
    json_t *root;
    json_t *common, *settings, *paths; /* objects, parts of root. Keys of paths are usable as names
                                        * of folders; there is at least one */
    const char *digest;                /* of common; part of root */
    skv_by_hundred by_hundred;
    json_t *segments;         /* part of root (run/segments.h); NULL: of a version that had none */
    json_t *starts;           /* part of root (run/starts.h); NULL: the same */
    int64_t n_rows, n_groups; /* 1 <= n_groups <= n_rows <= 2^40 */
} skv_run_json;

/* Whether the user's RUN is a folder with a run in it; otherwise SKV_E_ARG says which it is not. */
SKV_MUST skv_status skv_run_is_there(const char *run);

/* SKV_E_ARG when the folder is no run, SKV_E_NOTFOUND when run.json alone is missing, SKV_E_FORMAT
 * naming what is wrong. Cleared with
 * skv_run_json_clear, also after a failure. */
SKV_MUST skv_status skv_run_json_read(skv_run_json *out, const char *run);
void skv_run_json_clear(skv_run_json *r);

/* Which rows are in which group. SKV_E_FORMAT where run.json does not say, or says two things. */
SKV_MUST skv_status skv_run_json_segments(skv_segments *out, const skv_run_json *r,
                                          const char *run);

/* Reads a group of a path of the run (skv_group_file_read), and its bits if these are wanted.
 * SKV_E_FORMAT: it is of another run, path or group, or holds no bits. */
SKV_MUST skv_status skv_run_json_group(skv_group_record *rec, const skv_run_json *r,
                                       const char *run, const char *path, int64_t group,
                                       unsigned parts);

#endif
