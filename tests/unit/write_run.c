#include "write_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "io/h5.h"
#include "run/schema.h"
#include "temp_folder.h"

#define N             TEST_RUN_ROWS
#define S             TEST_RUN_SCALES
#define L             TEST_RUN_LAYERS
#define BITS_BYTES    30
#define TOKEN_BYTES   1048576 /* so that sizes are whole MiB */
#define CONFIG_DIGEST "0123456789abcdef"

static void ok(skv_status st)
{
    assert_int_equal(st, SKV_OK);
}

static void column(skv_h5 *f, const char *name, skv_h5_type type, const void *data)
{
    const skv_h5_layout layout = {.type = type, .n_dims = 1, .shape = {N}};
    char full[64];

    snprintf(full, sizeof full, "/samples/%s", name);
    ok(skv_h5_write(f, full, &layout, data));
}

static void write_samples(skv_h5 *f, const test_run *run)
{
    const int samples = run->samples ? run->samples : 1;
    char text[N][16];
    const char *id[N], *prompt[N], *error[N];
    int32_t sample[N], status[N], tokens[N];
    int64_t row[N], group[N];
    uint64_t seed[N];
    uint8_t truncated[N] = {0};

    for (int i = 0; i < N; i++) {
        sample[i] = i % samples;
        snprintf(text[i], sizeof text[i], samples > 1 ? "id-%c-%d" : "id-%c", 'a' + i / samples,
                 sample[i]);
        id[i] = text[i];
        prompt[i] = run->prompt[i] ? run->prompt[i] : "a prompt";
        error[i] = run->error[i] ? run->error[i] : "";
        status[i] = run->error[i] ? SKV_E_FORMAT : 0;
        if (run->partial && i >= N / 2) {
            error[i] = "its group is not there yet";
            status[i] = SKV_ROW_MISSING;
        }
        tokens[i] = 5;
        row[i] = i;
        group[i] = i / 2;
        seed[i] = 7000 + (uint64_t)i;
    }
    column(f, "id", SKV_H5_TEXT, id);
    column(f, "prompt", SKV_H5_TEXT, prompt);
    column(f, "prompt_used", SKV_H5_TEXT, prompt);
    column(f, "error", SKV_H5_TEXT, error);
    column(f, "sample", SKV_H5_I32, sample);
    column(f, "tokens", SKV_H5_I32, tokens);
    column(f, "status", SKV_H5_I32, status);
    column(f, "row", SKV_H5_I64, row);
    column(f, "group", SKV_H5_I64, group);
    column(f, "seed", SKV_H5_U64, seed);
    column(f, "truncated", SKV_H5_U8, truncated);
}

static const int64_t sequence[S - 1] = {1, 5, 14};

static void write_heads(skv_h5 *f, const test_run_path *p)
{
    const skv_h5_layout tables = {.type = SKV_H5_I64, .n_dims = 3, .shape = {S - 1, L, p->heads}};
    const int n = (S - 1) * L * p->heads;
    int64_t *length = malloc((size_t)n * sizeof *length);
    int64_t *capacity = malloc((size_t)n * sizeof *capacity);
    char name[128];

    assert_non_null(length);
    assert_non_null(capacity);
    for (int i = 0; i < n; i++) {
        const int64_t all = sequence[i / p->heads / L];
        const int64_t more = i % p->heads < p->heads / 2 ? p->spread : -p->spread;

        capacity[i] = p->capacity + (i / p->heads % L == 1 ? more : 0);
        length[i] = capacity[i] < all ? capacity[i] : all;
    }
    snprintf(name, sizeof name, "/paths/%s/cache/length_by_head", p->name);
    ok(skv_h5_write(f, name, &tables, length));
    snprintf(name, sizeof name, "/paths/%s/cache/capacity_by_head", p->name);
    ok(skv_h5_write(f, name, &tables, capacity));
    free(length);
    free(capacity);
}

static void write_cache(skv_h5 *f, const test_run_path *p)
{
    const skv_h5_layout tables = {.type = SKV_H5_I64, .n_dims = 2, .shape = {S - 1, L}};
    const skv_h5_layout sources = {.type = SKV_H5_F32, .n_dims = 3, .shape = {S - 1, L, S}};
    int64_t length[(S - 1) * L], capacity[(S - 1) * L], bytes[(S - 1) * L];
    float kept[(S - 1) * L * S] = {0};
    char name[128];

    for (int i = 0; i < (S - 1) * L; i++) {
        const int64_t all = sequence[i / L];

        length[i] = p->capacity >= 0 && p->capacity < all ? p->capacity : all;
        capacity[i] = p->capacity;
        bytes[i] = length[i] * TOKEN_BYTES;
        if (p->kv_dtype)
            bytes[i] = bytes[i] / 2 + (i / L + 1) * (TOKEN_BYTES / 8);
        kept[i * S + i / L] = (float)length[i];
    }
    snprintf(name, sizeof name, "/paths/%s/cache/length", p->name);
    ok(skv_h5_write(f, name, &tables, length));
    snprintf(name, sizeof name, "/paths/%s/cache/capacity", p->name);
    ok(skv_h5_write(f, name, &tables, capacity));
    snprintf(name, sizeof name, "/paths/%s/cache/bytes", p->name);
    ok(skv_h5_write(f, name, &tables, bytes));
    snprintf(name, sizeof name, "/paths/%s/cache/kept_by_source", p->name);
    ok(skv_h5_write(f, name, &sources, kept));
    snprintf(name, sizeof name, "/paths/%s/cache", p->name);
    ok(skv_h5_set_int(f, name, "pool_bytes_peak", 77 * (int64_t)TOKEN_BYTES));
    if (p->heads)
        write_heads(f, p);
}

