#include "run/run_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "io/png.h"
#include "run/run_json.h"
#include "run/schema.h"
#include "run/starts.h"

#define MAX_ROWS    ((int64_t)1 << 40)
#define MAX_TEXT    ((size_t)64 << 30) /* what the columns of a run may take */
#define MAX_PATHS   4096
#define MAX_SCALES  64
#define MAX_SAMPLES ((int64_t)1 << 20)
#define MAX_BITS    ((int64_t)1 << 32) /* of a picture */
#define MAX_SIDE    SKV_PNG_MAX_SIDE

/* ------------------------------------------------------------------ /samples */

/* Extents of which only the rows are known. */
static skv_extents extents_of(const skv_run_file *run)
{
    return (skv_extents){run->n, -1, -1, -1, -1, -1, -1, -1, -1};
}

static skv_status read_samples(skv_run_file *run)
{
    const struct {
        skv_set set;
        void *out;
    } columns[] = {
        {SKV_SET_ID, &run->id},
        {SKV_SET_GIVEN_ID, &run->given_id},
        {SKV_SET_PROMPT, &run->prompt},
        {SKV_SET_PROMPT_USED, &run->prompt_used},
        {SKV_SET_NEGATIVE, &run->negative},
        {SKV_SET_ERROR, &run->error},
        {SKV_SET_SAMPLE, &run->sample},
        {SKV_SET_TOKENS, &run->tokens},
        {SKV_SET_STATUS, &run->status},
        {SKV_SET_SEED, &run->seed},
        {SKV_SET_TRUNCATED, &run->truncated},
    };
    const skv_schema_name row = skv_schema_in_run(SKV_SET_ROW, NULL);
    skv_h5_layout rows = {0};
    skv_extents e;

    SKV_TRY(skv_h5_describe(&rows, run->h5, row.text));
    run->n = rows.shape[0];
    if (rows.n_dims != 1 || run->n < 1 || run->n > MAX_ROWS)
        return skv_fail(SKV_E_FORMAT, "%s/run.h5: %s is not a list of rows", run->folder, row.text);
    e = extents_of(run);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        skv_h5_layout want = skv_schema_run_layout(columns[i].set, &e);
        bool there = true;

        if (skv_schema[columns[i].set].later)
            SKV_TRY(skv_h5_has(&there, run->h5, skv_schema_in_run(columns[i].set, NULL).text));
        if (!there)
            continue;
        SKV_TRY(skv_h5_read(columns[i].out, run->h5, skv_schema_in_run(columns[i].set, NULL).text,
                            &want, MAX_TEXT, false));
    }
    for (int64_t i = 0; i < run->n; i++)
        run->n_missing += run->status[i] == SKV_ROW_MISSING;
    return SKV_OK;
}

/* -------------------------------------------------------------------- /paths */

static skv_status read_bits_layout(skv_run_path *p, const skv_run_file *run)
{
    const skv_schema_name name = skv_schema_in_run(SKV_SET_BITS, p->name);
    const skv_extents e = extents_of(run);
    skv_h5_layout want = skv_schema_run_layout(SKV_SET_BITS, &e);
    bool there = false;
    int n = 0;

    SKV_TRY(skv_h5_has(&there, run->h5, name.text));
    if (!there)
        return SKV_OK;
    SKV_TRY(skv_h5_expect(run->h5, name.text, &want));
    SKV_TRY(skv_h5_get_ints(&p->scale_offset, &n, run->h5, name.text, SKV_ATTR_SCALE_OFFSET));
    if (n != p->n_scales + 1 || p->scale_offset[0] != 0 || want.shape[1] < 1)
        goto bad;
    for (int i = 0; i + 1 < n; i++)
        if (p->scale_offset[i + 1] <= p->scale_offset[i] || p->scale_offset[i + 1] > MAX_BITS)
            goto bad;
    if (p->scale_offset[n - 1] > want.shape[1] * 8)
        goto bad;
    p->bits_bytes = want.shape[1];
    return SKV_OK;
bad:
    return skv_fail(SKV_E_FORMAT,
                    "%s/run.h5: %s: scale_offset does not fit %d scales in %lld bytes", run->folder,
                    name.text, p->n_scales, (long long)want.shape[1]);
}

