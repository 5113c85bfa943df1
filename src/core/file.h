/* Whole files: read with a bound, written aside and renamed.
 *
 * A run's folder may come from a stranger. `n_below` says how many of a path's last parts stand
 * below such a folder ("RUN/images/full/a.png": 3): none of these may be a link, "." or "..", so
 * nothing outside is read or touched. What stands before them is the user's, links are followed;
 * n_below 0: all parts are the user's. Only regular files are opened, and never waited for: a FIFO
 * is refused.
 */
#ifndef SKV_CORE_FILE_H
#define SKV_CORE_FILE_H

#include <stddef.h>

#include "core/status.h"

/* Opens a file for reading: *fd (close()). SKV_E_NOTFOUND when there is none, SKV_E_FORMAT when it
 * is not a regular file or is a link below the run, SKV_E_IO for the rest. */
SKV_MUST skv_status skv_file_open(int *fd, const char *path, int n_below);

/* Reads a whole file of at most `max_bytes` into *out (free()), NUL-terminated; *out_bytes excludes
 * the NUL. Fails as skv_file_open does, and with SKV_E_FORMAT for a longer file. */
SKV_MUST skv_status skv_file_read_below(char **out, size_t *out_bytes, const char *path,
                                        int n_below, size_t max_bytes);
SKV_MUST skv_status skv_file_read(char **out, size_t *out_bytes, const char *path,
                                  size_t max_bytes); /* n_below 0 */

/* Reads `bytes` from fd, fewer only where the file ends; *n: how many. Passing faults are tried
 * again: interrupted and short reads always, an I/O error a few times. `path` is for the message
 * alone. */
SKV_MUST skv_status skv_read_fully(size_t *n, int fd, void *to, size_t bytes, const char *path);

/* Writes `path` aside (core/aside.h), syncs, renames, and syncs the folder: whole or not at all.
 * A link of that name is replaced, not followed. */
SKV_MUST skv_status skv_file_write(const char *path, const void *data, size_t bytes);

/* Opens a file for appending, or for reading and writing; made if need be: *fd (close()). */
SKV_MUST skv_status skv_file_append(int *fd, const char *path, int n_below);
SKV_MUST skv_status skv_file_update(int *fd, const char *path, int n_below);

/* The folder that holds `path`: *fd (close()), good for the *at() calls; *name: the last part,
 * borrowed from `path`. SKV_E_NOTFOUND when there is no such folder. */
SKV_MUST skv_status skv_folder_of(int *fd, const char **name, const char *path, int n_below);

/* Syncs a folder opened by skv_folder_of, or the one that holds `path`, so that a rename into it
 * survives a power loss. */
SKV_MUST skv_status skv_folder_sync(int fd, const char *path);
SKV_MUST skv_status skv_file_sync_folder(const char *path);

/* The folder `path` itself, for listing: *fd (close()). */
SKV_MUST skv_status skv_folder_open(int *fd, const char *path, int n_below);

/* Makes `path` and its missing parents (mode 0777 less the umask); existing folders are fine. */
SKV_MUST skv_status skv_folder_make_below(const char *path, int n_below);
SKV_MUST skv_status skv_folder_make(const char *path); /* n_below 0 */

/* *out = "folder/name" (free()), or a copy of `name` when it is absolute or folder is NULL. */
SKV_MUST skv_status skv_path_join(char **out, const char *folder, const char *name);

#endif
