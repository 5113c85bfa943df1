#include "core/aside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/folder.h"
#include "core/process.h"

#define ENDING ".tmp"

skv_status skv_aside_create(skv_aside *out, const char *path, int n_below)
{
    const int how = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    char process[SKV_PROCESS_BYTES];
    skv_status st;

    *out = (skv_aside){.fd = -1, .folder = -1, .path = path};
    st = skv_folder_of(&out->folder, &out->name, path, n_below);
    SKV_TRY(st == SKV_E_NOTFOUND ? SKV_E_KIND : st); /* NOTFOUND is for files to be read */
    if (snprintf(out->aside, sizeof out->aside, "%s.%s" ENDING, out->name,
                 skv_process_name(process)) >= (int)sizeof out->aside) {
        skv_aside_drop(out);
        return skv_fail(SKV_E_ARG, "%s: the file's name is too long", path);
    }
    out->fd = openat(out->folder, out->aside, how, 0666);
    if (out->fd < 0) {
        const int reason = errno;

        skv_aside_drop(out);
        return skv_cannot_make(path, "create", reason);
    }
    return SKV_OK;
}

int skv_write_fully(int fd, const void *data, size_t bytes)
{
    const char *p = data;

    while (bytes > 0) {
        const ssize_t n = write(fd, p, bytes);

        if (n < 0 && errno != EINTR)
            return errno;
        p += n > 0 ? n : 0;
        bytes -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

skv_status skv_aside_write(const skv_aside *a, const void *data, size_t bytes)
{
    const int reason = skv_write_fully(a->fd, data, bytes);

    if (reason != 0)
        return skv_fail(SKV_E_IO, "%s: cannot write: %s", a->path, strerror(reason));
    return SKV_OK;
}

skv_status skv_aside_sync(const skv_aside *a)
{
    if (fsync(a->fd) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot sync: %s", a->path, strerror(errno));
    return SKV_OK;
}

static skv_status put_in_place(skv_aside *a)
{
    int closed;

    SKV_TRY(skv_aside_sync(a));
    closed = close(a->fd);
    a->fd = -1;
    if (closed != 0)
        return skv_fail(SKV_E_IO, "%s: cannot close: %s", a->path, strerror(errno));
    if (renameat(a->folder, a->aside, a->folder, a->name) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot rename into place: %s", a->path, strerror(errno));
    a->aside[0] = '\0';
    return SKV_OK;
}

skv_status skv_aside_commit(skv_aside *a)
{
    skv_status st = put_in_place(a);

    if (st == SKV_OK)
        st = skv_folder_sync(a->folder, a->path);
    skv_aside_drop(a);
    return st;
}

skv_status skv_aside_commit_derived(skv_aside *a)
{
    const skv_status st = put_in_place(a);

    skv_aside_drop(a);
    return st;
}

void skv_aside_drop(skv_aside *a)
{
    if (a->fd >= 0)
        close(a->fd);
    if (a->folder >= 0 && a->aside[0])
        unlinkat(a->folder, a->aside, 0);
    if (a->folder >= 0)
        close(a->folder);
    a->fd = a->folder = -1;
    a->aside[0] = '\0';
}

/* The process in "<name>.<process>.tmp"; false: not the name of an aside file. */
static bool writer_of(char process[SKV_PROCESS_BYTES], const char *entry)
{
    const size_t n = strlen(entry);
    const char *end = entry + n - strlen(ENDING), *p = end;

    if (n <= strlen(ENDING) || strcmp(end, ENDING) != 0)
        return false;
    while (p > entry && p[-1] != '.')
        p--;
    if (p < entry + 2 || end - p >= SKV_PROCESS_BYTES)
        return false;
    snprintf(process, SKV_PROCESS_BYTES, "%.*s", (int)(end - p), p);
    return skv_process_is_name(process);
}

skv_status skv_aside_sweep(const char *folder, int n_below, skv_aside_is_dead is_dead,
                           const void *ctx)
{
    char process[SKV_PROCESS_BYTES];
    skv_status st;
    const struct dirent *e = NULL;
    struct stat info;
    DIR *d;

    st = skv_folder_list(&d, folder, n_below);
    if (st == SKV_E_NOTFOUND)
        return SKV_OK;
    SKV_TRY(st);
    while ((st = skv_folder_next(&e, d, folder)) == SKV_OK && e)
        if (writer_of(process, e->d_name) &&
            fstatat(dirfd(d), e->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(info.st_mode) && is_dead(ctx, process, info.st_mtim))
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    return st;
}
