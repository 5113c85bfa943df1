#include "eval/metrics/results_merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/log.h"
#include "core/mem.h"
#include "eval/metrics/metrics_file.h"

/* Names in one sentence, "a, b"; more than fit end in "...". */
typedef struct {
    char text[400];
    int n;
} names;

static void add_name(names *l, const char *name)
{
    const size_t used = strlen(l->text);

    if (strlen(name) + used + 8 < sizeof l->text)
        snprintf(l->text + used, sizeof l->text - used, "%s%s", l->n ? ", " : "", name);
    else if (used > 0 && l->text[used - 1] != '.')
        snprintf(l->text + used, sizeof l->text - used, ", ...");
    l->n++;
}

static bool has_name(const names *l, const char *name)
{
    const char *at = strstr(l->text, name);
    const size_t n = strlen(name);

    return at && (at == l->text || at[-1] == ' ') && (at[n] == '\0' || at[n] == ',');
}

static skv_path_results *find_path(const skv_results *r, const char *name)
{
    for (int i = 0; i < r->n_paths; i++)
        if (r->path[i].name && strcmp(r->path[i].name, name) == 0)
            return &r->path[i];
    return NULL;
}

/* ----------------------------------------------------------------- what is kept */

/* Numbers of a kind: those of comparisons with the reference path, and those against other
 * pictures. Each may have to go without the other. */
typedef enum { WITH_REFERENCE, AGAINST_OTHERS, KINDS } kind;

static kind kind_of(const skv_column *c)
{
    return skv_metric_has_reference(c->metric) ? WITH_REFERENCE : AGAINST_OTHERS;
}

/* Why nothing of the file can be kept; NULL: it depends on each path. */
static const char *other_pictures(const skv_old_metrics *old, const skv_pairs *pairs)
{
    const skv_run_file *run = skv_pairs_run(pairs);

    if (!run || !old->config_digest[0])
        return "nothing says whether two folders hold the same pictures as before";
    if (strcmp(old->config_digest, run->config_digest) != 0)
        return "they are of another run";
    if (old->results.n != pairs->n)
        return "the run has other rows now";
    for (int64_t i = 0; i < pairs->n; i++)
        if (strcmp(old->id[i], pairs->id[i]) != 0)
            return "the run has other rows now";
    return NULL;
}

/* Why nothing of a kind can be kept; NULL: it depends on each path. results: NULL, not known yet.
 */
static const char *other_kind(kind k, const skv_old_metrics *old, const skv_pairs *pairs,
                              const skv_results *results)
{
    if (k == AGAINST_OTHERS)
        return results && results->against && old->results.against &&
                       strcmp(old->results.against_digest, results->against_digest) != 0
                   ? "they are against other pictures (--out FOLDER would keep both)"
                   : NULL;
    if (strcmp(old->reference, skv_pairs_reference(pairs)) != 0)
        return "they are against another reference path (--out FOLDER would keep both)";
    if (old->reference_digest &&
        strcmp(old->reference_digest, skv_pairs_path(pairs, 0)->digest) != 0)
        return "the reference's pictures have changed since";
    return NULL;
}

static const skv_run_path *path_of_run(const skv_run_file *run, const char *name)
{
    for (int i = 0; i < run->n_paths; i++)
        if (strcmp(run->path[i].name, name) == 0)
            return &run->path[i];
    return NULL;
}

static const char *other_path(const skv_path_results *p, const skv_pairs *pairs)
{
    const skv_run_path *now = path_of_run(skv_pairs_run(pairs), p->name);

    if (!now)
        return "the run has no such path any more";
    if (!p->digest || strcmp(p->digest, now->digest) != 0)
        return "its pictures have changed since";
    if (p->n_pairs != pairs->n_usable)
        return "other rows have pictures now";
    return NULL;
}

/* ------------------------------------------------------------------------- say */

