/* Export: one path of a finished run as the folder that an evaluator reads.
 *
 * Nothing gets a name that an evaluator knows before all of it is there: the pictures are made in
 * <folder>.skv-part, which is left behind by a kill and begun again by the next export. */
#include "eval/layout/layout_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/options.h"
#include "core/parallel.h"
#include "core/text.h"
#include "io/tar_file.h"
#include "run/picture_texts.h"
#include "run/schema.h"

#define MAX_NAMED 20 /* failed rows in the log; the manifest has all */

typedef struct {
    const skv_layout_job *job;
    skv_layout_done *done;
    char folder[SKV_LAYOUT_PATH_BYTES], part[SKV_LAYOUT_PATH_BYTES];
    char manifest[SKV_LAYOUT_PATH_BYTES];
    bool refill;                                  /* an earlier export stands there */
    bool begun;                                   /* part is ours */
    int height, width;                            /* of a sample; 0: there is none */
    pthread_mutex_t h5;                           /* run.h5 is read by one thread at a time */
    skv_json_maker prompts, left_out, incomplete; /* of the manifest */
} export_job;

/* ------------------------------------------------------------------- manifest */

static skv_status differs(const export_job *x, const char *what, const char *there)
{
    return skv_fail(SKV_E_ARG,
                    "%s holds an export of another %s (%s, says %s); use another --out, or remove "
                    "both",
                    x->folder, what, there ? there : "none", x->manifest);
}

static skv_status same_number(const export_job *x, const json_t *manifest, const char *key,
                              const char *what, int want)
{
    const json_int_t there = json_integer_value(json_object_get(manifest, key));
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)there);
    return there == want ? SKV_OK : differs(x, what, text);
}

/* Where the folder is not empty, it must be an earlier export of the same. */
static skv_status compare_manifest(const export_job *x)
{
    const skv_layout_job *j = x->job;
    json_t *root = NULL;
    const json_t *path;
    skv_status st = skv_json_read(&root, x->manifest);
    const char *digest, *layout, *path_digest, *name;

    if (st == SKV_E_NOTFOUND)
        return skv_fail(
            SKV_E_ARG,
            "%s is not empty and is not an export of skv (%s is missing); use another --out",
            x->folder, x->manifest);
    SKV_TRY(st);
    path = json_object_get(root, "path");
    layout = json_string_value(json_object_get(root, "layout"));
    digest = json_string_value(json_object_get(root, "config_digest"));
    path_digest = json_string_value(json_object_get(path, "digest"));
    name = json_string_value(json_object_get(path, "name"));
    if (!layout || strcmp(layout, j->layout->name) != 0)
        st = differs(x, "layout", layout);
    else if (!digest || strcmp(digest, j->run->config_digest) != 0)
        st = differs(x, "run", digest);
    else if (!name || strcmp(name, j->run->path[j->path].name) != 0)
        st = differs(x, "path", name);
    else if (!path_digest || strcmp(path_digest, j->run->path[j->path].digest) != 0)
        st = differs(x, "path of this name", path_digest);
    if (st == SKV_OK)
        st = same_number(x, root, "samples", "number of samples", j->set->samples);
    if (st == SKV_OK && j->layout->shards)
        st = same_number(x, root, "shard_rows", "--shard-rows", j->shard_rows);
    json_decref(root);
    return st;
}

static json_t *seed_json(uint64_t seed)
{
    char text[24];

    if (seed <= INT64_MAX)
        return json_integer((json_int_t)seed);
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    return json_string(text);
}

/* What was asked for: ids and texts. */
static void put_texts(skv_json_maker *o, const char *id, const skv_run_file *run, int64_t row)
{
    skv_json_put(o, "id", json_string(id));
    if (run->given_id && run->given_id[row][0])
        skv_json_put(o, "given_id", json_string(run->given_id[row]));
    skv_json_put(o, "prompt", json_string(run->prompt[row]));
    skv_json_put(o, "prompt_used", json_string(run->prompt_used[row]));
    if (run->negative && run->negative[row][0])
        skv_json_put(o, "negative", json_string(run->negative[row]));
}

