/* skv decode: makes a run's pictures from its bits again, without the transformer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/backend_choice.h"
#include "cli/command.h"
#include "cli/print_text.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "run/group_file.h"
#include "run/run_json.h"
#include "sample/engine.h"
#include "sample/tune.h"
#include "sample/writer.h"

typedef struct {
    char *config, *vae, *out, *paths, *only, *json, *device, *dtype;
    int64_t threads;
} decode_options;

#define ROW(...) SKV_OPTION(decode_options, __VA_ARGS__)

static const skv_option table[] = {
    SKV_OPTION_CONFIG(decode_options),
    ROW(vae, PATH, NULL, "checkpoint of the VAE, or formula:NAME; default: the run's", "Decode"),
    SKV_OPTION_FLAG(decode_options, out, STRING, NULL,
                    "folder that gets the pictures, as images/<path> of a run; default: the run's",
                    NULL),
    ROW(paths, STRING, NULL, "paths to decode, comma-separated; default: all", NULL),
    ROW(only, STRING, NULL, "decode only the picture with this id", NULL),
    SKV_OPTION_FLAG(decode_options, json, STRING, NULL,
                    "what was decoded and what was not, " SKV_JSON_HELP, NULL),
    SKV_OPTION_DEVICE(decode_options),
    SKV_OPTION_DTYPE(decode_options),
    SKV_OPTION_THREADS(decode_options),
    {0}};

typedef struct {
    const decode_options *options;
    const char *run, *out;
    skv_run_place to; /* the pictures */
    skv_run_json json;
    skv_sources sources;
    skv_engine_setup setup;
    skv_engine *engine;
    int64_t n_written, n_failed; /* pictures; failed: rows that have none */
    int64_t n_lost;              /* group files */
    skv_json_maker failed, lost; /* for JSON: these rows and files */
} decoder;

/* The VAE is opened when the first group tells how many bits a token has. */
static skv_status open_engine(decoder *d, const skv_group_record *rec)
{
    const json_t *settings = d->json.settings, *common = d->json.common;
    const char *vae = d->options->vae, *resolution;
    double ratio = 1;

    if (!vae)
        SKV_TRY(skv_json_string(&vae, settings, "vae", "run.json"));
    SKV_TRY(skv_json_string(&resolution, common, "resolution", "run.json"));
    SKV_TRY(skv_json_real(&ratio, common, "ratio", "run.json"));
    SKV_TRY(skv_schedule_make(&d->setup.schedule, ratio, resolution));
    if (rec->n_scales != d->setup.schedule.n_scales)
        return skv_fail(SKV_E_FORMAT, "%s: group files have %d scales, run.json's schedule has %d",
                        d->run, rec->n_scales, d->setup.schedule.n_scales);
    /* the first scale has one token, padded to whole bytes: the second's four tell the bits */
    SKV_TRY(skv_sources_open_vae(&d->sources, vae,
                                 (int)((rec->bit_offset[2] - rec->bit_offset[1]) /
                                       skv_schedule_tokens(&d->setup.schedule, 1))));
    d->setup.sources = &d->sources;
    d->setup.max_prompts = 1;
    return skv_engine_create(&d->engine, &d->setup);
}

/* Each group file may be a stranger's: it must fit the buffers of this engine. */
static skv_status check_sizes(const decoder *d, const skv_group_record *rec)
{
    const size_t bits = skv_engine_bits_bytes(&d->setup);
    const int height = skv_picture_height(&d->setup.schedule);
    const int width = skv_picture_width(&d->setup.schedule);

    if ((size_t)rec->bits_bytes != bits || rec->height != height || rec->width != width)
        return skv_fail(SKV_E_FORMAT,
                        "%s: group %lld of path %s has pictures of %dx%d with %lld bytes of bits, "
                        "want %dx%d with %zu",
                        d->run, (long long)rec->group, rec->path_name, rec->width, rec->height,
                        (long long)rec->bits_bytes, width, height, bits);
    return SKV_OK;
}

