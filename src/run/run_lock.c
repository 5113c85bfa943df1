#define _GNU_SOURCE /* DT_DIR */
#include "run/run_lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/aside.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"

#define HOLDER_BYTES 128

/* The folder and, `depth` levels down, those in it. n_below: core/folder.h. */
static skv_status sweep_tree(const char *folder, int n_below, int depth)
{
    char inner[4096];
    const struct dirent *e;
    skv_status st = skv_aside_sweep(folder, n_below, NULL);
    DIR *d;
    int fd = -1;

    if (st == SKV_OK && depth > 0)
        st = skv_folder_open(&fd, folder, n_below);
    if (st == SKV_E_NOTFOUND || st == SKV_E_KIND) /* none, or a link: not a folder of ours */
        return SKV_OK;
    if (st != SKV_OK || depth == 0)
        return st;
    d = fdopendir(fd);
    if (!d) {
        close(fd);
        return skv_fail(SKV_E_IO, "%s: cannot list the folder: %s", folder, strerror(errno));
    }
    while (st == SKV_OK && (e = readdir(d)))
        if (e->d_name[0] != '.' && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) &&
            snprintf(inner, sizeof inner, "%s/%s", folder, e->d_name) < (int)sizeof inner)
            st = sweep_tree(inner, n_below + 1, depth - 1);
    closedir(d);
    return st;
}

/* groups/<path>/<hundred> and images/<path>/<hundred>: two levels below. */
static skv_status sweep(const char *run)
{
    static const char *const parts[] = {"groups", "images"};
    char folder[4096];

    SKV_TRY(skv_aside_sweep(run, 0, NULL));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(folder, sizeof folder, "%s/%s", run, parts[i]);
        SKV_TRY(sweep_tree(folder, 1, 2));
    }
    return SKV_OK;
}

/* What the holder wrote about itself. */
static void read_holder(char *out, int fd)
{
    char text[HOLDER_BYTES];
    const ssize_t n = pread(fd, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    snprintf(out, HOLDER_BYTES, "%s", text[0] ? text : "another process");
}

static void write_holder(int fd)
{
    char host[64] = "", text[HOLDER_BYTES];

    gethostname(host, sizeof host - 1);
    snprintf(text, sizeof text, "process %ld on %s\n", (long)getpid(), host);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, strlen(text), 0) < 0)
        skv_debug("the lock does not say whose it is: %s", strerror(errno));
}

/* *held: false where another process has the lock. */
static bool try_lock(bool *held, int fd)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    *held = fcntl(fd, F_SETLK, &l) == 0;
    return *held || errno == EACCES || errno == EAGAIN;
}

static skv_status wait_for_lock(bool *has_locks, int fd, const char *run, int seconds,
                                const volatile sig_atomic_t *stop)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    const double start = skv_seconds();
    char holder[HOLDER_BYTES];
    bool held = false, said = false;

    while ((*has_locks = try_lock(&held, fd)) && !held) {
        read_holder(holder, fd);
        if (stop && *stop)
            return skv_fail(SKV_E_STOPPED, "%s: stopped by a signal while %s was at work in it",
                            run, holder);
        if (skv_seconds() - start >= seconds)
            return skv_fail(SKV_E_IO, "%s: another skv is at work in this folder: %s", run, holder);
        if (!said)
            skv_info("%s: another skv is at work in this folder, %s; waiting up to %d s", run,
                     holder, seconds);
        said = true;
        nanosleep(&pause, NULL);
    }
    if (!*has_locks)
        skv_warn("%s: this file system has no locks (%s): do not start two runs here", run,
                 strerror(errno));
    return SKV_OK;
}

skv_status skv_run_lock_take(int *fd, const char *run, int seconds,
                             const volatile sig_atomic_t *stop)
{
    char path[4096];
    bool has_locks = true;
    skv_status st;

    *fd = -1;
    snprintf(path, sizeof path, "%s/.lock", run);
    SKV_TRY(skv_file_update(fd, path, 1));
    st = wait_for_lock(&has_locks, *fd, run, seconds, stop);
    if (st == SKV_OK && has_locks)
        write_holder(*fd);
    if (st == SKV_OK)
        st = sweep(run);
    if (st != SKV_OK) {
        skv_run_lock_release(*fd);
        *fd = -1;
    }
    return st;
}

void skv_run_lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}
