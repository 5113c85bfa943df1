/* skv bench: one group on each path with made-up text, timed by phase, beside the same machine's
 * own matrix products. The first run is apart; T5, PNG and HDF5 are left out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/backend_choice.h"
#include "cli/command.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "io/formula.h"
#include "kernels/ops.h"
#include "sample/engine.h"

#define SGEMM_SIDE 2048
#define SGEMM_RUNS 5

typedef struct {
    char *transformer, *vae, *resolution, *paths, *device, *dtype, *json;
    skv_reals drafters;
    double ratio, cfg;
    int64_t batch, text_tokens, threads, warmup, iters;
} bench_options;

#define ROW(field, type, fallback, help, group)                                                    \
    {                                                                                              \
#field, SKV_OPT_##type, offsetof(bench_options, field), fallback, help, group              \
    }

static const skv_option table[] = {
    ROW(transformer, PATH, "formula:layer12", "checkpoint, or formula:NAME", "Model"),
    ROW(vae, PATH, NULL, "VAE checkpoint, or formula:NAME; default: the transformer's name", NULL),
    ROW(resolution, STRING, "0.25M", "0.06M, 0.25M, 0.60M or 1M", "Work"),
    ROW(ratio, REAL, "1", "height/width", NULL),
    ROW(cfg, REAL, "3", "guidance; 1: one row a picture", NULL),
    ROW(batch, INT, "1", "pictures in a group", NULL),
    ROW(text_tokens, INT, "32", "tokens of each prompt", NULL),
    ROW(paths, STRING, "full", "cache paths, comma-separated", NULL),
    ROW(drafters, REALS, NULL, "ScaleKV's drafter layers, for models without a known set", NULL),
    ROW(warmup, INT, "0", "groups before the timed ones (the first is reported apart)", "Timing"),
    ROW(iters, INT, "1", "timed groups", NULL),
    ROW(threads, INT, "0", "CPU threads; 0: all cores", NULL),
    ROW(device, STRING, "auto", "auto, cpu or cuda", NULL),
    ROW(dtype, STRING, "auto", "auto, bf16 or fp32; auto: bf16 on a GPU, fp32 on the CPU", NULL),
    ROW(json, STRING, NULL, "also write the table as JSON to this file", NULL),
    {0}};

typedef struct {
    skv_sources sources;
    skv_paths paths;
    skv_engine_setup setup;
    skv_engine *engine;
    double sgemm; /* FLOP/s of skv_linear at SGEMM_SIDE³ */
} bench;

/* The yardstick: the best of a few products of 2048³ on the same threads. */
static skv_status measure_sgemm(skv_backend *be, double *rate)
{
    const int64_t n = SGEMM_SIDE;
    const size_t bytes = (size_t)(n * n) * sizeof(float);
    float *m[3] = {NULL, NULL, NULL}, *host = NULL;
    skv_status st;
    double best = 0;

    SKV_TRY(skv_alloc(&host, (size_t)(n * n), sizeof *host, "SGEMM operands"));
    skv_formula_uniform(host, "sgemm", 0, n * n);
    for (int i = 0; i < 3; i++) {
        SKV_TRY_GOTO(skv_backend_alloc(be, &m[i], bytes, "SGEMM operands"), done);
        SKV_TRY_GOTO(skv_backend_upload(be, m[i], host, bytes), done);
    }
    for (int i = 0; i < SGEMM_RUNS; i++) {
        const skv_linear_args a = {.y = SKV_TENSOR(m[0], SKV_F32, be->device, n, n),
                                   .x = SKV_TENSOR(m[1], SKV_F32, be->device, n, n),
                                   .w = SKV_TENSOR(m[2], SKV_F32, be->device, n, n)};
        const double start = skv_seconds();
        double seconds;

        SKV_TRY_GOTO(skv_linear(be, &a), done);
        SKV_TRY_GOTO(skv_backend_sync(be), done);
        seconds = skv_seconds() - start;
        if (best == 0 || seconds < best)
            best = seconds;
    }
    *rate = 2.0 * (double)n * (double)n * (double)n / best;
done:
    for (int i = 0; i < 3; i++)
        skv_backend_free(be, m[i]);
    free(host);
    return st;
}