/* Whether the new result has everything of a kind (KINDS: of any) that the old path has. */
static bool covered(const skv_results *results, const skv_path_results *old, kind k)
{
    const skv_path_results *p = find_path(results, old->name);

    for (int i = 0; i < old->n_columns; i++)
        if ((k == KINDS || kind_of(&old->column[i]) == k) &&
            (!p || !skv_path_column(p, old->column[i].metric)))
            return false;
    return true;
}

static void say_dropped(const skv_results *results, const skv_results *old, kind k,
                        const char *file, const char *why, const char *when)
{
    names paths = {0};

    for (int i = 0; i < old->n_paths; i++)
        if (old->path[i].name && !covered(results, &old->path[i], k))
            add_name(&paths, old->path[i].name);
    if (paths.n > 0)
        skv_warn("%s: earlier results of %s %s dropped: %s", file, paths.text, when, why);
}

static void say_kept(const names *metrics, const names *paths, const char *file)
{
    struct stat info;
    struct tm when;
    char date[32] = "an earlier evaluation";

    if (stat(file, &info) == 0 && localtime_r(&info.st_mtime, &when))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M", &when);
    if (metrics->n + paths->n > 0)
        skv_info("%s of %s: its %s%s%s%s are kept", file, date, metrics->text,
                 metrics->n && paths->n ? " and its " : "", paths->n ? "results of " : "",
                 paths->text);
}

/* ----------------------------------------------------------------------- merge */

/* Moves the columns that p lacks; both are in the order of skv_metrics[]. */
static skv_status take_columns(skv_path_results *p, skv_path_results *old, names *kept)
{
    skv_column *all = NULL;
    int n = 0, i = 0, k = 0;

    SKV_TRY(skv_alloc(&all, (size_t)(p->n_columns + old->n_columns) + 1, sizeof *all, "metrics"));
    for (const skv_metric *const *m = skv_metrics; *m; m++) {
        const bool mine = i < p->n_columns && p->column[i].metric == *m;
        const bool theirs = k < old->n_columns && old->column[k].metric == *m;

        if (mine)
            all[n++] = p->column[i++];
        if (theirs && !mine) {
            all[n++] = old->column[k];
            old->column[k] = (skv_column){0};
            if (!has_name(kept, (*m)->title))
                add_name(kept, (*m)->title);
        }
        k += theirs;
    }
    free(p->column);
    p->column = all;
    p->n_columns = n;
    return SKV_OK;
}

/* Every path of the run gets what it lacks; then each new result, or the old one alone, takes its
 * place in the order of the run. */
static skv_status merge(skv_results *results, skv_results *old, const skv_pairs *pairs,
                        const char *file)
{
    const skv_run_file *run = skv_pairs_run(pairs);
    skv_path_results *all = NULL;
    names metrics = {0}, paths = {0};
    int n = 0;

    for (int i = 0; i < results->n_paths; i++) {
        skv_path_results *p = &results->path[i], *before = find_path(old, p->name);

        if (before && (pairs->no_pictures || !skv_path_is_compared(p)))
            p->n_identical = before->n_identical;
        if (before)
            SKV_TRY(take_columns(p, before, &metrics));
    }
    SKV_TRY(skv_alloc(&all, (size_t)run->n_paths, sizeof *all, "metrics"));
    for (int i = 0; i < run->n_paths; i++) {
        skv_path_results *p = find_path(results, run->path[i].name);

        if (!p && (p = find_path(old, run->path[i].name)))
            add_name(&paths, p->name);
        if (!p)
            continue;
        all[n++] = *p;
        *p = (skv_path_results){0};
    }
    free(results->path);
    results->path = all;
    results->n_paths = n;
    say_kept(&metrics, &paths, file);
    return SKV_OK;
}

