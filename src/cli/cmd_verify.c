/* skv verify: a model with recorded text, bits and kept positions fed in, held against a recording.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/backend_choice.h"
#include "cli/command.h"
#include "cli/verify_compare.h"
#include "core/json.h"
#include "core/mem.h"
#include "sample/text_features.h"
#include "cli/print_text.h"

typedef struct {
    char *config, *transformer, *vae, *against, *json, *device, *dtype, *seed, *torch_gpu,
        *kv_dtype;
    int64_t threads;
    bool free_run;
} verify_options;

#define ROW(...) SKV_OPTION(verify_options, __VA_ARGS__)

static const skv_option table[] = {
    SKV_OPTION_CONFIG(verify_options),
    ROW(transformer, PATH, NULL, "checkpoint, or formula:NAME", "Model"),
    ROW(vae, PATH, NULL, "checkpoint of the VAE, or formula:NAME", NULL),
    ROW(against, PATH, NULL, "recording to compare with (.h5)", NULL),
    SKV_OPTION_WORD(verify_options, kv_dtype, "work|fp8|int8", "work",
                    "how the cache is held; fp8 and int8: their error, by scale", NULL),
    SKV_OPTION_FLAG(verify_options, seed, STRING, NULL,
                    "draw the recording's bits by the seed of its generator, and compare them too",
                    "Random numbers"),
    ROW(free_run, BOOL, "false",
        "feed no recorded bits back: from --seed and the text alone, as upstream ran", NULL),
    ROW(torch_gpu, STRING, SKV_TORCH_GPU,
        "the GPU that the recording was drawn on: " SKV_TORCH_GPU_HELP, NULL),
    ROW(json, STRING, NULL, "the table " SKV_JSON_HELP, NULL),
    SKV_OPTION_DEVICE(verify_options),
    SKV_OPTION_DTYPE(verify_options),
    SKV_OPTION_THREADS(verify_options),
    {0}};

/* The recorded text and negative text, one after the other; free(). */
static skv_status join_texts(float **out, const skv_recording *r, size_t width)
{
    const size_t n = (size_t)r->n_text * width, n_negative = (size_t)r->n_negative * width;

    SKV_TRY(skv_alloc(out, n + n_negative, sizeof **out, "text"));
    memcpy(*out, r->text, n * sizeof **out);
    if (r->negative)
        memcpy(*out + n, r->negative, n_negative * sizeof **out);
    return SKV_OK;
}

/* On the recorded text, or made-up text where the recording has none. */
static skv_status condition(skv_engine *e, skv_backend *be, const skv_recording *r, int width)
{
    const skv_text_span spans[2] = {
        {.start = 0, .n = r->n_text},
        {.uncond = !r->negative,
         .start = r->negative ? r->n_text : 0,
         .n = r->negative ? r->n_negative : r->n_text},
    };
    float *text = NULL;
    skv_status st;

    if (r->text)
        SKV_TRY(join_texts(&text, r, (size_t)width));
    st = skv_text_features(e, be, text, r->n_text + r->n_negative);
    free(text);
    SKV_TRY(st);
    return skv_engine_condition(e, spans, r->guided ? 2 : 1);
}

/* Capacities come from the recorded rows, never from the rule; the full-size form has none and
 * means the released 10 % table of its model. */
static skv_status make_path(skv_path *path, const skv_recording *r, const skv_dims *dims,
                            bool scalekv, skv_kv_dtype kv_dtype)
{
    skv_policy_setup setup = {.dims = dims, .schedule = &r->schedule, .base = SKV_KEEP_ALL};
    skv_drafters drafters;
    skv_budget *budget = NULL;
    skv_status st;

    *path = (skv_path){.base = SKV_KEEP_ALL, .kv_dtype = kv_dtype};
    snprintf(path->name, sizeof path->name, "%s", scalekv ? "scalekv" : "full");
    SKV_TRY(skv_policy_find(&path->policy, path->name));
    if (scalekv && r->full_size) {
        setup.base = skv_policy_base(10, &r->schedule);
    } else if (scalekv) {
        setup.base = r->base;
        SKV_TRY(skv_drafters_uniform(&drafters, dims, r->drafters, r->n_drafters));
        SKV_TRY(skv_budget_from_rows(&budget, dims, &r->schedule, r->budget, r->n_budget, &drafters,
                                     "the recorded budget"));
        setup.budget = budget;
    }
    st = skv_policy_open(&path->state, path->policy, &setup);
    skv_budget_destroy(budget);
    return st;
}