static bool is_missing(const skv_run_file *run, int64_t row)
{
    return run->status[row] == SKV_ROW_MISSING;
}

/* null: not known. */
static json_t *seed_of(const skv_run_file *run, int64_t row)
{
    return is_missing(run, row) ? json_null() : seed_json(run->seed[row]);
}

/* Or is missing. */
static bool has_failed(const skv_run_file *run, int64_t prompt, int sample)
{
    return run->status[skv_run_file_row(run, prompt, sample)] != SKV_OK;
}

/* One prompt of the manifest: both texts, seeds, files, or why there are none. */
static void describe(export_job *x, int64_t prompt, int n_failed)
{
    const skv_layout_set *set = x->job->set;
    const skv_run_file *run = x->job->run;
    skv_json_maker seeds = skv_json_array(), files = skv_json_array(), o = skv_json_object();
    char name[SKV_LAYOUT_NAME_BYTES];

    put_texts(&o, set->id[prompt], run, skv_run_file_row(run, prompt, 0));
    if (set->category)
        skv_json_put(&o, "category", json_string(set->category[prompt]));
    for (int s = 0; s < set->samples; s++)
        skv_json_append(&seeds, seed_of(run, skv_run_file_row(run, prompt, s)));
    for (int s = 0; s < skv_layout_files(x->job->layout, set); s++) {
        if (x->job->layout->tiles > 1 ? n_failed > 0 : has_failed(run, prompt, s))
            continue;
        skv_layout_picture(name, x->job->layout, set, prompt, s);
        skv_json_append(&files, json_string(name));
        x->done->n_files++;
    }
    skv_json_put(&o, "seeds", skv_json_take(&seeds));
    skv_json_put(&o, "files", skv_json_take(&files));
    for (int s = 0; s < set->samples && n_failed > 0; s++)
        if (has_failed(run, prompt, s)) {
            skv_json_put(&o, "error", json_string(run->error[skv_run_file_row(run, prompt, s)]));
            break;
        }
    if (set->line) /* a line that is not UTF-8 is that of a prompt that failed */
        skv_json_put(&o, "metadata",
                     json_string(n_failed == set->samples ? "" : set->line[prompt]));
    skv_json_append(&x->prompts, skv_json_take(&o));
}

/* The settings as given (names of checkpoints and prompt files, the note), where run.json is still
 * there. */
static skv_status add_settings(skv_json_maker *manifest, const char *run)
{
    char file[SKV_LAYOUT_PATH_BYTES];
    json_t *root = NULL, *settings;
    skv_status st;

    SKV_TRY(skv_layout_join(file, run, "run.json"));
    st = skv_json_read_below(&root, file, 1);
    if (st != SKV_OK)
        return skv_may_pass(st) ? st : SKV_OK;
    settings = json_object_get(root, "settings");
    if (settings)
        skv_json_put(manifest, "settings", json_incref(settings));
    json_decref(root);
    return SKV_OK;
}

