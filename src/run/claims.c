#include "run/claims.h"
#include "run/claims_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/aside.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/folder.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/process.h"
#include "core/text.h"

#define BEAT_SECONDS 10 /* several must be missed before an owner is dead */
#define ASIDE_BYTES  (SKV_CLAIM_BYTES + 2 * SKV_PROCESS_BYTES) /* "<name>.<process>.tmp" */

struct skv_claims {
    char *path;
    int n_below; /* core/folder.h */
    int folder;
    char me[SKV_PROCESS_BYTES];
    char alive[SKV_PROCESS_BYTES + sizeof SKV_CLAIMS__ALIVE];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ending;
    char said[SKV_CLAIM_BYTES]; /* for the next beat; "": nothing new */
    _Atomic(double) beat; /* time of this process's heartbeat, by the file system's clock: s */
};

/* ---------------------------------------------------------------- small files */

/* The first line of a file, and its time. SKV_E_NOTFOUND when there is none. */
static skv_status read_line(char out[SKV_CLAIM_BYTES], struct timespec *time, const skv_claims *c,
                            const char *name)
{
    char text[SKV_CLAIMS__TEXT];

    SKV_TRY(skv_claims__read(text, time, c->folder, c->path, name));
    snprintf(out, SKV_CLAIM_BYTES, "%.*s", (int)strcspn(text, "\n"), text);
    return SKV_OK;
}

/* A new file with one line. Returns 0 or errno; then there is none. */
static int make_line(const skv_claims *c, const char *name, const char *line)
{
    const int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const int fd = openat(c->folder, name, how, 0666);
    char text[SKV_CLAIM_BYTES];
    int n, reason;

    if (fd < 0)
        return errno;
    n = snprintf(text, sizeof text, "%.*s\n", SKV_CLAIM_BYTES - 2, line);
    reason = skv_write_fully(fd, text, (size_t)n);
    if (close(fd) != 0 && reason == 0)
        reason = errno;
    if (reason != 0)
        unlinkat(c->folder, name, 0);
    return reason;
}

static void name_aside(char out[ASIDE_BYTES], const skv_claims *c, const char *name)
{
    snprintf(out, ASIDE_BYTES, "%s.%s.tmp", name, c->me);
}

/* Whether errno `reason` of link() says that the file system has no hard links, or no more of them
 * for this file. */
static bool is_without_links(int reason)
{
    return reason == EPERM || reason == ENOSYS || reason == EOPNOTSUPP || reason == EMLINK;
}

/* The file is written aside and then linked to its name, so nobody ever sees it without its line.
 * Where there are no hard links it is made in place: a process that is killed between making and
 * writing leaves an empty one. Returns 0 or errno. */
