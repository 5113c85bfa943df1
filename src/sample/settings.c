#include "sample/settings.h"

#include <stdio.h>
#include <string.h>

#include "core/outputs.h"
#include "core/text.h"
#include "sample/pool_budget.h"
#include "sample/settings_rows.h"

#define ROW(...)  SKV_SETTING(__VA_ARGS__)
#define WORD(...) SKV_SETTING_WORD(__VA_ARGS__)

const skv_option skv_settings_table[] = {
    SKV_OPTION_CONFIG(skv_settings),
    SKV_SETTINGS_MODEL,
    SKV_SETTINGS_PROMPTS,
    SKV_SETTING_TEXT_CACHE,
    SKV_SETTINGS_DRAWS,
    SKV_SETTINGS_PICTURE,
    ROW(paths, STRING, NULL,
        "cache paths, comma-separated: names in path_definitions, or POLICY-PERCENT (policies are "
        "listed below), or with --budget POLICY, each also with -fp8 or -int8 behind it; "
        "'snapkv-{2,4,10,20}', in quotes for the shell's sake, is four of them; default: all of "
        "path_definitions, or full",
        "Cache paths"),
    ROW(budget, STRING, NULL,
        "bytes of a group's keys and values, as in 512MiB: paths that say neither percent nor "
        "tokens (--paths snapkv,h2o) get the most tokens that fit",
        NULL),
    ROW(leave_out, BOOL, "false",
        "leave out, and say why, paths that their policy cannot hold at this size, and those that "
        "would keep everything",
        NULL),
    ROW(path_definitions, JSON, NULL,
        "list of {name, policy, percent or tokens, budget_file, drafters, orders, options, "
        "kv_dtype, reference}",
        NULL),
    SKV_OPTION_DRAFTERS(skv_settings),
    ROW(budget_file, PATH, NULL, "ScaleKV: released budget table (JSON) in place of the rule",
        NULL),
    SKV_OPTION_ORDERS(skv_settings),
    SKV_OPTION_ONCE(skv_settings, out, STRING, NULL, "folder of the run", "Run"),
    ROW(note, STRING, NULL, "text kept in RUN/run.json, for instance where the settings come from",
        NULL),
    ROW(published, JSON, NULL,
        "list of {path, geneval: number}, or another evaluator's name: published scores of these "
        "paths, which skv scores shows beside its own; \"rewritten\": true, of rewritten prompts",
        NULL),
    ROW(store, STRING, "bits,image,png", "what is kept of a picture, comma-separated", NULL),
    ROW(group_size, INT, "8", "rows computed in one batch", NULL),
    SKV_OPTION_ONCE(
        skv_settings, shard, STRING, NULL,
        "k/n: compute only the k-th of n parts of the groups; run.h5 is made by the job that finds "
        "all parts done",
        NULL),
    SKV_OPTION_FLAG(
        skv_settings, json, STRING, NULL,
        "the table of paths, or with --dry-run the plan (of doctor: what it found) " SKV_JSON_HELP,
        NULL),
    SKV_OPTION_ONCE(skv_settings, only, STRING, NULL,
                    "compute only the group with this id, and write only its PNG", NULL),
    SKV_SETTING_DRY_RUN,
    {.key = "for",
     .type = SKV_OPT_STRING,
     .offset = offsetof(skv_settings, for_gpu),
     .help = "with --dry-run: plan for a GPU that need not be there, and estimate the "
             "hours: " SKV_GPU_NAMES ", or NAME:BYTES",
     .once = true},
    ROW(gather, BOOL, "true",
        "collect the groups into run.h5 at the end; --no-gather leaves that, and the table and "
        "status "
        "of rows that failed, to skv gather",
        NULL),
    SKV_OPTION_ONCE(
        skv_settings, max_hours, REAL, "0",
        "stop in an orderly way before this many hours have passed since the start (status 75); 0: "
        "no limit",
        NULL),
    ROW(virtual_run, BOOL, "false",
        "run.h5 refers to the pictures in the group files instead of copying them", NULL),
    SKV_OPTION_DEVICE(skv_settings),
    SKV_OPTION_DTYPE(skv_settings),
    SKV_OPTION_MEMORY_LIMIT(skv_settings),
    SKV_OPTION_THREADS(skv_settings),
    WORD(tune, "measure|off", "measure",
         "GPU: measure which of its libraries' algorithms are fastest, where no run of this user "
         "has done so; or take the libraries' first",
         NULL),
    ROW(png_threads, INT, "1", "threads that encode PNGs", NULL),
    ROW(allow_other_device, BOOL, "false",
        "accept ranks that differ in CPU family or GPU model, and a run begun on another GPU",
        NULL),
    SKV_OPTION_RANKS(skv_settings),
    {0}};

skv_status skv_settings_read(skv_settings *s, const skv_settings_sources *sources)
{
    memset(s, 0, sizeof *s);
    return skv_config_apply(skv_settings_table, s, sources);
}

static skv_status in_range(const char *option, double value, double low, double high)
{
    if (value >= low && value <= high)
        return SKV_OK;
    return skv_fail(SKV_E_ARG, "--%s %g is out of range, want %g to %g", option, value, low, high);
}

/* text: --prompt, or NULL. */
static skv_status check_prompt(const char *text)
{
    if (text && text[strspn(text, " \t")] == '\0')
        return skv_fail(SKV_E_ARG, "--prompt is empty: want the text of one prompt");
    if (text && strchr(text, '\n'))
        return skv_fail(SKV_E_ARG, "--prompt has more than one line; want a list: --prompts FILE");
    if (text && !skv_utf8_is_valid(text, strlen(text)))
        return skv_fail(SKV_E_ARG, "--prompt is not UTF-8");
    return SKV_OK;
}

