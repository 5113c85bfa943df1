/* The master is made aside and renamed, from verified group files only: it is whole or not there.
 */
#include "run/gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "run/group_file.h"
#include "io/h5.h"

#define NAME_BYTES 256
#define MAX_ROWS   ((int64_t)1 << 40)

typedef struct {
    const char *run;
    skv_h5 *out;
    bool virtual_images;
    int64_t n_groups, n_rows, n_failed;
    int n_paths;            /* so far */
    json_t *common, *paths; /* of run.json */
    const char *digest;
} gather;

static skv_status read_group(skv_group_record *rec, const gather *g, const char *path,
                             int64_t group, unsigned parts)
{
    char *file = NULL;
    skv_status st;

    SKV_TRY(skv_group_file_path(&file, g->run, path, group));
    st = skv_group_file_read(rec, file, parts);
    if (st == SKV_E_NOTFOUND)
        st = skv_fail(st, "%s is missing: the run is not complete, run skv sample again", file);
    if (st == SKV_OK && (strcmp(rec->config_digest, g->digest) != 0 || rec->group != group)) {
        st = skv_fail(SKV_E_FORMAT, "%s: of another run or group than %s/run.json", file, g->run);
        skv_group_record_clear(rec);
    }
    free(file);
    return st;
}

/* ------------------------------------------------------------------ /samples */

typedef struct {
    const char *name, *long_name, *units;
    skv_h5_type type;
} column;

static const column columns[] = {
    {"row", "row of the run: prompt * samples + sample", "1", SKV_H5_I64},
    {"sample", "sample of the prompt", "1", SKV_H5_I32},
    {"seed", "seed of the picture", "1", SKV_H5_U64},
    {"tokens", "text tokens, </s> included", "tokens", SKV_H5_I32},
    {"truncated", "1: the prompt was cut to 512 tokens", "1", SKV_H5_U8},
    {"status", "0 done, else a negative status", "1", SKV_H5_I32},
    {"group", "group the row was computed in", "1", SKV_H5_I64},
};

static const column texts[] = {
    {"id", "id of the picture", "", SKV_H5_TEXT},
    {"prompt", "prompt as given", "", SKV_H5_TEXT},
    {"prompt_used", "prompt as encoded", "", SKV_H5_TEXT},
    {"error", "why a row failed", "", SKV_H5_TEXT},
};

#define N_COLUMNS (sizeof columns / sizeof columns[0])
#define N_TEXTS   (sizeof texts / sizeof texts[0])

static const void *column_data(const skv_group_record *rec, size_t i, const int64_t *group)
{
    const void *data[] = {rec->row,       rec->sample, rec->seed, rec->tokens,
                          rec->truncated, rec->status, group};

    return data[i];
}

static const char *const *text_data(const skv_group_record *rec, size_t i)
{
    const char *const *data[] = {rec->id, rec->prompt, rec->prompt_used, rec->error};

    return data[i];
}

static skv_status keep_texts(char **kept[], const skv_group_record *rec, int64_t first)
{
    for (size_t t = 0; t < N_TEXTS; t++)
        for (int i = 0; i < rec->n_rows; i++) {
            kept[t][first + i] = strdup(text_data(rec, t)[i]);
            if (!kept[t][first + i])
                return skv_fail(SKV_E_MEM, "gather: out of memory");
        }
    return SKV_OK;
}

static skv_status write_texts(gather *g, char **kept[])
{
    char name[NAME_BYTES];

    for (size_t t = 0; t < N_TEXTS; t++) {
        const skv_h5_layout layout = {.type = SKV_H5_TEXT,
                                      .n_dims = 1,
                                      .shape = {g->n_rows},
                                      .long_name = texts[t].long_name,
                                      .units = texts[t].units};

        snprintf(name, sizeof name, "/samples/%s", texts[t].name);
        SKV_TRY(skv_h5_write(g->out, name, &layout, kept[t]));
    }
    return SKV_OK;
}

