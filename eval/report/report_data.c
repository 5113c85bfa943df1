#include "eval/report/report_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define NAME_BYTES  512
#define MAX_TABLE   ((size_t)1 << 30)
#define FULL_POLICY "full"

/* ---------------------------------------------------------------- cache tables */

static skv_status read_table(int64_t **out, const skv_report_data *d, const skv_report_path *p,
                             const char *table)
{
    skv_h5_layout want = {
        .type = SKV_H5_I64, .n_dims = 2, .shape = {p->run->n_scales - 1, p->run->n_layers}};
    char name[NAME_BYTES];

    snprintf(name, sizeof name, "/paths/%s/cache/%s", p->run->name, table);
    SKV_TRY(skv_h5_read(out, d->run.h5, name, &want, MAX_TABLE, false));
    for (int64_t i = 0; i < want.shape[0] * want.shape[1]; i++)
        if ((*out)[i] < -1 || (*out)[i] > (int64_t)1 << 50)
            return skv_fail(SKV_E_FORMAT, "%s/run.h5: %s holds %lld", d->run.folder, name,
                            (long long)(*out)[i]);
    return SKV_OK;
}

static skv_status read_cache(skv_report_path *p, const skv_report_data *d)
{
    skv_h5_layout kept = {.type = SKV_H5_F32,
                          .n_dims = 3,
                          .shape = {p->run->n_scales - 1, p->run->n_layers, p->run->n_scales}};
    char name[NAME_BYTES];

    SKV_TRY(read_table(&p->length, d, p, "length"));
    SKV_TRY(read_table(&p->capacity, d, p, "capacity"));
    SKV_TRY(read_table(&p->bytes, d, p, "bytes"));
    snprintf(name, sizeof name, "/paths/%s/cache/kept_by_source", p->run->name);
    if (skv_h5_has(d->run.h5, name))
        SKV_TRY(skv_h5_read(&p->kept, d->run.h5, name, &kept, MAX_TABLE, false));
    return SKV_OK;
}

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* Tokens of scales 0 to si: the bits say it, the first scale being one token; without bits the
 * longest cache does, which is all of them where a path keeps everything. */
static skv_status make_sequence(skv_report_data *d)
{
    const int n = d->path[0].run->n_scales - 1;

    SKV_TRY(skv_alloc(&d->sequence, (size_t)n, sizeof *d->sequence, "report"));
    for (int i = 0; i < d->run.n_paths; i++) {
        const skv_run_path *r = d->path[i].run;
        const int64_t *offset = r->scale_offset;

        for (int si = 0; si < min_int(n, r->n_scales - 1); si++) {
            if (offset)
                d->sequence[si] = fmax(d->sequence[si], (double)offset[si + 1] / (double)offset[1]);
            for (int layer = 0; layer < r->n_layers; layer++)
                d->sequence[si] =
                    fmax(d->sequence[si], (double)d->path[i].length[si * r->n_layers + layer]);
        }
    }
    return SKV_OK;
}

/* Bytes of a token of a layer, from the first scale, which nothing cuts. */
static double token_bytes(const skv_report_path *p, int layer)
{
    return p->length[layer] > 0 ? (double)p->bytes[layer] / (double)p->length[layer] : NAN;
}

static void sum_up_cache(skv_report_path *p, skv_report_data *d)
{
    const int n = min_int(p->run->n_scales, d->path[0].run->n_scales) - 1;
    const int n_layers = p->run->n_layers;
    double full = 0;
    bool cut = false;

    for (int si = 0; si < n; si++) {
        double planned = 0, taken = 0, tokens = 0;

        for (int layer = 0; layer < n_layers; layer++) {
            const int64_t at = (int64_t)si * n_layers + layer, capacity = p->capacity[at];
            const double all = d->sequence[si];

            planned += token_bytes(p, layer) * (capacity < 0 ? all : fmin(all, (double)capacity));
            taken += (double)p->bytes[at];
            tokens += (double)p->length[at];
            cut = cut || (double)p->length[at] < all;
            full += si == n - 1 ? token_bytes(p, layer) * all : 0;
        }
        p->planned = fmax(p->planned, planned);
        p->peak = fmax(p->peak, taken);
        p->last = taken;
        p->tokens = tokens / n_layers;
    }
    p->share = full > 0 ? p->last / full : NAN;
    p->inactive = !cut && strcmp(p->policy, FULL_POLICY) != 0;
    if (!(d->full > 0))
        d->full = full;
}

