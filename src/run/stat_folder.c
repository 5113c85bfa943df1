#include "run/stat_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/folder.h"

/* A folder that is not there is remembered, too. */
static skv_status enter(skv_stat_folder *f, const char *path, size_t bytes, int n_below)
{
    skv_status st;

    if (strncmp(f->path, path, bytes) == 0 && !f->path[bytes])
        return SKV_OK;
    skv_stat_folder_close(f);
    snprintf(f->path, sizeof f->path, "%.*s", (int)bytes, path);
    st = skv_folder_open(&f->fd, f->path, n_below);
    if (st == SKV_OK)
        return SKV_OK;
    f->fd = -1;
    if (st == SKV_E_NOTFOUND)
        return SKV_OK;
    *f = SKV_STAT_FOLDER;
    return st;
}

/* *there: something of this name is in the open folder. */
static skv_status look(bool *there, struct stat *out, int folder, const char *name,
                       const char *path)
{
    *there = fstatat(folder, name, out, AT_SYMLINK_NOFOLLOW) == 0;
    if (*there || skv_name_status(errno) == SKV_E_NOTFOUND)
        return SKV_OK;
    return skv_fail(skv_name_status(errno), "%s: cannot look at it: %s", path, strerror(errno));
}

skv_status skv_stat_folder_look(bool *there, struct stat *out, skv_stat_folder *f,
                                const skv_run_name *file)
{
    const char *name = strrchr(file->path, '/');

    *there = false;
    SKV_TRY(enter(f, file->path, (size_t)(name - file->path), file->n_below - 1));
    if (f->fd < 0)
        return SKV_OK;
    return look(there, out, f->fd, name + 1, file->path);
}

skv_status skv_run_find_png(bool *there, int folder, const char *name, const char *path)
{
    static const char last_chunk[12] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', '\xae', 'B', '`', '\x82'};
    char end[sizeof last_chunk];
    struct stat info;
    bool is = false;
    skv_status st;
    int fd;

    *there = false;
    SKV_TRY(look(&is, &info, folder, name, path));
    if (!is || !S_ISREG(info.st_mode) || info.st_size <= (off_t)sizeof end)
        return SKV_OK;
    fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return skv_fail(skv_name_status(errno), "%s: cannot read: %s", path, strerror(errno));
    st = skv_read_at(fd, end, sizeof end, info.st_size - (off_t)sizeof end, path);
    *there = st == SKV_OK && memcmp(end, last_chunk, sizeof end) == 0;
    close(fd);
    return st;
}

skv_status skv_stat_folder_find_png(bool *there, skv_stat_folder *f, const skv_run_name *file)
{
    const char *name = strrchr(file->path, '/');

    *there = false;
    SKV_TRY(enter(f, file->path, (size_t)(name - file->path), file->n_below - 1));
    return f->fd < 0 ? SKV_OK : skv_run_find_png(there, f->fd, name + 1, file->path);
}

void skv_stat_folder_close(skv_stat_folder *f)
{
    if (f->fd >= 0)
        close(f->fd);
    *f = SKV_STAT_FOLDER;
}