static int make_whole(const skv_claims *c, const char *name, const char *line)
{
    char aside[ASIDE_BYTES];
    struct stat info;
    int reason;

    name_aside(aside, c, name);
    reason = make_line(c, aside, line);
    if (reason == EEXIST) { /* its removal failed the last time */
        unlinkat(c->folder, aside, 0);
        reason = make_line(c, aside, line);
    }
    if (reason != 0)
        return reason == EEXIST ? EIO : reason; /* that is said of the claim */
    reason = linkat(c->folder, aside, c->folder, name, 0) == 0 ? 0 : errno;
    /* over NFS the answer may be lost, and the second try then finds the first one's link */
    if (reason == EEXIST && fstatat(c->folder, aside, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        info.st_nlink > 1)
        reason = 0;
    else if (is_without_links(reason))
        reason = make_line(c, name, line);
    unlinkat(c->folder, aside, 0);
    return reason;
}

/* *made: false where there is one of that name. Not by two threads at once for one name. */
static skv_status make_file(bool *made, const skv_claims *c, const char *name, const char *line)
{
    const int reason = make_whole(c, name, line);

    *made = reason == 0;
    if (reason == 0 || reason == EEXIST)
        return SKV_OK;
    if (reason == ENOENT)
        return SKV_E_NOTFOUND; /* the folder is gone */
    return skv_cannot_make(c->path, "create a file in it", reason);
}

/* ------------------------------------------------------------------- heartbeat */

static double seconds_of(struct timespec t)
{
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Writes a heartbeat with what this process has to say. */
static skv_status beat_aloud(skv_claims *c, const char *said)
{
    const int how = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
    char text[SKV_CLAIMS__TEXT], who[SKV_CLAIM_BYTES], aside[ASIDE_BYTES];
    int fd, reason;

    name_aside(aside, c, c->alive);
    skv_process_describe(who, sizeof who);
    snprintf(text, sizeof text, "%.*s\n%.*s\n", SKV_CLAIM_BYTES - 2, who, SKV_CLAIM_BYTES - 2,
             said);
    fd = openat(c->folder, aside, how, 0666);
    if (fd < 0)
        return skv_cannot_make(c->path, "create a file in it", errno);
    reason = skv_write_fully(fd, text, strlen(text));
    if (close(fd) != 0 && reason == 0)
        reason = errno;
    if (reason == 0 && renameat(c->folder, aside, c->folder, c->alive) != 0)
        reason = errno;
    if (reason == 0)
        return SKV_OK;
    unlinkat(c->folder, aside, 0);
    return skv_fail(SKV_E_IO, "%s/%s: cannot write: %s", c->path, c->alive, strerror(reason));
}

/* A heartbeat that others took for a dead one's and removed is made again. */
static skv_status beat(skv_claims *c)
{
    char who[SKV_CLAIM_BYTES], said[SKV_CLAIM_BYTES];
    struct stat info;
    bool made;

    pthread_mutex_lock(&c->lock);
    memcpy(said, c->said, sizeof said);
    c->said[0] = '\0';
    pthread_mutex_unlock(&c->lock);
    if (said[0])
        SKV_TRY(beat_aloud(c, said));
    else if (utimensat(c->folder, c->alive, NULL, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT)
            return skv_fail(SKV_E_IO, "%s/%s: cannot set its time: %s", c->path, c->alive,
                            strerror(errno));
        skv_process_describe(who, sizeof who);
        SKV_TRY(make_file(&made, c, c->alive, who));
    }
    if (fstatat(c->folder, c->alive, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return skv_cannot_open(c->path, errno);
    c->beat = seconds_of(info.st_mtim);
    return SKV_OK;
}

static void *heart(void *claims)
{
    skv_claims *c = claims;
    struct timespec next;
    bool said = false;

    pthread_mutex_lock(&c->lock);
    while (!c->ending) {
        clock_gettime(CLOCK_MONOTONIC, &next);
        next.tv_sec += BEAT_SECONDS;
        if (pthread_cond_timedwait(&c->changed, &c->lock, &next) != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&c->lock);
        if (beat(c) != SKV_OK && !said) {
            skv_warn("%s; others may take over what this process has begun", skv_message());
            said = true;
        }
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static void set_up(skv_claims *c)
{
    pthread_condattr_t monotonic;

    c->folder = -1;
    skv_process_name(c->me);
    snprintf(c->alive, sizeof c->alive, "%s" SKV_CLAIMS__ALIVE, c->me);
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void tear_down(skv_claims *c)
{
    if (c->folder >= 0) {
        unlinkat(c->folder, c->alive, 0);
        close(c->folder);
        rmdir(c->path); /* the last one leaves an empty folder */
    }
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c->path);
    free(c);
}

/* The folder may be removed by another that leaves it, until this process's file is in it. */
static skv_status enter(skv_claims *c)
{
    skv_status st = SKV_E_NOTFOUND;

    for (int tries = 0; st == SKV_E_NOTFOUND && tries < 100; tries++) {
        if (c->folder >= 0)
            close(c->folder);
        c->folder = -1;
        SKV_TRY(skv_folder_make_below(c->path, c->n_below));
        st = skv_folder_open(&c->folder, c->path, c->n_below);
        if (st == SKV_OK)
            st = beat(c);
    }
    return st == SKV_E_NOTFOUND ? skv_fail(SKV_E_IO, "%s: vanishes again and again", c->path) : st;
}

skv_status skv_claims_open(skv_claims **out, const char *folder, int n_below)
{
    skv_claims *c = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&c, 1, sizeof *c, "claims"));
    set_up(c);
    c->n_below = n_below;
    st = skv_text_copy(&c->path, folder);
    if (st == SKV_OK)
        st = enter(c);
    if (st == SKV_OK && pthread_create(&c->thread, NULL, heart, c) != 0)
        st = skv_fail(SKV_E_MEM, "cannot start the thread of the heartbeat");
    if (st != SKV_OK) {
        tear_down(c);
        return st;
    }
    *out = c;
    return SKV_OK;
}

void skv_claims_say(skv_claims *c, const char *line)
{
    pthread_mutex_lock(&c->lock);
    snprintf(c->said, sizeof c->said, "%.*s", SKV_CLAIM_BYTES - 2, line);
    pthread_mutex_unlock(&c->lock);
}

void skv_claims_close(skv_claims *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    tear_down(c);
}

/* ---------------------------------------------------------------------- owners */

double skv_claims_age(const skv_claims *c, struct timespec then)
{
    return c->beat - seconds_of(then);
}

static skv_owner_state look_at(char who[SKV_CLAIM_BYTES], const skv_claims *c, const char *owner)
{
    char name[SKV_PROCESS_BYTES + sizeof SKV_CLAIMS__ALIVE];
    struct timespec time;
    skv_status st;

    snprintf(who, SKV_CLAIM_BYTES, "another process");
    if (skv_process_has_ended(owner))
        return SKV_OWNER_IS_DEAD;
    snprintf(name, sizeof name, "%.*s" SKV_CLAIMS__ALIVE, SKV_PROCESS_BYTES - 1, owner);
    st = read_line(who, &time, c, name);
    if (st == SKV_E_NOTFOUND)
        return SKV_OWNER_IS_UNKNOWN;
    if (st != SKV_OK) /* cannot be told: not taken from it */
        return SKV_OWNER_LIVES;
    return skv_claims_age(c, time) > SKV_CLAIM_SECONDS ? SKV_OWNER_IS_DEAD : SKV_OWNER_LIVES;
}

skv_owner_state skv_claims_owner(const skv_claims *c, const char *owner)
{
    char who[SKV_CLAIM_BYTES];

    return look_at(who, c, owner);
}

/* ---------------------------------------------------------------------- claims */

/* Whether a claim may be taken from its owner, who is said in `who`. On a file system without hard
 * links the line of a claim that is being made may not be there yet. */
static bool is_orphan(char who[SKV_CLAIM_BYTES], const skv_claims *c, const char *line,
                      struct timespec time)
{
    if (skv_process_is_name(line))
        return look_at(who, c, line) != SKV_OWNER_LIVES;
    snprintf(who, SKV_CLAIM_BYTES, "another process");
    return skv_claims_age(c, time) > SKV_CLAIM_SECONDS;
}

/* Removes a claim whose line was seen to be a dead owner's. Another process may have done the same,
 * and claimed anew, just now: so what is taken away is looked at again, and put back. */
static skv_status remove_orphan(const skv_claims *c, const char *name, const char *line)
{
    char away[ASIDE_BYTES], found[SKV_CLAIM_BYTES];
    struct timespec time;

    name_aside(away, c, name);
    if (renameat(c->folder, name, c->folder, away) != 0)
        return errno == ENOENT
                   ? SKV_OK
                   : skv_fail(SKV_E_IO, "%s/%s: cannot rename: %s", c->path, name, strerror(errno));
    SKV_TRY(read_line(found, &time, c, away));
    if (strcmp(found, line) != 0)
        renameat(c->folder, away, c->folder, name);
    else
        unlinkat(c->folder, away, 0);
    return SKV_OK;
}

static bool is_mine(const skv_claims *c, const char *name)
{
    char line[SKV_CLAIM_BYTES];
    struct timespec time;

    return read_line(line, &time, c, name) == SKV_OK && strcmp(line, c->me) == 0;
}

/* who: the living owner, where the claim is not won. The caller holds the lock: two threads would
 * make the same file aside. */
static skv_status take_locked(bool *won, char who[SKV_CLAIM_BYTES], skv_claims *c, const char *name)
{
    char line[SKV_CLAIM_BYTES];
    struct timespec time;
    skv_status st;

    snprintf(who, SKV_CLAIM_BYTES, "another process");
    for (int tries = 0; tries < 3; tries++) {
        st = make_file(won, c, name, c->me);
        if (st == SKV_E_NOTFOUND)
            return skv_fail(SKV_E_IO, "%s: the folder was removed", c->path);
        SKV_TRY(st);
        if (*won)
            return SKV_OK;
        st = read_line(line, &time, c, name);
        if (st == SKV_E_NOTFOUND) /* given up just now */
            continue;
        SKV_TRY(st);
        if (!is_orphan(who, c, line, time))
            return SKV_OK;
        SKV_TRY(remove_orphan(c, name, line));
    }
    return SKV_OK;
}

static skv_status take(bool *won, char who[SKV_CLAIM_BYTES], skv_claims *c, const char *name)
{
    skv_status st;

    pthread_mutex_lock(&c->lock);
    st = take_locked(won, who, c, name);
    pthread_mutex_unlock(&c->lock);
    return st;
}

skv_status skv_claims_take(bool *won, skv_claims *c, const char *name)
{
    char who[SKV_CLAIM_BYTES];

    return take(won, who, c, name);
}

void skv_claims_drop(skv_claims *c, const char *name)
{
    if (is_mine(c, name))
        unlinkat(c->folder, name, 0);
}

skv_status skv_claims_wait(skv_claims *c, const char *name, const char *what,
                           const skv_claims_patience *p)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    const double start = skv_seconds();
    char who[SKV_CLAIM_BYTES];
    bool won = false, said = false;

    for (;;) {
        SKV_TRY(take(&won, who, c, name));
        if (won || is_mine(c, name)) /* its file could not be removed when it was given up */
            return SKV_OK;
        if (p->stop && *p->stop)
            return skv_fail(SKV_E_STOPPED, "%s, %s: stopped while waiting for it", what, who);
        if (skv_seconds() - start >= p->seconds)
            return skv_fail(SKV_E_IO, "%s: %s", what, who);
        if (!said)
            skv_info("%s, %s; waiting up to %d s", what, who, p->seconds);
        said = true;
        if (p->alive)
            p->alive(p->ctx);
        nanosleep(&pause, NULL);
    }
}

/* ----------------------------------------------------------------------- all of them */

static bool is_claim(const char *name)
{
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(name);
}

/* Whether this is a claim of another process; *lives: its owner, who is said in `who`. */
static skv_status is_anothers(bool *is, bool *lives, char who[SKV_CLAIM_BYTES], const skv_claims *c,
                              const char *name)
{
    char line[SKV_CLAIM_BYTES];
    struct timespec time;
    skv_status st;

    *is = false;
    if (!is_claim(name))
        return SKV_OK;
    st = read_line(line, &time, c, name);
    if (st == SKV_E_IO) /* whose it is cannot be told: nobody's it is not */
        return st;
    if (st != SKV_OK || strcmp(line, c->me) == 0)
        return SKV_OK;
    *is = true;
    *lives = !is_orphan(who, c, line, time);
    return SKV_OK;
}

static void count(skv_claims_counts *out, const char *name, bool lives,
                  const char who[SKV_CLAIM_BYTES])
{
    const bool is_job = strncmp(name, SKV_CLAIM_JOB, sizeof SKV_CLAIM_JOB - 1) == 0;

    if (lives)
        memcpy(is_job ? out->job : out->who, who, SKV_CLAIM_BYTES);
    out->jobs += is_job && lives;
    out->living += !is_job && lives;
    out->dead += !lives;
}

skv_status skv_claims_count(skv_claims_counts *out, const skv_claims *c)
{
    char who[SKV_CLAIM_BYTES];
    const struct dirent *e = NULL;
    bool is = false, lives = false;
    skv_status st;
    DIR *d;

    *out = (skv_claims_counts){0};
    SKV_TRY(skv_folder_list(&d, c->path, c->n_below));
    do {
        st = skv_folder_next(&e, d, c->path);
        if (st == SKV_OK && e)
            st = is_anothers(&is, &lives, who, c, e->d_name);
        if (st == SKV_OK && e && is)
            count(out, e->d_name, lives, who);
    } while (st == SKV_OK && e);
    closedir(d);
    return st;
}

skv_status skv_claims_others(bool *any, const skv_claims *c)
{
    skv_claims_counts n;

    *any = false;
    SKV_TRY(skv_claims_count(&n, c));
    *any = n.living > 0;
    return SKV_OK;
}

static skv_status list(const skv_claims *c, bool (*is_one)(const char *name),
                       void (*one)(void *ctx, const char *name), void *ctx)
{
    const struct dirent *e = NULL;
    skv_status st;
    DIR *d;

    SKV_TRY(skv_folder_list(&d, c->path, c->n_below));
    while ((st = skv_folder_next(&e, d, c->path)) == SKV_OK && e)
        if (is_one(e->d_name))
            one(ctx, e->d_name);
    closedir(d);
    return st;
}

skv_status skv_claims_list(const skv_claims *c, void (*one)(void *ctx, const char *name), void *ctx)
{
    return list(c, is_claim, one, ctx);
}

static void sweep_claim(void *claims, const char *name)
{
    const skv_claims *c = claims;
    char line[SKV_CLAIM_BYTES], who[SKV_CLAIM_BYTES];
    struct timespec time;

    if (read_line(line, &time, c, name) == SKV_OK && is_orphan(who, c, line, time) &&
        remove_orphan(c, name, line) != SKV_OK)
        skv_debug("%s", skv_message());
}

static void sweep_heartbeat(void *claims, const char *name)
{
    const skv_claims *c = claims;
    char owner[SKV_CLAIM_BYTES];

    skv_claims__owner_of(owner, name);
    if (skv_claims_owner(c, owner) == SKV_OWNER_IS_DEAD)
        unlinkat(c->folder, name, 0);
}

/* Whether a file aside is a dead process's. One without a heartbeat may be about to make that. */
static bool is_dead(const void *claims, const char *process, struct timespec written)
{
    const skv_owner_state state = skv_claims_owner(claims, process);

    return state == SKV_OWNER_IS_DEAD ||
           (state == SKV_OWNER_IS_UNKNOWN && skv_claims_age(claims, written) > SKV_CLAIM_SECONDS);
}

/* Heartbeats go last: without one an owner of another place is unknown. */
skv_status skv_claims_sweep(skv_claims *c)
{
    SKV_TRY(list(c, is_claim, sweep_claim, c));
    SKV_TRY(skv_aside_sweep(c->path, c->n_below, is_dead, c));
    return list(c, skv_claims__is_heart, sweep_heartbeat, c);
}