/* S and l, from the extents of cache/length. */
static skv_status read_sizes(skv_run_path *p, const skv_run_file *run)
{
    const skv_schema_name name = skv_schema_in_run(SKV_SET_CACHE_LENGTH, p->name);
    const skv_extents e = extents_of(run);
    skv_h5_layout length = skv_schema_run_layout(SKV_SET_CACHE_LENGTH, &e);

    SKV_TRY(skv_h5_expect(run->h5, name.text, &length));
    if (length.shape[0] < 1 || length.shape[0] >= MAX_SCALES || length.shape[1] < 1 ||
        length.shape[1] > INT32_MAX)
        return skv_fail(SKV_E_FORMAT, "%s/run.h5: %s has %lld scales and %lld layers", run->folder,
                        name.text, (long long)length.shape[0] + 1, (long long)length.shape[1]);
    p->n_scales = (int)length.shape[0] + 1;
    p->n_layers = (int)length.shape[1];
    return SKV_OK;
}

static skv_status read_path(skv_run_path *p, const skv_run_file *run)
{
    const skv_schema_name object = skv_schema_path(p->name);
    const skv_schema_name name = skv_schema_in_run(SKV_SET_IMAGE, p->name);
    const skv_extents e = extents_of(run);
    skv_h5_layout image = skv_schema_run_layout(SKV_SET_IMAGE, &e);

    SKV_TRY(skv_h5_get_text(&p->settings, run->h5, object.text, SKV_ATTR_SETTINGS));
    SKV_TRY(skv_h5_get_text(&p->device, run->h5, object.text, SKV_ATTR_DEVICE));
    SKV_TRY(skv_h5_get_text(&p->digest, run->h5, object.text, SKV_ATTR_DIGEST));
    SKV_TRY(read_sizes(p, run));
    SKV_TRY(skv_h5_has(&p->in_h5, run->h5, name.text));
    if (p->in_h5) {
        SKV_TRY(skv_h5_expect(run->h5, name.text, &image));
        if (image.shape[1] < 1 || image.shape[1] > MAX_SIDE || image.shape[2] < 1 ||
            image.shape[2] > MAX_SIDE)
            return skv_fail(SKV_E_FORMAT, "%s/run.h5: %s has pictures of %lldx%lld", run->folder,
                            name.text, (long long)image.shape[1], (long long)image.shape[2]);
    }
    return read_bits_layout(p, run);
}

/* Each path at the place its attribute "order" says. */
static skv_status place_paths(skv_run_file *run, char **names, int n)
{
    for (int i = 0; i < n; i++) {
        skv_schema_name object;
        int64_t order = -1, reference = 0;

        if (!skv_path_name_is_valid(names[i])) /* its pictures are in a folder */
            return skv_fail(
                SKV_E_FORMAT,
                "%s/run.h5: \"%.80s\" cannot be a path: want a name of " SKV_PATH_NAME_RULE,
                run->folder, names[i]);
        object = skv_schema_path(names[i]);
        SKV_TRY(skv_h5_get_int(&order, run->h5, object.text, SKV_ATTR_ORDER));
        SKV_TRY(skv_h5_get_int(&reference, run->h5, object.text, SKV_ATTR_REFERENCE));
        if (order < 0 || order >= n || run->path[order].name)
            return skv_fail(SKV_E_FORMAT, "%s/run.h5: path %s is number %lld of %d", run->folder,
                            names[i], (long long)order, n);
        run->path[order].name = names[i];
        run->path[order].reference = reference != 0;
        if (reference)
            run->reference = (int)order;
    }
    return SKV_OK;
}