static skv_status write_manifest(export_job *x)
{
    const skv_layout_job *j = x->job;
    const skv_run_path *p = &j->run->path[j->path];
    skv_json_maker manifest;
    json_t *settings = NULL, *root = NULL;
    skv_status st;

    SKV_TRY(skv_json_parse(&settings, p->settings, strlen(p->settings), "settings of the path"));
    manifest = skv_json_object();
    skv_json_put(&manifest, "made_by", json_string("skv export"));
    skv_json_put(&manifest, "skv", json_string(j->run->version));
    skv_json_put(&manifest, "layout", json_string(j->layout->name));
    skv_json_put(&manifest, "samples", json_integer(j->set->samples));
    skv_json_put(&manifest, "side", json_integer(x->height == x->width ? x->height : 0));
    skv_json_put(&manifest, "pictures", json_integer(x->done->n_files));
    if (j->layout->shards)
        skv_json_put(&manifest, "shard_rows", json_integer(j->shard_rows));
    skv_json_put(&manifest, "failed_rows", json_integer(x->done->n_failed));
    skv_json_put(&manifest, "partial", skv_json_text(j->run->partial));
    skv_json_put(&manifest, "config_digest", json_string(j->run->config_digest));
    skv_json_put(&manifest, "config", json_incref(j->run->config));
    skv_json_put(&manifest, "path",
                 json_pack("{s:s, s:b, s:s, s:s, s:o}", "name", p->name, "reference", p->reference,
                           "digest", p->digest, "device", p->device, "settings", settings));
    skv_json_put(&manifest, "left_out", skv_json_take(&x->left_out));
    skv_json_put(&manifest, "incomplete", skv_json_take(&x->incomplete));
    skv_json_put(&manifest, "prompts", skv_json_take(&x->prompts));
    st = add_settings(&manifest, j->run->folder);
    if (st != SKV_OK) {
        json_decref(skv_json_take(&manifest));
        return st;
    }
    SKV_TRY(skv_json_finish(&root, &manifest, x->manifest));
    st = skv_json_write(root, x->manifest);
    json_decref(root);
    return st;
}

/* ------------------------------------------------------------------- pictures */

/* Called by several threads. */
static skv_status read_picture(skv_picture *out, export_job *x, int64_t row)
{
    const bool in_h5 = x->job->run->path[x->job->path].in_h5;
    skv_status st;

    if (in_h5)
        pthread_mutex_lock(&x->h5);
    st = skv_run_file_picture(out, x->job->run, x->job->path, row);
    if (in_h5)
        pthread_mutex_unlock(&x->h5);
    SKV_TRY(st);
    if (x->height == 0 || (out->height == x->height && out->width == x->width))
        return SKV_OK;
    st = skv_fail(SKV_E_FORMAT, "%s: the picture of %s is %dx%d, the first one %dx%d",
                  x->job->run->folder, x->job->run->id[row], out->width, out->height, x->width,
                  x->height);
    free(out->rgb);
    out->rgb = NULL; /* callers free it, too */
    return st;
}

/* The first picture's size is that of all; square where samples stand two by two. */
static skv_status find_size(export_job *x)
{
    const skv_run_file *run = x->job->run;
    skv_picture p = {0};
    int64_t row = 0;

    while (row < run->n && run->status[row] != SKV_OK)
        row++;
    if (row == run->n)
        return SKV_OK;
    SKV_TRY(read_picture(&p, x, row));
    free(p.rgb);
    if (x->job->layout->square && p.height != p.width)
        return skv_fail(SKV_E_ARG,
                        "%s: pictures of %dx%d; layout %s takes square ones only, since its "
                        "evaluator cuts squares",
                        run->folder, p.width, p.height, x->job->layout->name);
    x->height = p.height;
    x->width = p.width;
    return SKV_OK;
}

#define SEEDS_BYTES 128

/* Texts as in the run's own PNGs; of a grid all seeds, which are put into `seeds`, and the item's
 * id. */
static int picture_texts(skv_png_text text[SKV_PICTURE_TEXTS], char seeds[SEEDS_BYTES],
                         const export_job *x, int64_t prompt, int sample)
{
    const skv_run_file *run = x->job->run;
    const int tiles = x->job->layout->tiles;
    const int64_t row = skv_run_file_row(run, prompt, sample);
    const skv_picture_facts facts = {.id = tiles > 1 ? x->job->set->id[prompt] : run->id[row],
                                     .given_id = run->given_id ? run->given_id[row] : NULL,
                                     .prompt = run->prompt_used[row],
                                     .negative = run->negative ? run->negative[row] : NULL,
                                     .seed = seeds,
                                     .path = run->path[x->job->path].name,
                                     .config = run->config_digest,
                                     .version = run->version};

    seeds[0] = '\0';
    for (int s = 0; s < tiles * tiles; s++)
        snprintf(seeds + strlen(seeds), SEEDS_BYTES - strlen(seeds), "%s%llu", s ? "," : "",
                 (unsigned long long)run->seed[skv_run_file_row(run, prompt, sample + s)]);
    return skv_picture_texts(text, &facts);
}