static void write_path(skv_h5 *f, const test_run *run, int i)
{
    static const int64_t offset[S + 1] = {0, 8, 40, 112, 240};
    const skv_h5_layout image = {.type = SKV_H5_U8, .n_dims = 4, .shape = {N, 6, 8, 3}};
    const skv_h5_layout bits = {.type = SKV_H5_U8, .n_dims = 2, .shape = {N, BITS_BYTES}};
    const skv_h5_layout seconds = {.type = SKV_H5_F64, .n_dims = 2, .shape = {2, 3}};
    const double times[2][3] = {{50, 50, 50}, {0.1, 0.3, 0.1}}; /* 2 pictures in 0.5 s */
    const double lacking[2][3] = {{50, 50, 50}, {NAN, NAN, NAN}};
    const int64_t first_group = 0;
    const test_run_path *p = &run->path[i];
    uint8_t pixels[N * 6 * 8 * 3], packed[N * BITS_BYTES] = {0};
    char name[128], settings[128];

    for (size_t k = 0; k < sizeof pixels; k++)
        pixels[k] = (uint8_t)(k * 37 + (size_t)i * 11);
    write_cache(f, p);
    snprintf(name, sizeof name, "/paths/%s/image", p->name);
    if (!run->no_pictures)
        ok(skv_h5_write(f, name, &image, pixels));
    snprintf(name, sizeof name, "/paths/%s/bits", p->name);
    ok(skv_h5_write(f, name, &bits, packed));
    ok(skv_h5_set_ints(f, name, "scale_offset", offset, S + 1));
    snprintf(name, sizeof name, "/paths/%s/seconds", p->name);
    ok(skv_h5_write(f, name, &seconds, run->partial ? lacking : times));
    ok(skv_h5_set_text(f, name, "phases", "text,transformer,vae"));
    ok(skv_h5_set_ints(f, name, "first_groups", &first_group, 1));
    snprintf(name, sizeof name, "/paths/%s", p->name);
    snprintf(settings, sizeof settings,
             "{\"policy\":\"%s\",\"base_tokens\":%lld,\"options\":{}%s%s%s}", p->policy,
             (long long)p->capacity, p->kv_dtype ? ",\"kv_dtype\":\"" : "",
             p->kv_dtype ? p->kv_dtype : "", p->kv_dtype ? "\"" : "");
    ok(skv_h5_set_int(f, name, "order", i));
    ok(skv_h5_set_int(f, name, "reference", i == 0));
    ok(skv_h5_set_text(f, name, "settings", settings));
    ok(skv_h5_set_text(f, name, "digest", p->digest));
    ok(skv_h5_set_text(f, name, "device", "a device"));
}

void write_run(const test_run *run)
{
    skv_h5 *f = NULL;
    char config[96];

    snprintf(config, sizeof config, "{\"transformer\":\"abcd\",\"samples\":%d,\"cfg\":[3.0]}",
             run->samples ? run->samples : 1);
    ok(skv_h5_create(&f, temp_path("run.h5")));
    ok(skv_h5_set_text(f, "/", "skv", "0.1"));
    ok(skv_h5_set_text(f, "/", "config_digest", CONFIG_DIGEST));
    ok(skv_h5_set_text(f, "/", "config", config));
    if (run->partial)
        ok(skv_h5_set_text(f, "/", "partial", run->partial));
    if (run->starts) {
        ok(skv_h5_make_group(f, "/provenance"));
        ok(skv_h5_set_text(f, "/provenance", "starts", run->starts));
    }
    write_samples(f, run);
    for (int i = 0; i < run->n_paths; i++)
        write_path(f, run, i);
    ok(skv_h5_commit(&f));
}

static void real(skv_h5 *f, const char *object, const char *key, double v)
{
    if (!isnan(v))
        ok(skv_h5_set_real(f, object, key, v));
}