typedef struct {
    skv_recording recording;
    skv_draws draws;
    skv_sources sources;
    skv_backend *be;
    skv_kv_dtype kv_dtype;
    skv_json_maker rows;
    bool good;
} verify;

static skv_status compare(verify *v, skv_engine *e, const skv_path *path)
{
    const bool scalekv = strcmp(path->policy->name, "scalekv") == 0;
    const skv_recording *r = &v->recording;
    const skv_dims *d = &v->sources.dims;
    const int last = r->schedule.n_scales - 1;
    const size_t map =
        (size_t)(r->schedule.h[last] * d->patch * r->schedule.w[last] * d->patch) * (size_t)d->bits;
    const size_t picture =
        (size_t)skv_picture_height(&r->schedule) * (size_t)skv_picture_width(&r->schedule) * 3;
    const bool reduced = skv_weights_dtype(v->sources.transformer) != SKV_F32 ||
                         skv_weights_dtype(v->sources.vae) != SKV_F32;
    const skv_seed seed = {.value = v->draws.seed};
    const bool codes = path->kv_dtype != SKV_KV_WORK;
    const bool others = r->full_size && scalekv; /* recorded bits are those of the full cache */
    const skv_draws draws = others ? (skv_draws){0} : v->draws;
    skv_path_result result = {0};
    skv_comparison c;
    skv_probe probe;
    char title[256];
    skv_status st;

    skv_comparison_init(&c, r, v->be, path, &draws);
    probe = skv_comparison_probe(&c);
    SKV_TRY_GOTO(skv_alloc(&result.map, map, sizeof *result.map, "residual map"), done);
    SKV_TRY_GOTO(skv_alloc(&result.rgb, picture, sizeof *result.rgb, "picture"), done);
    SKV_TRY_GOTO(skv_alloc(&result.image, picture, 1, "picture"), done);
    SKV_TRY_GOTO(skv_engine_path(e, path, 1, &seed, &probe, &result), done);
    skv_comparison_picture(&c, result.map, result.rgb, result.image);
    snprintf(title, sizeof title, "path %s%s%s%s%s", path->name, codes ? ", cache in " : "",
             codes ? skv_kv_dtype_name(path->kv_dtype) : "", reduced ? ", weights in " : "",
             reduced ? "fp16 or bf16: shown, not judged" : "");
    v->good = skv_comparison_report(&c, title, reduced, &v->rows) && v->good;
done:
    skv_comparison_deinit(&c);
    free(result.map);
    free(result.rgb);
    free(result.image);
    return st;
}

static skv_status run_path(verify *v, bool scalekv)
{
    const skv_recording *r = &v->recording;
    skv_path path = {0};
    skv_engine_setup setup = {.be = v->be,
                              .sources = &v->sources,
                              .schedule = r->schedule,
                              .guidance = r->guidance,
                              .guided = r->guided,
                              .paths = &path,
                              .n_paths = 1,
                              .max_prompts = 1,
                              .max_text_tokens = r->n_text + r->n_negative,
                              .max_uncond = r->guided && !r->negative ? r->n_text : 0};
    skv_engine *e = NULL;
    skv_status st;

    SKV_TRY_GOTO(make_path(&path, r, &v->sources.dims, scalekv, v->kv_dtype), done);
    SKV_TRY_GOTO(skv_engine_create(&e, &setup), done);
    SKV_TRY_GOTO(condition(e, v->be, r, v->sources.dims.text_width), done);
    SKV_TRY_GOTO(compare(v, e, &path), done);
done:
    skv_engine_destroy(e);
    if (path.state)
        skv_policy_close(path.policy, path.state);
    return st;
}

