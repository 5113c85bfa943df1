#include "sample/run_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "sample/fit.h"

#define MAX_EXTRAS  3
#define MAX_MISSING 20

/* Extra tensors are allowed, but worth one line. */
static void report_extras(const skv_weights *w)
{
    const char *names[MAX_EXTRAS];
    int n = 0;

    skv_weights_extras(w, names, MAX_EXTRAS, &n);
    if (n > 0)
        skv_info("%s: %d tensors are not used: %s%s%s%s%s%s", skv_weights_describe(w), n, names[0],
                 n > 1 ? ", " : "", n > 1 ? names[1] : "", n > 2 ? ", " : "", n > 2 ? names[2] : "",
                 n > 3 ? ", ..." : "");
}

/* Warns of prompts without a rewritten text, though --rewrite-cache was given. */
static void report_missing(const skv_prompts *p, const char *cache)
{
    const skv_rewriting *r = &p->rewriting;
    size_t named = 0;

    if (r->n_missing == 0)
        return;
    skv_warn("%s: %zu of %zu prompts are not in it and are used as they are", cache, r->n_missing,
             r->n_missing + r->n_rewritten);
    for (size_t i = 0; i < p->n && named < MAX_MISSING; i++)
        if (!p->prompts[i].error && !p->prompts[i].rewritten) {
            skv_warn("not rewritten: prompt %zu, \"%.200s\"", i, p->prompts[i].text);
            named++;
        }
    if (r->n_missing > named)
        skv_warn("and %zu more; in run.h5 their prompt_used is their prompt", r->n_missing - named);
}

/* Pictures are then not under the names that were asked for. */
static void report_renamed(const skv_prompts *p, const char *list)
{
    if (p->n_renamed == 0)
        return;
    skv_warn("%s: %zu ids cannot be file names (letters, digits, '.', '_' and '-' can), so their "
             "prompts go by their number",
             list, p->n_renamed);
    for (size_t i = 0; i < sizeof p->renamed / sizeof p->renamed[0] && p->renamed[i]; i++)
        skv_warn("not a file name: \"%.100s\"", p->renamed[i]);
}

static skv_status required(const char *value, const char *option)
{
    return value ? SKV_OK : skv_fail(SKV_E_ARG, "--%s is missing", option);
}

static skv_status open_text(skv_run_setup *r)
{
    const skv_settings *s = r->settings;

    SKV_TRY(required(s->t5, "t5"));
    SKV_TRY(skv_option_opened("--t5", skv_t5_open(&r->t5_weights, &r->t5_dims, s->t5)));
    if (r->t5_dims.d_model != r->sources.dims.text_width)
        return skv_fail(SKV_E_ARG, "--t5: %s has width %d, the transformer wants text of width %d",
                        s->t5, r->t5_dims.d_model, r->sources.dims.text_width);
    return skv_option_opened(s->spm ? "--spm" : "--t5",
                             skv_tokenizer_open_for(&r->tokenizer, s->t5, s->spm,
                                                    r->t5_dims.vocab_size,
                                                    strcmp(s->tokens, "plain") == 0));
}

static void resize(const void *ctx, skv_engine_setup *e, int group_size)
{
    const skv_run_setup *r = ctx;
    const skv_group_sizes sizes = skv_rows_measure(&r->rows, group_size);

    e->max_prompts = sizes.prompts;
    e->max_text_tokens = sizes.text_tokens;
    e->max_uncond = sizes.uncond;
    e->text_scratch =
        r->text_apart ? 0 : skv_t5_scratch_bytes(&r->t5_dims, r->text_be, sizes.longest);
}

skv_status skv_run_setup_fit(const skv_run_setup *s, size_t limit)
{
    const int64_t size = s->settings->group_size, rows = s->rows.n_rows;
    const skv_fit fit = {.limit = limit,
                         .beside = s->text_apart ? 0 : s->t5_bytes,
                         .n = (int)(rows < size ? rows : size),
                         .option = "--group-size",
                         .resize = resize,
                         .ctx = s};

    if (s->text_peak > limit)
        return skv_fail(
            SKV_E_ARG,
            "encoding the prompts that are not in --text-cache yet needs %zu bytes of memory, "
            "%zu are available",
            s->text_peak, limit);
    return skv_fit_check(&s->engine, &fit);
}

static skv_status plan(skv_run_setup *r, skv_backend *be)
{
    const skv_settings *s = r->settings;
    skv_engine_setup *e = &r->engine;

    e->be = be;
    e->sources = &r->sources;
    e->guided = skv_settings_guided(s);
    e->paths = r->paths.path;
    e->n_paths = r->paths.n;
    resize(r, e, (int)s->group_size);
    SKV_TRY(skv_t5_plan(&r->t5_bytes, r->text_be, r->t5_weights, &r->t5_dims));
    return skv_engine_plan(&r->memory, e);
}

skv_status skv_run_setup_text_apart(skv_run_setup *s, int64_t n_lacking, int longest)
{
    const size_t features = (size_t)longest * (size_t)s->t5_dims.d_model * sizeof(float);

    s->text_apart = true;
    s->n_texts_lacking = n_lacking;
    if (n_lacking > 0)
        s->text_peak = s->t5_bytes + skv_align_up(features) +
                       skv_t5_scratch_bytes(&s->t5_dims, s->text_be, longest);
    resize(s, &s->engine, (int)s->settings->group_size);
    return skv_engine_plan(&s->memory, &s->engine);
}

