/* metrics.h5, read again: what an earlier evaluation found. Means are made anew from the numbers.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "eval/metrics/metrics_file.h"

#define NAME_BYTES 512
#define MAX_TABLE  ((size_t)1 << 30)
#define MAX_SCALES 64
#define MAX_PATHS  4096

typedef struct {
    skv_h5 *h5;
    skv_old_metrics *out;
    char *networks; /* what all networks were opened with, where the datasets do not say it */
} reader;

void skv_old_metrics_clear(skv_old_metrics *old)
{
    free(old->reference);
    free(old->reference_digest);
    free(old->config_digest);
    free(old->id);
    free(old->unknown);
    skv_results_clear(&old->results);
    *old = (skv_old_metrics){0};
}

/* NULL where there is none. */
static skv_status text_if_there(char **out, skv_h5 *f, const char *object, const char *key)
{
    const skv_status st = skv_h5_get_text(out, f, object, key);

    if (st != SKV_E_NOTFOUND)
        return st;
    *out = NULL;
    return SKV_OK;
}

static skv_status read_weights(skv_column *c, const reader *r, const char *dataset)
{
    bool there = false;

    if (!c->metric->network)
        return SKV_OK;
    SKV_TRY(skv_h5_has(&there, r->h5, dataset));
    if (there)
        SKV_TRY(text_if_there(&c->weights, r->h5, dataset, "weights"));
    return c->weights ? SKV_OK : skv_text_copy(&c->weights, r->networks);
}

static skv_status read_set(skv_column *c, const reader *r, const char *object)
{
    const skv_status st = skv_h5_get_real(&c->mean, r->h5, object, c->metric->name);

    if (st == SKV_E_NOTFOUND)
        c->mean = NAN;
    return st == SKV_E_NOTFOUND ? SKV_OK : st;
}

static skv_status read_values(skv_column *c, const reader *r, const char *dataset)
{
    const bool by_scale = c->metric->kind == SKV_METRIC_OF_SCALE;
    bool there = false;
    skv_h5_layout want = {
        .type = SKV_H5_F64, .n_dims = by_scale ? 2 : 1, .shape = {r->out->results.n, -1}};

    SKV_TRY(skv_h5_has(&there, r->h5, dataset));
    if (!there)
        return SKV_OK;
    SKV_TRY(skv_h5_read(&c->value, r->h5, dataset, &want, MAX_TABLE, false));
    if (by_scale && (want.shape[1] < 1 || want.shape[1] > MAX_SCALES))
        return skv_fail(SKV_E_FORMAT, "%s has %lld scales", dataset, (long long)want.shape[1]);
    c->width = by_scale ? (int)want.shape[1] : 1;
    if (!by_scale)
        return SKV_OK;
    return skv_alloc(&c->scale_mean, (size_t)c->width, sizeof *c->scale_mean, c->metric->name);
}

/* *found: the path has numbers of the metric. */
static skv_status read_column(skv_column *c, const reader *r, const char *object, bool *found)
{
    char dataset[NAME_BYTES + 64];

    snprintf(dataset, sizeof dataset, "%s/%s", object, c->metric->name);
    if (c->metric->kind == SKV_METRIC_OF_SET)
        SKV_TRY(read_set(c, r, object));
    else
        SKV_TRY(read_values(c, r, dataset));
    *found = c->value || isfinite(c->mean);
    return *found ? read_weights(c, r, dataset) : SKV_OK;
}

/* Whether it is a dataset that some metric writes: <name> or <name>_mean. */
static bool known(const char *dataset)
{
    for (const skv_metric *const *m = skv_metrics; *m; m++) {
        const size_t n = strlen((*m)->name);

        if (strncmp(dataset, (*m)->name, n) == 0 &&
            (dataset[n] == '\0' || strcmp(dataset + n, "_mean") == 0))
            return true;
    }
    return false;
}

