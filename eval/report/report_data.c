/* The JSON of a run: settings, what each path kept and took, its numbers, and the rows' texts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/report/report_internal.h"
#include "run/schema.h"

#define NAME_BYTES  512
#define MAX_TABLE   ((size_t)1 << 30)
#define MAX_COUNT   ((int64_t)1 << 50)
#define MAX_LISTED  2000              /* rows in the page, besides those with pictures and */
#define MAX_FAILED  50                /* the first that failed */
#define MAX_BY_HEAD ((size_t)1 << 19) /* numbers of single heads, over all paths */
#define ID_BYTES    120
#define TEXT_BYTES  400
#define ELLIPSIS    "\xe2\x80\xa6"
#define UNREADABLE  "\xef\xbf\xbd"

/* ------------------------------------------------------------------------ values */

json_t *skv_report__text(const char *text, size_t max_bytes)
{
    size_t n = strlen(text);
    json_t *value;
    char *copy;

    if (n <= max_bytes)
        return json_string(text);
    for (n = max_bytes; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
        ; /* back to where a character begins */
    copy = malloc(n + sizeof ELLIPSIS);
    if (!copy)
        return NULL;
    memcpy(copy, text, n);
    memcpy(copy + n, ELLIPSIS, sizeof ELLIPSIS);
    value = json_string(copy);
    free(copy);
    return value;
}

static json_t *real(double v)
{
    return isnan(v) ? json_null() : isinf(v) ? json_string(v < 0 ? "-inf" : "inf") : json_real(v);
}

static json_t *reals(const double *v, int64_t n)
{
    skv_json_maker list;

    if (!v)
        return json_null();
    list = skv_json_array();
    for (int64_t i = 0; i < n; i++)
        skv_json_append(&list, real(v[i]));
    return skv_json_take(&list);
}

static json_t *integers(const int64_t *v, int64_t n)
{
    skv_json_maker list;

    if (!v)
        return json_null();
    list = skv_json_array();
    for (int64_t i = 0; i < n; i++)
        skv_json_append(&list, json_integer(v[i]));
    return skv_json_take(&list);
}

/* The listed rows of a column, in the order of `rows`. */
static json_t *listed(const double *v, const skv_report *r)
{
    skv_json_maker list;

    if (!v)
        return json_null();
    list = skv_json_array();
    for (int64_t i = 0; i < r->run.n; i++)
        if (r->listed[i])
            skv_json_append(&list, real(v[i]));
    return skv_json_take(&list);
}

/* ------------------------------------------------------------------------- cache */

/* What a dataset of a path must be; -1 is taken from the file. */
static skv_h5_layout layout_of(const skv_report *r, const skv_run_path *p, skv_set set)
{
    const skv_extents extents = {.rows = r->run.n,
                                 .groups = -1,
                                 .scales = p->n_scales,
                                 .layers = p->n_layers,
                                 .heads = -1,
                                 .phases = -1};

    return skv_schema_run_layout(set, &extents);
}

/* A dataset of a path, whole; its layout is set to what the file has. */
static skv_status read_set(void *out, skv_h5_layout *layout, const skv_report *r,
                           const skv_run_path *p, skv_set set)
{
    const char *path = set == SKV_SET_GROUP ? NULL : p->name;

    *layout = layout_of(r, p, set);
    return skv_h5_read(out, r->run.h5, skv_schema_in_run(set, path).text, layout, MAX_TABLE, false);
}

/* (S-1,l) or (S-1,l,h) numbers as lists in lists. */
static json_t *lists(const int64_t *v, const skv_h5_layout *layout)
{
    const int64_t heads = layout->n_dims == 3 ? layout->shape[2] : 1;
    skv_json_maker scales = skv_json_array();

    for (int64_t si = 0; si < layout->shape[0]; si++) {
        skv_json_maker row = skv_json_array();

        for (int64_t layer = 0; layer < layout->shape[1]; layer++, v += heads)
            skv_json_append(&row, layout->n_dims == 3 ? integers(v, heads) : json_integer(*v));
        skv_json_append(&scales, skv_json_take(&row));
    }
    return skv_json_take(&scales);
}

/* Tokens or bytes by scale and layer, or by scale, layer and head. */
static skv_status put_table(skv_json_maker *to, const char *key, const skv_report *r,
                            const skv_run_path *p, skv_set set)
{
    skv_h5_layout layout;
    int64_t *v = NULL, n = 1;

    SKV_TRY(read_set(&v, &layout, r, p, set));
    for (int axis = 0; axis < layout.n_dims; axis++)
        n *= layout.shape[axis];
    for (int64_t i = 0; i < n; i++)
        if (v[i] < -1 || v[i] > MAX_COUNT) {
            const long long found = v[i];

            free(v);
            return skv_fail(SKV_E_FORMAT, "%s/run.h5: %s holds %lld", r->run.folder,
                            skv_schema_in_run(set, p->name).text, found);
        }
    skv_json_put(to, key, lists(v, &layout));
    free(v);
    return SKV_OK;
}

/* A table by head, if run.h5 has it: it does where the heads of some layer differ. */
static skv_status put_head_table(skv_json_maker *to, const char *key, skv_report *r,
                                 const skv_run_path *p, skv_set set, int64_t *heads)
{
    const skv_schema_name name = skv_schema_in_run(set, p->name);
    skv_h5_layout layout = layout_of(r, p, set);
    bool there = false;
    size_t n;

    SKV_TRY(skv_h5_has(&there, r->run.h5, name.text));
    if (!there)
        return SKV_OK;
    if (*heads > 0)
        layout.shape[2] = *heads;
    SKV_TRY(skv_h5_expect(r->run.h5, name.text, &layout));
    *heads = layout.shape[2];
    if (!skv_mul_size(&n, (size_t)(layout.shape[0] * layout.shape[1]), (size_t)*heads) ||
        n > MAX_BY_HEAD - r->n_by_head) {
        skv_json_put(to, key, json_string("left out"));
        return SKV_OK;
    }
    r->n_by_head += n;
    return put_table(to, key, r, p, set);
}

static skv_status put_by_head(skv_json_maker *to, skv_report *r, const skv_run_path *p)
{
    skv_json_maker by_head = skv_json_object();
    int64_t heads = 0;
    skv_status st = put_head_table(&by_head, "length", r, p, SKV_SET_LENGTH_BY_HEAD, &heads);

    if (st == SKV_OK)
        st = put_head_table(&by_head, "capacity", r, p, SKV_SET_CAPACITY_BY_HEAD, &heads);
    skv_json_put(&by_head, "heads", json_integer(heads));
    skv_json_put(to, "by_head", skv_json_take(&by_head));
    return st;
}

/* Tokens that are left after the last cut by the scale they were made at: mean over layers. */
static skv_status put_kept(skv_json_maker *to, const skv_report *r, const skv_run_path *p)
{
    const int S = p->n_scales, n = p->n_layers;
    skv_h5_layout layout;
    double *mean = NULL;
    float *v = NULL;
    skv_status st;
    bool there = false;

    SKV_TRY(skv_h5_has(&there, r->run.h5, skv_schema_in_run(SKV_SET_KEPT_BY_SOURCE, p->name).text));
    if (!there) {
        skv_json_put(to, "kept", json_null());
        return SKV_OK;
    }
    SKV_TRY_GOTO(read_set(&v, &layout, r, p, SKV_SET_KEPT_BY_SOURCE), done);
    SKV_TRY_GOTO(skv_alloc(&mean, (size_t)S - 1, sizeof *mean, "report"), done);
    for (int layer = 0; layer < n; layer++)
        for (int source = 0; source < S - 1; source++) {
            const float kept = v[((int64_t)(S - 2) * n + layer) * S + source];

            mean[source] += isfinite(kept) && kept > 0 ? (double)kept / n : 0;
        }
    skv_json_put(to, "kept", reals(mean, S - 1));
done:
    free(mean);
    free(v);
    return st;
}

/* ----------------------------------------------------------------------- seconds */

typedef struct {
    double *seconds; /* (groups,phases) */
    int64_t n_groups, n_phases, *first, *group;
    int n_first;
} group_times;

static bool is_first(const group_times *t, int64_t group)
{
    for (int i = 0; i < t->n_first; i++)
        if (t->first[i] == group)
            return true;
    return false;
}

/* A path's times have NaN for a group that is not there. */
static bool is_timed(const group_times *t, int64_t group)
{
    return t->n_phases > 0 && !isnan(t->seconds[group * t->n_phases]);
}

static bool counts(const group_times *t, int64_t group, bool all_first)
{
    return is_timed(t, group) && (all_first || !is_first(t, group));
}

/* A rank's first group pays for warming up; it counts only where there is no other. */
static skv_status put_times(skv_json_maker *to, const skv_report *r, const group_times *t,
                            const char *phases)
{
    skv_json_maker times;
    bool all_first = true;
    double *sum = NULL;
    int64_t pictures = 0;

    for (int64_t i = 0; i < r->run.n; i++)
        if (t->group[i] < 0 || t->group[i] >= t->n_groups)
            return skv_fail(SKV_E_FORMAT, "%s/run.h5: row %lld is in group %lld of %lld",
                            r->run.folder, (long long)i, (long long)t->group[i],
                            (long long)t->n_groups);
    SKV_TRY(skv_alloc(&sum, (size_t)t->n_phases + 1, sizeof *sum, "report"));
    for (int64_t g = 0; g < t->n_groups; g++)
        all_first = all_first && (is_first(t, g) || !is_timed(t, g));
    for (int64_t g = 0; g < t->n_groups; g++)
        for (int64_t i = 0; i < t->n_phases && counts(t, g, all_first); i++)
            sum[i] += t->seconds[g * t->n_phases + i];
    for (int64_t i = 0; i < r->run.n; i++)
        pictures += counts(t, t->group[i], all_first);
    times = skv_json_object();
    skv_json_put(&times, "phases", skv_report__text(phases, TEXT_BYTES));
    skv_json_put(&times, "seconds", reals(sum, t->n_phases));
    skv_json_put(&times, "pictures", json_integer(pictures));
    skv_json_put(&times, "all_first", json_boolean(all_first));
    skv_json_put(to, "times", skv_json_take(&times));
    free(sum);
    return SKV_OK;
}

static skv_status put_seconds(skv_json_maker *to, const skv_report *r, const skv_run_path *p)
{
    const skv_schema_name name = skv_schema_in_run(SKV_SET_SECONDS, p->name);
    skv_h5_layout layout;
    group_times t = {0};
    char *phases = NULL;
    skv_status st;

    SKV_TRY_GOTO(read_set(&t.group, &layout, r, p, SKV_SET_GROUP), done);
    SKV_TRY_GOTO(read_set(&t.seconds, &layout, r, p, SKV_SET_SECONDS), done);
    t.n_groups = layout.shape[0];
    t.n_phases = layout.shape[1];
    SKV_TRY_GOTO(skv_h5_get_text(&phases, r->run.h5, name.text, SKV_ATTR_PHASES), done);
    SKV_TRY_GOTO(skv_h5_get_ints(&t.first, &t.n_first, r->run.h5, name.text, SKV_ATTR_FIRST_GROUPS),
                 done);
    st = put_times(to, r, &t, phases);
done:
    free(phases);
    free(t.seconds);
    free(t.first);
    free(t.group);
    return st;
}

/* ------------------------------------------------------------------------- paths */

static json_t *result_of(const skv_report *r, const skv_report_result *result)
{
    skv_json_maker o, values;

    if (!result->measured)
        return json_null();
    values = skv_json_array();
    for (int m = 0; m < r->n_metrics; m++) {
        const skv_report_value *v = &result->value[m];
        skv_json_maker value = skv_json_object();

        skv_json_put(&value, "all", real(v->all));
        skv_json_put(&value, "differing", real(v->differing));
        skv_json_put(&value, "rows", listed(v->row, r));
        skv_json_put(&value, "scales", reals(v->scale, v->n_scales));
        skv_json_put(&value, "interval", skv_interval_json(&v->spread));
        skv_json_put(&value, "less", skv_interval_json(&v->less));
        skv_json_append(&values, skv_json_take(&value));
    }
    o = skv_json_object();
    skv_json_put(&o, "scalekv", json_integer(result->scalekv));
    skv_json_put(&o, "pairs", json_integer(result->n_pairs));
    skv_json_put(&o, "identical", json_integer(result->n_identical));
    skv_json_put(&o, "values", skv_json_take(&values));
    return skv_json_take(&o);
}

static skv_status put_path(skv_json_maker *to, skv_report *r, int i)
{
    const skv_run_path *p = &r->run.path[i];
    json_t *settings = NULL;
    int64_t pool = -1;
    char name[NAME_BYTES];

    snprintf(name, sizeof name, "%s/run.h5, settings of path %s", r->run.folder, p->name);
    SKV_TRY(skv_json_parse(&settings, p->settings, strlen(p->settings), name));
    skv_json_put(to, "name", skv_report__text(p->name, ID_BYTES));
    skv_json_put(to, "settings", settings);
    skv_json_put(to, "digest", skv_report__text(p->digest, ID_BYTES));
    skv_json_put(to, "device", skv_report__text(p->device, TEXT_BYTES));
    skv_json_put(to, "layers", json_integer(p->n_layers));
    skv_json_put(to, "scales", json_integer(p->n_scales));
    skv_json_put(to, "scale_offset", integers(p->scale_offset, p->n_scales + 1));
    SKV_TRY(put_table(to, "length", r, p, SKV_SET_CACHE_LENGTH));
    SKV_TRY(put_table(to, "capacity", r, p, SKV_SET_CACHE_CAPACITY));
    SKV_TRY(put_table(to, "bytes", r, p, SKV_SET_CACHE_BYTES));
    SKV_TRY(put_by_head(to, r, p));
    SKV_TRY(put_kept(to, r, p));
    if (skv_h5_get_int(&pool, r->run.h5, skv_schema_cache(p->name).text, SKV_ATTR_POOL_PEAK) ==
        SKV_OK)
        skv_json_put(to, "pool_bytes", json_integer(pool));
    SKV_TRY(put_seconds(to, r, p));
    skv_json_put(to, "result", result_of(r, &r->result[i]));
    return SKV_OK;
}

static skv_status put_paths(skv_json_maker *page, skv_report *r)
{
    skv_json_maker paths = skv_json_array();
    skv_status st = SKV_OK;

    for (int i = 0; i < r->run.n_paths && st == SKV_OK; i++) {
        skv_json_maker path = skv_json_object();

        st = put_path(&path, r, i);
        skv_json_append(&paths, skv_json_take(&path));
    }
    skv_json_put(page, "paths", skv_json_take(&paths));
    return st;
}

/* -------------------------------------------------------------------------- rows */

static void put_rows(skv_json_maker *page, skv_report *r)
{
    const skv_run_file *run = &r->run;
    int64_t n_failed = 0, n_truncated = 0;
    skv_json_maker rows = skv_json_array();

    for (int64_t i = 0; i < run->n; i++) {
        const bool missing = run->status[i] == SKV_ROW_MISSING;
        const bool failed = run->status[i] != 0 && !missing;
        skv_json_maker row;
        char seed[32];

        n_failed += failed;
        n_truncated += run->truncated[i] != 0;
        r->listed[i] =
            !missing && (r->listed[i] || i < MAX_LISTED || (failed && n_failed <= MAX_FAILED));
        if (!r->listed[i])
            continue;
        row = skv_json_object();
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)run->seed[i]);
        skv_json_put(&row, "row", json_integer(i));
        skv_json_put(&row, "id", skv_report__text(run->id[i], ID_BYTES));
        skv_json_put(&row, "prompt", skv_report__text(run->prompt[i], TEXT_BYTES));
        skv_json_put(&row, "seed", json_string(seed));
        skv_json_put(&row, "error",
                     failed ? skv_report__text(run->error[i], TEXT_BYTES) : json_null());
        skv_json_append(&rows, skv_json_take(&row));
    }
    skv_json_put(page, "rows", skv_json_take(&rows));
    skv_json_put(page, "n_rows", json_integer(run->n));
    skv_json_put(page, "n_failed", json_integer(n_failed));
    skv_json_put(page, "n_missing", json_integer(run->n_missing));
    skv_json_put(page, "n_truncated", json_integer(n_truncated));
}