static skv_status read_paths(skv_run_file *run)
{
    int n = 0;

    SKV_TRY(skv_h5_list(&run->names, &n, run->h5, SKV_SCHEMA_PATHS));
    if (n < 1 || n > MAX_PATHS)
        return skv_fail(SKV_E_FORMAT, "%s/run.h5 has %d paths", run->folder, n);
    SKV_TRY(skv_alloc(&run->path, (size_t)n, sizeof *run->path, "paths"));
    run->n_paths = n;
    SKV_TRY(place_paths(run, run->names, n));
    for (int i = 0; i < n; i++)
        SKV_TRY(read_path(&run->path[i], run));
    return SKV_OK;
}

/* ---------------------------------------------------------------------- open */

/* A run.h5 that does not say is of one segment. */
static skv_status read_segments(skv_run_file *run, const char *name)
{
    skv_segments one = skv_segments_none(1);
    int64_t samples = 1;
    json_t *list = NULL;
    char *text = NULL;
    skv_status st;

    SKV_TRY(skv_json_int(&samples, run->config, "samples", name));
    if (samples < 1 || samples > MAX_SAMPLES || run->n % samples != 0)
        return skv_fail(SKV_E_FORMAT, "%s: %lld samples a prompt do not make %lld rows", name,
                        (long long)samples, (long long)run->n);
    SKV_TRY(skv_segments_grow(&one, run->n / samples, samples));
    run->segments = one;
    st = skv_h5_get_text(&text, run->h5, "/", SKV_SEGMENTS);
    if (st == SKV_E_NOTFOUND)
        return SKV_OK;
    SKV_TRY(st);
    st = skv_json_parse(&list, text, strlen(text), name);
    if (st == SKV_OK)
        st = skv_segments_read(&run->segments, list, 1, name);
    json_decref(list);
    free(text);
    SKV_TRY(st);
    if (run->segments.n_rows != run->n || run->segments.n_samples != samples)
        return skv_fail(SKV_E_FORMAT, "%s: %lld rows of %lld samples a prompt, want %lld of %lld",
                        name, (long long)run->segments.n_rows, (long long)run->segments.n_samples,
                        (long long)run->n, (long long)samples);
    return SKV_OK;
}

/* A run.h5 of an earlier version does not say. */
static skv_status read_starts(skv_run_file *run)
{
    char *text = NULL, name[4096];
    skv_status st = skv_h5_get_text(&text, run->h5, SKV_SCHEMA_PROVENANCE, SKV_STARTS);

    if (st == SKV_E_NOTFOUND)
        return SKV_OK;
    SKV_TRY(st);
    snprintf(name, sizeof name, "%s/run.h5, " SKV_SCHEMA_PROVENANCE, run->folder);
    st = skv_json_parse(&run->starts, text, strlen(text), name);
    free(text);
    SKV_TRY(st);
    return skv_starts_check(run->starts, name);
}

static skv_status read_config(skv_run_file *run)
{
    char *text = NULL, name[4096];
    skv_status st;

    snprintf(name, sizeof name, "%s/run.h5, config", run->folder);
    SKV_TRY(skv_h5_get_text(&run->version, run->h5, "/", SKV_ATTR_SKV));
    SKV_TRY(skv_h5_get_text(&run->config_digest, run->h5, "/", SKV_ATTR_CONFIG_DIGEST));
    SKV_TRY(skv_h5_get_text(&text, run->h5, "/", SKV_ATTR_CONFIG));
    st = skv_json_parse(&run->config, text, strlen(text), name);
    free(text);
    SKV_TRY(st);
    SKV_TRY(read_segments(run, name));
    return read_starts(run);
}

/* Paths of run.json that run.h5 has not. */
static int count_new_paths(const skv_run_file *run, const json_t *run_json)
{
    json_t *paths = json_object_get(run_json, "paths");
    int n = (int)json_object_size(paths);

    for (int i = 0; i < run->n_paths; i++)
        n -= json_object_get(paths, run->path[i].name) != NULL;
    return n;
}

