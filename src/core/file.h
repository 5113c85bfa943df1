/* Whole files: read with a bound, written aside and renamed. */
#ifndef SKV_CORE_FILE_H
#define SKV_CORE_FILE_H

#include <stddef.h>

#include "core/status.h"

/* Reads a whole file of at most `max_bytes` into *out (free()), NUL-terminated; *out_bytes excludes
 * the NUL. Follows symlinks; refuses what is no regular file. */
SKV_MUST skv_status skv_file_read(char **out, size_t *out_bytes, const char *path,
                                  size_t max_bytes);

/* Reads `bytes` from fd, fewer only where the file ends; *n: how many. What passes is tried again:
 * interrupted and short reads always, an I/O error a few times. `path` is for the message alone. */
SKV_MUST skv_status skv_read_fully(size_t *n, int fd, void *to, size_t bytes, const char *path);

/* Writes `path` aside (path.tmp), syncs, renames, and syncs the folder: whole or not at all. */
SKV_MUST skv_status skv_file_write(const char *path, const void *data, size_t bytes);

/* Syncs the folder that holds `path`, so that a rename into it survives a power loss. */
SKV_MUST skv_status skv_file_sync_folder(const char *path);

/* Makes `path` and its missing parents (mode 0777 less the umask); existing folders are fine. */
SKV_MUST skv_status skv_folder_make(const char *path);

/* *out = "folder/name" (free()), or a copy of `name` when it is absolute or folder is NULL. */
SKV_MUST skv_status skv_path_join(char **out, const char *folder, const char *name);

#endif
