/* Whole files: read with a bound, written aside and renamed.
 *
 * `n_below` is explained in core/folder.h. Only regular files are opened, and never waited for: a
 * FIFO is refused.
 */
#ifndef SKV_CORE_FILE_H
#define SKV_CORE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/folder.h"
#include "core/status.h"

/* Opens a file for reading: *fd (close()). SKV_E_NOTFOUND when there is none, SKV_E_KIND when it
 * is not a regular file or is a link below the run, SKV_E_DENIED when this user may not read it,
 * SKV_E_IO for the rest. */
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

/* The same from `offset` on, without moving fd's place: any number of threads may read at once. A
 * file that ends before the last byte is SKV_E_FORMAT. */
SKV_MUST skv_status skv_read_at(int fd, void *to, size_t bytes, int64_t offset, const char *path);

/* Writes `path` aside (core/aside.h), syncs, renames, and syncs the folder: whole or not at all.
 * A link of that name is replaced, not followed. */
SKV_MUST skv_status skv_file_write(const char *path, const void *data, size_t bytes);

/* Opens a file for appending, or for reading and writing; made if need be: *fd (close()). */
SKV_MUST skv_status skv_file_append(int *fd, const char *path, int n_below);
SKV_MUST skv_status skv_file_update(int *fd, const char *path, int n_below);

#endif
