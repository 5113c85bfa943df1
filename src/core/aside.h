/* A new file is written aside, as "<name>.<process>.tmp" in its folder (core/process.h), and
 * renamed when it is whole. A writer that is killed leaves the aside file behind; skv_aside_sweep
 * removes it. */
#ifndef SKV_CORE_ASIDE_H
#define SKV_CORE_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "core/status.h"

typedef struct {
    int fd;           /* of the new file, for writing; -1: none */
    int folder;       /* descriptor of the folder that holds it */
    const char *path; /* its final name; borrowed */
    const char *name; /* the last part of it */
    char aside[320];  /* the name until then, in `folder` */
} skv_aside;

/* Makes the aside file of `path` (n_below: core/folder.h). `path` must live as long as *out, which
 * is committed or dropped by the caller. */
SKV_MUST skv_status skv_aside_create(skv_aside *out, const char *path, int n_below);

/* Writes all of `data`. */
SKV_MUST skv_status skv_aside_write(const skv_aside *a, const void *data, size_t bytes);

/* Syncs the content, so that after a power loss no name stands for bytes that are gone. */
SKV_MUST skv_status skv_aside_sync(const skv_aside *a);

/* Syncs, renames into place and syncs the folder; on failure the aside file is dropped. */
SKV_MUST skv_status skv_aside_commit(skv_aside *a);

/* The same without syncing the folder, for files that are made again where they are missing: after
 * a power loss there is the old file or none, never half of one. */
SKV_MUST skv_status skv_aside_commit_derived(skv_aside *a);

/* Throws the aside file away. Does nothing after a commit. */
void skv_aside_drop(skv_aside *a);

/* Whether the writer of an aside file that was last written at `written` is dead. */
typedef bool (*skv_aside_is_dead)(const void *ctx, const char *process, struct timespec written);

/* Removes aside files of dead writers, regular ones, from a folder. A folder that is not there is
 * fine. */
SKV_MUST skv_status skv_aside_sweep(const char *folder, int n_below, skv_aside_is_dead is_dead,
                                    const void *ctx);

/* Writes all bytes, however many the system takes at once. Returns 0 or errno. */
SKV_MUST int skv_write_fully(int fd, const void *data, size_t bytes);

#endif