static bool row_id(const void *rows, int64_t row, char *id, size_t bytes)
{
    const skv_rows *r = rows;

    skv_rows_id(r, row, id, bytes);
    return r->tokens[skv_rows_at(r, row).prompt] > 0;
}

static skv_status plan_folder(skv_run_setup *r, const skv_backend *be)
{
    const skv_settings *s = r->settings;
    json_t *settings = NULL;

    SKV_TRY(skv_alloc(&r->folder_paths, (size_t)r->paths.n, sizeof *r->folder_paths, "paths"));
    for (int i = 0; i < r->paths.n; i++) {
        const skv_path *p = &r->paths.path[i];

        r->folder_paths[i] =
            (skv_run_plan_path){p->name, r->identity.path_digest[i], p->report, p->reference};
    }
    SKV_TRY(skv_options_to_json(&settings, skv_settings_table, s));
    r->folder = (skv_run_plan){.common = r->identity.common,
                               .digest = r->identity.digest,
                               .path = r->folder_paths,
                               .n_paths = r->paths.n,
                               .n_rows = r->rows.n_rows,
                               .n_groups = r->rows.n_groups,
                               .group_size = s->group_size,
                               .settings = settings,
                               .device = skv_backend_describe(be),
                               .any_device = be->device == SKV_HOST || s->allow_other_device,
                               .bits = r->store.bits,
                               .image = r->store.image,
                               .png = r->store.png,
                               .row_id = row_id,
                               .rows = &r->rows};
    return SKV_OK;
}

static skv_status make(skv_run_setup *r, const skv_prompt_list *list, skv_backend *be)
{
    const skv_settings *s = r->settings;
    const skv_prompts_options options = {.order = strcmp(s->prompt_order, "image_id") == 0
                                                      ? SKV_PROMPTS_ORDER_IMAGE_ID
                                                      : SKV_PROMPTS_ORDER_IMAGES};
    skv_identity_setup identity = {.settings = s, .sources = &r->sources, .paths = &r->paths};

    SKV_TRY(required(s->transformer, "transformer"));
    SKV_TRY(required(s->vae, "vae"));
    SKV_TRY(skv_settings_store(&r->store, s));
    SKV_TRY(skv_schedule_make(&r->engine.schedule, s->ratio, s->resolution));
    SKV_TRY(skv_sources_open(&r->sources, s->transformer, s->vae, s->model));
    SKV_TRY(
        skv_settings_guidance(&r->engine.guidance, s, &r->engine.schedule, r->sources.dims.depth));
    SKV_TRY(skv_paths_resolve(&r->paths, s, &r->sources.dims, &r->engine.schedule));
    SKV_TRY(open_text(r));
    SKV_TRY(skv_prompts_parse(&r->prompts, list->bytes, list->n, list->form, s->prompts, &options));
    report_renamed(r->prompts, s->prompts);
    if (list->rewrites) {
        SKV_TRY(
            skv_prompts_rewrite(r->prompts, list->rewrites, list->n_rewrites, s->rewrite_cache));
        report_missing(r->prompts, s->rewrite_cache);
        identity.rewriting = &r->prompts->rewriting;
    }
    SKV_TRY(skv_rows_init(&r->rows, s, r->prompts, r->tokenizer));
    identity.prompts = list->bytes;
    identity.prompts_bytes = list->n;
    identity.t5_digest = skv_weights_digest(r->t5_weights);
    identity.tokenizer_digest = skv_tokenizer_digest(r->tokenizer);
    SKV_TRY(skv_identity_make(&r->identity, &identity));
    SKV_TRY(plan(r, be));
    SKV_TRY(plan_folder(r, be));
    report_extras(r->sources.transformer);
    report_extras(r->sources.vae);
    return SKV_OK;
}

skv_status skv_run_setup_make(skv_run_setup *out, const skv_settings *settings,
                              const skv_prompt_list *list, skv_backend *be, skv_backend *text_be)
{
    skv_status st;

    *out = (skv_run_setup){.settings = settings, .text_be = text_be};
    st = make(out, list, be);
    if (st != SKV_OK)
        skv_run_setup_clear(out);
    return st;
}

void skv_run_setup_clear(skv_run_setup *s)
{
    json_decref(s->folder.settings);
    free(s->folder_paths);
    skv_identity_clear(&s->identity);
    skv_rows_deinit(&s->rows);
    skv_paths_clear(&s->paths);
    skv_tokenizer_destroy(s->tokenizer);
    skv_weights_close(s->t5_weights);
    skv_sources_close(&s->sources);
    skv_prompts_destroy(s->prompts);
    *s = (skv_run_setup){0};
}

void skv_run_setup_disk(const skv_run_setup *s, int64_t *group_bytes, int64_t *png_bytes)
{
    const int64_t picture = (int64_t)skv_picture_height(&s->engine.schedule) *
                            skv_picture_width(&s->engine.schedule) * 3;
    const int64_t bits = (int64_t)skv_engine_bits_bytes(&s->engine);
    const int64_t per_row = (s->store.bits ? bits : 0) + (s->store.image ? picture : 0) + 1024;

    *group_bytes = per_row * s->rows.n_rows + 65536 * s->rows.n_groups;
    *png_bytes = s->store.png ? picture * s->rows.n_rows : 0;
}