/* Of a prompt's sample; of a grid, of its first. */
static skv_status write_picture(const export_job *x, uint8_t *rgb, int64_t prompt, int sample)
{
    const int tiles = x->job->layout->tiles;
    char seeds[SEEDS_BYTES], name[SKV_LAYOUT_NAME_BYTES], path[SKV_LAYOUT_PATH_BYTES];
    skv_png_text text[SKV_PICTURE_TEXTS];
    const int n_texts = picture_texts(text, seeds, x, prompt, sample);

    skv_layout_picture(name, x->job->layout, x->job->set, prompt, sample);
    SKV_TRY(skv_layout_join(path, x->part, name));
    SKV_TRY(skv_layout__make_parent(path));
    return skv_picture_write(path, x->job->layout->form,
                             &(skv_picture){x->height * tiles, x->width * tiles, rgb}, text,
                             n_texts);
}

static skv_status export_sample(export_job *x, int64_t prompt, int sample)
{
    skv_picture p = {0};
    skv_status st;

    SKV_TRY(read_picture(&p, x, skv_run_file_row(x->job->run, prompt, sample)));
    st = write_picture(x, p.rgb, prompt, sample);
    free(p.rgb);
    return st;
}

/* Samples 0 1 over 2 3, edge to edge. */
static skv_status export_grid(export_job *x, int64_t prompt)
{
    const int tiles = x->job->layout->tiles;
    const size_t line = (size_t)x->width * 3;
    uint8_t *grid = NULL; /* (tiles*height, tiles*width, 3) */
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&grid, (size_t)(x->height * tiles), line * (size_t)tiles, "a grid"),
                 done);
    for (int s = 0; s < tiles * tiles; s++) {
        skv_picture p = {0};

        SKV_TRY_GOTO(read_picture(&p, x, skv_run_file_row(x->job->run, prompt, s)), done);
        for (int y = 0; y < x->height; y++) {
            const size_t at = (size_t)(s / tiles * x->height + y) * (size_t)tiles;

            memcpy(grid + (at + (size_t)(s % tiles)) * line, p.rgb + (size_t)y * line, line);
        }
        free(p.rgb);
    }
    SKV_TRY_GOTO(write_picture(x, grid, prompt, 0), done);
done:
    free(grid);
    return st;
}

static skv_status export_metadata(const export_job *x, int64_t prompt)
{
    const char *line = x->job->set->line[prompt];
    char name[SKV_LAYOUT_NAME_BYTES], path[SKV_LAYOUT_PATH_BYTES];
    FILE *f;
    bool bad;

    skv_layout_metadata(name, x->job->layout, prompt);
    SKV_TRY(skv_layout_join(path, x->part, name));
    SKV_TRY(skv_layout__make_parent(path));
    f = fopen(path, "wb");
    if (!f)
        return skv_fail(SKV_E_IO, "%s: cannot create: %s", path, strerror(errno));
    bad = fwrite(line, 1, strlen(line), f) != strlen(line);
    bad = fclose(f) != 0 || bad;
    return bad ? skv_fail(SKV_E_IO, "%s: cannot write: %s", path, strerror(errno)) : SKV_OK;
}

static int failed_of(const export_job *x, int64_t prompt)
{
    int n = 0;

    for (int s = 0; s < x->job->set->samples; s++)
        n += has_failed(x->job->run, prompt, s);
    return n;
}

/* Names a row without a picture in the log and in the manifest. */
static void leave_out(export_job *x, int64_t row)
{
    const skv_run_file *run = x->job->run;
    skv_json_maker o = skv_json_object();

    if (x->done->n_failed + x->done->n_missing < MAX_NAMED)
        skv_warn("%s is left out: %s", run->id[row], run->error[row]);
    if (is_missing(run, row))
        x->done->n_missing++;
    else
        x->done->n_failed++;
    skv_json_put(&o, "id", json_string(run->id[row]));
    skv_json_put(&o, "reason", json_string(run->error[row]));
    skv_json_append(&x->left_out, skv_json_take(&o));
}

