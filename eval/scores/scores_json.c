/* "scores" of metrics.json: a list of objects, one a path and evaluator. Each says which pictures
 * it is of, by the path's digest and the number of rows, so that it goes when these go. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/log.h"
#include "core/text.h"
#include "eval/scores/scores.h"
#include "run/run_summary.h"

#define NAME_BYTES 4096

/* ---------------------------------------------------------------------- published */

static skv_status run_json(char *out, const skv_run_file *run)
{
    if (snprintf(out, NAME_BYTES, "%s/run.json", run->folder) >= NAME_BYTES)
        return skv_fail(SKV_E_ARG, "%s: the folder's name is too long", run->folder);
    return SKV_OK;
}

skv_status skv_published_read(skv_published *out, const skv_run_file *run)
{
    char file[NAME_BYTES];
    json_t *root = NULL;
    skv_status st;

    *out = (skv_published){0};
    SKV_TRY(run_json(file, run));
    st = skv_json_read_below(&root, file, 1);
    if (st == SKV_OK)
        out->settings = json_incref(json_object_get(root, "settings"));
    json_decref(root);
    return st == SKV_E_NOTFOUND ? SKV_OK : st; /* a run.h5 alone */
}

double skv_published_of(const skv_published *p, const char *path, const char *name)
{
    const json_t *list = json_object_get(p->settings, "published");
    const bool rewritten = json_is_string(json_object_get(p->settings, "rewrite_cache"));

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i), *value = json_object_get(row, name);
        const char *of = json_string_value(json_object_get(row, "path"));

        if (of && strcmp(of, path) == 0 && json_is_number(value) &&
            json_is_true(json_object_get(row, "rewritten")) == rewritten)
            return json_number_value(value);
    }
    return NAN;
}

void skv_published_clear(skv_published *p)
{
    json_decref(p->settings);
    *p = (skv_published){0};
}

/* ------------------------------------------------------------------------- a score */

static json_t *categories(const skv_score *s)
{
    skv_json_maker list = skv_json_array();

    for (int i = 0; i < s->n_categories; i++) {
        const skv_score_category *c = &s->category[i];
        skv_json_maker o = skv_json_object();

        skv_json_put(&o, "name", skv_json_foreign(c->name));
        skv_json_put(&o, "fine", json_boolean(c->fine));
        skv_json_put(&o, "score", skv_json_finite(c->value));
        skv_json_put(&o, "results", c->n < 0 ? json_null() : json_integer(c->n));
        skv_json_append(&list, skv_json_take(&o));
    }
    return skv_json_take(&list);
}

/* What the path took, of a picture. */
static skv_status put_costs(skv_json_maker *o, const skv_run_file *run, const char *path)
{
    skv_path_summary sum;
    int64_t done = 0;

    SKV_TRY(skv_path_summary_read(&sum, run->h5, path));
    for (int64_t i = 0; i < run->n; i++)
        done += run->status[i] == SKV_OK;
    skv_json_put(o, "cache_bytes", json_integer(sum.cache_bytes));
    skv_json_put(o, "seconds",
                 done ? skv_json_finite((sum.transformer_seconds + sum.vae_seconds) / (double)done)
                      : json_null());
    return SKV_OK;
}

static skv_status score_json(json_t **out, const skv_score *s, const skv_run_file *run,
                             const skv_published *published)
{
    const skv_run_path *path = &run->path[s->path];
    skv_json_maker o = skv_json_object();
    skv_status st;

    skv_json_put(&o, "evaluator", json_string(s->by->name));
    skv_json_put(&o, "benchmark", json_string(s->by->benchmark));
    skv_json_put(&o, "path", skv_json_foreign(path->name));
    skv_json_put(&o, "score", skv_json_finite(s->value));
    skv_json_put(&o, "published",
                 skv_json_finite(skv_published_of(published, path->name, s->by->name)));
    skv_json_put(&o, "units", json_string(s->by->units));
    skv_json_put(&o, "digits", json_integer(s->by->digits));
    skv_json_put(&o, "pictures", json_integer(s->n));
    skv_json_put(&o, "of", json_integer(s->n_all));
    skv_json_put(&o, "first_missing", s->missing ? skv_json_foreign(s->missing) : json_null());
    st = put_costs(&o, run, path->name);
    skv_json_put(&o, "categories", categories(s));
    skv_json_put(&o, "fault", skv_json_text(s->by->fault));
    skv_json_put(&o, "rows", json_integer(run->n));
    skv_json_put(&o, "digest", skv_json_foreign(path->digest));
    if (st == SKV_OK)
        return skv_json_finish(out, &o, "scores");
    json_decref(skv_json_take(&o));
    return st;
}