/* What run.h5 says that it lacks, and what it does not know of: rows and paths of run.json. */
static skv_status find_partial(skv_run_file *run, const json_t *run_json)
{
    const json_int_t rows = json_integer_value(json_object_get(run_json, "rows"));
    char text[2048], *said = NULL;
    skv_status st = skv_h5_get_text(&said, run->h5, "/", SKV_ATTR_PARTIAL);
    int n_new;

    if (st != SKV_OK && st != SKV_E_NOTFOUND)
        return st;
    n_new = said ? 0 : count_new_paths(run, run_json); /* said names those that it lacks */
    if (rows <= run->n && n_new == 0) {
        run->partial = said;
        return SKV_OK;
    }
    if (rows <= run->n)
        snprintf(text, sizeof text, "%lld of %lld row%s; the run has %d more path%s now",
                 (long long)run->n, (long long)run->n, skv_s(run->n), n_new, skv_s(n_new));
    else if (said)
        snprintf(text, sizeof text, "%.1900s; the run has %lld rows now", said, (long long)rows);
    else
        snprintf(text, sizeof text, "%lld of %lld rows; the run has grown since", (long long)run->n,
                 (long long)rows);
    free(said);
    return skv_text_copy(&run->partial, text);
}

/* Pictures may have been taken away from their run.json: they are flat then. */
static skv_status read_run_json(skv_run_file *run)
{
    char file[4096];
    json_t *root = NULL;
    skv_status st;

    snprintf(file, sizeof file, "%s/run.json", run->folder);
    run->place = (skv_run_place){.folder = run->folder};
    st = skv_json_read_below(&root, file, 1);
    if (st != SKV_OK && st != SKV_E_NOTFOUND)
        return st;
    st = root ? skv_by_hundred_read(&run->place.by_hundred, root, file) : SKV_OK;
    if (st == SKV_OK)
        st = find_partial(run, root);
    json_decref(root);
    return st;
}

skv_status skv_run_file_open_partial(skv_run_file *out, const char *folder)
{
    char file[4096];
    skv_status st;

    *out = (skv_run_file){.reference = -1};
    SKV_TRY(skv_text_copy(&out->folder, folder));
    snprintf(file, sizeof file, "%s/run.h5", folder);
    st = skv_h5_open_below(&out->h5, file, 1);
    if (st == SKV_E_NOTFOUND) {
        SKV_TRY(skv_run_is_there(folder));
        return skv_fail(SKV_E_NOTFOUND,
                        "%s is missing: skv gather %s makes it once the run is complete, with "
                        "--partial of what is there",
                        file, folder);
    }
    SKV_TRY(st);
    st = read_samples(out);
    if (st == SKV_OK)
        st = read_config(out);
    if (st == SKV_OK)
        st = read_paths(out);
    if (st == SKV_OK)
        st = read_run_json(out);
    if (st == SKV_E_NOTFOUND) { /* something that every run.h5 of this version has */
        skv_context("%s is of another version of skv, or no run", file);
        st = SKV_E_FORMAT;
    }
    return st;
}

skv_status skv_run_file_open(skv_run_file *out, const char *folder)
{
    SKV_TRY(skv_run_file_open_partial(out, folder));
    if (!out->partial)
        return SKV_OK;
    return skv_fail(SKV_E_NOTFOUND,
                    "%s/run.h5 is partial (%s): skv gather %s makes it complete once the run is; "
                    "skv eval and skv export take it as it is with --partial",
                    folder, out->partial, folder);
}