/* Text features as T5 would give them: √3·uniform("text"), the same for every prompt. */
static skv_status fill_text(bench *b, int n_tokens, int n_prompts, double *seconds)
{
    const int width = b->sources.dims.text_width, total = n_tokens * n_prompts;
    skv_text_span *spans = NULL;
    skv_tensor text;
    float *host = NULL;
    skv_status st;
    double start;

    SKV_TRY_GOTO(skv_alloc(&host, (size_t)(total * width), sizeof *host, "text"), done);
    SKV_TRY_GOTO(skv_alloc(&spans, 2 * (size_t)n_prompts, sizeof *spans, "text"), done);
    for (int i = 0; i < n_prompts; i++) {
        skv_formula_text(host + (size_t)(i * n_tokens * width), (int64_t)n_tokens * width);
        spans[i] = (skv_text_span){.start = i * n_tokens, .n = n_tokens};
        spans[n_prompts + i] = (skv_text_span){.uncond = true, .n = n_tokens};
    }
    start = skv_seconds();
    SKV_TRY_GOTO(skv_engine_text(b->engine, &text, total), done);
    SKV_TRY_GOTO(skv_backend_upload(b->setup.be, text.data, host, skv_tensor_bytes(&text)), done);
    SKV_TRY_GOTO(
        skv_engine_condition(b->engine, spans, b->setup.guided ? 2 * n_prompts : n_prompts), done);
    SKV_TRY_GOTO(skv_backend_sync(b->setup.be), done);
    *seconds = skv_seconds() - start;
done:
    free(host);
    free(spans);
    return st;
}

/* One timed group on one path. */
typedef struct {
    double seconds, text, transformer, vae;
    skv_scale_cost scale[SKV_MAX_SCALES];
    int64_t transformer_flops, vae_flops;
    size_t pool_peak;
} measurement;

static skv_status measure(bench *b, const bench_options *o, const skv_path *path, uint8_t *image,
                          measurement *m)
{
    const int64_t flops = b->setup.be->flops;
    skv_path_result r = {.image = image, .scale_cost = m->scale};
    uint64_t seed[1024];

    for (int i = 0; i < (int)o->batch; i++)
        seed[i] = (uint64_t)i;
    SKV_TRY(fill_text(b, (int)o->text_tokens, (int)o->batch, &m->text));
    SKV_TRY(skv_engine_path(b->engine, path, (int)o->batch, seed, NULL, &r));
    m->transformer = r.transformer_seconds;
    m->vae = r.vae_seconds;
    m->vae_flops = r.vae_flops;
    m->transformer_flops = b->setup.be->flops - flops - r.vae_flops;
    m->seconds = m->text + m->transformer + m->vae;
    m->pool_peak = r.pool_peak;
    return SKV_OK;
}

static void print_row(json_t *rows, const char *phase, double seconds, double gflops, double total,
                      double sgemm)
{
    const double rate = seconds > 0 ? gflops / seconds : 0;

    printf("%-12s %10.3f %12.1f %10.1f %8.1f %10.1f\n", phase, seconds, gflops, rate,
           100 * seconds / total, 100 * rate * 1e9 / sgemm);
    json_array_append_new(rows, json_pack("{s:s, s:f, s:f, s:f, s:f}", "phase", phase, "seconds",
                                          seconds, "gflop", gflops, "share", seconds / total,
                                          "of_sgemm", rate * 1e9 / sgemm));
}

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const measurement *)a)->seconds, y = ((const measurement *)b)->seconds;

    return (x > y) - (x < y);
}

/* The table of the median group, and its JSON twin. */
static json_t *report(const bench *b, const bench_options *o, const skv_path *path, double first,
                      measurement *m, int n)
{
    json_t *rows = json_array();
    const measurement *median;
    double text_flops;
    char phase[32];

    qsort(m, (size_t)n, sizeof *m, by_seconds);
    median = &m[(n - 1) / 2];
    text_flops = (double)median->transformer_flops;
    printf("\npath %s, batch %lld: first %.3f s, then min %.3f, median %.3f, p95 %.3f s, %.3f "
           "images/s\n",
           path->name, (long long)o->batch, first, m[0].seconds, median->seconds,
           m[(int)(0.95 * (n - 1) + 0.5)].seconds, (double)o->batch / median->seconds);
    printf("%-12s %10s %12s %10s %8s %10s\n%-12s %10s %12s %10s %8s %10s\n", "phase", "seconds",
           "work", "rate", "share", "of SGEMM", "", "s", "GFLOP", "GFLOP/s", "%", "%");
    for (int si = 0; si < b->setup.schedule.n_scales; si++)
        text_flops -= (double)median->scale[si].flops;
    print_row(rows, "text", median->text, text_flops * 1e-9, median->seconds, b->sgemm);
    for (int si = 0; si < b->setup.schedule.n_scales; si++) {
        snprintf(phase, sizeof phase, "scale %d", si);
        print_row(rows, phase, median->scale[si].seconds, (double)median->scale[si].flops * 1e-9,
                  median->seconds, b->sgemm);
    }
    print_row(rows, "VAE", median->vae, (double)median->vae_flops * 1e-9, median->seconds,
              b->sgemm);
    print_row(rows, "all", median->seconds,
              (double)(median->transformer_flops + median->vae_flops) * 1e-9, median->seconds,
              b->sgemm);
    printf("cache pool: %zu bytes held at most\n", median->pool_peak);
    return json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:o}", "path", path->name, "batch",
                     (json_int_t)o->batch, "first", first, "min", m[0].seconds, "median",
                     median->seconds, "p95", m[(int)(0.95 * (n - 1) + 0.5)].seconds,
                     "images_per_second", (double)o->batch / median->seconds, "pool_peak_bytes",
                     (json_int_t)median->pool_peak, "phases", rows);
}