/* --------------------------------------------------------------------- seconds */

static int phase_index(const char *phases, const char *name)
{
    const size_t n = strlen(name);
    int index = 0;

    for (const char *p = phases; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL, index++)
        if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return index;
    return -1;
}

typedef struct {
    double *seconds; /* (groups,phases) */
    int64_t n_groups, n_phases, *first, *rows;
    int n_first, transformer;
} group_times;

static bool is_first(const group_times *t, int64_t group)
{
    for (int i = 0; i < t->n_first; i++)
        if (t->first[i] == group)
            return true;
    return false;
}

/* A rank's first group pays for warming up; it counts only where there is no other. */
static void sum_up_seconds(skv_report_path *p, const group_times *t)
{
    double all = 0, transformer = 0;
    int64_t rows = 0;

    p->first_groups_in = true;
    for (int64_t g = 0; g < t->n_groups; g++)
        p->first_groups_in = p->first_groups_in && is_first(t, g);
    for (int64_t g = 0; g < t->n_groups; g++) {
        if (!p->first_groups_in && is_first(t, g))
            continue;
        for (int64_t i = 0; i < t->n_phases; i++)
            all += t->seconds[g * t->n_phases + i];
        if (t->transformer >= 0)
            transformer += t->seconds[g * t->n_phases + t->transformer];
        rows += t->rows[g];
    }
    p->images_s = all > 0 && rows > 0 ? (double)rows / all : NAN;
    p->transformer_s = transformer > 0 && rows > 0 ? transformer / (double)rows : NAN;
}

static skv_status count_rows(group_times *t, const skv_report_data *d)
{
    SKV_TRY(skv_alloc(&t->rows, (size_t)t->n_groups, sizeof *t->rows, "report"));
    for (int64_t i = 0; i < d->run.n; i++) {
        if (d->group[i] < 0 || d->group[i] >= t->n_groups)
            return skv_fail(SKV_E_FORMAT, "%s/run.h5: row %lld is of group %lld of %lld",
                            d->run.folder, (long long)i, (long long)d->group[i],
                            (long long)t->n_groups);
        t->rows[d->group[i]]++;
    }
    return SKV_OK;
}

static skv_status read_seconds(skv_report_path *p, const skv_report_data *d)
{
    skv_h5_layout want = {.type = SKV_H5_F64, .n_dims = 2, .shape = {-1, -1}};
    group_times t = {.transformer = -1};
    char name[NAME_BYTES], *phases = NULL;
    skv_status st;

    snprintf(name, sizeof name, "/paths/%s/seconds", p->run->name);
    SKV_TRY_GOTO(skv_h5_read(&t.seconds, d->run.h5, name, &want, MAX_TABLE, false), done);
    t.n_groups = want.shape[0];
    t.n_phases = want.shape[1];
    SKV_TRY_GOTO(skv_h5_get_text(&phases, d->run.h5, name, "phases"), done);
    SKV_TRY_GOTO(skv_h5_get_ints(&t.first, &t.n_first, d->run.h5, name, "first_groups"), done);
    SKV_TRY_GOTO(count_rows(&t, d), done);
    t.transformer = phase_index(phases, "transformer");
    if (t.transformer >= t.n_phases)
        t.transformer = -1;
    sum_up_seconds(p, &t);
done:
    free(phases);
    free(t.seconds);
    free(t.first);
    free(t.rows);
    return st;
}

/* ----------------------------------------------------------------------- paths */

