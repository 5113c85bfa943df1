#include "job/doctor_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

#define N_RACES    16   /* files that all ranks try to make at once */
#define N_CREATES  1000 /* timed */
#define N_SYNCS    5
#define SEE_WITHIN 5.0 /* seconds: network file systems keep what they know for some */

#define SLOW_SYNC    1.0  /* seconds a file; a group has one, and one a folder */
#define SLOW_CREATES 30.0 /* seconds for N_CREATES */

/* The folder that is made for trying, and what was found in it. */
typedef struct {
    char path[4096];
    int64_t free_bytes, free_files;
    double sync_seconds, create_seconds; /* of N_SYNCS and of N_CREATES files */
    double clock_ahead;                  /* of rank 0's host, over the file system's: s */
} trial;

/* ------------------------------------------------------------------------ on rank 0 */

static bool is_folder(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* Cuts `path` back to the nearest folder that is there. */
static void nearest_folder(char *path)
{
    while (path[0] && !is_folder(path)) {
        char *slash = strrchr(path, '/');

        if (!slash)
            path[0] = '\0';
        else
            slash[slash == path] = '\0';
        if (slash == path)
            return;
    }
}

static skv_status make_folder(trial *t, const char *run)
{
    size_t used;

    if (strlen(run) + 64 > sizeof t->path)
        return skv_fail(SKV_E_ARG, "--out: the path is longer than %zu bytes", sizeof t->path - 64);
    snprintf(t->path, sizeof t->path, "%s", run);
    nearest_folder(t->path);
    used = strlen(t->path);
    snprintf(t->path + used, sizeof t->path - used, "%s.skv-doctor-%ld", used ? "/" : "./",
             (long)getpid());
    if (mkdir(t->path, 0700) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot make a folder: %s", t->path, strerror(errno));
    return SKV_OK;
}

/* Makes a file with `text`; synced where asked for. */
static skv_status put(const char *folder, const char *name, const char *text, bool sync)
{
    char path[4096 + 64];
    const size_t n = strlen(text);
    bool good;
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return skv_fail(SKV_E_IO, "%s: cannot make a file: %s", path, strerror(errno));
    good = write(fd, text, n) == (ssize_t)n && (!sync || fsync(fd) == 0);
    if (close(fd) != 0 || !good)
        return skv_fail(SKV_E_IO, "%s: cannot write: %s", path, strerror(errno));
    return SKV_OK;
}

/* Makes n files "<kind>-<i>"; *seconds that all of them took. */
static skv_status time_files(double *seconds, const trial *t, const char *kind, int n, bool sync)
{
    const double start = skv_seconds();
    char name[32];

    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s-%d", kind, i);
        SKV_TRY(put(t->path, name, sync ? "a group" : "", sync));
    }
    *seconds = skv_seconds() - start;
    return SKV_OK;
}

/* A file renamed over another takes its place. */
static skv_status try_rename(const trial *t)
{
    char from[4096 + 64], to[4096 + 64];
    struct stat s;

    SKV_TRY(put(t->path, "old", "old", false));
    SKV_TRY(put(t->path, "new", "newer", false));
    snprintf(from, sizeof from, "%s/new", t->path);
    snprintf(to, sizeof to, "%s/old", t->path);
    if (rename(from, to) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot rename over a file: %s", to, strerror(errno));
    if (stat(to, &s) != 0 || s.st_size != (off_t)strlen("newer"))
        return skv_fail(SKV_E_IO, "%s: a file renamed over another did not take its place", to);
    return SKV_OK;
}

static void look_at_clock(trial *t)
{
    char path[4096 + 64];
    struct stat s;

    snprintf(path, sizeof path, "%s/create-%d", t->path, N_CREATES - 1);
    if (stat(path, &s) == 0)
        t->clock_ahead = difftime(time(NULL), s.st_mtime);
}

static skv_status try_alone(trial *t)
{
    struct statvfs s;

    if (statvfs(t->path, &s) != 0)
        return skv_fail(SKV_E_IO, "%s: %s", t->path, strerror(errno));
    t->free_bytes = (int64_t)((uint64_t)s.f_bavail * s.f_frsize);
    t->free_files = (int64_t)s.f_favail;
    SKV_TRY(time_files(&t->create_seconds, t, "create", N_CREATES, false));
    look_at_clock(t);
    SKV_TRY(time_files(&t->sync_seconds, t, "sync", N_SYNCS, true));
    SKV_TRY(try_rename(t));
    return put(t->path, "seen", "by all", true);
}

static void remove_file(const char *folder, const char *kind, int i)
{
    char path[4096 + 64];

    if (i < 0)
        snprintf(path, sizeof path, "%s/%s", folder, kind);
    else
        snprintf(path, sizeof path, "%s/%s-%d", folder, kind, i);
    (void)unlink(path);
}

static void remove_all(const char *folder)
{
    for (int i = 0; i < N_CREATES; i++)
        remove_file(folder, "create", i);
    for (int i = 0; i < N_SYNCS; i++)
        remove_file(folder, "sync", i);
    for (int i = 0; i < N_RACES; i++)
        remove_file(folder, "race", i);
    remove_file(folder, "old", -1);
    remove_file(folder, "new", -1);
    remove_file(folder, "seen", -1);
    (void)rmdir(folder);
}

/* --------------------------------------------------------------------- on all ranks */

static bool sees_file(const char *folder)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    const double start = skv_seconds();
    char path[4096 + 64];
    struct stat s;

    snprintf(path, sizeof path, "%s/seen", folder);
    while (stat(path, &s) != 0) {
        if (skv_seconds() - start > SEE_WITHIN)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

/* Files that this rank was the one to make. */
static int64_t race(const char *folder)
{
    char path[4096 + 64];
    int64_t won = 0;

    for (int i = 0; i < N_RACES; i++) {
        int fd;

        snprintf(path, sizeof path, "%s/race-%d", folder, i);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            continue;
        won++;
        close(fd);
    }
    return won;
}

static void report(skv_findings *f, const trial *t, const char *run)
{
    char text[512];

    snprintf(text, sizeof text,
             "a synced file takes %.1f ms, %d files %.2f s; %.1f GiB and %" PRId64
             " files are free",
             1e3 * t->sync_seconds / N_SYNCS, N_CREATES, t->create_seconds,
             (double)t->free_bytes / (1 << 30), t->free_files);
    if (t->sync_seconds / N_SYNCS > SLOW_SYNC || t->create_seconds > SLOW_CREATES)
        skv_findings_trap(f, "folder",
                          "a larger --group-size, --store without png, or a faster file system",
                          "%s: %s", run, text);
    else
        skv_findings_fact(f, "folder", "%s: %s", run, text);
    if (t->clock_ahead > 5 || t->clock_ahead < -5)
        skv_findings_fact(f, "clock",
                          "this host's clock is %.0f s %s the file system's (skv compares only "
                          "times of the file system)",
                          t->clock_ahead > 0 ? t->clock_ahead : -t->clock_ahead,
                          t->clock_ahead > 0 ? "ahead of" : "behind");
}

static skv_status try_together(skv_findings *f, skv_comm *comm, const char *folder, const char *run)
{
    const bool root = skv_comm_rank(comm) == 0;
    int64_t sees = sees_file(folder), won = 0;

    SKV_TRY(skv_comm_sum_i64(comm, &sees, 1));
    if (sees < skv_comm_size(comm)) {
        if (root)
            skv_findings_trap(f, "folder", "put the run on a file system that all hosts share",
                              "%s: %d of %d ranks do not see a file that rank 0 made in it", run,
                              skv_comm_size(comm) - (int)sees, skv_comm_size(comm));
        return SKV_OK;
    }
    SKV_TRY(skv_comm_barrier(comm));
    won = race(folder);
    SKV_TRY(skv_comm_sum_i64(comm, &won, 1));
    if (won != N_RACES && root)
        skv_findings_trap(f, "folder", "put the run on another file system",
                          "%s: of %d files that all ranks tried to make exclusively, %" PRId64
                          " were made: ranks would compute groups twice",
                          run, N_RACES, won);
    return SKV_OK;
}

skv_status skv_doctor_folder(skv_findings *f, int64_t *free_bytes, skv_comm *comm, const char *run)
{
    const bool root = skv_comm_rank(comm) == 0;
    skv_status st = SKV_OK;
    bool made = false;
    trial t;

    memset(&t, 0, sizeof t);
    if (root) {
        st = make_folder(&t, run);
        made = st == SKV_OK;
        if (made)
            st = try_alone(&t);
        if (st != SKV_OK && st != SKV_E_ARG) { /* a trap like others: the rest is looked at, too */
            skv_findings_trap(f, "folder", NULL, "%s", skv_message());
            if (made)
                remove_all(t.path);
            made = false;
            t.path[0] = '\0';
            st = SKV_OK;
        } else if (st == SKV_OK) {
            report(f, &t, run);
            *free_bytes = t.free_bytes;
        }
    }
    SKV_TRY_GOTO(skv_comm_agree(comm, st), done);
    SKV_TRY_GOTO(skv_comm_broadcast(comm, t.path, sizeof t.path, 0), done);
    if (t.path[0]) /* otherwise rank 0 has named the trap, and made nothing that could be seen */
        st = try_together(f, comm, t.path, run);
done:
    if (skv_comm_barrier(comm) != SKV_OK && st == SKV_OK)
        st = SKV_E_MPI;
    if (made)
        remove_all(t.path);
    return st;
}