static skv_status run_path(bench *b, const bench_options *o, const skv_path *path, json_t *paths)
{
    const size_t picture = (size_t)skv_picture_height(&b->setup.schedule) *
                           (size_t)skv_picture_width(&b->setup.schedule) * 3;
    const int total = 1 + (int)o->warmup + (int)o->iters;
    skv_status st;
    measurement *m = NULL;
    uint8_t *image = NULL;

    SKV_TRY_GOTO(skv_alloc(&image, (size_t)o->batch, picture, "pictures"), done);
    SKV_TRY_GOTO(skv_alloc(&m, (size_t)total, sizeof *m, "measurements"), done);
    for (int i = 0; i < total; i++)
        SKV_TRY_GOTO(measure(b, o, path, image, &m[i]), done);
    json_array_append_new(paths,
                          report(b, o, path, m[0].seconds, m + 1 + o->warmup, (int)o->iters));
done:
    free(image);
    free(m);
    return st;
}

static skv_status open_engine(bench *b, const bench_options *o, skv_backend *be)
{
    skv_settings s = {.paths = o->paths, .drafters = o->drafters};
    skv_engine_setup *setup = &b->setup;

    SKV_TRY(skv_sources_open(&b->sources, o->transformer, o->vae ? o->vae : o->transformer, NULL));
    SKV_TRY(skv_schedule_make(&setup->schedule, o->ratio, o->resolution));
    SKV_TRY(skv_paths_resolve(&b->paths, &s, &b->sources.dims, &setup->schedule));
    setup->be = be;
    setup->sources = &b->sources;
    setup->guided = o->cfg != 1.0;
    setup->guidance.top_p = 0.97;
    for (int si = 0; si < setup->schedule.n_scales; si++) {
        setup->guidance.cfg[si] = o->cfg;
        setup->guidance.tau[si] = 1.0;
    }
    setup->paths = b->paths.path;
    setup->n_paths = b->paths.n;
    setup->max_prompts = (int)o->batch;
    setup->max_text_tokens = (int)(o->batch * o->text_tokens);
    setup->max_uncond = setup->guided ? (int)o->text_tokens : 0;
    return skv_engine_create(&b->engine, setup);
}

static skv_status check(const bench_options *o)
{
    if (o->batch < 1 || o->batch > 1024 || o->text_tokens < 1 || o->text_tokens > 512 ||
        o->iters < 1 || o->iters > 1000 || o->warmup < 0 || o->warmup > 1000)
        return skv_fail(SKV_E_ARG, "want --batch 1 to 1024, --text-tokens 1 to 512, --iters 1 to "
                                   "1000, --warmup 0 to 1000");
    if (!o->vae && !skv_formula_name(o->transformer))
        return skv_fail(SKV_E_ARG, "--vae is missing: a transformer from a file needs it");
    return SKV_OK;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    bench_options o = {0};
    bench b = {.sgemm = 0};
    skv_backend *be = NULL;
    skv_device_choice choice;
    json_t *paths = json_array(), *root;
    skv_status st;

    (void)comm;
    (void)exit_code;
    SKV_TRY_GOTO(skv_options_defaults(table, &o), done);
    SKV_TRY_GOTO(skv_options_from_args(table, &o, argc, argv, NULL, NULL), done);
    SKV_TRY_GOTO(check(&o), done);
    SKV_TRY_GOTO(skv_backend_choose(&be, &choice,
                                    &(skv_device_wish){.device = o.device,
                                                       .dtype = o.dtype,
                                                       .threads = (int)o.threads,
                                                       .local_size = 1}),
                 done);
    SKV_TRY_GOTO(measure_sgemm(be, &b.sgemm), done);
    printf("# %s; SGEMM %d^3: %.1f GFLOP/s\n# %s, %s at ratio %g, %lld text tokens, guidance %g\n",
           skv_backend_describe(be), SGEMM_SIDE, b.sgemm * 1e-9, o.transformer, o.resolution,
           o.ratio, (long long)o.text_tokens, o.cfg);
    SKV_TRY_GOTO(open_engine(&b, &o, be), done);
    for (int i = 0; i < b.paths.n; i++)
        SKV_TRY_GOTO(run_path(&b, &o, &b.paths.path[i], paths), done);
    if (o.json) {
        root = json_pack("{s:s, s:f, s:O}", "device", skv_backend_describe(be), "sgemm_gflops",
                         b.sgemm * 1e-9, "paths", paths);
        st = skv_json_write(root, o.json);
        json_decref(root);
    }
done:
    json_decref(paths);
    skv_engine_destroy(b.engine);
    skv_paths_clear(&b.paths);
    skv_sources_close(&b.sources);
    skv_backend_destroy(be);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_bench = {.name = "bench",
                                   .usage = "[--transformer formula:NAME] [--key value ...]",
                                   .summary = "time one group by phase, beside SGEMM",
                                   .options = table,
                                   .run = run};