/* Loads the algorithms that the run's own pictures were decoded with, if it was on such a device.
 */
static skv_status use_tuning(decoder *d)
{
    skv_tune_found found;

    SKV_TRY(skv_tune_read(&found, d->setup.be, d->run));
    if (found == SKV_TUNE_OTHERS)
        skv_warn("%s/tune.json has no choice of algorithms for %s: the libraries' first are taken, "
                 "and the last bits of pictures may differ from the run's",
                 d->run, skv_backend_describe(d->setup.be));
    return SKV_OK;
}

static void note_failed(decoder *d, const char *path, const char *id, const char *why)
{
    skv_json_maker o = skv_json_object();

    skv_json_put(&o, "path", json_string(path));
    skv_json_put(&o, "id", skv_json_foreign(id));
    skv_json_put(&o, "why", skv_json_foreign(why));
    skv_json_append(&d->failed, skv_json_take(&o));
}

/* With the message at hand as the reason. */
static void note_lost(decoder *d, const char *path, int64_t group)
{
    const skv_run_place relative = {.by_hundred = d->json.by_hundred};
    skv_json_maker o = skv_json_object();
    skv_run_name file;

    skv_json_put(&o, "why", skv_json_foreign(skv_message()));
    if (skv_run_name_group(&file, &relative, path, group) == SKV_OK)
        skv_json_put(&o, "file", json_string(file.path));
    skv_json_append(&d->lost, skv_json_take(&o));
}

/* Row i by way of `room` (n_rows,height,width,3). */
static skv_status decode_row(decoder *d, const skv_group_record *rec, int i, uint8_t *room)
{
    const size_t picture = (size_t)rec->height * (size_t)rec->width * 3, row = (size_t)i;
    const char *why = rec->error[i];
    int32_t fault = 0;

    if (rec->status[i] == SKV_OK) {
        SKV_TRY(skv_engine_decode(d->engine, rec->bits + row * (size_t)rec->bits_bytes, 1,
                                  room + row * picture, &fault));
        why = "not finite: picture";
    }
    if (rec->status[i] != SKV_OK || fault != 0) {
        skv_warn("path %s: %s has no picture: %s", rec->path_name, rec->id[i], why);
        note_failed(d, rec->path_name, rec->id[i], why);
        d->n_failed++;
        return SKV_OK;
    }
    SKV_TRY(skv_writer_png(&d->to, rec, i, room));
    d->n_written++;
    return SKV_OK;
}

static skv_status decode_group(decoder *d, skv_group_record *rec)
{
    const size_t picture = (size_t)rec->height * (size_t)rec->width * 3;
    uint8_t *image = NULL;
    skv_status st = SKV_OK;

    if (!d->engine)
        SKV_TRY(open_engine(d, rec));
    SKV_TRY(check_sizes(d, rec));
    SKV_TRY(skv_alloc(&image, (size_t)rec->n_rows, picture, "pictures"));
    for (int i = 0; i < rec->n_rows && st == SKV_OK; i++)
        if (!d->options->only || strcmp(d->options->only, rec->id[i]) == 0)
            st = decode_row(d, rec, i, image);
    free(image);
    return st;
}

/* Every group that run.json counts; one that is missing or damaged is named and passed over. */
static skv_status decode_path(decoder *d, const char *path)
{
    char folder[4096];
    const int64_t before = d->n_written;

    snprintf(folder, sizeof folder, "%s/images/%s", d->out, path);
    SKV_TRY(d->out == d->run ? skv_folder_make_below(folder, 2)
                             : skv_option_opened("--out", skv_folder_make(folder)));
    for (int64_t g = 0; g < d->json.n_groups; g++) {
        skv_group_record rec = {0};
        skv_status st =
            skv_run_json_group(&rec, &d->json, d->run, path, g, SKV_GROUP_ROWS | SKV_GROUP_BITS);

        if (st == SKV_OK) {
            st = decode_group(d, &rec);
        } else if (st != SKV_E_MEM) {
            skv_warn("not decoded: %s", skv_message());
            note_lost(d, path, g);
            d->n_lost++;
            st = SKV_OK;
        }
        skv_group_record_clear(&rec);
        SKV_TRY(st);
        if (d->options->only && d->n_written > before)
            break;
    }
    return SKV_OK;
}

