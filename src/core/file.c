#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"

#define READ_TRIES 3 /* of one that fails with EIO */

skv_status skv_read_fully(size_t *n, int fd, void *to, size_t bytes, const char *path)
{
    int tries = 0;

    *n = 0;
    while (*n < bytes) {
        const ssize_t got = read(fd, (char *)to + *n, bytes - *n);

        if (got == 0)
            break;
        if (got > 0)
            *n += (size_t)got;
        else if (errno != EINTR && (errno != EIO || ++tries == READ_TRIES))
            return skv_fail(SKV_E_IO, "%s: cannot read: %s", path, strerror(errno));
    }
    return SKV_OK;
}

skv_status skv_file_read(char **out, size_t *out_bytes, const char *path, size_t max_bytes)
{
    skv_status st = SKV_OK;
    struct stat info;
    char *text = NULL;
    size_t used = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return skv_fail(errno == ENOENT ? SKV_E_NOTFOUND : SKV_E_IO, "%s: cannot open: %s", path,
                        strerror(errno));
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        st = skv_fail(SKV_E_IO, "%s: not a regular file", path);
        goto done;
    }
    if (info.st_size < 0 || (uint64_t)info.st_size > max_bytes) {
        st = skv_fail(SKV_E_FORMAT, "%s: %lld bytes, at most %zu expected", path,
                      (long long)info.st_size, max_bytes);
        goto done;
    }
    SKV_TRY_GOTO(skv_alloc(&text, (size_t)info.st_size + 1, 1, path), done);
    SKV_TRY_GOTO(skv_read_fully(&used, fd, text, (size_t)info.st_size, path), done);
    *out_bytes = used;
    *out = text;
    text = NULL;
done:
    free(text);
    close(fd);
    return st;
}

skv_status skv_file_sync_folder(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int fd;
    int failed;

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    failed = fd < 0 || (fsync(fd) != 0 && errno != EINVAL);
    if (fd >= 0)
        close(fd);
    return failed ? skv_fail(SKV_E_IO, "%s: cannot sync the folder: %s", folder, strerror(errno))
                  : SKV_OK;
}

static skv_status write_all(int fd, const char *path, const char *p, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, p, bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return skv_fail(SKV_E_IO, "%s: cannot write: %s", path, strerror(errno));
        p += n;
        bytes -= (size_t)n;
    }
    if (fsync(fd) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot sync: %s", path, strerror(errno));
    return SKV_OK;
}

skv_status skv_file_write(const char *path, const void *data, size_t bytes)
{
    skv_status st;
    char aside[4096];
    int fd;

    if (snprintf(aside, sizeof aside, "%s.%ld.tmp", path, (long)getpid()) >= (int)sizeof aside)
        return skv_fail(SKV_E_ARG, "%s: path too long", path);
    fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return skv_fail(SKV_E_IO, "%s: cannot create: %s", aside, strerror(errno));
    st = write_all(fd, aside, data, bytes);
    if (close(fd) != 0 && st == SKV_OK)
        st = skv_fail(SKV_E_IO, "%s: cannot close: %s", aside, strerror(errno));
    if (st == SKV_OK && rename(aside, path) != 0)
        st = skv_fail(SKV_E_IO, "%s: cannot rename into place: %s", path, strerror(errno));
    if (st != SKV_OK) {
        unlink(aside);
        return st;
    }
    return skv_file_sync_folder(path);
}

skv_status skv_folder_make(const char *path)
{
    char part[4096];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof part)
        return skv_fail(SKV_E_ARG, "folder name of %zu bytes, want 1 to %zu", n, sizeof part - 1);
    for (size_t i = 1; i <= n; i++) {
        struct stat info;

        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) == 0)
            continue;
        if (errno != EEXIST || stat(part, &info) != 0 || !S_ISDIR(info.st_mode))
            return skv_fail(SKV_E_IO, "%s: cannot make the folder: %s", part, strerror(errno));
    }
    return SKV_OK;
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
