#include "cli/bench_eval.h"
#include "cli/print_text.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"
#include "job/backend_choice.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/rng.h"
#include "eval/metrics/evaluate.h"
#include "core/parallel.h"
#include "io/png.h"

#define DISTINCT 32 /* pairs; further names are links to their files */

typedef struct {
    const skv_bench_eval_options *o;
    char folder[4096]; /* holds a/ and b/ */
    bool made;
} files;

static void file_name(char out[4608], const files *f, int side, int64_t i)
{
    snprintf(out, 4608, "%s/%c/%07lld.png", f->folder, "ab"[side], (long long)i);
}

/* Waves with noise, as compressible as a photograph; the second side has other noise. */
static void paint(uint8_t *rgb, int n, int64_t picture, int side)
{
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++)
            for (int c = 0; c < 3; c++) {
                const double wave = sin(0.013 * x * (1 + c) + (double)picture) * cos(0.017 * y);
                const uint32_t at = (uint32_t)((y * n + x) * 3 + c);
                const double noise =
                    (double)skv_uniform((uint64_t)picture, (uint32_t)side, at / 4, at % 4);

                rgb[at] = (uint8_t)(128 + 100 * wave + 12 * noise);
            }
}

static skv_status make_file(void *ctx, int64_t i)
{
    const files *f = ctx;
    const int n = f->o->side;
    uint8_t *rgb = NULL;
    char path[4608];
    skv_status st;

    SKV_TRY(skv_alloc(&rgb, (size_t)n * (size_t)n, 3, "a picture"));
    paint(rgb, n, i / 2, (int)(i % 2));
    file_name(path, f, (int)(i % 2), i / 2);
    st = skv_png_write(path, rgb, n, n, NULL, 0);
    free(rgb);
    return st;
}

static skv_status make_files(files *f, int threads)
{
    const int64_t n = f->o->pairs, distinct = n < DISTINCT ? n : DISTINCT;
    const char *parent = getenv("TMPDIR");
    char from[4608], to[4608];

    snprintf(f->folder, sizeof f->folder, "%s/skv-bench-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(f->folder))
        return skv_fail(SKV_E_IO, "%s: no temporary folder: %s", f->folder, strerror(errno));
    f->made = true;
    for (int side = 0; side < 2; side++) {
        snprintf(to, sizeof to, "%s/%c", f->folder, "ab"[side]);
        SKV_TRY(skv_folder_make(to));
    }
    SKV_TRY(skv_parallel(threads, 2 * distinct, make_file, f));
    for (int64_t i = distinct; i < n; i++)
        for (int side = 0; side < 2; side++) {
            file_name(from, f, side, i % distinct);
            file_name(to, f, side, i);
            if (link(from, to) != 0)
                return skv_fail(SKV_E_IO, "%s: %s", to, strerror(errno));
        }
    return SKV_OK;
}

static void remove_files(const files *f)
{
    char path[4608];

    if (!f->made)
        return;
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < f->o->pairs; i++) {
            file_name(path, f, side, i);
            (void)unlink(path);
        }
        snprintf(path, sizeof path, "%s/%c", f->folder, "ab"[side]);
        (void)rmdir(path);
    }
    (void)rmdir(f->folder);
}

#define MAX_STAGES 64

typedef struct {
    char name[64];
    double seconds;
    int64_t n; /* pictures or pairs that it worked on */
} stage;

typedef struct {
    stage stage[MAX_STAGES]; /* in the order they first ran */
    int n;
} stages;

static void add_time(void *ctx, const char *name, double seconds, int64_t n)
{
    stages *s = ctx;
    int i = 0;

    while (i < s->n && strcmp(s->stage[i].name, name) != 0)
        i++;
    assert(i < MAX_STAGES && strlen(name) < sizeof s->stage[i].name);
    if (i == s->n)
        snprintf(s->stage[s->n++].name, sizeof s->stage[i].name, "%s", name);
    s->stage[i].seconds += seconds;
    s->stage[i].n += n;
}