static bool listed(const char *names, const char *name)
{
    const size_t n = strlen(name);

    for (const char *p = names; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return true;
    return false;
}

static skv_status write_json(decoder *d)
{
    skv_json_maker root = skv_json_object();

    skv_json_put(&root, "run", skv_json_foreign(d->run));
    skv_json_put(&root, "out", skv_json_foreign(d->out));
    skv_json_put(&root, "pictures", json_integer(d->n_written));
    skv_json_put(&root, "failed_rows", skv_json_take(&d->failed));
    skv_json_put(&root, "missing_groups", skv_json_take(&d->lost));
    return skv_print_made(&root, d->options->json);
}

static skv_status decode_run(decoder *d)
{
    const char *path;
    json_t *value;

    SKV_TRY(skv_run_json_read(&d->json, d->run));
    d->to = (skv_run_place){d->out, d->json.by_hundred};
    json_object_foreach(d->json.paths, path, value)
    {
        if (!d->options->paths || listed(d->options->paths, path))
            SKV_TRY(decode_path(d, path));
    }
    if (d->n_written == 0 && d->n_failed == 0 && d->n_lost == 0)
        return skv_fail(SKV_E_ARG, "%s: no picture of that path or id", d->run);
    printf("%lld picture%s in %s/images\n", (long long)d->n_written, skv_s(d->n_written), d->out);
    if (d->options->json)
        SKV_TRY(write_json(d));
    if (d->n_lost > 0)
        return skv_fail(SKV_E_NOTFOUND,
                        "%s: %lld group file%s missing or damaged; skv sample makes %s again",
                        d->run, (long long)d->n_lost, d->n_lost == 1 ? " is" : "s are",
                        d->n_lost == 1 ? "it" : "them");
    return SKV_OK;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    decode_options o = {0};
    decoder d = {.options = &o, .failed = skv_json_array(), .lost = skv_json_array()};
    skv_words words = {0};
    skv_device_choice choice;
    skv_status st;

    (void)comm;
    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_decode, NULL, argc, argv, &words), done);
    if (words.n != 1) {
        st = skv_fail(SKV_E_ARG, "decode wants one run's folder, got %d", words.n);
        goto done;
    }
    d.run = words.word[0];
    d.out = o.out ? o.out : words.word[0];
    SKV_TRY_GOTO(skv_backend_choose(&d.setup.be, &choice,
                                    &(skv_device_wish){.device = o.device,
                                                       .dtype = o.dtype,
                                                       .threads = (int)o.threads,
                                                       .local_size = 1}),
                 done);
    if (d.setup.be->device != SKV_HOST)
        SKV_TRY_GOTO(use_tuning(&d), done);
    SKV_TRY_GOTO(decode_run(&d), done);
    *exit_code = d.n_failed > 0 ? SKV_EXIT_PARTIAL : SKV_EXIT_OK;
done:
    json_decref(skv_json_take(&d.failed));
    json_decref(skv_json_take(&d.lost));
    skv_engine_destroy(d.engine);
    skv_sources_close(&d.sources);
    skv_backend_destroy(d.setup.be);
    skv_run_json_clear(&d.json);
    free((void *)words.word);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_decode = {.name = "decode",
                                    .usage = "RUN [--paths NAMES] [--only ID] [--json FILE]",
                                    .summary = "make a run's pictures of its bits again",
                                    .options = table,
                                    .reads_hdf5 = true,
                                    .run = run};