static skv_status check(const verify_options *o)
{
    if (!o->transformer || !o->vae || !o->against)
        return skv_fail(SKV_E_ARG, "verify wants --transformer, --vae and --against");
    if (o->free_run && !o->seed)
        return skv_fail(SKV_E_ARG, "verify --free-run wants --seed, the seed of the recording");
    return SKV_OK;
}

static skv_status read_draws(skv_draws *out, skv_guidance *guidance, const verify_options *o)
{
    SKV_TRY(skv_torch_gpu_parse(&out->gpu, o->torch_gpu));
    guidance->gpu = out->gpu;
    out->wanted = o->seed != NULL;
    out->free_run = o->free_run;
    if (o->seed && !skv_u64_parse(&out->seed, o->seed))
        return skv_fail(SKV_E_ARG, "--seed %s: want a number from 0 to 2^64 - 1", o->seed);
    return SKV_OK;
}

static skv_status check_pair(const verify *v, const verify_options *o)
{
    const skv_recording *r = &v->recording;

    if (r->text && r->text_width != v->sources.dims.text_width)
        return skv_fail(SKV_E_SHAPE, "%s has text of width %d, the model wants %d", o->against,
                        r->text_width, v->sources.dims.text_width);
    if (r->n_text < 1 || r->n_text > v->sources.dims.max_text)
        return skv_fail(SKV_E_SHAPE, "%s has %d text tokens, want 1 to %d", o->against, r->n_text,
                        v->sources.dims.max_text);
    if (r->scale[0].bits != skv_dims_token_bits(&v->sources.dims))
        return skv_fail(SKV_E_SHAPE, "%s has %lld bits a token, the model %d", o->against,
                        (long long)r->scale[0].bits, skv_dims_token_bits(&v->sources.dims));
    return SKV_OK;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    verify_options o = {0};
    verify v = {.rows = skv_json_array(), .good = true};
    skv_device_choice choice;
    json_t *root;
    skv_status st;

    (void)comm;
    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_verify, NULL, argc, argv, NULL), done);
    SKV_TRY_GOTO(check(&o), done);
    SKV_TRY_GOTO(skv_kv_dtype_find(&v.kv_dtype, o.kv_dtype), done);
    SKV_TRY_GOTO(skv_option_opened("--against", skv_recording_read(&v.recording, o.against)), done);
    SKV_TRY_GOTO(read_draws(&v.draws, &v.recording.guidance, &o), done);
    SKV_TRY_GOTO(skv_sources_open(&v.sources, o.transformer, o.vae, NULL), done);
    SKV_TRY_GOTO(skv_option_opened("--against", check_pair(&v, &o)), done);
    SKV_TRY_GOTO(skv_backend_choose(&v.be, &choice,
                                    &(skv_device_wish){.device = o.device,
                                                       .dtype = o.dtype,
                                                       .threads = (int)o.threads,
                                                       .local_size = 1}),
                 done);
    if (v.recording.full_size || !v.recording.scalekv)
        SKV_TRY_GOTO(run_path(&v, false), done);
    if (v.recording.scalekv || (v.recording.full_size && !o.free_run))
        SKV_TRY_GOTO(run_path(&v, true), done);
    *exit_code = v.good ? SKV_EXIT_OK : SKV_EXIT_FAILED;
    if (o.json) {
        root = json_pack("{s:s, s:b, s:o}", "against", o.against, "ok", v.good, "rows",
                         skv_json_take(&v.rows));
        st = root ? skv_print_json(root, o.json) : skv_fail(SKV_E_MEM, "verify: out of memory");
        json_decref(root);
    }
done:
    json_decref(skv_json_take(&v.rows));
    skv_recording_clear(&v.recording);
    skv_sources_close(&v.sources);
    skv_backend_destroy(v.be);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_verify = {
    .name = "verify",
    .usage = "--transformer T --vae V --against G.h5 [--seed N [--free-run]]",
    .summary = "a model against a recorded run: the largest error of each quantity",
    .options = table,
    .reads_hdf5 = true,
    .run = run};