static skv_status sample_rows(gather *g, const skv_group_record *rec, int64_t first)
{
    char name[NAME_BYTES];
    int64_t *group = NULL;
    skv_status st = SKV_OK;

    SKV_TRY(skv_alloc(&group, (size_t)rec->n_rows, sizeof *group, "gather"));
    for (int i = 0; i < rec->n_rows; i++) {
        group[i] = rec->group;
        g->n_failed += rec->status[i] != 0;
    }
    for (size_t c = 0; c < N_COLUMNS && st == SKV_OK; c++) {
        snprintf(name, sizeof name, "/samples/%s", columns[c].name);
        st = skv_h5_write_rows(g->out, name, first, rec->n_rows, columns[c].type,
                               column_data(rec, c, group));
    }
    free(group);
    return st;
}

/* The rows are the same on every path; the first path's files serve. */
static skv_status write_samples(gather *g, const char *path)
{
    char **kept[N_TEXTS] = {NULL}, name[NAME_BYTES];
    skv_status st = SKV_OK;
    int64_t first = 0;

    for (size_t c = 0; c < N_COLUMNS; c++) {
        const skv_h5_layout layout = {.type = columns[c].type,
                                      .n_dims = 1,
                                      .shape = {g->n_rows},
                                      .long_name = columns[c].long_name,
                                      .units = columns[c].units};

        snprintf(name, sizeof name, "/samples/%s", columns[c].name);
        SKV_TRY(skv_h5_make(g->out, name, &layout));
    }
    for (size_t t = 0; t < N_TEXTS; t++)
        SKV_TRY_GOTO(skv_alloc(&kept[t], (size_t)g->n_rows, sizeof(char *), "gather"), done);
    for (int64_t k = 0; k < g->n_groups; k++) {
        skv_group_record rec = {0};

        SKV_TRY_GOTO(read_group(&rec, g, path, k, SKV_GROUP_ROWS), done);
        if (first + rec.n_rows > g->n_rows)
            st = skv_fail(SKV_E_FORMAT, "%s: path %s has more than %lld rows", g->run, path,
                          (long long)g->n_rows);
        if (st == SKV_OK)
            st = keep_texts(kept, &rec, first);
        if (st == SKV_OK)
            st = sample_rows(g, &rec, first);
        first += rec.n_rows;
        skv_group_record_clear(&rec);
        if (st != SKV_OK)
            goto done;
    }
    SKV_TRY_GOTO(write_texts(g, kept), done);
done:
    for (size_t t = 0; t < N_TEXTS; t++) {
        for (int64_t i = 0; kept[t] && i < g->n_rows; i++)
            free(kept[t][i]);
        free(kept[t]);
    }
    return st;
}

/* -------------------------------------------------------------- /paths/<name> */

static skv_status make_rows(gather *g, const char *path, const char *what,
                            const skv_h5_layout *layout)
{
    char name[NAME_BYTES];

    snprintf(name, sizeof name, "/paths/%s/%s", path, what);
    return skv_h5_make(g->out, name, layout);
}

static skv_status virtual_images(gather *g, const char *path, const skv_h5_layout *layout)
{
    char name[NAME_BYTES], (*files)[NAME_BYTES] = NULL;
    skv_h5_source *sources = NULL;
    skv_status st;
    int64_t first = 0;

    SKV_TRY_GOTO(skv_alloc(&files, (size_t)g->n_groups, sizeof *files, "gather"), done);
    SKV_TRY_GOTO(skv_alloc(&sources, (size_t)g->n_groups, sizeof *sources, "gather"), done);
    for (int64_t k = 0; k < g->n_groups; k++) {
        skv_group_record rec = {0};

        SKV_TRY_GOTO(read_group(&rec, g, path, k, 0), done);
        snprintf(files[k], sizeof files[k], "groups/%s/%06lld.h5", path, (long long)k);
        sources[k] = (skv_h5_source){files[k], "/image", first, rec.n_rows};
        first += rec.n_rows;
        skv_group_record_clear(&rec);
    }
    snprintf(name, sizeof name, "/paths/%s/image", path);
    st = skv_h5_make_virtual(g->out, name, layout, sources, (int)g->n_groups);
done:
    free(files);
    free(sources);
    return st;
}

