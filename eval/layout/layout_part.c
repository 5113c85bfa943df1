/* The folder beside an export in which it is made. */
#include "eval/layout/layout_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/folder.h"

/* The folder with all that is in it, if it is there; symlinks are not followed. False: errno. What
 * a list leaves out that breaks off is met when the folder itself is removed. */
static bool remove_tree(int at, const char *name) /* NOLINT(misc-no-recursion) */
{
    const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    bool good = true;

    if (!d) {
        if (fd >= 0)
            close(fd);
        return fd < 0 && errno == ENOENT;
    }
    while (good && (e = readdir(d))) {
        struct stat info;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (fstatat(fd, e->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode))
            good = remove_tree(fd, e->d_name);
        else
            good = unlinkat(fd, e->d_name, 0) == 0;
    }
    closedir(d);
    return good && unlinkat(at, name, AT_REMOVEDIR) == 0;
}

bool skv_layout__remove_tree(const char *folder)
{
    return remove_tree(AT_FDCWD, folder);
}

skv_status skv_layout__remove_part(const char *part)
{
    if (skv_layout__remove_tree(part))
        return SKV_OK;
    return skv_fail(SKV_E_IO, "%s: cannot remove what an export left there: %s", part,
                    strerror(errno));
}

skv_status skv_layout__look(bool *empty, const char *folder)
{
    DIR *d = opendir(folder);
    const struct dirent *e;
    skv_status st = SKV_OK;

    *empty = true;
    if (!d && errno == ENOENT) /* no other reason: a file in its place is a wrong --out */
        return SKV_OK;
    if (!d)
        return skv_cannot_make(folder, "open the folder", errno);
    while (*empty && (st = skv_folder_next(&e, d, folder)) == SKV_OK && e)
        *empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(d);
    return st;
}

skv_status skv_layout__make_parent(const char *path)
{
    char parent[SKV_LAYOUT_PATH_BYTES];
    const char *slash = strrchr(path, '/');

    if (!slash || slash == path)
        return SKV_OK;
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    return skv_folder_make(parent);
}