static skv_status read_settings(skv_report_path *p, const skv_report_data *d)
{
    const char *policy = NULL;
    json_t *root = NULL;
    char name[NAME_BYTES];
    skv_status st;

    snprintf(name, sizeof name, "settings of path %s", p->run->name);
    SKV_TRY_GOTO(skv_json_parse(&root, p->run->settings, strlen(p->run->settings), name), done);
    SKV_TRY_GOTO(skv_json_string(&policy, root, "policy", name), done);
    p->policy = strdup(policy);
    p->options = json_dumps(json_object_get(root, "options"),
                            JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    if (!p->options && !json_object_get(root, "options"))
        p->options = strdup("{}");
    if (!p->policy || !p->options)
        st = skv_fail(SKV_E_MEM, "report: out of memory");
done:
    json_decref(root);
    if (st != SKV_OK)
        skv_context("%s/run.h5", d->run.folder);
    return st;
}

static void find_series(skv_report_data *d)
{
    for (int i = 0; i < d->run.n_paths; i++) {
        int like = 0;

        while (like < i && (strcmp(d->path[like].policy, d->path[i].policy) != 0 ||
                            strcmp(d->path[like].options, d->path[i].options) != 0))
            like++;
        d->path[i].series = like < i ? d->path[like].series : d->n_series++;
    }
}

int skv_report_series_first(const skv_report_data *d, int series)
{
    int i = 0;

    while (i < d->run.n_paths - 1 && d->path[i].series != series)
        i++;
    return i;
}

const char *skv_report_series_name(const skv_report_data *d, int series)
{
    const skv_report_path *first = &d->path[skv_report_series_first(d, series)];

    for (int i = 0; i < d->run.n_paths; i++)
        if (d->path[i].series != series && strcmp(d->path[i].policy, first->policy) == 0)
            return first->run->name;
    return first->policy;
}

static skv_status read_paths(skv_report_data *d)
{
    skv_h5_layout rows = {.type = SKV_H5_I64, .n_dims = 1, .shape = {d->run.n}};
    const int n = d->run.n_paths;

    SKV_TRY(skv_h5_read(&d->group, d->run.h5, "/samples/group", &rows, MAX_TABLE, false));
    SKV_TRY(skv_alloc(&d->path, (size_t)n, sizeof *d->path, "report"));
    for (int i = 0; i < n; i++) {
        skv_report_path *p = &d->path[i];
        int64_t pool = 0;
        char name[NAME_BYTES];

        p->run = &d->run.path[i];
        p->m.psnr = p->m.psnr_finite = p->m.ssim = p->m.lpips = p->m.fid = p->m.kid = NAN;
        SKV_TRY(read_settings(p, d));
        SKV_TRY(read_cache(p, d));
        SKV_TRY(read_seconds(p, d));
        snprintf(name, sizeof name, "/paths/%s/cache", p->run->name);
        p->pool_peak = skv_h5_get_int(&pool, d->run.h5, name, "pool_bytes_peak") == SKV_OK
                           ? (double)pool
                           : NAN;
    }
    SKV_TRY(make_sequence(d));
    for (int i = 0; i < n; i++)
        sum_up_cache(&d->path[i], d);
    find_series(d);
    return SKV_OK;
}

static skv_status picture_size(skv_report_data *d)
{
    skv_h5_layout image = {0};
    char name[NAME_BYTES];

    if (!d->run.path[0].in_h5)
        return SKV_OK;
    snprintf(name, sizeof name, "/paths/%s/image", d->run.path[0].name);
    SKV_TRY(skv_h5_describe(&image, d->run.h5, name));
    d->height = (int)image.shape[1];
    d->width = (int)image.shape[2];
    return SKV_OK;
}

skv_status skv_report_data_read(skv_report_data *out, const char *folder)
{
    *out = (skv_report_data){.reference = -1};
    SKV_TRY(skv_run_file_open(&out->run, folder));
    SKV_TRY(read_paths(out));
    SKV_TRY(picture_size(out));
    for (int64_t i = 0; i < out->run.n; i++) {
        out->n_failed += out->run.status[i] != 0;
        out->n_truncated += out->run.truncated[i] != 0;
    }
    out->reference = out->run.reference;
    SKV_TRY(skv_report__read_metrics(out));
    for (int i = 0; i < out->run.n_paths; i++)
        out->path[i].compared = i != out->reference;
    return SKV_OK;
}

void skv_report_data_clear(skv_report_data *d)
{
    for (int i = 0; d->path && i < d->run.n_paths; i++) {
        skv_report_path *p = &d->path[i];

        free(p->policy);
        free(p->options);
        free(p->length);
        free(p->capacity);
        free(p->bytes);
        free(p->kept);
        free(p->m.psnr_of);
        free(p->m.ssim_of);
        free(p->m.lpips_of);
        free(p->m.bits);
    }
    free(d->path);
    free(d->group);
    free(d->sequence);
    free(d->networks);
    skv_run_file_close(&d->run);
    *d = (skv_report_data){0};
}