/* Datasets with a row a picture or a group, made to the measure of the path's first group. */
static skv_status make_path(gather *g, const char *path, const skv_group_record *rec)
{
    char name[NAME_BYTES];
    const skv_h5_layout image = {.type = SKV_H5_U8,
                                 .n_dims = 4,
                                 .shape = {g->n_rows, rec->height, rec->width, 3},
                                 .rows_per_chunk = 1,
                                 .checksum = true,
                                 .long_name = "picture, RGB",
                                 .units = "1"};
    const skv_h5_layout bits = {.type = SKV_H5_U8,
                                .n_dims = 2,
                                .shape = {g->n_rows, rec->bits_bytes},
                                .long_name = "bits of all scales, least significant first",
                                .units = "1"};
    const skv_h5_layout seconds = {.type = SKV_H5_F64,
                                   .n_dims = 2,
                                   .shape = {g->n_groups, rec->n_phases},
                                   .long_name = "wall time of each group by phase",
                                   .units = "s"};

    if (rec->image)
        SKV_TRY(g->virtual_images ? virtual_images(g, path, &image)
                                  : make_rows(g, path, "image", &image));
    if (rec->bits) {
        SKV_TRY(make_rows(g, path, "bits", &bits));
        snprintf(name, sizeof name, "/paths/%s/bits", path);
        SKV_TRY(skv_h5_set_ints(g->out, name, "scale_offset", rec->bit_offset, rec->n_scales + 1));
    }
    return make_rows(g, path, "seconds", &seconds);
}

/* The cache's lengths and bytes are the same for every picture of a path: the first group's. */
static skv_status write_cache(gather *g, const char *path, const skv_group_record *rec)
{
    const struct {
        const char *name, *long_name, *units;
        const int64_t *data;
    } tables[] = {
        {"length", "tokens a layer holds after the cut that follows the scale", "tokens",
         rec->cache_length},
        {"capacity", "tokens a layer may hold there; -1: no bound", "tokens", rec->cache_capacity},
        {"bytes", "K and V of one picture, all rows and heads", "byte", rec->cache_bytes},
        {"length_by_head", "tokens a head holds", "tokens", rec->length_by_head},
    };
    char name[NAME_BYTES];

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const skv_h5_layout layout = {.type = SKV_H5_I64,
                                      .n_dims = i == 3 ? 3 : 2,
                                      .shape = {rec->n_scales - 1, rec->n_layers, rec->n_heads},
                                      .long_name = tables[i].long_name,
                                      .units = tables[i].units};

        snprintf(name, sizeof name, "/paths/%s/cache/%s", path, tables[i].name);
        if (tables[i].data)
            SKV_TRY(skv_h5_write(g->out, name, &layout, tables[i].data));
    }
    return SKV_OK;
}

/* The mean over the run's pictures of each group's mean. */
static skv_status write_sources(gather *g, const char *path, const double *sum, int n_scales,
                                int n_layers)
{
    const size_t n = (size_t)(n_scales - 1) * (size_t)n_layers * (size_t)n_scales;
    const skv_h5_layout layout = {.type = SKV_H5_F32,
                                  .n_dims = 3,
                                  .shape = {n_scales - 1, n_layers, n_scales},
                                  .long_name = "kept tokens by scale of origin, mean of rows and "
                                               "heads",
                                  .units = "tokens"};
    char name[NAME_BYTES];
    float *mean = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&mean, n, sizeof *mean, "gather"));
    for (size_t i = 0; i < n; i++)
        mean[i] = (float)(sum[i] / (double)g->n_rows);
    snprintf(name, sizeof name, "/paths/%s/cache/kept_by_source", path);
    st = skv_h5_write(g->out, name, &layout, mean);
    free(mean);
    return st;
}

