/* skv bench: one group on each path at each batch size with made-up text, timed by phase, beside
 * the device's GEMM speed, the floor and the bytes taken. The first run is reported apart; T5, PNG
 * and HDF5 are left out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/backend_choice.h"
#include "cli/bench_eval.h"
#include "cli/bench_report.h"
#include "cli/command.h"
#include "core/json.h"
#include "io/formula.h"
#include "sample/fit.h"
#include "cli/print_text.h"

typedef struct {
    char *config, *transformer, *vae, *resolution, *text_tokens, *paths, *floor, *device, *dtype,
        *json, *orders;
    skv_ints batch, drafters;
    double ratio, cfg;
    int64_t threads, warmup, iters, memory_limit, eval, side;
    bool profile;
} bench_options;

#define ROW(...) SKV_OPTION(bench_options, __VA_ARGS__)

static const skv_option table[] = {
    SKV_OPTION_CONFIG(bench_options),
    ROW(transformer, PATH, "formula:layer12", "checkpoint, or formula:NAME", "Model"),
    ROW(vae, PATH, NULL, "checkpoint of the VAE, or formula:NAME; default: the transformer's name",
        NULL),
    SKV_OPTION_WORD(bench_options, resolution, "0.06M|0.25M|0.60M|1M", "0.25M",
                    "pixels of a picture", "Work"),
    ROW(ratio, REAL, "1", "height / width", NULL),
    ROW(cfg, REAL, "3", "guidance; 1: one row for each picture", NULL),
    ROW(batch, INTS, "1", "pictures in a group; several numbers are timed one after the other",
        NULL),
    ROW(text_tokens, STRING, "32",
        "tokens of a prompt; prompts take several numbers (8,64) in turn, and several such lists "
        "(32/8,64) are timed one after the other",
        NULL),
    ROW(paths, STRING, "full", "cache paths, comma-separated", NULL),
    SKV_OPTION_DRAFTERS(bench_options),
    SKV_OPTION_ORDERS(bench_options),
    ROW(warmup, INT, "0", "groups before the timed ones (the first is reported by itself)",
        "Timing"),
    ROW(iters, INT, "1", "timed groups", NULL),
    SKV_OPTION_WORD(bench_options, floor, "auto|0|1", "auto",
                    "1: also time matrix products, attention and convolutions alone; auto: 1 on a "
                    "GPU",
                    NULL),
    ROW(profile, BOOL, "false", "also time every operation by itself", NULL),
    SKV_OPTION_DEVICE(bench_options),
    SKV_OPTION_DTYPE(bench_options),
    SKV_OPTION_MEMORY_LIMIT(bench_options),
    SKV_OPTION_THREADS(bench_options),
    ROW(json, STRING, NULL, "the tables " SKV_JSON_HELP, NULL),
    ROW(eval, INT, "0", "time the metrics over this many made-up pairs instead", "Metrics"),
    ROW(side, INT, "1024", "pixels of a side of their pictures", NULL),
    {0}};

#define MAX_TEXTS 16

typedef struct {
    bench_options o;
    skv_ints text[MAX_TEXTS]; /* --text-tokens, list by list */
    int n_texts;
    const skv_ints *text_tokens; /* the list at hand */
    skv_device_choice choice;
    skv_backend *be;
    skv_sources sources;
    skv_paths paths;
    skv_engine_setup setup; /* of the path and batch at hand */
    skv_engine *engine;
    uint8_t *image;
    skv_bench_group *group;
    double gemm; /* FLOP/s */
    const char *gemm_name;
    size_t free_bytes; /* before the model was loaded */
    skv_json_maker rows;
} job;

static skv_status check(const bench_options *o)
{
    if (o->iters < 1 || o->iters > 1000 || o->warmup < 0 || o->warmup > 1000 || o->memory_limit < 0)
        return skv_fail(SKV_E_ARG, "want --iters 1 to 1000, --warmup 0 to "
                                   "1000, --memory-limit 0 or more");
    if (o->eval < 0 || o->eval > 1000000 || o->side < 64 || o->side > 8192)
        return skv_fail(SKV_E_ARG, "want --eval 0 to 1000000 pairs, --side 64 to 8192");
    for (int i = 0; i < o->batch.n; i++)
        if (o->batch.value[i] < 1 || o->batch.value[i] > SKV_BENCH_MAX_BATCH)
            return skv_fail(SKV_E_ARG, "--batch %lld is out of range, want 1 to %d",
                            (long long)o->batch.value[i], SKV_BENCH_MAX_BATCH);
    if (!o->vae && !skv_formula_name(o->transformer))
        return skv_fail(SKV_E_ARG, "--vae is missing: a transformer from a file needs it");
    return SKV_OK;
}

