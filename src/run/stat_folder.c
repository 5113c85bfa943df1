#include "run/stat_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/folder.h"

static void enter(skv_stat_folder *f, const char *path, size_t bytes, int n_below)
{
    if (strncmp(f->path, path, bytes) == 0 && !f->path[bytes])
        return;
    skv_stat_folder_close(f);
    snprintf(f->path, sizeof f->path, "%.*s", (int)bytes, path);
    if (skv_folder_open(&f->fd, f->path, n_below) != SKV_OK)
        f->fd = -1;
}

bool skv_stat_folder_look(struct stat *out, skv_stat_folder *f, const skv_run_name *file)
{
    const char *name = strrchr(file->path, '/');

    enter(f, file->path, (size_t)(name - file->path), file->n_below - 1);
    return f->fd >= 0 && fstatat(f->fd, name + 1, out, AT_SYMLINK_NOFOLLOW) == 0;
}

void skv_stat_folder_close(skv_stat_folder *f)
{
    if (f->fd >= 0)
        close(f->fd);
    *f = SKV_STAT_FOLDER;
}