/* A path that is left without numbers is dropped. */
static void drop_kind(skv_results *old, kind k)
{
    for (int i = 0; i < old->n_paths; i++) {
        skv_path_results *p = &old->path[i];
        int n = 0;

        for (int c = 0; c < p->n_columns; c++) {
            if (kind_of(&p->column[c]) == k)
                skv_column_clear(&p->column[c]);
            else
                p->column[n++] = p->column[c];
        }
        p->n_columns = n;
        if (k == WITH_REFERENCE)
            p->n_identical = 0;
        if (n == 0)
            skv_path_results_clear(p);
    }
}

static bool has_kind(const skv_results *r, kind k)
{
    for (int i = 0; i < r->n_paths; i++)
        for (int c = 0; c < r->path[i].n_columns; c++)
            if (kind_of(&r->path[i].column[c]) == k)
                return true;
    return false;
}

/* What the kept numbers are against, where the new results do not say it. */
static void keep_against(skv_results *results, skv_results *old)
{
    if (results->against || !old->against || !has_kind(results, AGAINST_OTHERS))
        return;
    results->against = old->against;
    results->against_digest = old->against_digest;
    results->n_against = old->n_against;
    old->against = old->against_digest = NULL;
}

/* Drops old paths whose pictures have changed, and computes the means of the others again. */
static void drop_changed(skv_results *old, const skv_results *results, const skv_pairs *pairs,
                         const char *file)
{
    for (int i = 0; i < old->n_paths; i++) {
        skv_path_results *p = &old->path[i];
        const char *why = p->name ? other_path(p, pairs) : NULL;

        if (why && !covered(results, p, KINDS))
            skv_warn("%s: earlier results of %s are dropped: %s", file, p->name, why);
        if (why)
            skv_path_results_clear(p);
        for (int k = 0; k < p->n_columns; k++)
            if (p->column[k].value)
                skv_column_summarise(&p->column[k], pairs->n, pairs->usable);
    }
}

skv_status skv_results_foresee(const skv_pairs *pairs, const char *path)
{
    const skv_results none = {0};
    skv_old_metrics old;
    const char *why;
    skv_status st;

    if (!skv_pairs_run(pairs)) /* of folders all is computed again */
        return SKV_OK;
    st = skv_metrics_read_h5(&old, path);
    why = st == SKV_OK ? other_pictures(&old, pairs) : NULL;
    if (why)
        say_dropped(&none, &old.results, KINDS, path, why, "will be");
    else if (st == SKV_OK && (why = other_kind(WITH_REFERENCE, &old, pairs, NULL)))
        say_dropped(&none, &old.results, WITH_REFERENCE, path, why, "will be");
    skv_old_metrics_clear(&old);
    return st == SKV_E_MEM ? st : SKV_OK; /* others are said when it is merged */
}

skv_status skv_results_merge(skv_results *results, const skv_pairs *pairs, const char *path)
{
    skv_old_metrics old;
    const char *why;
    skv_status st = skv_metrics_read_h5(&old, path);

    /* what cannot be read at the moment may hold numbers that took hours */
    if (skv_may_pass(st))
        goto done;
    if (st != SKV_OK) {
        if (st != SKV_E_NOTFOUND)
            skv_warn("%s; it is replaced", skv_message());
        st = SKV_OK;
        goto done;
    }
    why = other_pictures(&old, pairs);
    if (why) {
        say_dropped(results, &old.results, KINDS, path, why, "are");
        goto done;
    }
    for (kind k = 0; k < KINDS; k++)
        if ((why = other_kind(k, &old, pairs, results))) {
            say_dropped(results, &old.results, k, path, why, "are");
            drop_kind(&old.results, k);
        }
    if (old.unknown)
        skv_warn("%s: earlier numbers of %s are dropped: this program has no such metric", path,
                 old.unknown);
    drop_changed(&old.results, results, pairs, path);
    st = merge(results, &old.results, pairs, path);
    keep_against(results, &old.results);
done:
    skv_old_metrics_clear(&old);
    return st;
}