static skv_status report(const skv_bench_eval_options *o, const skv_backend *be, int threads,
                         const stages *s)
{
    skv_json_maker rows = skv_json_array();
    json_t *root;
    skv_status st = SKV_OK;

    printf("# %s, %d thread%s; %lld pair%s of %dx%d, PNG, formula weights\n",
           skv_backend_describe(be), threads, skv_s(threads), (long long)o->pairs, skv_s(o->pairs),
           o->side, o->side);
    printf("%-16s %10s %14s\n%-16s %10s %14s\n", "stage", "time", "a picture", "", "s", "ms");
    for (int i = 0; i < s->n; i++) {
        const stage *x = &s->stage[i];
        const double each = 1e3 * x->seconds / (double)x->n;

        printf("%-16s %10.3f %14.3f\n", x->name, x->seconds, each);
        skv_json_append(&rows, json_pack("{s:s, s:f, s:f}", "stage", x->name, "seconds", x->seconds,
                                         "ms_a_picture", each));
    }
    root = json_pack("{s:s, s:i, s:I, s:i, s:o}", "device", skv_backend_describe(be), "threads",
                     threads, "pairs", (json_int_t)o->pairs, "side", o->side, "stages",
                     skv_json_take(&rows));
    if (!root)
        return skv_fail(SKV_E_MEM, "bench: out of memory");
    if (o->json)
        st = skv_print_json(root, o->json);
    json_decref(root);
    return st;
}

/* Everything that is timed, after an untimed first pair that makes plans and opens libraries. */
static skv_status measure(const skv_bench_eval_options *o, const files *f, skv_eval_setup *setup,
                          skv_backend *be)
{
    stages times = {.n = 0};
    skv_results results = {0};
    skv_pairs pairs = {0};
    char a[4608], b[4608];
    double start;
    skv_status st;

    file_name(a, f, 0, 0);
    *strrchr(a, '/') = '\0';
    file_name(b, f, 1, 0);
    *strrchr(b, '/') = '\0';
    SKV_TRY_GOTO(skv_pairs_open_folders(&pairs, a, b), done);
    setup->pairs = &pairs;
    pairs.n = pairs.n_usable = 1;
    SKV_TRY_GOTO(skv_evaluate(&results, setup), done);
    skv_results_clear(&results);
    skv_pairs_close(&pairs);
    setup->lap = add_time;
    setup->lap_ctx = &times;
    start = skv_seconds();
    SKV_TRY_GOTO(skv_pairs_open_folders(&pairs, a, b), done);
    SKV_TRY_GOTO(skv_evaluate(&results, setup), done);
    add_time(&times, "all", skv_seconds() - start, 2 * o->pairs);
    st = report(o, be, setup->threads, &times);
done:
    setup->lap = NULL;
    setup->lap_ctx = NULL;
    skv_results_clear(&results);
    skv_pairs_close(&pairs);
    return st;
}

static const char *made_up(void *ctx, const char *option)
{
    (void)ctx;
    (void)option;
    return SKV_WEIGHTS_FORMULA;
}

skv_status skv_bench_eval(const skv_bench_eval_options *o)
{
    const skv_device_wish wish = {
        .device = o->device, .dtype = "fp32", .threads = o->threads, .local_size = 1};
    skv_networks networks = {0};
    skv_eval_setup setup = {.threads = skv_device_threads(o->threads, 1),
                            .networks = &networks,
                            .weights = SKV_WEIGHTS_FORMULA};
    files f = {.o = o};
    skv_device_choice choice;
    skv_backend *be = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_backend_choose(&be, &choice, &wish), done);
    SKV_TRY_GOTO(skv_comm_open(&setup.comm, &(skv_comm_wish){0}), done);
    SKV_TRY_GOTO(skv_networks_create(&networks), done);
    SKV_TRY_GOTO(skv_networks_open(&networks, be, made_up, NULL), done);
    SKV_TRY_GOTO(make_files(&f, setup.threads), done);
    st = measure(o, &f, &setup, be);
done:
    remove_files(&f);
    skv_networks_close(&networks);
    skv_comm_close(setup.comm);
    skv_backend_destroy(be);
    return st;
}
