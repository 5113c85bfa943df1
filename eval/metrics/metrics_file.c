/* metrics.h5, written. */
#include "eval/metrics/metrics_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "run/schema.h"

#define NAME_BYTES 512
#define LONG_BYTES 4400 /* the name of a folder is in it */

/* Two folders are called by their last part: a name inside the file cannot hold a slash. */
static const char *object_name(const skv_metrics_file *m, const skv_path_results *p)
{
    const char *slash = strrchr(p->name, '/');

    if (skv_pairs_run(m->pairs) || !slash)
        return p->name;
    return slash[1] ? slash + 1 : "compared";
}

const char *skv_results_weights(const skv_results *r)
{
    const char *weights = "none";

    for (int i = 0; i < r->n_paths; i++)
        for (int k = 0; k < r->path[i].n_columns; k++) {
            const char *mine = r->path[i].column[k].weights;

            if (mine && strcmp(weights, "formula") != 0)
                weights = mine;
        }
    return weights;
}

static skv_status set_mean(skv_h5 *f, const char *object, const char *key, double v)
{
    return isnan(v) ? SKV_OK : skv_h5_set_real(f, object, key, v);
}

/* What a reader needs to show a dataset without knowing the metric. */
static skv_status describe(skv_h5 *f, const char *dataset, const skv_column *c, const char *kind)
{
    const skv_metric *m = c->metric;
    int order = 0;

    while (skv_metrics[order] != m)
        order++;
    SKV_TRY(skv_h5_set_text(f, dataset, "title", m->title));
    SKV_TRY(skv_h5_set_text(f, dataset, "better", skv_better_word(m->better)));
    SKV_TRY(skv_h5_set_text(f, dataset, "kind", kind));
    SKV_TRY(skv_h5_set_int(f, dataset, "order", order));
    SKV_TRY(skv_h5_set_int(f, dataset, "digits", m->digits));
    SKV_TRY(skv_h5_set_int(f, dataset, "percent", m->percent));
    if (c->weights)
        SKV_TRY(skv_h5_set_text(f, dataset, "weights", c->weights));
    return SKV_OK;
}

/* Of a metric against other pictures: which ones. */
static const char *long_name(char out[LONG_BYTES], const skv_metric *m, const skv_results *r)
{
    if (skv_metric_has_reference(m))
        return m->long_name;
    if (r->n_against > 0)
        snprintf(out, LONG_BYTES, "%s: the %lld of %s", m->long_name, (long long)r->n_against,
                 r->against);
    else
        snprintf(out, LONG_BYTES, "%s: the statistics %s", m->long_name, r->against);
    return out;
}

/* /metrics/<path>/<metric>, its attributes, and its means as attributes of the path. */
static skv_status write_column(skv_h5 *f, const char *path, const skv_column *c,
                               const skv_results *r)
{
    const skv_metric *m = c->metric;
    char words[LONG_BYTES];
    const skv_h5_layout layout = {.type = SKV_H5_F64,
                                  .n_dims = m->kind == SKV_METRIC_OF_SCALE ? 2 : 1,
                                  .shape = {c->width ? r->n : 1, c->width},
                                  .long_name = long_name(words, m, r),
                                  .units = m->units};
    char dataset[NAME_BYTES + 64], key[64];

    if (!c->value && isnan(c->mean)) /* a set of fewer than two pairs */
        return SKV_OK;
    snprintf(dataset, sizeof dataset, "%s/%.40s", path, m->name);
    SKV_TRY(skv_h5_write(f, dataset, &layout, c->value ? c->value : &c->mean));
    SKV_TRY(describe(f, dataset, c, skv_metric_kind_word(m->kind)));
    SKV_TRY(set_mean(f, dataset, "mean", c->mean));
    if (m->infinite_when_equal)
        SKV_TRY(set_mean(f, dataset, "mean_finite", c->mean_finite));
    if (m->kind == SKV_METRIC_OF_SET)
        return skv_h5_set_real(f, path, m->name, c->mean);
    if (m->kind == SKV_METRIC_OF_SCALE)
        return SKV_OK;
    snprintf(key, sizeof key, "%.40s_mean", m->name);
    SKV_TRY(set_mean(f, path, key, c->mean));
    snprintf(key, sizeof key, "%.40s_mean_finite", m->name);
    return m->infinite_when_equal ? set_mean(f, path, key, c->mean_finite) : SKV_OK;
}

