/* Looking at many files, most of them in the folder of the one before: it is opened once. */
#ifndef SKV_RUN_STAT_FOLDER_H
#define SKV_RUN_STAT_FOLDER_H

#include <stdbool.h>
#include <sys/stat.h>

#include "core/status.h"
#include "run/run_place.h"

typedef struct {
    int fd; /* < 0: none, or not there. Begin with SKV_STAT_FOLDER */
    char path[4096];
} skv_stat_folder;

#define SKV_STAT_FOLDER ((skv_stat_folder){.fd = -1})

/* *out: what stands in the file's place, a link too, where *there. Fails where that cannot be seen:
 * what is only hidden must not be taken for what is missing. */
SKV_MUST skv_status skv_stat_folder_look(bool *there, struct stat *out, skv_stat_folder *f,
                                         const skv_run_name *file);
void skv_stat_folder_close(skv_stat_folder *f);

/* *there: a PNG of this name is in the open folder, no link, and ends as every PNG does: a copy
 * that was cut, or another file, does not. `path` is for the message. */
SKV_MUST skv_status skv_run_find_png(bool *there, int folder, const char *name, const char *path);
SKV_MUST skv_status skv_stat_folder_find_png(bool *there, skv_stat_folder *f,
                                             const skv_run_name *file);

#endif