/* Splits --text-tokens into its lists. */
static skv_status read_texts(job *j)
{
    for (char *list = strtok(j->o.text_tokens, "/"); list; list = strtok(NULL, "/")) {
        skv_ints *r = &j->text[j->n_texts];

        if (j->n_texts == MAX_TEXTS)
            return skv_fail(SKV_E_ARG, "--text-tokens: more than %d lists", MAX_TEXTS);
        SKV_TRY(skv_ints_parse(r, list, "--text-tokens"));
        j->n_texts++;
        for (int i = 0; i < r->n; i++)
            if (r->value[i] < 1 || r->value[i] > 512)
                return skv_fail(SKV_E_ARG, "--text-tokens %lld is out of range, want 1 to 512",
                                (long long)r->value[i]);
    }
    return j->n_texts > 0 ? SKV_OK : skv_fail(SKV_E_ARG, "--text-tokens: no number");
}

static skv_status resize(const void *ctx, skv_engine_setup *setup, int n)
{
    const job *j = ctx;

    setup->max_prompts = n;
    setup->max_text_tokens = skv_bench_all_tokens(j->text_tokens, n);
    setup->max_uncond = 0;
    for (int i = 0; setup->guided && i < j->text_tokens->n; i++)
        if (skv_bench_tokens(j->text_tokens, i) > setup->max_uncond)
            setup->max_uncond = skv_bench_tokens(j->text_tokens, i);
    return SKV_OK;
}

static skv_status make_setup(job *j)
{
    const bench_options *o = &j->o;
    const skv_settings s = {.paths = o->paths, .drafters = o->drafters, .orders = o->orders};
    skv_engine_setup *setup = &j->setup;

    SKV_TRY(skv_sources_open(&j->sources, o->transformer, o->vae ? o->vae : o->transformer, NULL));
    SKV_TRY(skv_schedule_make(&setup->schedule, o->ratio, o->resolution));
    SKV_TRY(skv_paths_resolve(&j->paths, &s, &j->sources.dims, &setup->schedule, j->be->kv));
    setup->be = j->be;
    setup->sources = &j->sources;
    setup->guided = o->cfg != 1.0;
    setup->guidance.top_p = 0.97;
    SKV_TRY(skv_torch_gpu_parse(&setup->guidance.gpu, SKV_TORCH_GPU));
    for (int si = 0; si < setup->schedule.n_scales; si++) {
        setup->guidance.cfg[si] = o->cfg;
        setup->guidance.tau[si] = 1.0;
    }
    setup->n_paths = 1;
    return SKV_OK;
}

/* Selects the i-th pair of a path and a list of texts; false: there are fewer pairs. */
static bool take_pair(job *j, int i)
{
    if (i >= j->paths.n * j->n_texts)
        return false;
    j->setup.paths = &j->paths.path[i / j->n_texts];
    j->text_tokens = &j->text[i % j->n_texts];
    return true;
}

/* Every path and list of texts at the largest batch, before anything is loaded; room for its
 * pictures. */
static skv_status check_memory(job *j)
{
    const size_t picture = (size_t)skv_picture_height(&j->setup.schedule) *
                           (size_t)skv_picture_width(&j->setup.schedule) * 3;
    skv_fit fit = {.option = "--batch", .resize = resize, .ctx = j};

    for (int i = 0; i < j->o.batch.n; i++)
        fit.n = (int)j->o.batch.value[i] > fit.n ? (int)j->o.batch.value[i] : fit.n;
    SKV_TRY(skv_memory_there(&fit.limit, j->be, &j->choice, j->o.memory_limit));
    for (int i = 0; take_pair(j, i); i++)
        SKV_TRY(skv_fit_check(&j->setup, &fit));
    return skv_alloc(&j->image, (size_t)fit.n, picture, "pictures");
}

/* The engine's memory is that of this path, batch and text alone; the weights stay. */
static skv_status prepare(job *j, int batch)
{
    SKV_TRY(resize(j, &j->setup, batch));
    if (j->engine)
        return skv_engine_resize(j->engine, &j->setup);
    return skv_engine_create(&j->engine, &j->setup);
}

static skv_status taken(int64_t *bytes, job *j)
{
    size_t now = 0, total = 0;

    *bytes = -1;
    if (!j->choice.cuda)
        return SKV_OK;
    SKV_TRY(skv_backend_memory(j->be, &now, &total));
    *bytes = now < j->free_bytes ? (int64_t)(j->free_bytes - now) : 0;
    return SKV_OK;
}

static skv_status add_profile(json_t *row, const skv_bench *b)
{
    skv_json_maker m;
    json_t *operations = NULL;

    SKV_TRY(skv_bench_profile(&operations, b));
    m = skv_json_extend(row);
    skv_json_put(&m, "operations", operations);
    return skv_json_finish(NULL, &m, "bench");
}