/* /metrics/<path>/<metric>_mean (S) of a metric by scale. */
static skv_status write_scale_means(skv_h5 *f, const char *path, const skv_column *c)
{
    char dataset[NAME_BYTES + 64], long_name[128];
    const skv_h5_layout layout = {.type = SKV_H5_F64,
                                  .n_dims = 1,
                                  .shape = {c->width},
                                  .long_name = long_name,
                                  .units = c->metric->units};

    if (!c->scale_mean)
        return SKV_OK;
    snprintf(dataset, sizeof dataset, "%s/%.40s_mean", path, c->metric->name);
    snprintf(long_name, sizeof long_name, "mean of %s over the pictures", c->metric->name);
    SKV_TRY(skv_h5_write(f, dataset, &layout, c->scale_mean));
    return describe(f, dataset, c, "scale_mean");
}

static skv_status write_path(skv_h5 *f, const skv_metrics_file *m, const skv_path_results *p)
{
    char object[NAME_BYTES];

    snprintf(object, sizeof object, "/metrics/%.300s", object_name(m, p));
    for (int i = 0; i < p->n_columns; i++) {
        SKV_TRY(write_column(f, object, &p->column[i], m->results));
        SKV_TRY(write_scale_means(f, object, &p->column[i]));
    }
    if (p->digest)
        SKV_TRY(skv_h5_set_text(f, object, "digest", p->digest));
    SKV_TRY(skv_h5_set_int(f, object, "n_pairs", p->n_pairs));
    return skv_h5_set_int(f, object, "n_identical", p->n_identical);
}

static skv_status write_all(skv_h5 *f, const skv_metrics_file *m)
{
    const skv_run_file *run = skv_pairs_run(m->pairs);
    const skv_h5_layout ids = {.type = SKV_H5_TEXT,
                               .n_dims = 1,
                               .shape = {m->results->n},
                               .long_name = "id of the picture",
                               .units = ""};

    SKV_TRY(skv_h5_write(f, "/metrics/id", &ids, m->pairs->id));
    SKV_TRY(skv_h5_set_text(f, "/metrics/id", "better", skv_better_word(SKV_BETTER_NONE)));
    SKV_TRY(skv_h5_set_text(f, "/", "skv", m->version));
    SKV_TRY(skv_h5_set_text(f, "/", "networks", skv_results_weights(m->results)));
    SKV_TRY(skv_h5_set_text(f, "/", "reference", skv_pairs_reference(m->pairs)));
    SKV_TRY(skv_h5_set_text(f, "/", "config_digest", run ? run->config_digest : ""));
    if (run && run->partial)
        SKV_TRY(skv_h5_set_text(f, "/", SKV_ATTR_PARTIAL, run->partial));
    if (m->results->against) {
        SKV_TRY(skv_h5_set_text(f, "/", "against", m->results->against));
        SKV_TRY(skv_h5_set_text(f, "/", "against_digest", m->results->against_digest));
        SKV_TRY(skv_h5_set_int(f, "/", "against_pictures", m->results->n_against));
    }
    if (run && !m->pairs->no_reference)
        SKV_TRY(skv_h5_set_text(f, "/", "reference_digest", skv_pairs_path(m->pairs, 0)->digest));
    for (int i = 0; i < m->results->n_paths; i++)
        SKV_TRY(write_path(f, m, &m->results->path[i]));
    return SKV_OK;
}

skv_status skv_metrics_write_h5(const skv_metrics_file *m, const char *path)
{
    skv_h5 *f = NULL;
    skv_status st;

    SKV_TRY(skv_h5_create(&f, path));
    SKV_TRY_GOTO(write_all(f, m), done);
    st = skv_h5_commit(&f);
done:
    skv_h5_close(f);
    return st;
}