static skv_status find_unknown(const reader *r, const char *object)
{
    char **names = NULL;
    int n = 0;
    skv_status st = skv_h5_list(&names, &n, r->h5, object);

    for (int i = 0; i < n && st == SKV_OK && !r->out->unknown; i++)
        if (!known(names[i]))
            st = skv_text_copy(&r->out->unknown, names[i]);
    free(names);
    return st;
}

static skv_status read_path(skv_path_results *p, const reader *r, const char *name)
{
    char object[NAME_BYTES];
    size_t n = 0;

    while (skv_metrics[n])
        n++;
    snprintf(object, sizeof object, "/metrics/%.300s", name);
    SKV_TRY(skv_text_copy(&p->name, name));
    SKV_TRY(text_if_there(&p->digest, r->h5, object, "digest"));
    SKV_TRY(skv_h5_get_int(&p->n_pairs, r->h5, object, "n_pairs"));
    SKV_TRY(skv_h5_get_int(&p->n_identical, r->h5, object, "n_identical"));
    SKV_TRY(find_unknown(r, object));
    SKV_TRY(skv_alloc(&p->column, n, sizeof *p->column, "metrics"));
    for (size_t i = 0; i < n; i++) {
        skv_column *c = &p->column[p->n_columns++];
        bool found = false;

        *c = (skv_column){.metric = skv_metrics[i], .mean = NAN, .mean_finite = NAN};
        SKV_TRY(read_column(c, r, object, &found));
        if (!found)
            p->n_columns--;
    }
    return SKV_OK;
}

static skv_status read_ids(reader *r)
{
    skv_h5_layout want = {.type = SKV_H5_TEXT, .n_dims = 1, .shape = {-1}};

    SKV_TRY(skv_h5_read(&r->out->id, r->h5, "/metrics/id", &want, MAX_TABLE, false));
    r->out->results.n = want.shape[0];
    return SKV_OK;
}

static skv_status read_paths(reader *r)
{
    skv_results *out = &r->out->results;
    char **names = NULL;
    skv_status st;
    int n = 0;

    SKV_TRY_GOTO(skv_h5_list(&names, &n, r->h5, "/metrics"), done);
    if (n > MAX_PATHS) {
        st = skv_fail(SKV_E_FORMAT, "%d paths", n);
        goto done;
    }
    SKV_TRY_GOTO(skv_alloc(&out->path, (size_t)n + 1, sizeof *out->path, "paths"), done);
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], "id") != 0)
            SKV_TRY_GOTO(read_path(&out->path[out->n_paths++], r, names[i]), done);
done:
    free(names);
    return st;
}

static skv_status read_against(reader *r)
{
    skv_results *out = &r->out->results;

    SKV_TRY(text_if_there(&out->against, r->h5, "/", "against"));
    if (!out->against)
        return SKV_OK;
    SKV_TRY(skv_h5_get_text(&out->against_digest, r->h5, "/", "against_digest"));
    return skv_h5_get_int(&out->n_against, r->h5, "/", "against_pictures");
}

static skv_status read_all(reader *r)
{
    SKV_TRY(skv_h5_get_text(&r->networks, r->h5, "/", "networks"));
    SKV_TRY(skv_h5_get_text(&r->out->reference, r->h5, "/", "reference"));
    SKV_TRY(skv_h5_get_text(&r->out->config_digest, r->h5, "/", "config_digest"));
    SKV_TRY(text_if_there(&r->out->reference_digest, r->h5, "/", "reference_digest"));
    SKV_TRY(read_against(r));
    SKV_TRY(read_ids(r));
    return read_paths(r);
}

skv_status skv_metrics_read_h5(skv_old_metrics *out, const char *path)
{
    reader r = {.out = out};
    skv_status st;

    *out = (skv_old_metrics){0};
    SKV_TRY(skv_h5_open_below(&r.h5, path, 1));
    st = read_all(&r);
    if (st == SKV_E_NOTFOUND) { /* something that every metrics.h5 has */
        skv_context("%s is of another version of skv, or no metrics.h5", path);
        st = SKV_E_FORMAT;
    }
    skv_h5_close(r.h5);
    free(r.networks);
    return st;
}
