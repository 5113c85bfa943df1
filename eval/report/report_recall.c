/* Recall, from metrics.json: a number, its interval and a table of every path that is as it was
 * then. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/report/report_internal.h"

static const json_t *find_path(const json_t *paths, const skv_run_path *path)
{
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const json_t *p = json_array_get(paths, i);
        const char *name = json_string_value(json_object_get(p, "name"));
        const char *digest = json_string_value(json_object_get(p, "digest"));

        if (name && digest && strcmp(name, path->name) == 0 && strcmp(digest, path->digest) == 0)
            return p;
    }
    return NULL;
}

/* A number for every layer of every scale. */
static skv_status check_table(const json_t *table, const skv_run_path *path, const char *file)
{
    bool fits = json_array_size(table) == (size_t)path->n_scales;

    for (int si = 0; fits && si < path->n_scales; si++) {
        const json_t *layers = json_array_get(table, (size_t)si);

        fits = json_array_size(layers) == (size_t)path->n_layers;
        for (int layer = 0; fits && layer < path->n_layers; layer++)
            fits = json_is_number(json_array_get(layers, (size_t)layer));
    }
    return fits ? SKV_OK
                : skv_fail(SKV_E_FORMAT,
                           "%s: the recall of path %s is no table of %d scales and %d layers", file,
                           path->name, path->n_scales, path->n_layers);
}

/* What the intervals are made of: a path's recall of each picture, and the pictures' rows. */
typedef struct {
    int64_t n;
    int64_t *row;                  /* (n), below the run's n */
    double **by_picture;           /* (paths) of (n); NULL: not there */
    skv_interval *interval, *less; /* (paths) */
} picture_recall;

static void clear_pictures(picture_recall *p, int n_paths)
{
    for (int i = 0; p->by_picture && i < n_paths; i++)
        free(p->by_picture[i]);
    free(p->by_picture);
    free(p->row);
    free(p->interval);
    free(p->less);
}

static skv_status read_rows(picture_recall *p, const skv_report *r, const json_t *recall,
                            const char *file)
{
    const json_t *rows = json_object_get(recall, "rows");

    p->n = (int64_t)json_array_size(rows);
    SKV_TRY(skv_alloc(&p->row, (size_t)p->n, sizeof *p->row, "recall"));
    for (int64_t i = 0; i < p->n; i++) {
        const json_t *row = json_array_get(rows, (size_t)i);

        p->row[i] = json_integer_value(row);
        if (!json_is_integer(row) || p->row[i] < 0 || p->row[i] >= r->run.n)
            return skv_fail(SKV_E_FORMAT, "%s: \"rows\" of \"recall\" wants rows below %lld", file,
                            (long long)r->run.n);
    }
    return SKV_OK;
}

static skv_status read_pictures(picture_recall *p, int i, const json_t *from,
                                const skv_run_path *path, const char *file)
{
    const json_t *list = json_object_get(from, "by_picture");

    if (!list) /* measured by an older skv */
        return SKV_OK;
    if (json_array_size(list) != (size_t)p->n)
        return skv_fail(SKV_E_FORMAT, "%s: the recall of path %s is not of the %lld pictures", file,
                        path->name, (long long)p->n);
    SKV_TRY(skv_alloc(&p->by_picture[i], (size_t)p->n, sizeof(double), "recall"));
    for (int64_t k = 0; k < p->n; k++) {
        const json_t *v = json_array_get(list, (size_t)k);

        p->by_picture[i][k] = json_is_number(v) ? json_number_value(v) : NAN;
    }
    return SKV_OK;
}

