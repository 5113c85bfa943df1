/* Folders, and paths that lead into them.
 *
 * A run's folder may come from a stranger. `n_below` says how many of a path's last parts stand
 * below such a folder ("RUN/images/full/a.png": 3): none of these may be a link, "." or "..", so
 * nothing outside is read or touched. What stands before them is the user's, links are followed;
 * n_below 0: all parts are the user's.
 */
#ifndef SKV_CORE_FOLDER_H
#define SKV_CORE_FOLDER_H

#include <dirent.h>
#include <stddef.h>

#include "core/status.h"

/* The folder that holds `path`: *fd (close()), good for the *at() calls; *name: the last part,
 * borrowed from `path`. SKV_E_NOTFOUND when there is no such folder. */
SKV_MUST skv_status skv_folder_of(int *fd, const char **name, const char *path, int n_below);

/* Syncs a folder opened by skv_folder_of, so that a rename into it survives a power loss. */
SKV_MUST skv_status skv_folder_sync(int fd, const char *path);

/* The folder `path` itself, for listing: *fd (close()). */
SKV_MUST skv_status skv_folder_open(int *fd, const char *path, int n_below);

/* The same for readdir(): *out (closedir()). */
SKV_MUST skv_status skv_folder_list(DIR **out, const char *path, int n_below);

/* *e: the next entry of an open folder, NULL after the last. readdir itself does not tell the end
 * from a fault; a list that is cut short would be taken for the whole. `path` is for the message.
 */
SKV_MUST skv_status skv_folder_next(const struct dirent **e, DIR *d, const char *path);

/* Names of files, without the folder. Zeroed: none. */
typedef struct {
    char **name;
    size_t n;
} skv_names;

/* All entries of a folder but "." and "..", in order of their bytes: *out (skv_names_clear). */
SKV_MUST skv_status skv_folder_names(skv_names *out, const char *path, int n_below);

void skv_names_sort(skv_names *l);
void skv_names_clear(skv_names *l);

/* Makes `path` and its missing parents (mode 0777 less the umask); existing folders are fine. */
SKV_MUST skv_status skv_folder_make_below(const char *path, int n_below);
SKV_MUST skv_status skv_folder_make(const char *path); /* n_below 0 */

/* Makes the folder that will hold the file `path`; the folder above it is there already. Synced:
 * a power loss does not take the folder away from a file that was put into it. */
SKV_MUST skv_status skv_folder_make_of(const char *path, int n_below);

/* *out = "folder/name" (free()), or a copy of `name` when it is absolute or folder is NULL. */
SKV_MUST skv_status skv_path_join(char **out, const char *folder, const char *name);

/* *out = `path` (free()), behind the current folder where it is relative. */
SKV_MUST skv_status skv_path_absolute(char **out, const char *path);

/* What errno `reason` of opening, making or listing a name means: SKV_E_NOTFOUND when it is not
 * there, SKV_E_KIND for a link or what is not a regular file, SKV_E_DENIED where this user may not,
 * SKV_E_IO for the rest. */
skv_status skv_name_status(int reason);

/* Fails so, with errno `reason` of opening `path`. */
SKV_MUST skv_status skv_cannot_open(const char *path, int reason);

/* Fails with errno `reason` of making `path`; what: "create". Never SKV_E_NOTFOUND, which is for
 * what is read: a place where nothing can be made is SKV_E_KIND. */
SKV_MUST skv_status skv_cannot_make(const char *path, const char *what, int reason);

#endif
