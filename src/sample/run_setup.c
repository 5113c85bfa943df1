#include "sample/run_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "sample/fit.h"

#define MAX_EXTRAS 3

/* Extra tensors are allowed, but worth one line. */
static void report_extras(const skv_weights *w)
{
    const char *names[MAX_EXTRAS];
    int n = 0;

    skv_weights_extras(w, names, MAX_EXTRAS, &n);
    if (n > 0)
        skv_info("%s: %d tensor%s not used: %s%s%s%s%s%s", skv_weights_describe(w), n,
                 n == 1 ? " is" : "s are", names[0], n > 1 ? ", " : "", n > 1 ? names[1] : "",
                 n > 2 ? ", " : "", n > 2 ? names[2] : "", n > 3 ? ", ..." : "");
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

static void use_sizes(const skv_run_setup *r, skv_engine_setup *e, const skv_group_sizes *sizes)
{
    e->max_prompts = sizes->prompts;
    e->max_text_tokens = sizes->text_tokens;
    e->max_uncond = sizes->uncond;
    e->text_scratch =
        r->text_apart ? 0 : skv_t5_scratch_bytes(&r->t5_dims, r->text_be, sizes->longest);
}

static skv_status resize(const void *ctx, skv_engine_setup *e, int group_size)
{
    const skv_run_setup *r = ctx;
    skv_group_sizes sizes = r->sizes;

    if (group_size != r->settings->group_size)
        SKV_TRY(skv_rows_measure(&sizes, &r->rows, group_size));
    use_sizes(r, e, &sizes);
    return SKV_OK;
}

/* With --text-cache: T5's scratch is not there together with the rest. */
static skv_status resize_apart(const void *ctx, skv_engine_setup *e, int group_size)
{
    SKV_TRY(resize(ctx, e, group_size));
    e->text_scratch = 0;
    return SKV_OK;
}

/* Bytes of T5 alone: its weights, its scratch and the features of one text of these tokens. */
static size_t text_alone(const skv_run_setup *s, int longest)
{
    const size_t features = (size_t)longest * (size_t)s->t5_dims.d_model * sizeof(float);

    return s->t5_bytes + skv_align_up(features) +
           skv_t5_scratch_bytes(&s->t5_dims, s->text_be, longest);
}

/* Whether groups of `size` rows, or all rows where they are fewer, fit. */
static skv_fit fit_of(const skv_run_setup *s, size_t limit, int64_t size)
{
    const int64_t rows = s->rows.segments.n_rows;

    return (skv_fit){.limit = limit,
                     .beside = s->text_apart ? 0 : s->t5_bytes,
                     .beside_row = s->probe_row,
                     .n = (int)(rows < size ? rows : size),
                     .option = "--group-size",
                     .resize = resize,
                     .ctx = s};
}

skv_status skv_run_setup_largest(int *out, const skv_run_setup *s, size_t limit, int most)
{
    const skv_fit fit = fit_of(s, limit, most);

    return skv_fit_largest(out, &s->engine, &fit);
}

skv_status skv_run_setup_fit(const skv_run_setup *s, size_t limit)
{
    skv_fit fit = fit_of(s, limit, s->settings->group_size), sparing = fit;

    if (s->text_peak > limit)
        return skv_fail(
            SKV_E_ARG,
            "encoding the prompts that are not in --text-cache yet needs %zu bytes of memory, "
            "%zu are available",
            s->text_peak, limit);
    sparing.beside = 0;
    sparing.resize = resize_apart;
    if (!s->text_apart && text_alone(s, s->sizes.longest) <= limit) {
        fit.sparing = &sparing;
        fit.sparing_option = "--text-cache FILE";
    }
    return skv_fit_check(&s->engine, &fit);
}

static skv_status plan(skv_run_setup *r)
{
    const skv_settings *s = r->settings;
    skv_engine_setup *e = &r->engine;

    e->sources = &r->sources;
    e->guided = skv_settings_guided(s);
    e->paths = r->paths.path;
    e->n_paths = r->paths.n;
    use_sizes(r, e, &r->sizes);
    SKV_TRY(skv_t5_plan(&r->t5_bytes, r->text_be, r->t5_weights, &r->t5_dims));
    return skv_engine_plan(&r->memory, e);
}

skv_status skv_run_setup_text_apart(skv_run_setup *s, int64_t n_lacking, int longest)
{
    s->text_apart = true;
    s->n_texts_lacking = n_lacking;
    if (n_lacking > 0)
        s->text_peak = text_alone(s, longest);
    use_sizes(s, &s->engine, &s->sizes);
    return skv_engine_plan(&s->memory, &s->engine);
}

#define ID_SPAN 256 /* prompts loaded together where ids are asked for in order */

static skv_status row_id(void *setup, int64_t row, char *id, size_t bytes, bool *sampled)
{
    skv_run_setup *s = setup;
    skv_row_span *span = &s->ids;
    int64_t p, sample, left;

    skv_segments_of_row(&s->rows.segments, row, &p, &sample);
    left = s->rows.facts.n_prompts - p;
    if (p < span->first || p >= span->first + span->n) {
        skv_row_span_clear(span);
        SKV_TRY(skv_rows_load(span, &s->rows, p, left < ID_SPAN ? left : ID_SPAN));
    }
    skv_row_id(span, row, id, bytes);
    *sampled = !skv_row_of(span, row).prompt->error;
    return SKV_OK;
}

static skv_status plan_folder(skv_run_setup *r)
{
    const skv_settings *s = r->settings;
    const skv_backend *be = r->engine.be;
    json_t *settings = NULL;

    SKV_TRY(skv_alloc(&r->folder_paths, (size_t)r->paths.n, sizeof *r->folder_paths, "paths"));
    for (int i = 0; i < r->paths.n; i++) {
        const skv_path *p = &r->paths.path[i];

        r->folder_paths[i] =
            (skv_run_plan_path){p->name, r->identity.path_digest[i], p->report, p->reference};
    }
    SKV_TRY(skv_options_to_record(&settings, skv_settings_table, s));
    r->folder.settings = settings; /* freed with it */
    SKV_TRY(skv_paths_record(settings, s));
    r->folder = (skv_run_plan){.common = r->identity.common,
                               .digest = r->identity.digest,
                               .path = r->folder_paths,
                               .n_paths = r->paths.n,
                               .segments = &r->rows.segments,
                               .grown_from = r->grown_from,
                               .flat_max = SKV_FLAT_MAX,
                               .settings = settings,
                               .device = skv_backend_describe(be),
                               .any_device = be->device == SKV_HOST || s->allow_other_device,
                               .bits = r->store.bits,
                               .image = r->store.image,
                               .png = r->store.png,
                               .row_id = row_id,
                               .rows = r};
    return SKV_OK;
}

static skv_status open_all(skv_run_setup *r, skv_backend *be)
{
    const skv_settings *s = r->settings;

    r->engine.be = be;
    SKV_TRY(required(s->transformer, "transformer"));
    SKV_TRY(required(s->vae, "vae"));
    SKV_TRY(skv_settings_store(&r->store, s));
    SKV_TRY(skv_schedule_make(&r->engine.schedule, s->ratio, s->resolution));
    SKV_TRY(skv_sources_open(&r->sources, s->transformer, s->vae, s->model));
    SKV_TRY(
        skv_settings_guidance(&r->engine.guidance, s, &r->engine.schedule, r->sources.dims.depth));
    SKV_TRY(skv_paths_resolve(&r->paths, s, &r->sources.dims, &r->engine.schedule, be->kv));
    return open_text(r);
}

skv_status skv_run_setup_open(skv_run_setup *out, const skv_settings *settings, skv_backend *be,
                              skv_backend *text_be)
{
    skv_status st;

    *out = (skv_run_setup){.settings = settings, .text_be = text_be};
    st = open_all(out, be);
    if (st != SKV_OK)
        skv_run_setup_clear(out);
    return st;
}

skv_status skv_run_setup_rows(skv_run_setup *r, const skv_prompt_facts *facts)
{
    SKV_TRY(
        skv_rows_init(&r->rows, r->settings, r->table, facts, r->tokenizer, r->t5_dims.vocab_size));
    if (r->begun.there)
        r->rows.segments = r->begun.segments;
    return SKV_OK;
}

skv_status skv_run_setup_plan(skv_run_setup *r)
{
    const skv_prompt_facts *facts = &r->rows.facts;
    const skv_identity_setup identity = {.settings = r->settings,
                                         .sources = &r->sources,
                                         .paths = &r->paths,
                                         .prompts = facts->prompts,
                                         .rewriting =
                                             r->settings->rewrite_cache ? &facts->rewriting : NULL,
                                         .t5_digest = skv_weights_digest(r->t5_weights),
                                         .tokenizer_digest = skv_tokenizer_digest(r->tokenizer)};

    SKV_TRY(skv_identity_make(&r->identity, &identity));
    if (r->begun.there)
        memcpy(r->identity.digest, r->begun.digest, sizeof r->identity.digest);
    SKV_TRY(plan(r));
    SKV_TRY(plan_folder(r));
    report_extras(r->sources.transformer);
    report_extras(r->sources.vae);
    return SKV_OK;
}

void skv_run_setup_use_table(skv_run_setup *r, skv_prompt_table *table)
{
    skv_row_span_clear(&r->ids);
    skv_prompt_table_destroy(r->table);
    r->table = table;
    r->rows.table = table;
}

void skv_run_setup_clear(skv_run_setup *s)
{
    json_decref(s->folder.settings);
    json_decref(s->grown_from);
    free(s->folder_paths);
    skv_identity_clear(&s->identity);
    skv_row_span_clear(&s->ids);
    skv_prompt_table_destroy(s->table);
    skv_paths_clear(&s->paths);
    skv_tokenizer_destroy(s->tokenizer);
    skv_weights_close(s->t5_weights);
    skv_sources_close(&s->sources);
    *s = (skv_run_setup){0};
}

void skv_run_setup_disk(const skv_run_setup *s, int64_t *group_bytes, int64_t *png_bytes)
{
    const int64_t picture = (int64_t)skv_picture_height(&s->engine.schedule) *
                            skv_picture_width(&s->engine.schedule) * 3;
    const int64_t bits = (int64_t)skv_engine_bits_bytes(&s->engine);
    const int64_t per_row = (s->store.bits ? bits : 0) + (s->store.image ? picture : 0) + 1024;

    *group_bytes = per_row * s->rows.segments.n_rows + 65536 * s->rows.segments.n_groups;
    *png_bytes = s->store.png ? picture * s->rows.segments.n_rows : 0;
}
