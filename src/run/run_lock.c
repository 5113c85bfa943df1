#define _GNU_SOURCE /* DT_DIR */
#include "run/run_lock.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/aside.h"
#include "core/folder.h"

#define LOCK        "folder" /* the claim's name */
#define DAY_SECONDS 86400

/* A process of another place that has no heartbeat may be an eval, whose file is long in the
 * making. */
static bool is_dead(const void *claims, const char *process, struct timespec written)
{
    const skv_owner_state state = skv_claims_owner(claims, process);

    return state == SKV_OWNER_IS_DEAD ||
           (state == SKV_OWNER_IS_UNKNOWN && skv_claims_age(claims, written) > DAY_SECONDS);
}

/* The folder and, `depth` levels down, those in it. n_below: core/folder.h. */
static skv_status sweep_tree(const skv_claims *c, const char *folder, int n_below, int depth)
{
    char inner[4096];
    const struct dirent *e = NULL;
    skv_status st = skv_aside_sweep(folder, n_below, is_dead, c);
    DIR *d;

    if (st == SKV_OK && depth > 0)
        st = skv_folder_list(&d, folder, n_below);
    if (st == SKV_E_NOTFOUND || st == SKV_E_KIND) /* none, or a link: not a folder of ours */
        return SKV_OK;
    if (st != SKV_OK || depth == 0)
        return st;
    while (st == SKV_OK && (st = skv_folder_next(&e, d, folder)) == SKV_OK && e)
        if (e->d_name[0] != '.' && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) &&
            snprintf(inner, sizeof inner, "%s/%s", folder, e->d_name) < (int)sizeof inner)
            st = sweep_tree(c, inner, n_below + 1, depth - 1);
    closedir(d);
    return st;
}

/* Heartbeats last: they tell which aside files are a dead writer's. */
skv_status skv_run_sweep(skv_claims *c, const char *run)
{
    SKV_TRY(skv_aside_sweep(run, 0, is_dead, c));
    return skv_claims_sweep(c);
}

/* groups/<path>/<hundred>, images/<path>/<hundred>, index/<path>: two levels below. */
static skv_status sweep_all(skv_claims *c, const char *run)
{
    static const char *const parts[] = {"groups", "images", "index"};
    char folder[4096];

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(folder, sizeof folder, "%s/%s", run, parts[i]);
        SKV_TRY(sweep_tree(c, folder, 1, 2));
    }
    return skv_run_sweep(c, run);
}

skv_status skv_run_claims_open(skv_claims **out, const char *run)
{
    char folder[4096];

    if (snprintf(folder, sizeof folder, "%s/claims", run) >= (int)sizeof folder)
        return skv_fail(SKV_E_ARG, "%.80s...: the run's folder has too long a name", run);
    return skv_claims_open(out, folder, 1);
}

skv_status skv_run_lock_take(skv_claims *c, const char *run, int seconds, const skv_flag *stop)
{
    char what[4096 + 64];
    skv_status st;

    snprintf(what, sizeof what, "%.4095s: another skv is at work in this folder", run);
    SKV_TRY(
        skv_claims_wait(c, LOCK, what, &(skv_claims_patience){.seconds = seconds, .stop = stop}));
    st = sweep_all(c, run);
    if (st != SKV_OK)
        skv_run_lock_release(c);
    return st;
}

void skv_run_lock_release(skv_claims *c)
{
    skv_claims_drop(c, LOCK);
}