/* ----------------------------------------------------------------------- the list */

skv_status skv_scores_earlier(json_t **out, const char *file)
{
    const skv_status st = skv_json_read_below(out, file, 1);

    if (st == SKV_OK || st == SKV_E_MEM)
        return st;
    *out = NULL;
    if (st != SKV_E_NOTFOUND)
        skv_warn("%s; it is replaced", skv_message());
    return SKV_OK;
}

skv_status skv_scores_root(json_t **out, json_t *earlier, const char *file)
{
    *out = json_is_object(earlier) ? json_incref(earlier) : json_pack("{s:s}", "skv", SKV_VERSION);
    return *out ? SKV_OK : skv_fail(SKV_E_MEM, "%s: out of memory", file);
}

static const char *text_of(const json_t *score, const char *key)
{
    const char *s = json_string_value(json_object_get(score, key));

    return s ? s : "";
}

static const skv_run_path *path_of(const skv_run_file *run, const char *name)
{
    for (int i = 0; i < run->n_paths; i++)
        if (strcmp(run->path[i].name, name) == 0)
            return &run->path[i];
    return NULL;
}

static bool replaced(const json_t *score, const skv_run_file *run, const skv_scores *now)
{
    for (int i = 0; now && i < now->n; i++)
        if (strcmp(text_of(score, "evaluator"), now->item[i].by->name) == 0 &&
            strcmp(text_of(score, "path"), run->path[now->item[i].path].name) == 0)
            return true;
    return false;
}

static bool is_of_run(const json_t *score, const skv_run_file *run)
{
    const skv_run_path *path = path_of(run, text_of(score, "path"));

    return path && strcmp(path->digest, text_of(score, "digest")) == 0 &&
           json_integer_value(json_object_get(score, "rows")) == run->n;
}

static void keep_earlier(skv_json_maker *all, const json_t *earlier, const skv_run_file *run,
                         const skv_scores *now)
{
    const json_t *old = json_object_get(earlier, "scores");

    for (size_t i = 0; i < json_array_size(old); i++) {
        json_t *score = json_array_get(old, i);

        if (replaced(score, run, now))
            continue;
        if (is_of_run(score, run))
            skv_json_append(all, json_incref(score));
        else
            skv_warn(
                "the score of %.40s for path %.80s is dropped: its pictures have changed since",
                text_of(score, "benchmark"), text_of(score, "path"));
    }
}

static skv_status add_new(skv_json_maker *all, const skv_run_file *run, const skv_scores *now)
{
    skv_published published;
    json_t *score = NULL;
    skv_status st = skv_published_read(&published, run);

    for (int i = 0; now && i < now->n && st == SKV_OK; i++) {
        st = score_json(&score, &now->item[i], run, &published);
        if (st == SKV_OK)
            skv_json_append(all, score);
    }
    skv_published_clear(&published);
    return st;
}

/* Place of a score's evaluator in the list; behind all: of another program's. */
static int order(const json_t *score)
{
    int i = 0;

    while (skv_evaluators[i] && strcmp(text_of(score, "evaluator"), skv_evaluators[i]->name) != 0)
        i++;
    return i;
}

/* Evaluator by evaluator the scores in the order of the run's paths, whichever was read first. */
static json_t *in_order(const json_t *all, const skv_run_file *run)
{
    skv_json_maker list = skv_json_array();
    const int n = order(NULL);

    for (int e = 0; e <= n; e++)
        for (int p = 0; p < run->n_paths; p++)
            for (size_t i = 0; i < json_array_size(all); i++) {
                json_t *score = json_array_get(all, i);

                if (order(score) == e && strcmp(text_of(score, "path"), run->path[p].name) == 0)
                    skv_json_append(&list, json_incref(score));
            }
    return skv_json_take(&list);
}

skv_status skv_scores_merge(json_t *root, const json_t *earlier, const skv_run_file *run,
                            const skv_scores *now)
{
    skv_json_maker maker = skv_json_array(), to;
    json_t *all = NULL;
    skv_status st;

    keep_earlier(&maker, earlier, run, now);
    SKV_TRY_GOTO(add_new(&maker, run, now), done);
    SKV_TRY_GOTO(skv_json_finish(&all, &maker, "scores"), done);
    to = skv_json_extend(root);
    skv_json_put(&to, "scores", in_order(all, run));
    st = skv_json_finish(NULL, &to, "metrics.json");
done:
    json_decref(all);
    json_decref(skv_json_take(&maker));
    return st;
}