/* Of each path, and of it less ScaleKV's of the same budget. */
static skv_status find_intervals(picture_recall *p, const skv_report *r, const json_t *recall,
                                 const char *file)
{
    const json_t *paths = json_object_get(recall, "paths");
    const size_t n = (size_t)r->run.n_paths;
    skv_bootstrap *t = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&p->by_picture, n, sizeof *p->by_picture, "recall"), done);
    SKV_TRY_GOTO(skv_alloc(&p->interval, n, sizeof *p->interval, "recall"), done);
    SKV_TRY_GOTO(skv_alloc(&p->less, n, sizeof *p->less, "recall"), done);
    SKV_TRY_GOTO(read_rows(p, r, recall, file), done);
    SKV_TRY_GOTO(skv_bootstrap_open(&t, &r->run.segments), done);
    for (int i = 0; i < r->run.n_paths; i++) {
        p->interval[i] = p->less[i] = (skv_interval){NAN, NAN, NAN};
        SKV_TRY_GOTO(read_pictures(p, i, find_path(paths, &r->run.path[i]), &r->run.path[i], file),
                     done);
    }
    for (int i = 0; i < r->run.n_paths; i++) {
        const int k = r->result[i].scalekv;
        const double *own = p->by_picture[i], *other = k >= 0 ? p->by_picture[k] : NULL;

        if (own)
            SKV_TRY_GOTO(skv_bootstrap_add(t, &p->interval[i], own, NULL, p->row, p->n), done);
        if (own && other)
            SKV_TRY_GOTO(skv_bootstrap_add(t, &p->less[i], own, other, p->row, p->n), done);
    }
    skv_bootstrap_run(t);
done:
    skv_bootstrap_close(t);
    return st;
}

/* The path's number, table and intervals; null where its recall is not there. */
static skv_status copy_path(skv_json_maker *list, const json_t *from, const skv_run_path *path,
                            const char *file, const skv_interval intervals[2])
{
    json_t *mean = json_object_get(from, "mean");
    json_t *table = json_object_get(from, "by_scale_and_layer");
    skv_json_maker to;

    if (!from) {
        skv_json_append(list, json_null());
        return SKV_OK;
    }
    if (!json_is_number(mean))
        return skv_fail(SKV_E_FORMAT, "%s: the recall of path %s has no \"mean\"", file,
                        path->name);
    SKV_TRY(check_table(table, path, file));
    to = skv_json_object();
    skv_json_put(&to, "mean", json_incref(mean));
    skv_json_put(&to, "table", json_incref(table));
    skv_json_put(&to, "interval", skv_interval_json(&intervals[0]));
    skv_json_put(&to, "less", skv_interval_json(&intervals[1]));
    skv_json_append(list, skv_json_take(&to));
    return SKV_OK;
}

static skv_status copy_recall(skv_json_maker *page, const skv_report *r, const json_t *recall,
                              const char *file)
{
    const json_t *paths = json_object_get(recall, "paths");
    json_t *pictures = json_object_get(recall, "pictures");
    skv_json_maker to = skv_json_object(), list = skv_json_array();
    picture_recall p = {0};
    skv_status st = SKV_OK;
    bool any = false;

    if (!json_is_array(paths) || !json_is_integer(pictures))
        st = skv_fail(SKV_E_FORMAT, "%s: \"recall\" lacks \"paths\" or \"pictures\"", file);
    else
        st = find_intervals(&p, r, recall, file);
    for (int i = 0; i < r->run.n_paths && st == SKV_OK; i++) {
        const json_t *from = find_path(paths, &r->run.path[i]);

        any = any || from;
        st = copy_path(&list, from, &r->run.path[i], file,
                       (skv_interval[]){p.interval[i], p.less[i]});
    }
    clear_pictures(&p, r->run.n_paths);
    skv_json_put(&to, "pictures", json_incref(pictures));
    skv_json_put(&to, "paths", skv_json_take(&list));
    if (st == SKV_OK && any)
        skv_json_put(page, "recall", skv_json_take(&to));
    else
        json_decref(skv_json_take(&to));
    return st;
}

skv_status skv_report__recall(skv_json_maker *page, const skv_report *r)
{
    char file[4096];
    json_t *root = NULL;
    const json_t *recall;
    skv_status st;

    SKV_TRY(skv_report__metrics_json(&root, file, r));
    recall = json_object_get(root, "recall");
    if (recall)
        st = copy_recall(page, r, recall, file);
    else
        st = SKV_OK;
    json_decref(root);
    return st;
}
