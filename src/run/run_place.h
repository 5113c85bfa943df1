/* Where the files of a run stand: the one place that makes their names.
 *
 * A folder is flat, groups/<path>/000123.h5 and images/<path>/<id>.png, or has a folder for each
 * hundred: groups/<path>/0012/001234.h5 for group 1234, images/<path>/0012/<id>.png for the picture
 * of row 1234. Which of the two is decided when run.json is made (run/run_folder.h) and stays. */
#ifndef SKV_RUN_RUN_PLACE_H
#define SKV_RUN_RUN_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"
#include "core/status.h"

/* Which folders are divided; run.json's "by_hundred". A run without this key is flat. */
#define SKV_BY_HUNDRED "by_hundred"
typedef struct {
    bool groups, images;
} skv_by_hundred;

typedef struct {
    const char *folder; /* of the run, borrowed; NULL: names are relative to it */
    skv_by_hundred by_hundred;
} skv_run_place;

/* The name of a file. Its last n_below parts are below the run's folder (core/folder.h). */
typedef struct {
    char path[4096];
    int n_below;
} skv_run_name;

/* SKV_E_ARG for a path's name or a number that cannot be part of a file's name, and for a name that
 * is too long. */
SKV_MUST skv_status skv_run_name_group(skv_run_name *out, const skv_run_place *run,
                                       const char *path, int64_t group);
/* id: one that skv_prompts_id_is_usable takes (else SKV_E_FORMAT: it is a stranger's). */
SKV_MUST skv_status skv_run_name_image(skv_run_name *out, const skv_run_place *run,
                                       const char *path, int64_t row, const char *id);

/* Makes the folder of a hundred that the file will stand in; a power loss does not undo it.
 * Does nothing where the folder is flat: that one is made with the run. */
SKV_MUST skv_status skv_run_name_make_folder(const skv_run_name *name);

/* Between run.json's root and the struct; SKV_E_FORMAT where the key has another form. */
SKV_MUST skv_status skv_by_hundred_read(skv_by_hundred *out, const json_t *root, const char *file);
json_t *skv_by_hundred_json(const skv_by_hundred *b); /* new reference, NULL: no memory */

#endif
