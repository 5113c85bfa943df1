/* Recall, from metrics.json: a number and a table of every path that is as it was then. */
#include <string.h>

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

static skv_status copy_path(skv_json_maker *list, const json_t *from, const skv_run_path *path,
                            const char *file)
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
    skv_json_append(list, skv_json_take(&to));
    return SKV_OK;
}

static skv_status copy_recall(skv_json_maker *page, const skv_report *r, const json_t *recall,
                              const char *file)
{
    const json_t *paths = json_object_get(recall, "paths");
    json_t *pictures = json_object_get(recall, "pictures");
    skv_json_maker to = skv_json_object(), list = skv_json_array();
    skv_status st = SKV_OK;
    bool any = false;

    if (!json_is_array(paths) || !json_is_integer(pictures))
        st = skv_fail(SKV_E_FORMAT, "%s: \"recall\" lacks \"paths\" or \"pictures\"", file);
    for (int i = 0; i < r->run.n_paths && st == SKV_OK; i++) {
        const json_t *from = find_path(paths, &r->run.path[i]);

        any = any || from;
        st = copy_path(&list, from, &r->run.path[i], file);
    }
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