static skv_status run_pair(job *j, int batch)
{
    const bench_options *o = &j->o;
    const int before = 1 + (int)o->warmup;
    skv_bench b = {
        .be = j->be, .setup = &j->setup, .text_tokens = j->text_tokens, .image = j->image};
    skv_bench_result r = {.setup = &j->setup,
                          .text_tokens = j->text_tokens,
                          .gemm = j->gemm,
                          .gemm_name = j->gemm_name,
                          .group = j->group,
                          .n_groups = (int)o->iters,
                          .own = j->be->own_bytes};
    json_t *row = NULL;
    skv_status st = SKV_OK;

    SKV_TRY(prepare(j, batch));
    SKV_TRY(skv_engine_plan(&r.plan, &j->setup));
    SKV_TRY(taken(&r.loaded, j));
    b.engine = j->engine;
    for (int i = 0; i < before; i++) {
        j->be->tuning.measuring = i == 0;
        SKV_TRY(skv_bench_run(&j->group[0], &b));
        r.first = i == 0 ? j->group[0].seconds : r.first;
    }
    for (int i = 0; i < (int)o->iters; i++)
        SKV_TRY(skv_bench_run(&j->group[i], &b));
    SKV_TRY(taken(&r.taken, j));
    if (strcmp(o->floor, "1") == 0 || (strcmp(o->floor, "auto") == 0 && j->choice.cuda))
        SKV_TRY(skv_bench_run_floor(&r.floor, &b));
    SKV_TRY(skv_bench_report(&row, &r));
    skv_json_append(&j->rows, json_incref(row));
    if (o->profile)
        st = add_profile(row, &b);
    json_decref(row);
    return st;
}

static skv_status write_json(job *j)
{
    json_t *root;
    skv_status st;

    if (!j->o.json)
        return SKV_OK;
    root = json_pack("{s:s, s:s, s:s, s:f, s:o}", "device", skv_backend_describe(j->be),
                     "transformer", j->o.transformer, "resolution", j->o.resolution, "gemm_gflops",
                     j->gemm * 1e-9, "paths", skv_json_take(&j->rows));
    if (!root)
        return skv_fail(SKV_E_MEM, "bench: out of memory");
    st = skv_print_json(root, j->o.json);
    json_decref(root);
    return st;
}

static skv_status run_job(job *j, int argc, char **argv)
{
    const bench_options *o = &j->o;
    size_t total = 0;
    int side = 0;

    SKV_TRY(skv_command_options(&j->o, &skv_cmd_bench, NULL, argc, argv, NULL));
    SKV_TRY(check(o));
    SKV_TRY(read_texts(j));
    if (o->eval > 0)
        return skv_bench_eval(&(skv_bench_eval_options){.pairs = o->eval,
                                                        .side = (int)o->side,
                                                        .device = o->device,
                                                        .threads = (int)o->threads,
                                                        .json = o->json});
    SKV_TRY(skv_backend_choose(
        &j->be, &j->choice,
        &(skv_device_wish){
            .device = o->device, .dtype = o->dtype, .threads = (int)o->threads, .local_size = 1}));
    SKV_TRY(make_setup(j));
    SKV_TRY(check_memory(j));
    SKV_TRY(skv_alloc(&j->group, (size_t)o->iters, sizeof *j->group, "measurements"));
    j->be->tuning.measuring = true; /* here and in first groups, which are timed apart */
    j->gemm_name = j->be->act == SKV_F32 ? "SGEMM" : "GEMM";
    SKV_TRY(skv_bench_gemm(&side, &j->gemm, j->be));
    SKV_TRY(skv_backend_memory(j->be, &j->free_bytes, &total));
    printf("# %s; %s %d^3: %.1f GFLOP/s\n# %s, %s at ratio %g, guidance %g, text tokens",
           skv_backend_describe(j->be), j->gemm_name, side, j->gemm * 1e-9, o->transformer,
           o->resolution, o->ratio, o->cfg);
    for (int i = 0; i < j->n_texts; i++) {
        printf("%s", i == 0 ? " " : "/");
        skv_bench_print_tokens(&j->text[i]);
    }
    printf("\n");
    for (int k = 0; k < o->batch.n; k++)
        for (int i = 0; take_pair(j, i); i++)
            SKV_TRY(run_pair(j, (int)o->batch.value[k]));
    return write_json(j);
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    job j = {.rows = skv_json_array()};
    skv_status st = run_job(&j, argc, argv);

    (void)comm;
    (void)exit_code;
    json_decref(skv_json_take(&j.rows));
    skv_engine_destroy(j.engine);
    skv_paths_clear(&j.paths);
    skv_sources_close(&j.sources);
    skv_backend_destroy(j.be);
    for (int i = 0; i < j.n_texts; i++)
        free(j.text[i].value);
    free(j.image);
    free(j.group);
    skv_options_clear(table, &j.o);
    return st;
}

const skv_command skv_cmd_bench = {.name = "bench",
                                   .usage = "[--transformer formula:NAME] [--option value ...]",
                                   .summary = "time one group by phase, beside its floor",
                                   .options = table,
                                   .run = run};
