#define _GNU_SOURCE /* O_PATH */
#include "core/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"

#define MAX_PATH 4096

/* How many bytes of `path` stand before its last n parts; 0 where there are no more than n. */
static size_t root_bytes(const char *path, int n)
{
    size_t at = strlen(path);

    while (n-- > 0) {
        while (at > 0 && path[at - 1] == '/')
            at--;
        while (at > 0 && path[at - 1] != '/')
            at--;
    }
    return at;
}

skv_status skv_name_status(int reason)
{
    switch (reason) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return SKV_E_NOTFOUND;
    case ELOOP:
    case ENXIO: /* a socket, or a FIFO that nobody reads */
    case EISDIR:
        return SKV_E_KIND;
    case EACCES:
    case EPERM:
    case EROFS:
        return SKV_E_DENIED;
    default:
        return SKV_E_IO;
    }
}

skv_status skv_cannot_open(const char *path, int reason)
{
    if (reason == ELOOP) /* O_NOFOLLOW */
        return skv_fail(SKV_E_KIND, "%s: is a link; inside a run's folder no link is followed",
                        path);
    if (reason == ENXIO || reason == EISDIR)
        return skv_fail(SKV_E_KIND, "%s: not a regular file", path);
    return skv_fail(skv_name_status(reason), "%s: cannot open: %s", path, strerror(reason));
}

skv_status skv_cannot_make(const char *path, const char *what, int reason)
{
    const skv_status st = skv_name_status(reason);

    return skv_fail(st == SKV_E_NOTFOUND ? SKV_E_KIND : st, "%s: cannot %s: %s", path, what,
                    strerror(reason));
}

/* From folder *fd into its entry `part`; *fd becomes the entry's. `path` is for messages. */
static skv_status step_into(int *fd, const char *part, const char *path)
{
    struct stat info;
    const int next = openat(*fd, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int reason = errno;

    /* a link is ENOTDIR here */
    if (next < 0 && fstatat(*fd, part, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode))
        reason = ELOOP;
    close(*fd);
    *fd = next;
    return next < 0 ? skv_cannot_open(path, reason) : SKV_OK;
}

/* The folder at path[0..end), of which path[0..root) is the user's. */
static skv_status walk(int *fd, const char *path, size_t root, size_t end)
{
    char part[MAX_PATH];
    size_t at = root;

    memcpy(part, path, root);
    part[root] = '\0';
    *fd = open(root ? part : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return skv_cannot_open(path, errno);
    while (at < end) {
        const size_t n = strcspn(path + at, "/");
        const size_t bytes = n < end - at ? n : end - at;

        memcpy(part, path + at, bytes);
        part[bytes] = '\0';
        if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0) {
            close(*fd);
            return skv_fail(SKV_E_ARG, "%s: leads out of the run's folder", path);
        }
        if (bytes > 0)
            SKV_TRY(step_into(fd, part, path));
        at += bytes + 1;
    }
    return SKV_OK;
}

static skv_status check_length(const char *path)
{
    if (path[0] && strlen(path) < MAX_PATH)
        return SKV_OK;
    return skv_fail(SKV_E_ARG, "a file's name of %zu bytes, 1 to %d are possible", strlen(path),
                    MAX_PATH - 1);
}

skv_status skv_folder_of(int *fd, const char **name, const char *path, int n_below)
{
    size_t end;

    SKV_TRY(check_length(path));
    end = root_bytes(path, 1);
    *name = path + end;
    if (n_below > 0 && (strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0))
        return skv_fail(SKV_E_ARG, "%s: leads out of the run's folder", path);
    return walk(fd, path, n_below > 0 ? root_bytes(path, n_below) : end, end);
}

skv_status skv_folder_sync(int fd, const char *path)
{
    const int folder = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* some file systems cannot sync a folder and say EINVAL */
    const bool failed = folder < 0 || (fsync(folder) != 0 && errno != EINVAL);
    const int reason = errno;

    if (folder >= 0)
        close(folder);
    if (failed)
        return skv_fail(SKV_E_IO, "%s: cannot sync the folder: %s", path, strerror(reason));
    return SKV_OK;
}

skv_status skv_folder_open(int *fd, const char *path, int n_below)
{
    int folder = -1;
    const size_t n = strlen(path);

    SKV_TRY(check_length(path));
    SKV_TRY(walk(&folder, path, n_below > 0 ? root_bytes(path, n_below) : n, n));
    *fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(folder);
    return *fd < 0 ? skv_cannot_open(path, errno) : SKV_OK;
}

skv_status skv_folder_list(DIR **out, const char *path, int n_below)
{
    int fd = -1, reason;

    SKV_TRY(skv_folder_open(&fd, path, n_below));
    *out = fdopendir(fd);
    if (*out)
        return SKV_OK;
    reason = errno;
    close(fd);
    return skv_fail(SKV_E_IO, "%s: cannot list the folder: %s", path, strerror(reason));
}

skv_status skv_folder_next(const struct dirent **e, DIR *d, const char *path)
{
    errno = 0;
    *e = readdir(d);
    if (!*e && errno != 0)
        return skv_fail(SKV_E_IO, "%s: cannot list the folder: %s", path, strerror(errno));
    return SKV_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void skv_names_sort(skv_names *l)
{
    if (l->n > 0)
        qsort(l->name, l->n, sizeof *l->name, by_bytes);
}

void skv_names_clear(skv_names *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->name[i]);
    free(l->name);
    *l = (skv_names){0};
}

skv_status skv_folder_names(skv_names *out, const char *path, int n_below)
{
    const struct dirent *e = NULL;
    skv_status st;
    DIR *d;

    *out = (skv_names){0};
    SKV_TRY(skv_folder_list(&d, path, n_below));
    while ((st = skv_folder_next(&e, d, path)) == SKV_OK && e) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        st = skv_grow(&out->name, out->n, sizeof *out->name, path);
        if (st == SKV_OK)
            st = skv_text_copy(&out->name[out->n], e->d_name);
        if (st != SKV_OK)
            break;
        out->n++;
    }
    closedir(d);
    if (st != SKV_OK)
        skv_names_clear(out);
    skv_names_sort(out);
    return st;
}

