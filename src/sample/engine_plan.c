/* The engine's memory by purpose, before anything is taken. Each part's plan runs the code that
 * will take it; phases of a group share one scratch, so the largest counts. */
#include "sample/engine.h"

#include "core/mem.h"
#include "model/bits.h"

int skv_picture_height(const skv_schedule *s)
{
    return s->h[s->n_scales - 1] * SKV_TOKEN_STRIDE;
}

int skv_picture_width(const skv_schedule *s)
{
    return s->w[s->n_scales - 1] * SKV_TOKEN_STRIDE;
}

size_t skv_engine_bits_bytes(const skv_engine_setup *setup)
{
    return skv_bits_offset(&setup->schedule, skv_dims_token_bits(&setup->sources->dims),
                           setup->schedule.n_scales);
}

static int rows_of(const skv_engine_setup *s, int n_prompts)
{
    return s->guided ? 2 * n_prompts : n_prompts;
}

static void map_sides(const skv_engine_setup *s, int *h, int *w)
{
    *h = s->schedule.h[s->schedule.n_scales - 1] * s->sources->dims.patch;
    *w = s->schedule.w[s->schedule.n_scales - 1] * s->sources->dims.patch;
}

skv_status skv_engine_kv_plan(skv_kv_plan **out, const skv_engine_setup *setup,
                              const skv_path *path, int n_prompts)
{
    return skv_kv_plan_make(out, path->policy, path->state, &setup->sources->dims, &setup->schedule,
                            rows_of(setup, n_prompts),
                            (skv_kv_types){setup->be->kv, path->kv_dtype});
}

/* rgb of one picture and the pixels of n, besides the decoder's own scratch. */
static size_t picture_bytes(const skv_schedule *s, int n)
{
    size_t values = (size_t)skv_picture_height(s) * (size_t)skv_picture_width(s) * 3;

    return skv_align_up(values * sizeof(float)) + skv_align_up((size_t)n * values);
}

static skv_status plan_paths(skv_memory_plan *m, const skv_engine_setup *s)
{
    for (int i = 0; i < s->n_paths; i++) {
        const skv_path *p = &s->paths[i];
        skv_pass_size size = {.dims = &s->sources->dims,
                              .be = s->be,
                              .schedule = &s->schedule,
                              .n_prompts = s->max_prompts,
                              .guided = s->guided,
                              .policy = p->policy,
                              .policy_state = p->state};
        size_t results = 0, scratch = 0;
        skv_kv_plan *kv = NULL;
        skv_status st;

        SKV_TRY(skv_engine_kv_plan(&kv, s, p, s->max_prompts));
        size.kv_plan = kv;
        st = skv_pass_plan(&results, &scratch, &size);
        m->results = skv_max_size(m->results, results);
        m->scratch = skv_max_size(m->scratch, scratch);
        if (skv_kv_plan_total_bytes(kv) > m->cache) {
            m->cache = skv_kv_plan_total_bytes(kv);
            m->pool = skv_kv_plan_pool_bytes(kv);
        }
        skv_kv_plan_destroy(kv);
        SKV_TRY(st);
    }
    return SKV_OK;
}

/* What computing groups takes, besides decoding. */
static skv_status plan_scales(skv_memory_plan *m, const skv_engine_setup *s)
{
    const skv_dims *d = &s->sources->dims;
    size_t cond_scratch = 0;

    SKV_TRY(skv_infinity_plan(&m->transformer, s->be, s->sources->transformer, d));
    SKV_TRY(plan_paths(m, s));
    SKV_TRY(skv_stage_plan(&m->run, d, s->be, &s->schedule));
    SKV_TRY(skv_cond_plan(&m->cond, &cond_scratch, d, s->be, rows_of(s, s->max_prompts),
                          s->max_text_tokens + s->max_uncond));
    m->text += skv_align_up((size_t)s->max_text_tokens * (size_t)d->text_width * sizeof(float));
    m->scratch = skv_max_size(m->scratch, cond_scratch);
    m->scratch = skv_max_size(m->scratch, s->text_scratch);
    return SKV_OK;
}

/* Largest scale's bits of n pictures, a byte each: what decoding uploads at a time. */
static size_t scale_bytes(const skv_engine_setup *s, int n)
{
    const int tokens = skv_schedule_tokens(&s->schedule, s->schedule.n_scales - 1);

    return skv_align_up((size_t)n * (size_t)tokens *
                        (size_t)skv_dims_token_bits(&s->sources->dims));
}

static size_t fault_bytes(int n_prompts)
{
    return skv_align_up((size_t)n_prompts * sizeof(int32_t));
}

static skv_status add_up(skv_memory_plan *m)
{
    const size_t parts[] = {m->transformer, m->vae,     m->run,   m->text,
                            m->cond,        m->results, m->cache, m->scratch};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!skv_add_size(&m->total, m->total, parts[i]))
            return skv_fail(SKV_E_MEM, "a group of this size needs more than 2^64 bytes");
    return SKV_OK;
}

skv_status skv_engine_plan(skv_memory_plan *out, const skv_engine_setup *s)
{
    const skv_dims *d = &s->sources->dims;
    skv_memory_plan m = {.text = 2 * fault_bytes(s->max_prompts)};
    int h, w;

    map_sides(s, &h, &w);
    SKV_TRY(skv_vae_plan(&m.vae, s->be, s->sources->vae, d));
    if (s->n_paths > 0)
        SKV_TRY(plan_scales(&m, s));
    m.results = skv_max_size(
        m.results, skv_align_up((size_t)(s->max_prompts * h * w * d->bits) * sizeof(float)));
    m.scratch = skv_max_size(m.scratch, scale_bytes(s, s->max_prompts));
    m.scratch = skv_max_size(m.scratch, skv_vae_scratch_bytes(d, s->be, 1, h, w) +
                                            picture_bytes(&s->schedule, s->max_prompts));
    SKV_TRY(add_up(&m));
    *out = m;
    return SKV_OK;
}