skv_status skv_settings_check(const skv_settings *s)
{
    int64_t first, end;
    skv_planned_gpu planned;
    skv_torch_gpu gpu;
    skv_store store;
    size_t pool;

    SKV_TRY(skv_torch_gpu_parse(&gpu, s->torch_gpu));
    SKV_TRY(check_prompt(s->prompt));
    if (s->budget)
        SKV_TRY(skv_pool_parse(&pool, s->budget));
    if (s->for_gpu && !s->dry_run)
        return skv_fail(SKV_E_ARG, "--for %s plans alone: want --dry-run beside it", s->for_gpu);
    if (s->for_gpu)
        SKV_TRY(skv_gpu_planned(&planned, s->for_gpu));
    if (s->memory_limit < 0)
        return skv_fail(SKV_E_ARG, "--memory-limit is negative");
    SKV_TRY(in_range("samples", (double)s->samples, 1, 10000));
    SKV_TRY(in_range("group-size", (double)s->group_size, 1, 1024));
    SKV_TRY(in_range("threads", (double)s->threads, 0, 1024));
    SKV_TRY(in_range("png-threads", (double)s->png_threads, 1, 64));
    SKV_TRY(in_range("max-hours", s->max_hours, 0, 1e6));
    SKV_TRY(in_range("wait-notice", s->wait_notice, 0, 1e6));
    SKV_TRY(in_range("wait-limit", s->wait_limit, 0, 1e6));
    SKV_TRY(in_range("port", (double)s->port, 0, 65535));
    SKV_TRY(in_range("top-p", s->top_p, 0, 1));
    for (int i = 0; i < s->cfg.n; i++)
        SKV_TRY(in_range("cfg", s->cfg.value[i], -100, 100));
    for (int i = 0; i < s->tau.n; i++)
        SKV_TRY(in_range("tau", s->tau.value[i], 1e-3, 100));
    if (s->drafters.n > SKV_MAX_DEPTH)
        return skv_fail(SKV_E_ARG, "--drafters has %d layers, want at most %d", s->drafters.n,
                        SKV_MAX_DEPTH);
    for (int i = 0; i < s->drafters.n; i++)
        SKV_TRY(in_range("drafters", (double)s->drafters.value[i], 0, SKV_MAX_DEPTH - 1));
    SKV_TRY(skv_settings_shard(&first, &end, s, 0));
    return skv_settings_store(&store, s);
}

static skv_status by_scale(double *out, const char *option, const skv_reals *given, int n_scales)
{
    if (given->n != 1 && given->n != n_scales)
        return skv_fail(SKV_E_ARG, "--%s has %d values, want one or one for each of %d scales",
                        option, given->n, n_scales);
    for (int si = 0; si < n_scales; si++)
        out[si] = given->value[given->n == 1 ? 0 : si];
    return SKV_OK;
}

skv_status skv_settings_guidance(skv_guidance *out, const skv_settings *s,
                                 const skv_schedule *schedule, int depth)
{
    SKV_TRY(by_scale(out->cfg, "cfg", &s->cfg, schedule->n_scales));
    SKV_TRY(by_scale(out->tau, "tau", &s->tau, schedule->n_scales));
    SKV_TRY(skv_torch_gpu_parse(&out->gpu, s->torch_gpu));
    out->top_p = s->top_p;
    if (s->cfg_insertion_layer > 0 || s->cfg_insertion_layer < -(int64_t)depth)
        return skv_fail(SKV_E_ARG, "--cfg-insertion-layer %lld is out of range, want 0 to -%d",
                        (long long)s->cfg_insertion_layer, depth);
    out->insertion = (int)s->cfg_insertion_layer;
    return SKV_OK;
}

const char *skv_settings_list(const skv_settings *s)
{
    return s->prompt ? "--prompt" : s->prompts;
}

bool skv_settings_guided(const skv_settings *s)
{
    for (int i = 0; i < s->cfg.n; i++)
        if (s->cfg.value[i] != 1.0)
            return true;
    return false;
}

skv_status skv_settings_store(skv_store *out, const skv_settings *s)
{
    const char *p = s->store;

    *out = (skv_store){0};
    while (p && *p) {
        size_t n = strcspn(p, ",");

        if (n == 4 && strncmp(p, "bits", n) == 0)
            out->bits = true;
        else if (n == 5 && strncmp(p, "image", n) == 0)
            out->image = true;
        else if (n == 3 && strncmp(p, "png", n) == 0)
            out->png = true;
        else
            return skv_fail(SKV_E_ARG, "--store %s: want bits, image and png, comma-separated",
                            s->store);
        p += n + (p[n] == ',');
    }
    if (!out->bits && !out->image)
        return skv_fail(SKV_E_ARG, "--store %s keeps no picture: want bits or image", s->store);
    return SKV_OK;
}

skv_status skv_settings_shard(int64_t *first, int64_t *end, const skv_settings *s, int64_t n_groups)
{
    long k = 1, n = 1;
    char slash = '/';
    int bytes = 0;

    if (s->shard && (sscanf(s->shard, "%6ld%c%6ld%n", &k, &slash, &n, &bytes) != 3 ||
                     s->shard[bytes] || slash != '/' || k < 1 || k > n))
        return skv_fail(SKV_E_ARG, "--shard %s: want k/n, the k-th of n parts, as in 2/4",
                        s->shard);
    *first = n_groups * (k - 1) / n;
    *end = n_groups * k / n;
    return SKV_OK;
}
