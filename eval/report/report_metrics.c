/* Reading metrics.h5. Its datasets say themselves what they are, so no metric is known here by
 * name. Numbers of another run or reference, or of a path that was made anew since, are left out:
 * they would stand beside pictures they were not made from. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/report/report_internal.h"

#define NAME_BYTES  512
#define MAX_TABLE   ((size_t)1 << 30)
#define MAX_SCALES  64
#define MAX_METRICS 256

/* NULL, NaN: it is not there. */
static skv_status find_text(char **out, skv_h5 *f, const char *object, const char *key)
{
    const skv_status st = skv_h5_get_text(out, f, object, key);

    if (st != SKV_E_NOTFOUND)
        return st;
    *out = NULL;
    return SKV_OK;
}

static skv_status find_real(double *out, skv_h5 *f, const char *object, const char *key)
{
    const skv_status st = skv_h5_get_real(out, f, object, key);

    if (st != SKV_E_NOTFOUND)
        return st;
    *out = NAN;
    return SKV_OK;
}

/* ----------------------------------------------------------------------- metrics */

static bool is_kind(const char *kind)
{
    return strcmp(kind, "picture") == 0 || strcmp(kind, "scale") == 0 || strcmp(kind, "set") == 0;
}

static skv_status read_metric(skv_report_metric *m, skv_h5 *f, const char *dataset)
{
    int64_t percent = 0;

    SKV_TRY(skv_h5_get_text(&m->title, f, dataset, "title"));
    SKV_TRY(skv_h5_get_text(&m->long_name, f, dataset, "long_name"));
    SKV_TRY(skv_h5_get_text(&m->units, f, dataset, "units"));
    SKV_TRY(skv_h5_get_text(&m->better, f, dataset, "better"));
    SKV_TRY(skv_h5_get_int(&m->order, f, dataset, "order"));
    SKV_TRY(skv_h5_get_int(&percent, f, dataset, "percent"));
    m->percent = percent != 0;
    return SKV_OK;
}

/* Notes the metric of a path's dataset, unless it is known from another path. Takes over kind. */
static skv_status add_metric(skv_report *r, skv_h5 *f, const char *object, const char *name,
                             char *kind)
{
    char dataset[2 * NAME_BYTES];
    skv_report_metric *m;

    for (int i = 0; i < r->n_metrics; i++)
        if (strcmp(r->metric[i].name, name) == 0) {
            free(kind);
            return SKV_OK;
        }
    if (r->n_metrics == MAX_METRICS) {
        free(kind);
        return skv_fail(SKV_E_FORMAT, "metrics.h5 has more than %d metrics", MAX_METRICS);
    }
    m = &r->metric[r->n_metrics++];
    *m = (skv_report_metric){.name = strdup(name), .kind = kind};
    if (!m->name)
        return skv_fail(SKV_E_MEM, "report: out of memory");
    snprintf(dataset, sizeof dataset, "%s/%s", object, name);
    return read_metric(m, f, dataset);
}

static skv_status add_metrics(skv_report *r, skv_h5 *f, const char *object)
{
    char **names = NULL, dataset[2 * NAME_BYTES];
    skv_status st;
    int n = 0;

    SKV_TRY(skv_h5_list(&names, &n, f, object));
    st = SKV_OK;
    for (int i = 0; i < n && st == SKV_OK; i++) {
        char *kind = NULL;
        bool there = false;

        snprintf(dataset, sizeof dataset, "%s/%s", object, names[i]);
        st = skv_h5_has(&there, f, dataset);
        if (st == SKV_OK && there)
            st = find_text(&kind, f, dataset, "kind");
        if (st == SKV_OK && kind && is_kind(kind))
            st = add_metric(r, f, object, names[i], kind);
        else
            free(kind); /* of another kind: not a metric */
    }
    free(names);
    return st;
}

