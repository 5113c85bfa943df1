#include "sample/settings.h"

#include <stdio.h>
#include <string.h>

#include "core/json.h"

#define ROW(field, type, fallback, help, group)                                                    \
    {                                                                                              \
#field, SKV_OPT_##type, offsetof(skv_settings, field), fallback, help, group               \
    }

const skv_option skv_settings_table[] = {
    ROW(config, PATH, NULL, "JSON file with any of these keys", "Configuration"),
    ROW(model, STRING, NULL, "2b, 8b, ...: check that the checkpoint is this variant", "Model"),
    ROW(transformer, PATH, NULL, "checkpoint file, folder or index, or formula:NAME", NULL),
    ROW(vae, PATH, NULL, "VAE checkpoint, or formula:NAME", NULL),
    ROW(t5, PATH, NULL, "folder of flan-t5-xl, or formula:xl", NULL),
    ROW(spm, PATH, NULL, "spiece.model, when not in the T5 folder", NULL),
    ROW(prompts, PATH, NULL, "text, JSONL, JSON (COCO), CSV, or a folder of .txt", "Prompts"),
    ROW(prompt_order, STRING, "images", "COCO: images (file order) or image_id", NULL),
    ROW(rewrite_cache, PATH, NULL,
        "JSON object, prompt to the text encoded in its place (GenEval's rewritten prompts)", NULL),
    ROW(text_cache, PATH, NULL,
        "file that keeps encoded prompts: T5 is loaded for those it lacks alone, and given back",
        NULL),
    ROW(samples, INT, "1", "pictures a prompt", NULL),
    ROW(seed, U64, "0", "run seed", NULL),
    ROW(seed_rule, STRING, "row", "row: run seed + row; index: the prompt's index (COCO)", NULL),
    ROW(negative, STRING, NULL, "negative prompt of the run", NULL),
    ROW(positive, BOOL, "false", "append upstream's face prompt where it names people", NULL),
    ROW(tokens, STRING, "upstream", "upstream (as HF's fast tokenizer) or plain", NULL),
    ROW(ratio, REAL, "1", "height/width", "Picture"),
    ROW(resolution, STRING, "1M", "0.06M, 0.25M, 0.60M or 1M", NULL),
    ROW(cfg, REALS, "3", "guidance: one number, or one a scale", NULL),
    ROW(tau, REALS, "1", "temperature: one number, or one a scale", NULL),
    ROW(top_p, REAL, "0.97", "of a bit's two values", NULL),
    ROW(cfg_insertion_layer, INT, "0", "0: on the logits; -k: after layer depth-k", NULL),
    ROW(paths, STRING, NULL, "names, comma-separated: of path_definitions, or POLICY-PERCENT",
        "Cache paths"),
    ROW(path_definitions, JSON, NULL,
        "list of {name, policy, percent | tokens, budget_file, drafters, options, reference}",
        NULL),
    ROW(drafters, INTS, NULL, "ScaleKV's drafter layers, for models without a known set", NULL),
    ROW(budget_file, PATH, NULL, "ScaleKV: released budget JSON instead of the rule", NULL),
    ROW(out, STRING, NULL, "folder of the run", "Run"),
    ROW(note, STRING, NULL, "words kept in RUN/run.json: where these settings come from", NULL),
    ROW(store, STRING, "bits,image,png", "what is kept of a picture", NULL),
    ROW(group_size, INT, "8", "rows computed in one batch", NULL),
    ROW(only, STRING, NULL, "compute one id's group, write its PNG alone", NULL),
    ROW(dry_run, BOOL, "false", "print the plan: ranks, groups, memory, disk", NULL),
    ROW(virtual_run, BOOL, "false", "run.h5 points at the pictures in the group files", NULL),
    ROW(device, STRING, "auto", "auto, cpu or cuda", "Device"),
    ROW(dtype, STRING, "auto", "auto, bf16 or fp32; auto: bf16 on a GPU, fp32 on the CPU", NULL),
    ROW(memory_limit, INT, "0", "refuse what needs more bytes; 0: more than there are", NULL),
    ROW(threads, INT, "0", "CPU threads a rank; 0: cores of the host / its ranks", NULL),
    ROW(png_threads, INT, "1", "threads that encode pictures", NULL),
    ROW(allow_other_device, BOOL, "false",
        "go on where ranks, or what is there of the run, differ in CPU family or GPU model", NULL),
    {0}};

skv_status skv_settings_read(skv_settings *s, const char *config, size_t bytes, const char *name,
                             const char *folder, int argc, char **argv)
{
    skv_status st;
    json_t *root = NULL;

    memset(s, 0, sizeof *s);
    SKV_TRY_GOTO(skv_options_defaults(skv_settings_table, s), done);
    if (config) {
        SKV_TRY_GOTO(skv_json_parse(&root, config, bytes, name), done);
        SKV_TRY_GOTO(skv_options_from_json(skv_settings_table, s, root, name, folder), done);
    }
    SKV_TRY_GOTO(skv_options_from_args(skv_settings_table, s, argc, argv, NULL, NULL), done);
done:
    json_decref(root);
    return st;
}

static skv_status one_of(const char *option, const char *value, const char *const *words)
{
    for (const char *const *w = words; *w; w++)
        if (value && strcmp(value, *w) == 0)
            return SKV_OK;
    return skv_fail(SKV_E_ARG, "--%s %s is not one of %s, %s%s%s", option, value ? value : "",
                    words[0], words[1], words[2] ? ", " : "", words[2] ? words[2] : "");
}

static skv_status in_range(const char *option, double value, double low, double high)
{
    if (value >= low && value <= high)
        return SKV_OK;
    return skv_fail(SKV_E_ARG, "--%s %g is out of range, want %g to %g", option, value, low, high);
}

skv_status skv_settings_check(const skv_settings *s)
{
    skv_store store;

    SKV_TRY(one_of("prompt-order", s->prompt_order, (const char *[]){"images", "image_id", NULL}));
    SKV_TRY(one_of("seed-rule", s->seed_rule, (const char *[]){"row", "index", NULL}));
    SKV_TRY(one_of("tokens", s->tokens, (const char *[]){"upstream", "plain", NULL}));
    SKV_TRY(one_of("device", s->device, (const char *[]){"auto", "cpu", "cuda", NULL}));
    SKV_TRY(one_of("dtype", s->dtype, (const char *[]){"auto", "bf16", "fp32", NULL}));
    if (s->memory_limit < 0)
        return skv_fail(SKV_E_ARG, "--memory-limit is negative");
    SKV_TRY(in_range("samples", (double)s->samples, 1, 10000));
    SKV_TRY(in_range("group-size", (double)s->group_size, 1, 1024));
    SKV_TRY(in_range("threads", (double)s->threads, 0, 1024));
    SKV_TRY(in_range("png-threads", (double)s->png_threads, 1, 64));
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
    out->top_p = s->top_p;
    if (s->cfg_insertion_layer > 0 || s->cfg_insertion_layer < -(int64_t)depth)
        return skv_fail(SKV_E_ARG, "--cfg-insertion-layer %lld is out of range, want 0 to -%d",
                        (long long)s->cfg_insertion_layer, depth);
    out->insertion = (int)s->cfg_insertion_layer;
    return SKV_OK;
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