/* A prompt of which some samples have pictures and some have none. */
static void name_incomplete(export_job *x, int64_t prompt, int n_failed)
{
    const skv_layout_set *set = x->job->set;

    if (x->done->n_incomplete++ < MAX_NAMED)
        skv_warn("prompt %s has %d of %d samples: %s", set->id[prompt], set->samples - n_failed,
                 set->samples, x->job->layout->incomplete);
    skv_json_append(&x->incomplete, json_string(set->id[prompt]));
}

/* Failed rows and prompts that are not complete are named; every prompt is noted. */
static void describe_all(export_job *x)
{
    const skv_run_file *run = x->job->run;
    const skv_layout_set *set = x->job->set;
    int64_t n;

    for (int64_t p = 0; p < set->n; p++) {
        const int n_failed = failed_of(x, p);

        for (int s = 0; s < set->samples && n_failed > 0; s++)
            if (has_failed(run, p, s))
                leave_out(x, skv_run_file_row(run, p, s));
        if (n_failed > 0 && n_failed < set->samples)
            name_incomplete(x, p, n_failed);
        describe(x, p, n_failed);
    }
    n = x->done->n_failed + x->done->n_missing;
    if (n > MAX_NAMED || x->done->n_incomplete > MAX_NAMED)
        skv_warn("in all %lld row%s without pictures, %lld prompt%s not complete; %s has all",
                 (long long)n, skv_s(n), (long long)x->done->n_incomplete,
                 skv_s(x->done->n_incomplete), x->manifest);
}

/* Failed rows are left out; a grid wants all of its samples. */
static skv_status export_prompt(void *ctx, int64_t prompt)
{
    export_job *x = ctx;
    const skv_layout_set *set = x->job->set;
    const int n_failed = failed_of(x, prompt);

    if (n_failed == set->samples || (n_failed > 0 && x->job->layout->tiles > 1))
        return SKV_OK;
    if (set->line)
        SKV_TRY(export_metadata(x, prompt));
    if (x->job->layout->tiles > 1)
        return export_grid(x, prompt);
    for (int s = 0; s < set->samples; s++)
        if (!has_failed(x->job->run, prompt, s))
            SKV_TRY(export_sample(x, prompt, s));
    return SKV_OK;
}

/* -------------------------------------------------------------------- archives */

static int64_t count_shards(const export_job *x)
{
    const int64_t rows = x->job->set->n * x->job->set->samples, each = x->job->shard_rows;

    return x->job->layout->shards ? (rows + each - 1) / each : 0;
}

/* How a row was made, as one line of JSON. */
static skv_status recipe(char **out, const export_job *x, int64_t row)
{
    const skv_run_file *run = x->job->run;
    skv_json_maker o = skv_json_object();
    json_t *root = NULL;
    skv_status st;

    put_texts(&o, run->id[row], run, row);
    skv_json_put(&o, "seed", seed_json(run->seed[row]));
    skv_json_put(&o, "path", json_string(run->path[x->job->path].name));
    skv_json_put(&o, "config", json_string(run->config_digest));
    skv_json_put(&o, "skv", json_string(run->version));
    skv_json_put(&o, "height", json_integer(x->height));
    skv_json_put(&o, "width", json_integer(x->width));
    SKV_TRY(skv_json_finish(&root, &o, run->folder));
    st = skv_json_print(out, root, SKV_JSON_COMPACT);
    json_decref(root);
    return st;
}