static int by_order(const void *a, const void *b)
{
    const skv_report_metric *left = a, *right = b;

    if (left->order != right->order)
        return left->order < right->order ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* ------------------------------------------------------------------------ values */

static skv_status read_scales(skv_report_value *v, skv_h5 *f, const char *dataset)
{
    skv_h5_layout want = {.type = SKV_H5_F64, .n_dims = 1, .shape = {-1}};
    char name[2 * NAME_BYTES + 8];

    snprintf(name, sizeof name, "%s_mean", dataset);
    SKV_TRY(skv_h5_read(&v->scale, f, name, &want, MAX_TABLE, false));
    if (want.shape[0] > MAX_SCALES)
        return skv_fail(SKV_E_FORMAT, "metrics.h5: %s has %lld scales", name,
                        (long long)want.shape[0]);
    v->n_scales = want.shape[0];
    return SKV_OK;
}

/* A row's mean over the scales that have a number. */
static skv_status read_row_means(skv_report_value *v, skv_h5 *f, const char *dataset, int64_t n)
{
    const int64_t width = v->n_scales;
    skv_h5_layout want = {.type = SKV_H5_F64, .n_dims = 2, .shape = {n, width}};
    double *all = NULL;
    skv_status st;

    SKV_TRY(skv_h5_read(&all, f, dataset, &want, MAX_TABLE, false));
    st = skv_alloc(&v->row_mean, (size_t)n, sizeof *v->row_mean, "report");
    for (int64_t row = 0; row < n && st == SKV_OK; row++) {
        double sum = 0, with = 0;

        for (int64_t si = 0; si < width; si++)
            if (!isnan(all[row * width + si])) {
                sum += all[row * width + si];
                with++;
            }
        v->row_mean[row] = with > 0 ? sum / with : NAN;
    }
    free(all);
    return st;
}

static skv_status read_value(skv_report_value *v, skv_report_metric *m, skv_h5 *f,
                             const char *object, int64_t n)
{
    skv_h5_layout rows = {.type = SKV_H5_F64, .n_dims = 1, .shape = {n}};
    char dataset[2 * NAME_BYTES], *weights = NULL;
    bool there = false;

    v->all = v->differing = NAN;
    v->spread = v->less = (skv_interval){NAN, NAN, NAN};
    snprintf(dataset, sizeof dataset, "%s/%s", object, m->name);
    SKV_TRY(skv_h5_has(&there, f, dataset));
    if (!there)
        return SKV_OK;
    SKV_TRY(find_real(&v->all, f, dataset, "mean"));
    SKV_TRY(find_real(&v->differing, f, dataset, "mean_finite"));
    SKV_TRY(find_text(&weights, f, dataset, "weights"));
    m->formula = m->formula || (weights && strcmp(weights, "formula") == 0);
    free(weights);
    if (strcmp(m->kind, "scale") == 0) {
        SKV_TRY(read_scales(v, f, dataset));
        return read_row_means(v, f, dataset, n);
    }
    return strcmp(m->kind, "picture") == 0
               ? skv_h5_read(&v->row, f, dataset, &rows, MAX_TABLE, false)
               : SKV_OK;
}

static skv_status read_values(skv_report *r, skv_h5 *f, int path)
{
    skv_report_result *result = &r->result[path];
    char object[NAME_BYTES];

    snprintf(object, sizeof object, "/metrics/%s", r->run.path[path].name);
    SKV_TRY(skv_h5_get_int(&result->n_pairs, f, object, "n_pairs"));
    SKV_TRY(skv_h5_get_int(&result->n_identical, f, object, "n_identical"));
    SKV_TRY(skv_alloc(&result->value, (size_t)r->n_metrics + 1, sizeof *result->value, "report"));
    for (int m = 0; m < r->n_metrics; m++)
        SKV_TRY(read_value(&result->value[m], &r->metric[m], f, object, r->run.n));
    return SKV_OK;
}

/* ------------------------------------------------------------------------- paths */

/* *same: the object's text `key` is `want`. */
static skv_status compare_text(bool *same, skv_h5 *f, const char *object, const char *key,
                               const char *want)
{
    char *text = NULL;

    SKV_TRY(skv_h5_get_text(&text, f, object, key));
    *same = strcmp(text, want) == 0;
    free(text);
    return SKV_OK;
}

/* Which paths have numbers of their present pictures, and in which metrics. */
static skv_status find_measured(skv_report *r, skv_h5 *f)
{
    char **names = NULL, object[NAME_BYTES];
    skv_status st;
    int n = 0;

    SKV_TRY_GOTO(skv_h5_list(&names, &n, f, "/metrics"), done);
    for (int i = 0; i < r->run.n_paths; i++)
        for (int k = 0; k < n; k++) {
            bool *measured = &r->result[i].measured;

            if (strcmp(names[k], r->run.path[i].name) != 0)
                continue;
            snprintf(object, sizeof object, "/metrics/%s", names[k]);
            SKV_TRY_GOTO(compare_text(measured, f, object, "digest", r->run.path[i].digest), done);
            if (*measured)
                SKV_TRY_GOTO(add_metrics(r, f, object), done);
        }
done:
    free(names);
    return st;
}

static skv_status read_paths(skv_report *r, skv_h5 *f)
{
    SKV_TRY(skv_h5_get_text(&r->networks, f, "/", "networks"));
    SKV_TRY(skv_alloc(&r->metric, MAX_METRICS, sizeof *r->metric, "report"));
    SKV_TRY(find_measured(r, f));
    qsort(r->metric, (size_t)r->n_metrics, sizeof *r->metric, by_order);
    for (int i = 0; i < r->run.n_paths; i++)
        if (r->result[i].measured)
            SKV_TRY(read_values(r, f, i));
    r->state = "read";
    return SKV_OK;
}

/* *fits: the numbers are of the pictures that are there now. *out: index of the path that is their
 * reference, -1: they have none. */
static skv_status find_reference(int *out, bool *fits, const skv_report *r, skv_h5 *f)
{
    char *reference = NULL;
    skv_status st;
    bool same = false;

    *out = -1;
    SKV_TRY(compare_text(&same, f, "/", "config_digest", r->run.config_digest));
    SKV_TRY(skv_h5_get_text(&reference, f, "/", "reference"));
    *fits = same && !reference[0];
    st = SKV_OK;
    for (int i = 0; same && i < r->run.n_paths && *out < 0; i++) {
        if (strcmp(r->run.path[i].name, reference) != 0)
            continue;
        st = compare_text(&same, f, "/", "reference_digest", r->run.path[i].digest);
        *fits = same;
        if (same)
            *out = i;
    }
    free(reference);
    return st;
}

skv_status skv_report__read_metrics(skv_report *r)
{
    char file[4096];
    skv_h5 *f = NULL;
    skv_status st;
    int reference;
    bool fits = false;

    if ((size_t)snprintf(file, sizeof file, "%s/metrics.h5", r->run.folder) >= sizeof file)
        return skv_fail(SKV_E_ARG, "%s: the folder's name is too long", r->run.folder);
    st = skv_h5_open_below(&f, file, 1);
    if (st == SKV_E_NOTFOUND)
        return SKV_OK;
    SKV_TRY(st);
    r->state = "old";
    st = find_reference(&reference, &fits, r, f);
    if (st == SKV_OK && fits) {
        r->reference = reference;
        st = read_paths(r, f);
    }
    skv_h5_close(f);
    if (st == SKV_E_NOTFOUND) { /* something that every metrics.h5 of this version has */
        skv_context("%s is of another version of skv", file);
        st = SKV_E_FORMAT;
    }
    return st;
}
