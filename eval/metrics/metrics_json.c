/* metrics.json. Every metric has its key in every path: null says that it was not computed. */
#include <math.h>
#include <stdio.h>

#include "core/build.h"
#include "core/json.h"
#include "eval/metrics/metrics_file.h"
#include "run/starts.h"

static json_t *metric_json(const skv_metric *m)
{
    skv_json_maker o = skv_json_object();

    skv_json_put(&o, "name", json_string(m->name));
    skv_json_put(&o, "title", json_string(m->title));
    skv_json_put(&o, "long_name", json_string(m->long_name));
    skv_json_put(&o, "units", json_string(m->units));
    skv_json_put(&o, "better", json_string(skv_better_word(m->better)));
    skv_json_put(&o, "kind", json_string(skv_metric_kind_word(m->kind)));
    skv_json_put(&o, "digits", json_integer(m->digits));
    skv_json_put(&o, "percent", json_boolean(m->percent));
    return skv_json_take(&o);
}

/* <name>_mean, <name>_mean_finite, <name>, or <name>_mean as a list by scale. */
static void put_metric(skv_json_maker *o, const skv_metric *m, const skv_column *c)
{
    skv_json_maker scales;
    char key[64];

    snprintf(key, sizeof key, "%.40s_mean", m->name);
    switch (m->kind) {
    case SKV_METRIC_OF_PICTURE:
        skv_json_put(o, key, skv_json_finite(c ? c->mean : (double)NAN));
        snprintf(key, sizeof key, "%.40s_mean_finite", m->name);
        if (m->infinite_when_equal)
            skv_json_put(o, key, skv_json_finite(c ? c->mean_finite : (double)NAN));
        break;
    case SKV_METRIC_OF_SCALE:
        scales = skv_json_array();
        for (int i = 0; c && i < c->width; i++)
            skv_json_append(&scales, skv_json_finite(c->scale_mean[i]));
        skv_json_put(o, key, skv_json_take(&scales));
        break;
    case SKV_METRIC_OF_SET:
        skv_json_put(o, m->name, skv_json_finite(c ? c->mean : (double)NAN));
        break;
    }
}

static json_t *path_json(const skv_path_results *p)
{
    skv_json_maker o = skv_json_object(), weights = skv_json_object();

    skv_json_put(&o, "name", skv_json_foreign(p->name));
    skv_json_put(&o, "pairs", json_integer(p->n_pairs));
    skv_json_put(&o, "identical",
                 skv_path_is_compared(p) ? json_integer(p->n_identical) : json_null());
    for (const skv_metric *const *m = skv_metrics; *m; m++) {
        const skv_column *c = skv_path_column(p, *m);

        put_metric(&o, *m, c);
        if (c && c->weights)
            skv_json_put(&weights, (*m)->name, json_string(c->weights));
    }
    skv_json_put(&o, "weights", skv_json_take(&weights));
    skv_json_put(&o, "digest", p->digest ? skv_json_foreign(p->digest) : json_null());
    return skv_json_take(&o);
}

/* What the run.h5 lacked; null: nothing. */
static json_t *partial(const skv_pairs *pairs)
{
    const skv_run_file *run = skv_pairs_run(pairs);

    return run && run->partial ? skv_json_foreign(run->partial) : json_null();
}

/* Rows of a run that have no pictures, and why. */
static json_t *left_out(const skv_pairs *pairs)
{
    const skv_run_file *run = skv_pairs_run(pairs);
    skv_json_maker list = skv_json_array();

    for (int64_t i = 0; run && i < run->n; i++) {
        skv_json_maker o;

        if (pairs->usable[i])
            continue;
        o = skv_json_object();
        skv_json_put(&o, "id", skv_json_foreign(run->id[i]));
        skv_json_put(&o, "reason", skv_json_foreign(run->error[i]));
        skv_json_append(&list, skv_json_take(&o));
    }
    return skv_json_take(&list);
}

/* What all paths are held against besides the reference path. */
static json_t *against_json(const skv_results *r)
{
    skv_json_maker o;

    if (!r->against)
        return json_null();
    o = skv_json_object();
    skv_json_put(&o, "name", skv_json_foreign(r->against));
    skv_json_put(&o, "pictures", r->n_against > 0 ? json_integer(r->n_against) : json_null());
    skv_json_put(&o, "digest", skv_json_foreign(r->against_digest));
    return skv_json_take(&o);
}

/* The program that compared, and the starts of the run that it compared. Equal for equal runs and
 * programs, whoever started them: so an evaluation that is repeated changes nothing. */
static json_t *provenance(const skv_metrics_file *m)
{
    const skv_run_file *run = skv_pairs_run(m->pairs);
    skv_json_maker o = skv_json_object();

    skv_json_put(&o, "build", json_string(skv_build()));
    if (m->libraries)
        skv_json_put(&o, "libraries", json_deep_copy(m->libraries));
    if (run && run->starts)
        skv_json_put(&o, SKV_STARTS, json_incref(run->starts));
    return skv_json_take(&o);
}

skv_status skv_metrics_json(json_t **out, const skv_metrics_file *m)
{
    skv_json_maker root = skv_json_object(), paths = skv_json_array(), metrics = skv_json_array();

    for (int i = 0; i < m->results->n_paths; i++)
        skv_json_append(&paths, path_json(&m->results->path[i]));
    for (const skv_metric *const *k = skv_metrics; *k; k++)
        skv_json_append(&metrics, metric_json(*k));
    skv_json_put(&root, "skv", json_string(m->version));
    skv_json_put(&root, "networks", json_string(skv_results_weights(m->results)));
    skv_json_put(&root, "reference",
                 m->pairs->no_reference ? json_null()
                                        : skv_json_foreign(skv_pairs_reference(m->pairs)));
    skv_json_put(&root, "against", against_json(m->results));
    skv_json_put(&root, "pictures", json_integer(m->pairs->n));
    skv_json_put(&root, "failed", json_integer(m->pairs->n - m->pairs->n_usable));
    skv_json_put(&root, "partial", partial(m->pairs));
    skv_json_put(&root, "left_out", left_out(m->pairs));
    skv_json_put(&root, "provenance", provenance(m));
    skv_json_put(&root, "metrics", skv_json_take(&metrics));
    skv_json_put(&root, "paths", skv_json_take(&paths));
    return skv_json_finish(out, &root, "metrics.json");
}