void skv_run_file_close(skv_run_file *run)
{
    for (int i = 0; i < run->n_paths; i++) {
        free(run->path[i].settings);
        free(run->path[i].device);
        free(run->path[i].digest);
        free(run->path[i].scale_offset);
    }
    free(run->path);
    free(run->names);
    free(run->folder);
    skv_h5_close(run->h5);
    json_decref(run->config);
    json_decref(run->starts);
    free(run->config_digest);
    free(run->version);
    free(run->partial);
    free(run->id);
    free(run->prompt);
    free(run->prompt_used);
    free(run->given_id);
    free(run->negative);
    free(run->error);
    free(run->sample);
    free(run->tokens);
    free(run->status);
    free(run->seed);
    free(run->truncated);
    *run = (skv_run_file){0};
}

skv_status skv_run_file_find(int *path, const skv_run_file *run, const char *name)
{
    char list[1024] = "";

    for (int i = 0; i < run->n_paths; i++) {
        const size_t used = strlen(list);

        if (strcmp(run->path[i].name, name) == 0) {
            *path = i;
            return SKV_OK;
        }
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", run->path[i].name);
    }
    return skv_fail(SKV_E_ARG, "%s has no path %s; it has %s", run->folder, name, list);
}

/* ------------------------------------------------------------ pictures, bits */

static skv_status picture_of_h5(skv_picture *out, const skv_run_file *run, const char *path,
                                int64_t row)
{
    const skv_schema_name name = skv_schema_in_run(SKV_SET_IMAGE, path);
    const skv_extents e = extents_of(run);
    skv_h5_layout want = skv_schema_run_layout(SKV_SET_IMAGE, &e);
    size_t bytes = 0;
    skv_status st;

    SKV_TRY(skv_h5_expect(run->h5, name.text, &want));
    bytes = (size_t)want.shape[1] * (size_t)want.shape[2] * 3; /* both <= MAX_SIDE: checked */
    SKV_TRY(skv_alloc(&out->rgb, bytes, 1, "picture"));
    out->height = (int)want.shape[1];
    out->width = (int)want.shape[2];
    st = skv_h5_read_rows(run->h5, name.text, &want, row, 1, out->rgb);
    if (st == SKV_E_NOTFOUND) /* a virtual run */
        st = skv_fail(st,
                      "%s: the pictures of %s/run.h5 lie in the group files; the same skv sample "
                      "command makes those that are missing again",
                      skv_message(), run->folder);
    if (st != SKV_OK) {
        free(out->rgb);
        *out = (skv_picture){0};
    }
    return st;
}

static skv_status picture_of_png(skv_picture *out, const skv_run_file *run, const char *path,
                                 int64_t row)
{
    skv_run_name file;
    skv_png png = {0};
    skv_status st;

    SKV_TRY(skv_run_name_image(&file, &run->place, path, row, run->id[row]));
    st = skv_png_read_below(&png, file.path, file.n_below);
    if (st == SKV_E_NOTFOUND)
        return skv_fail(st,
                        "the picture of %s, path %s, is neither in %s/run.h5 nor at %s; skv decode "
                        "%s makes the pictures of a run that stored bits",
                        run->id[row], path, run->folder, file.path, run->folder);
    SKV_TRY(st);
    *out = (skv_picture){png.height, png.width, png.rgb};
    png.rgb = NULL;
    skv_png_clear(&png);
    return SKV_OK;
}

skv_status skv_run_file_picture(skv_picture *out, const skv_run_file *run, int path, int64_t row)
{
    const skv_run_path *p = &run->path[path];

    *out = (skv_picture){0};
    return p->in_h5 ? picture_of_h5(out, run, p->name, row)
                    : picture_of_png(out, run, p->name, row);
}

skv_status skv_run_file_bits(uint8_t *bits, const skv_run_file *run, int path, int64_t row)
{
    const skv_run_path *p = &run->path[path];
    skv_extents e = extents_of(run);
    skv_h5_layout want;

    e.bits_bytes = p->bits_bytes;
    want = skv_schema_run_layout(SKV_SET_BITS, &e);
    return skv_h5_read_rows(run->h5, skv_schema_in_run(SKV_SET_BITS, p->name).text, &want, row, 1,
                            bits);
}