/* Adds NAME.png, NAME.txt, NAME.json; of a row that failed nothing. */
static skv_status add_row(export_job *x, const skv_aside *to, int64_t prompt, int sample)
{
    const int64_t row = skv_run_file_row(x->job->run, prompt, sample);
    const char *caption = x->job->run->prompt[row];
    char name[SKV_LAYOUT_NAME_BYTES], seeds[SEEDS_BYTES], *json = NULL;
    skv_png_text text[SKV_PICTURE_TEXTS];
    skv_bytes png = {0};
    skv_picture p = {0};
    skv_status st;
    int n_texts;

    if (x->job->run->status[row] != SKV_OK)
        return SKV_OK;
    n_texts = picture_texts(text, seeds, x, prompt, sample);
    skv_layout_picture(name, x->job->layout, x->job->set, prompt, sample);
    SKV_TRY_GOTO(read_picture(&p, x, row), done);
    SKV_TRY_GOTO(skv_png_encode_file(&png, p.rgb, p.width, p.height, text, n_texts), done);
    SKV_TRY_GOTO(skv_tar_add(to, name, png.data, png.n), done);
    strcpy(strrchr(name, '.'), ".txt");
    SKV_TRY_GOTO(skv_tar_add(to, name, caption, strlen(caption)), done);
    SKV_TRY_GOTO(recipe(&json, x, row), done);
    strcpy(strrchr(name, '.'), ".json");
    st = skv_tar_add(to, name, json, strlen(json));
done:
    free(json);
    skv_bytes_clear(&png);
    free(p.rgb);
    return st;
}

/* Called by several threads. */
static skv_status export_shard(void *ctx, int64_t shard)
{
    export_job *x = ctx;
    const int samples = x->job->set->samples;
    const int64_t first = shard * x->job->shard_rows, end = x->job->set->n * samples;
    char name[SKV_LAYOUT_NAME_BYTES], path[SKV_LAYOUT_PATH_BYTES];
    skv_aside to;
    skv_status st;

    skv_layout__shard_name(name, shard);
    SKV_TRY(skv_layout_join(path, x->part, name));
    SKV_TRY(skv_aside_create(&to, path, 0));
    for (int64_t row = first; row < end && row < first + x->job->shard_rows; row++)
        SKV_TRY_GOTO(add_row(x, &to, row / samples, (int)(row % samples)), done);
    SKV_TRY_GOTO(skv_tar_end(&to), done);
    st = skv_aside_commit_derived(&to);
done:
    skv_aside_drop(&to);
    return st;
}

/* -------------------------------------------------------------------- publish */

static skv_status move(const char *from, const char *to)
{
    if (rename(from, to) == 0)
        return SKV_OK;
    return skv_fail(SKV_E_IO, "%s: cannot rename into place: %s", to, strerror(errno));
}

/* The layout's index file, of the rows that have pictures, by the names that they will have. */
static skv_status write_index(const export_job *x)
{
    const skv_layout *l = x->job->layout;
    const skv_layout_set *set = x->job->set;
    const int files = skv_layout_files(l, set);
    char parent[SKV_LAYOUT_PATH_BYTES], own[SKV_LAYOUT_PATH_BYTES], path[SKV_LAYOUT_PATH_BYTES];
    uint8_t *there = NULL;
    json_t *root = NULL;
    skv_status st = SKV_OK;

    SKV_TRY(skv_layout_absolute(parent, own, x->folder));
    SKV_TRY(skv_layout_join(path, parent, own));
    SKV_TRY(skv_alloc(&there, (size_t)set->n, (size_t)files, "an index"));
    for (int64_t p = 0; p < set->n; p++)
        for (int s = 0; s < files; s++)
            there[p * files + s] = !has_failed(x->job->run, p, s);
    root = l->make_index(l, set, path, there);
    free(there);
    if (!root)
        return skv_fail(SKV_E_MEM, "out of memory for %s", l->index);
    SKV_TRY_GOTO(skv_layout_join(path, x->part, l->index), done);
    st = skv_json_write(root, path);
done:
    json_decref(root);
    return st;
}