/* What metrics.h5 says of each metric: eval/metrics/README.md. */
typedef struct {
    const char *name, *title, *units, *better, *kind, *weights;
    int order, percent;
} metric;

static const metric psnr_metric = {"psnr", "PSNR", "dB", "higher", "picture", NULL, 0, 0};
static const metric lpips_metric = {"lpips", "LPIPS", "1", "lower", "picture", "files", 2, 0};
static const metric fid_metric = {"fid", "FID", "1", "lower", "set", "files", 3, 0};
static const metric bits_metric = {"bits_equal", "bits equal", "1", "higher", "scale", NULL, 5, 1};
static const metric unheard_of = {"new_one", "new one", "nat", "none", "picture", NULL, 9, 0};
static const metric bits_mean = {"bits_equal_mean", "bits equal", "1", "higher",
                                 "scale_mean",      NULL,         5,   1};

static void write_metric(skv_h5 *f, const test_metrics *m, const test_result *r, const metric *k,
                         skv_h5_layout layout, const double *data)
{
    char name[256], long_name[128];

    snprintf(long_name, sizeof long_name, "%s against the reference", k->title);
    layout.type = SKV_H5_F64;
    layout.long_name = long_name;
    layout.units = k->units;
    snprintf(name, sizeof name, "/metrics/%s/%s", r->path, k->name);
    ok(skv_h5_write(f, name, &layout, data));
    ok(skv_h5_set_text(f, name, "title", k->title));
    ok(skv_h5_set_text(f, name, "better", k->better));
    ok(skv_h5_set_text(f, name, "kind", k->kind));
    ok(skv_h5_set_int(f, name, "order", k->order));
    ok(skv_h5_set_int(f, name, "percent", k->percent));
    if (k->weights)
        ok(skv_h5_set_text(f, name, "weights", m->networks));
}

static void write_result(skv_h5 *f, const test_metrics *m, const test_result *r)
{
    const skv_h5_layout rows = {.n_dims = 1, .shape = {m->n_rows}};
    const skv_h5_layout by_scale = {.n_dims = 2, .shape = {m->n_rows, S}};
    const skv_h5_layout scales = {.n_dims = 1, .shape = {S}}, one = {.n_dims = 1, .shape = {1}};
    const double bits[S] = {1, 0.9, 0.8, NAN};
    double psnr[2 * N], lpips[2 * N], row_bits[2 * N * S];
    char object[128];

    assert_true(m->n_rows <= 2 * N);
    for (int i = 0; i < 2 * N; i++) {
        psnr[i] = r->psnr[i % N];
        lpips[i] = 1 / psnr[i];
    }
    for (int i = 0; i < 2 * N * S; i++)
        row_bits[i] = bits[i % S];
    write_metric(f, m, r, &psnr_metric, rows, psnr);
    write_metric(f, m, r, &lpips_metric, rows, lpips);
    write_metric(f, m, r, &bits_metric, by_scale, row_bits);
    write_metric(f, m, r, &bits_mean, scales, bits);
    write_metric(f, m, r, &unheard_of, rows, lpips);
    snprintf(object, sizeof object, "/metrics/%s/psnr", r->path);
    real(f, object, "mean", r->psnr_mean);
    real(f, object, "mean_finite", r->psnr_mean_finite);
    snprintf(object, sizeof object, "/metrics/%s/bits_equal", r->path);
    real(f, object, "mean", 0.9);
    snprintf(object, sizeof object, "/metrics/%s/new_one", r->path);
    real(f, object, "mean", 1.5);
    if (!isnan(r->fid)) {
        write_metric(f, m, r, &fid_metric, one, &r->fid);
        snprintf(object, sizeof object, "/metrics/%s/fid", r->path);
        real(f, object, "mean", r->fid);
    }
    snprintf(object, sizeof object, "/metrics/%s", r->path);
    ok(skv_h5_set_text(f, object, "digest", r->digest));
    ok(skv_h5_set_int(f, object, "n_pairs", r->n_pairs));
    ok(skv_h5_set_int(f, object, "n_identical", r->n_identical));
}

void write_metrics(const test_metrics *m)
{
    skv_h5 *f = NULL;

    ok(skv_h5_create(&f, temp_path("metrics.h5")));
    ok(skv_h5_set_text(f, "/", "skv", "0.1"));
    ok(skv_h5_set_text(f, "/", "networks", m->networks));
    ok(skv_h5_set_text(f, "/", "reference", "full"));
    ok(skv_h5_set_text(f, "/", "config_digest",
                       m->config_digest ? m->config_digest : CONFIG_DIGEST));
    ok(skv_h5_set_text(f, "/", "reference_digest",
                       m->reference_digest ? m->reference_digest : "1111222233334444"));
    for (int i = 0; i < m->n_results; i++)
        write_result(f, m, &m->result[i]);
    ok(skv_h5_commit(&f));
}