static void put_metrics(skv_json_maker *page, const skv_report *r)
{
    skv_json_maker metrics = skv_json_array();

    for (int i = 0; i < r->n_metrics; i++) {
        const skv_report_metric *m = &r->metric[i];
        skv_json_maker to = skv_json_object();

        skv_json_put(&to, "name", skv_report__text(m->name, ID_BYTES));
        skv_json_put(&to, "title", skv_report__text(m->title, ID_BYTES));
        skv_json_put(&to, "long_name", skv_report__text(m->long_name, TEXT_BYTES));
        skv_json_put(&to, "units", skv_report__text(m->units, ID_BYTES));
        skv_json_put(&to, "better", skv_report__text(m->better, ID_BYTES));
        skv_json_put(&to, "kind", skv_report__text(m->kind, ID_BYTES));
        skv_json_put(&to, "percent", json_boolean(m->percent));
        skv_json_put(&to, "formula", json_boolean(m->formula));
        skv_json_append(&metrics, skv_json_take(&to));
    }
    skv_json_put(page, "metrics", skv_json_take(&metrics));
}

/* Of the first path's pictures, where they are in run.h5. */
static skv_status put_picture_size(skv_json_maker *page, const skv_report *r)
{
    const skv_run_path *first = &r->run.path[0];
    skv_h5_layout image = {0};

    if (!first->in_h5)
        return SKV_OK;
    SKV_TRY(skv_h5_describe(&image, r->run.h5, skv_schema_in_run(SKV_SET_IMAGE, first->name).text));
    skv_json_put(page, "picture_size", integers((int64_t[]){image.shape[2], image.shape[1]}, 2));
    return SKV_OK;
}

skv_status skv_report__data(skv_json_maker *page, skv_report *r)
{
    skv_json_put(page, "skv", skv_report__text(r->run.version, ID_BYTES));
    skv_json_put(page, "partial", skv_json_text(r->run.partial));
    skv_json_put(page, "config", json_incref(r->run.config));
    skv_json_put(page, "starts", r->run.starts ? json_incref(r->run.starts) : json_null());
    skv_json_put(page, "config_digest", skv_report__text(r->run.config_digest, ID_BYTES));
    skv_json_put(page, "samples", json_integer(r->run.segments.n_samples));
    skv_json_put(page, "reference", json_integer(r->reference));
    skv_json_put(page, "metrics_file", json_string(r->state));
    skv_json_put(page, "networks", skv_json_text(r->networks));
    put_metrics(page, r);
    put_rows(page, r);
    SKV_TRY(put_picture_size(page, r));
    return put_paths(page, r);
}