/* Where an earlier export stands, each file takes the place of its own. */
static skv_status move_prompt(const export_job *x, int64_t prompt)
{
    const skv_layout *l = x->job->layout;
    char name[SKV_LAYOUT_NAME_BYTES], from[SKV_LAYOUT_PATH_BYTES], to[SKV_LAYOUT_PATH_BYTES];
    const int files = skv_layout_files(l, x->job->set);

    for (int f = l->metadata ? -1 : 0; f < files; f++) {
        struct stat info;

        if (f < 0)
            skv_layout_metadata(name, l, prompt);
        else
            skv_layout_picture(name, l, x->job->set, prompt, f);
        SKV_TRY(skv_layout_join(from, x->part, name));
        SKV_TRY(skv_layout_join(to, x->folder, name));
        if (stat(from, &info) != 0)
            continue; /* of a row that failed */
        SKV_TRY(skv_layout__make_parent(to));
        SKV_TRY(move(from, to));
    }
    return SKV_OK;
}

static skv_status move_file(const export_job *x, const char *name)
{
    char from[SKV_LAYOUT_PATH_BYTES], to[SKV_LAYOUT_PATH_BYTES];

    SKV_TRY(skv_layout_join(from, x->part, name));
    SKV_TRY(skv_layout_join(to, x->folder, name));
    return move(from, to);
}

static skv_status publish(export_job *x)
{
    const int64_t n_shards = count_shards(x);
    char shard[SKV_LAYOUT_NAME_BYTES];

    if (x->job->layout->index)
        SKV_TRY(write_index(x));
    SKV_TRY(write_manifest(x));
    if (!x->refill)
        return move(x->part, x->folder);
    for (int64_t i = 0; i < n_shards; i++) {
        skv_layout__shard_name(shard, i);
        SKV_TRY(move_file(x, shard));
    }
    for (int64_t p = 0; n_shards == 0 && p < x->job->set->n; p++)
        SKV_TRY(move_prompt(x, p));
    if (x->job->layout->index)
        SKV_TRY(move_file(x, x->job->layout->index));
    return skv_layout__remove_part(x->part);
}

skv_status skv_layout_export(skv_layout_done *out, const skv_layout_job *job)
{
    export_job x = {.job = job,
                    .done = out,
                    .prompts = skv_json_array(),
                    .left_out = skv_json_array(),
                    .incomplete = skv_json_array()};
    bool empty = true;
    skv_status st;

    *out = (skv_layout_done){0};
    pthread_mutex_init(&x.h5, NULL);
    SKV_TRY_GOTO(skv_layout_beside(x.folder, job->folder, ""), done);
    SKV_TRY_GOTO(skv_layout_beside(x.part, job->folder, SKV_LAYOUT_PART), done);
    SKV_TRY_GOTO(skv_layout_beside(x.manifest, job->folder, SKV_LAYOUT_MANIFEST), done);
    SKV_TRY_GOTO(skv_option_opened("--out", skv_layout__look(&empty, x.folder)), done);
    x.refill = !empty;
    if (x.refill)
        SKV_TRY_GOTO(compare_manifest(&x), done);
    SKV_TRY_GOTO(skv_layout__remove_part(x.part), done);
    x.begun = true;
    SKV_TRY_GOTO(skv_option_opened("--out", skv_folder_make(x.part)), done);
    describe_all(&x);
    SKV_TRY_GOTO(find_size(&x), done);
    if (job->layout->shards)
        SKV_TRY_GOTO(skv_parallel(job->threads, count_shards(&x), export_shard, &x), done);
    else
        SKV_TRY_GOTO(skv_parallel(job->threads, job->set->n, export_prompt, &x), done);
    st = publish(&x);
done:
    if (st != SKV_OK && x.begun && !skv_layout__remove_tree(x.part))
        skv_warn("%s: cannot be removed: %s", x.part, strerror(errno));
    pthread_mutex_destroy(&x.h5);
    json_decref(skv_json_take(&x.prompts));
    json_decref(skv_json_take(&x.left_out));
    json_decref(skv_json_take(&x.incomplete));
    return st;
}