static skv_status copy_rows(gather *g, const char *path, const skv_group_record *rec, int64_t first)
{
    char name[NAME_BYTES];

    if (rec->image && !g->virtual_images) {
        snprintf(name, sizeof name, "/paths/%s/image", path);
        SKV_TRY(skv_h5_write_rows(g->out, name, first, rec->n_rows, SKV_H5_U8, rec->image));
    }
    if (rec->bits) {
        snprintf(name, sizeof name, "/paths/%s/bits", path);
        SKV_TRY(skv_h5_write_rows(g->out, name, first, rec->n_rows, SKV_H5_U8, rec->bits));
    }
    snprintf(name, sizeof name, "/paths/%s/seconds", path);
    return skv_h5_write_rows(g->out, name, rec->group, 1, SKV_H5_F64, rec->seconds);
}

static skv_status path_attributes(gather *g, const char *path, const skv_group_record *rec)
{
    const bool reference =
        json_is_true(json_object_get(json_object_get(g->paths, path), "reference"));
    char name[NAME_BYTES], phases[NAME_BYTES] = "";

    snprintf(name, sizeof name, "/paths/%s", path);
    SKV_TRY(skv_h5_set_int(g->out, name, "order", g->n_paths++));
    SKV_TRY(skv_h5_set_int(g->out, name, "reference", reference));
    SKV_TRY(skv_h5_set_text(g->out, name, "settings", rec->budget));
    SKV_TRY(skv_h5_set_text(g->out, name, "digest", rec->path_digest));
    SKV_TRY(skv_h5_set_text(g->out, name, "device", rec->device));
    for (int i = 0; i < rec->n_phases; i++)
        snprintf(phases + strlen(phases), sizeof phases - strlen(phases), "%s%s", i ? "," : "",
                 rec->phase_names[i]);
    snprintf(name, sizeof name, "/paths/%s/seconds", path);
    return skv_h5_set_text(g->out, name, "phases", phases);
}

/* Of the group that took most. */
static skv_status write_pool(gather *g, const char *path, int64_t planned, int64_t peak)
{
    char name[NAME_BYTES];

    if (peak <= 0)
        return SKV_OK;
    snprintf(name, sizeof name, "/paths/%s/cache", path);
    SKV_TRY(skv_h5_set_int(g->out, name, "pool_bytes_planned", planned));
    return skv_h5_set_int(g->out, name, "pool_bytes_peak", peak);
}

