/* metrics.json. Every metric has its key in every path: null says that it was not computed. */
#include <math.h>
#include <stdio.h>

#include "eval/metrics/metrics_file.h"

/* Whether every piece was made and put in its place. */
typedef struct {
    bool failed;
} builder;

static void put(builder *b, json_t *object, const char *key, json_t *value)
{
    b->failed = json_object_set_new(object, key, value) != 0 || b->failed;
}

static void append(builder *b, json_t *array, json_t *value)
{
    b->failed = json_array_append_new(array, value) != 0 || b->failed;
}

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

/* Text of a run's file, which may be no UTF-8. */
static json_t *text(const char *s)
{
    json_t *v = json_string(s);

    return v ? v : json_string("(no UTF-8)");
}

static json_t *metric_json(builder *b, const skv_metric *m)
{
    json_t *o = json_object();

    put(b, o, "name", json_string(m->name));
    put(b, o, "title", json_string(m->title));
    put(b, o, "long_name", json_string(m->long_name));
    put(b, o, "units", json_string(m->units));
    put(b, o, "better", json_string(skv_better_word(m->better)));
    put(b, o, "kind", json_string(skv_metric_kind_word(m->kind)));
    put(b, o, "digits", json_integer(m->digits));
    put(b, o, "percent", json_boolean(m->percent));
    return o;
}

/* <name>_mean, <name>_mean_finite, <name>, or <name>_mean as a list by scale. */
static void put_metric(builder *b, json_t *o, const skv_metric *m, const skv_column *c)
{
    json_t *scales = NULL;
    char key[64];

    snprintf(key, sizeof key, "%.40s_mean", m->name);
    switch (m->kind) {
    case SKV_METRIC_OF_PICTURE:
        put(b, o, key, number(c ? c->mean : (double)NAN));
        snprintf(key, sizeof key, "%.40s_mean_finite", m->name);
        if (m->infinite_when_equal)
            put(b, o, key, number(c ? c->mean_finite : (double)NAN));
        break;
    case SKV_METRIC_OF_SCALE:
        scales = json_array();
        for (int i = 0; c && i < c->width; i++)
            append(b, scales, number(c->scale_mean[i]));
        put(b, o, key, scales);
        break;
    case SKV_METRIC_OF_SET:
        put(b, o, m->name, number(c ? c->mean : (double)NAN));
        break;
    }
}

static json_t *path_json(builder *b, const skv_path_results *p)
{
    json_t *o = json_object(), *weights = json_object();

    put(b, o, "name", text(p->name));
    put(b, o, "pairs", json_integer(p->n_pairs));
    put(b, o, "identical", json_integer(p->n_identical));
    for (const skv_metric *const *m = skv_metrics; *m; m++) {
        const skv_column *c = skv_path_column(p, *m);

        put_metric(b, o, *m, c);
        if (c && c->weights)
            put(b, weights, (*m)->name, json_string(c->weights));
    }
    put(b, o, "weights", weights);
    put(b, o, "digest", p->digest ? text(p->digest) : json_null());
    return o;
}

/* Rows of a run that have no pictures, and why. */
static json_t *left_out(builder *b, const skv_pairs *pairs)
{
    const skv_run_file *run = skv_pairs_run(pairs);
    json_t *list = json_array();

    for (int64_t i = 0; run && i < run->n; i++) {
        json_t *o;

        if (pairs->usable[i])
            continue;
        o = json_object();
        put(b, o, "id", text(run->id[i]));
        put(b, o, "reason", text(run->error[i]));
        append(b, list, o);
    }
    return list;
}

skv_status skv_metrics_json(json_t **out, const skv_metrics_file *m)
{
    json_t *root = json_object(), *paths = json_array(), *metrics = json_array();
    builder b = {false};

    for (int i = 0; i < m->results->n_paths; i++)
        append(&b, paths, path_json(&b, &m->results->path[i]));
    for (const skv_metric *const *k = skv_metrics; *k; k++)
        append(&b, metrics, metric_json(&b, *k));
    put(&b, root, "skv", json_string(m->version));
    put(&b, root, "networks", json_string(skv_results_weights(m->results)));
    put(&b, root, "reference", text(m->pairs->side[0]));
    put(&b, root, "pictures", json_integer(m->pairs->n));
    put(&b, root, "failed", json_integer(m->pairs->n - m->pairs->n_usable));
    put(&b, root, "left_out", left_out(&b, m->pairs));
    put(&b, root, "metrics", metrics);
    put(&b, root, "paths", paths);
    if (b.failed) {
        json_decref(root);
        return skv_fail(SKV_E_MEM, "metrics: out of memory");
    }
    *out = root;
    return SKV_OK;
}