/* path[0..end), whose parent is there; path[0..root) is the user's. */
static skv_status make_one(const char *path, size_t root, size_t end)
{
    char part[MAX_PATH];
    struct stat info;
    size_t parent;
    int folder = -1, reason;

    memcpy(part, path, end);
    part[end] = '\0';
    parent = root_bytes(part, 1);
    SKV_TRY(walk(&folder, part, root < parent ? root : parent, parent));
    reason = mkdirat(folder, part + parent, 0777) == 0 ? 0 : errno;
    if (reason == EEXIST &&
        fstatat(folder, part + parent, &info, end > root ? AT_SYMLINK_NOFOLLOW : 0) == 0)
        reason = S_ISDIR(info.st_mode) ? 0 : S_ISLNK(info.st_mode) ? ELOOP : ENOTDIR;
    close(folder);
    if (reason == ELOOP)
        return skv_cannot_open(part, reason);
    if (reason != 0)
        return skv_cannot_make(part, "make the folder", reason);
    return SKV_OK;
}

skv_status skv_folder_make_below(const char *path, int n_below)
{
    const size_t n = strlen(path);

    SKV_TRY(check_length(path));
    for (size_t i = 1; i <= n; i++)
        if ((path[i] == '/' || path[i] == '\0') && path[i - 1] != '/')
            SKV_TRY(make_one(path, root_bytes(path, n_below), i));
    return SKV_OK;
}

skv_status skv_folder_make(const char *path)
{
    return skv_folder_make_below(path, 0);
}

skv_status skv_folder_make_of(const char *path, int n_below)
{
    char part[MAX_PATH];
    const char *name;
    size_t end;
    skv_status st = SKV_OK;
    int above = -1;

    SKV_TRY(check_length(path));
    end = root_bytes(path, 1);
    while (end > 0 && path[end - 1] == '/')
        end--;
    memcpy(part, path, end);
    part[end] = '\0';
    SKV_TRY(skv_folder_of(&above, &name, part, n_below - 1));
    if (mkdirat(above, name, 0777) == 0)
        st = skv_folder_sync(above, part);
    else if (errno != EEXIST) /* what else stands there is met by who puts the file into it */
        st = skv_fail(SKV_E_IO, "%s: cannot make the folder: %s", part, strerror(errno));
    close(above);
    return st;
}

skv_status skv_path_join(char **out, const char *folder, const char *name)
{
    size_t n = (folder ? strlen(folder) : 0) + strlen(name) + 2;
    char *path = NULL;

    SKV_TRY(skv_alloc(&path, n, 1, "path"));
    if (!folder || name[0] == '/')
        snprintf(path, n, "%s", name);
    else
        snprintf(path, n, "%s/%s", folder, name);
    *out = path;
    return SKV_OK;
}

skv_status skv_path_absolute(char **out, const char *path)
{
    char *folder = NULL;
    skv_status st;

    if (path[0] != '/' && !(folder = getcwd(NULL, 0)))
        return skv_fail(SKV_E_IO, "the current folder has no name: %s", strerror(errno));
    st = skv_path_join(out, folder, path);
    free(folder);
    return st;
}