static skv_status write_path(gather *g, const char *path)
{
    double *sources = NULL;
    int64_t first = 0, n_first = 0, *warm = NULL, pool_planned = 0, pool_peak = 0;
    int n_scales = 0, n_layers = 0;
    skv_status st;
    char name[NAME_BYTES];

    SKV_TRY(skv_alloc(&warm, (size_t)g->n_groups, sizeof *warm, "gather"));
    for (int64_t k = 0; k < g->n_groups; k++) {
        const unsigned parts =
            g->virtual_images && k > 0 ? SKV_GROUP_ALL & ~SKV_GROUP_IMAGE : SKV_GROUP_ALL;
        skv_group_record rec = {0};
        size_t n;

        SKV_TRY_GOTO(read_group(&rec, g, path, k, parts), done);
        n_scales = rec.n_scales;
        n_layers = rec.n_layers;
        n = (size_t)(n_scales - 1) * (size_t)n_layers * (size_t)n_scales;
        st = sources ? SKV_OK : skv_alloc(&sources, n, sizeof *sources, "gather");
        if (k == 0) {
            if (st == SKV_OK)
                st = make_path(g, path, &rec);
            if (st == SKV_OK)
                st = write_cache(g, path, &rec);
            if (st == SKV_OK)
                st = path_attributes(g, path, &rec);
        }
        if (st == SKV_OK && first + rec.n_rows > g->n_rows)
            st = skv_fail(SKV_E_FORMAT, "%s: path %s has more than %lld rows", g->run, path,
                          (long long)g->n_rows);
        if (st == SKV_OK)
            st = copy_rows(g, path, &rec, first);
        for (size_t i = 0; st == SKV_OK && rec.kept_by_source && i < n; i++)
            sources[i] += (double)rec.kept_by_source[i] * rec.n_rows;
        if (rec.first)
            warm[n_first++] = k;
        if (rec.pool_peak > pool_peak) {
            pool_peak = rec.pool_peak;
            pool_planned = rec.pool_planned;
        }
        first += rec.n_rows;
        skv_group_record_clear(&rec);
        if (st != SKV_OK)
            goto done;
    }
    if (first != g->n_rows) {
        st = skv_fail(SKV_E_FORMAT, "%s: path %s has %lld rows, the others %lld", g->run, path,
                      (long long)first, (long long)g->n_rows);
        goto done;
    }
    snprintf(name, sizeof name, "/paths/%s/seconds", path);
    SKV_TRY_GOTO(skv_h5_set_ints(g->out, name, "first_groups", warm, (int)n_first), done);
    SKV_TRY_GOTO(write_sources(g, path, sources, n_scales, n_layers), done);
    SKV_TRY_GOTO(write_pool(g, path, pool_planned, pool_peak), done);
done:
    free(sources);
    free(warm);
    return st;
}

static skv_status write_run(gather *g)
{
    char *common = json_dumps(g->common, JSON_COMPACT);
    const char *path;
    json_t *value;
    skv_status st;
    bool first = true;

    if (!common)
        return skv_fail(SKV_E_MEM, "gather: out of memory");
    st = skv_h5_set_text(g->out, "/", "config", common);
    free(common);
    SKV_TRY(st);
    SKV_TRY(skv_h5_set_text(g->out, "/", "config_digest", g->digest));
    SKV_TRY(skv_h5_set_text(g->out, "/", "skv", SKV_VERSION));
    json_object_foreach(g->paths, path, value)
    {
        if (first)
            SKV_TRY(write_samples(g, path));
        first = false;
        SKV_TRY(write_path(g, path));
    }
    if (first)
        return skv_fail(SKV_E_FORMAT, "%s/run.json names no paths", g->run);
    return skv_h5_link(g->out, "/metrics", "metrics.h5", "/metrics"); /* once skv eval made it */
}

skv_status skv_gather(const char *run, bool virtual_images_wanted, int64_t *n_failed)
{
    gather g = {.run = run, .virtual_images = virtual_images_wanted};
    char path[4096];
    json_t *root = NULL;
    skv_status st;

    snprintf(path, sizeof path, "%s/run.json", run);
    SKV_TRY_GOTO(skv_json_read(&root, path), done);
    g.common = json_object_get(root, "common");
    g.paths = json_object_get(root, "paths");
    SKV_TRY_GOTO(skv_json_string(&g.digest, root, "digest", path), done);
    SKV_TRY_GOTO(skv_json_int(&g.n_rows, root, "rows", path), done);
    SKV_TRY_GOTO(skv_json_int(&g.n_groups, root, "groups", path), done);
    if (g.n_rows < 1 || g.n_groups < 1 || g.n_groups > g.n_rows || g.n_rows > MAX_ROWS) {
        st = skv_fail(SKV_E_FORMAT, "%s: %lld rows in %lld groups cannot be", path,
                      (long long)g.n_rows, (long long)g.n_groups);
        goto done;
    }
    snprintf(path, sizeof path, "%s/run.h5", run);
    SKV_TRY_GOTO(skv_h5_create(&g.out, path), done);
    SKV_TRY_GOTO(write_run(&g), done);
    SKV_TRY_GOTO(skv_h5_commit(&g.out), done);
    *n_failed = g.n_failed;
done:
    skv_h5_close(g.out);
    json_decref(root);
    return st;
}
