/* skv export: a finished run as the folders that benchmarks' evaluators read. Every such folder has
 * its manifest beside it, never inside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/backend_choice.h"
#include "cli/command.h"
#include "cli/help_lists.h"
#include "cli/print_text.h"
#include "core/log.h"
#include "core/text.h"
#include "eval/layout/layout.h"
#include "io/prompts.h"

typedef struct {
    char *config, *layout, *out, *path, *prompts, *prompt_key, *id_key, *json;
    int64_t samples, threads, shard_rows;
    bool partial;
} export_options;

#define ROW(...) SKV_OPTION(export_options, __VA_ARGS__)

static const skv_option table[] = {
    SKV_OPTION_CONFIG(export_options),
    ROW(layout, STRING, NULL, "a layout of the list below", "Export"),
    SKV_OPTION_FLAG(
        export_options, out, STRING, NULL,
        "folder for the pictures of --path; without --path a folder for all paths, OUT/<path>. "
        "Each folder of pictures gets <folder>.skv-export.json beside it: recipe, both texts, "
        "seeds",
        NULL),
    ROW(path, STRING, NULL, "export this path alone, into OUT itself", NULL),
    ROW(samples, INT, "0", "samples a prompt; 0: as the layout's benchmark has it", NULL),
    ROW(prompts, PATH, NULL,
        "the prompt list, where the layout copies its lines or reads its categories; default, as "
        "of its keys: what the run was made of",
        NULL),
    SKV_OPTION_PROMPT_KEYS(export_options),
    ROW(partial, BOOL, "false",
        "also of a partial run.h5 (skv gather --partial): the rows that are there; the manifest "
        "says "
        "what it lacks",
        NULL),
    ROW(shard_rows, INT, "1000", "webdataset: pictures of a tar archive", NULL),
    ROW(threads, INT, "0", "threads that write pictures; 0: one a core", NULL),
    SKV_OPTION_FLAG(export_options, json, STRING, NULL, "the list of folders " SKV_JSON_HELP, NULL),
    {0}};

typedef struct {
    const export_options *options;
    const skv_layout *layout;
    skv_run_file run;
    skv_layout_set set;
    skv_json_maker folders;
    int64_t n_failed;
} exporter;

static void note_folder(exporter *x, int path, const char *folder, const skv_layout_done *done)
{
    skv_json_maker o = skv_json_object();

    skv_json_put(&o, "folder", json_string(folder));
    skv_json_put(&o, "path", json_string(x->run.path[path].name));
    skv_json_put(&o, "pictures", json_integer(done->n_files));
    skv_json_put(&o, "failed_rows", json_integer(done->n_failed));
    skv_json_put(&o, "partial", skv_json_text(x->run.partial));
    skv_json_put(&o, "incomplete_prompts", json_integer(done->n_incomplete));
    skv_json_append(&x->folders, skv_json_take(&o));
}

static skv_status export_path(exporter *x, int path, const char *folder)
{
    const skv_layout_job job = {.run = &x->run,
                                .path = path,
                                .layout = x->layout,
                                .set = &x->set,
                                .folder = folder,
                                .shard_rows = (int)x->options->shard_rows,
                                .threads = skv_device_threads(x->options->threads, 1)};
    skv_layout_done done;

    SKV_TRY(skv_layout_set_model(&x->set, x->layout, x->run.path[path].name));
    SKV_TRY(skv_layout_export(&done, &job));
    printf("%s: %lld picture%s\n", folder, (long long)done.n_files, skv_s(done.n_files));
    note_folder(x, path, folder, &done);
    x->n_failed = done.n_failed;
    return SKV_OK;
}

/* A folder that already holds one path's pictures must not get sub-folders. */
static skv_status refuse_inside(const char *out)
{
    char manifest[SKV_LAYOUT_PATH_BYTES];
    FILE *f;

    SKV_TRY(skv_layout_beside(manifest, out, SKV_LAYOUT_MANIFEST));
    f = fopen(manifest, "rb");
    if (!f)
        return SKV_OK;
    fclose(f);
    return skv_fail(SKV_E_ARG, "%s holds the pictures of one path; use another --out for all", out);
}

static skv_status open_run(exporter *x, const char *folder)
{
    return x->options->partial ? skv_run_file_open_partial(&x->run, folder)
                               : skv_run_file_open(&x->run, folder);
}

static skv_status export_run(exporter *x)
{
    const export_options *o = x->options;
    const skv_layout_prompts list = {o->prompts,
                                     {.prompt_key = o->prompt_key, .id_key = o->id_key}};
    char folder[SKV_LAYOUT_PATH_BYTES];
    int path = 0;

    SKV_TRY(skv_layout_set_from_run(&x->set, x->layout, &x->run, &list, (int)o->samples));
    if (o->path) {
        SKV_TRY(skv_run_file_find(&path, &x->run, o->path));
        return export_path(x, path, o->out);
    }
    SKV_TRY(refuse_inside(o->out));
    for (int i = 0; i < x->run.n_paths; i++) {
        if (!skv_prompts_id_is_usable(x->run.path[i].name)) /* a damaged run.h5 */
            return skv_fail(SKV_E_FORMAT, "%s/run.h5: path \"%.80s\" cannot be a folder's name",
                            x->run.folder, x->run.path[i].name);
        SKV_TRY(skv_layout_join(folder, o->out, x->run.path[i].name));
        SKV_TRY(export_path(x, i, folder));
    }
    return SKV_OK;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    export_options o = {0};
    exporter x = {.options = &o, .folders = skv_json_array()};
    skv_words words = {0};
    skv_status st;

    (void)comm;
    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_export, NULL, argc, argv, &words), done);
    if (words.n != 1 || !o.out || o.samples < 0 || o.samples > 10000 || o.threads < 0 ||
        o.threads > 1024 || o.shard_rows < 1 || o.shard_rows > 1000000) {
        st = words.n != 1 ? skv_fail(SKV_E_ARG, "export wants one run's folder, got %d", words.n)
             : !o.out     ? skv_fail(SKV_E_ARG, "--out is missing")
                      : skv_fail(SKV_E_ARG, "want --samples of 0 to 10000, --threads of 0 to 1024, "
                                            "--shard-rows of 1 to 1000000");
        goto done;
    }
    SKV_TRY_GOTO(skv_layout_find(&x.layout, o.layout), done);
    SKV_TRY_GOTO(open_run(&x, words.word[0]), done);
    SKV_TRY_GOTO(skv_json_begin(o.json), done);
    SKV_TRY_GOTO(export_run(&x), done);
    SKV_TRY_GOTO(skv_print_made(&x.folders, o.json), done);
    if (x.run.partial)
        skv_warn("%s/run.h5 is partial: %s", x.run.folder, x.run.partial);
    if (x.n_failed > 0) {
        skv_warn("%lld row%s of the run %s no picture and %s left out", (long long)x.n_failed,
                 skv_s(x.n_failed), x.n_failed == 1 ? "has" : "have",
                 x.n_failed == 1 ? "is" : "are");
        *exit_code = SKV_EXIT_PARTIAL;
    }
done:
    json_decref(skv_json_take(&x.folders));
    skv_layout_set_clear(&x.set);
    skv_run_file_close(&x.run);
    free((void *)words.word);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_export = {
    .name = "export",
    .usage = "RUN --layout LAYOUT --out FOLDER [--path NAME]",
    .summary = "folders of pictures as the benchmarks' evaluators read them",
    .options = table,
    .more_help = skv_help_layouts,
    .reads_hdf5 = true,
    .run = run};
