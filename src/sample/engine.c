/* The phases of a group share one scratch: what a phase takes is free again when it ends. The group
 * arena holds what outlives a phase: text, conditioning, and of the path at hand bits, map, cache.
 */
#include "sample/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "kernels/ops.h"
#include "model/bits.h"

struct skv_engine {
    skv_engine_setup setup;
    skv_memory_plan memory;
    skv_infinity *infinity;
    skv_vae *vae;
    skv_stage *stage;
    skv_cond *cond;
    skv_tensor text;
    skv_tensor text_fault;    /* (B) i32 of the group's texts, in the order of computing */
    skv_tensor fault;         /* the same of the path at hand, from text to picture */
    int *place;               /* of each prompt that is computed, in the caller's order */
    skv_generator *generator; /* of each that is computed, before its picture */
    void *run_memory, *group_memory, *scratch_memory;
    skv_arena run, group, scratch;
    size_t conditioned; /* fill of the group arena after conditioning: where paths begin */
};

static skv_status take(skv_backend *be, skv_arena *arena, void **memory, const char *name,
                       size_t bytes)
{
    SKV_TRY(skv_backend_alloc(be, memory, bytes, name));
    skv_arena_init(arena, name, *memory, bytes);
    return SKV_OK;
}

/* All of the plan but the weights. */
static skv_status take_memory(skv_engine *e)
{
    const skv_engine_setup *s = &e->setup;
    const skv_memory_plan *m = &e->memory;

    SKV_TRY(take(s->be, &e->run, &e->run_memory, "run", m->run));
    SKV_TRY(take(s->be, &e->group, &e->group_memory, "group",
                 m->text + m->cond + m->results + m->cache));
    SKV_TRY(take(s->be, &e->scratch, &e->scratch_memory, "scratch", m->scratch));
    if (s->n_paths == 0)
        return SKV_OK;
    return skv_stage_create(&e->stage, e->infinity, &s->schedule, &e->run);
}

/* Ends a group: frees what was made from its texts. */
static void forget_group(skv_engine *e)
{
    skv_cond_destroy(e->cond);
    free(e->place);
    free(e->generator);
    e->cond = NULL;
    e->place = NULL;
    e->generator = NULL;
}

static void give_memory(skv_engine *e)
{
    forget_group(e);
    skv_stage_destroy(e->stage);
    skv_backend_free(e->setup.be, e->run_memory);
    skv_backend_free(e->setup.be, e->group_memory);
    skv_backend_free(e->setup.be, e->scratch_memory);
    e->stage = NULL;
    e->run_memory = e->group_memory = e->scratch_memory = NULL;
}

skv_status skv_engine_resize(skv_engine *e, const skv_engine_setup *setup)
{
    assert(setup->be == e->setup.be && setup->sources == e->setup.sources);
    assert((setup->n_paths > 0) == (e->setup.n_paths > 0));
    give_memory(e);
    e->setup = *setup;
    SKV_TRY(skv_engine_plan(&e->memory, setup));
    return take_memory(e);
}

skv_status skv_engine_create(skv_engine **out, const skv_engine_setup *setup)
{
    skv_status st;
    skv_engine *e = NULL;
    skv_backend *be = setup->be;

    SKV_TRY(skv_alloc(&e, 1, sizeof *e, "engine"));
    e->setup = *setup;
    SKV_TRY_GOTO(skv_engine_plan(&e->memory, setup), done);
    if (setup->n_paths > 0)
        SKV_TRY_GOTO(skv_infinity_create(&e->infinity, be, setup->sources->transformer,
                                         &setup->sources->dims),
                     done);
    SKV_TRY_GOTO(skv_vae_create(&e->vae, be, setup->sources->vae, &setup->sources->dims), done);
    SKV_TRY_GOTO(take_memory(e), done);
    *out = e;
    e = NULL;
done:
    skv_engine_destroy(e);
    return st;
}

void skv_engine_destroy(skv_engine *e)
{
    if (!e)
        return;
    give_memory(e);
    skv_vae_destroy(e->vae);
    skv_infinity_destroy(e->infinity);
    free(e);
}

skv_arena *skv_engine_scratch(skv_engine *e)
{
    return &e->scratch;
}

skv_status skv_engine_text(skv_engine *e, skv_tensor *text, int n_tokens)
{
    const int width = e->setup.sources->dims.text_width;

    forget_group(e);
    skv_arena_reset(&e->group, 0);
    SKV_TRY(SKV_TAKE(&e->text, &e->group, SKV_F32, e->setup.be->device, n_tokens, width));
    *text = e->text;
    return SKV_OK;
}

/* Sorts prompts by the length of their texts, equal lengths in the given order: cross attention
 * takes neighbours of one length together. */
static void sort_prompts(int *place, const skv_text_span *spans, int n_prompts)
{
    for (int b = 0; b < n_prompts; b++) {
        int at = b;

        for (; at > 0 && spans[place[at - 1]].n > spans[b].n; at--)
            place[at] = place[at - 1];
        place[at] = b;
    }
}

static skv_status take_fault(skv_engine *e, skv_tensor *out, int n_prompts)
{
    SKV_TRY(SKV_TAKE(out, &e->group, SKV_I32, e->setup.be->device, n_prompts));
    return skv_zero(e->setup.be, &(skv_zero_args){.y = *out});
}

/* Notes a fault for each prompt whose text or negative text is not finite. */
static skv_status check_texts(skv_engine *e, const skv_text_span *spans, int n_rows)
{
    int32_t *start = NULL, *count = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&start, (size_t)n_rows, sizeof *start, "text spans"), done);
    SKV_TRY_GOTO(skv_alloc(&count, (size_t)n_rows, sizeof *count, "text spans"), done);
    for (int r = 0; r < n_rows; r++) { /* cfg_uncond is the model's: no text */
        start[r] = spans[r].uncond ? 0 : spans[r].start;
        count[r] = spans[r].uncond ? 0 : spans[r].n;
    }
    st = skv_check_finite(e->setup.be, &(skv_check_finite_args){.fault = e->text_fault,
                                                                .x = e->text,
                                                                .start = start,
                                                                .count = count,
                                                                .n_spans = n_rows,
                                                                .code = SKV_FAULT_TEXT});
done:
    free(start);
    free(count);
    return st;
}

skv_status skv_engine_condition(skv_engine *e, const skv_text_span *spans, int n_rows)
{
    const int n_prompts = e->setup.guided ? n_rows / 2 : n_rows;
    skv_text_span *sorted = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&e->place, (size_t)n_prompts, sizeof *e->place, "prompts"), done);
    SKV_TRY_GOTO(skv_alloc(&e->generator, (size_t)n_prompts, sizeof *e->generator, "prompts"),
                 done);
    SKV_TRY_GOTO(skv_alloc(&sorted, (size_t)n_rows, sizeof *sorted, "text spans"), done);
    sort_prompts(e->place, spans, n_prompts);
    for (int r = 0; r < n_rows; r++)
        sorted[r] = spans[r / n_prompts * n_prompts + e->place[r % n_prompts]];
    SKV_TRY_GOTO(take_fault(e, &e->text_fault, n_prompts), done);
    SKV_TRY_GOTO(take_fault(e, &e->fault, n_prompts), done);
    SKV_TRY_GOTO(check_texts(e, sorted, n_rows), done);
    SKV_TRY_GOTO(
        skv_cond_create(&e->cond, e->infinity, &e->text, sorted, n_rows, &e->group, &e->scratch),
        done);
    e->conditioned = skv_arena_mark(&e->group);
done:
    free(sorted);
    return st;
}

const int *skv_engine_order(const skv_engine *e)
{
    return e->place;
}

/* Decodes one picture at a time, so that the decoder's scratch is that of one, and copies all
 * pixels to the host together, so that the device need not wait between pictures. place: where each
 * goes, NULL: in order. Faults are noted in e->fault. */
static skv_status decode_map(skv_engine *e, const skv_tensor *z, const int *place, uint8_t *image,
                             float *rgb_out)
{
    const skv_schedule *s = &e->setup.schedule;
    const int64_t h = skv_picture_height(s), w = skv_picture_width(s), values = h * w * 3;
    const int64_t n = z->shape[0];
    const size_t mark = skv_arena_mark(&e->scratch);
    skv_backend *be = e->setup.be;
    skv_tensor rgb, all;

    SKV_TRY(SKV_TAKE(&rgb, &e->scratch, SKV_F32, be->device, 1, h, w, 3));
    SKV_TRY(SKV_TAKE(&all, &e->scratch, SKV_U8, be->device, n, h, w, 3));
    for (int64_t i = 0; i < n; i++) {
        const int64_t to = place ? place[i] : i;
        const skv_tensor one = skv_tensor_rows(z, i, 1);
        const skv_decoded out = {.rgb = rgb,
                                 .pixels = skv_tensor_rows(&all, to, 1),
                                 .fault = skv_tensor_rows(&e->fault, i, 1)};

        SKV_TRY(skv_vae_decode(e->vae, &one, &out, &e->scratch));
        if (rgb_out)
            SKV_TRY(skv_backend_download(be, rgb_out + to * values, rgb.data,
                                         (size_t)values * sizeof(float)));
    }
    if (image)
        SKV_TRY(skv_backend_download(be, image, all.data, (size_t)(n * values)));
    skv_arena_reset(&e->scratch, mark);
    return SKV_OK;
}

/* Bits of all scales from the device, packed by picture. */
static skv_status collect_bits(skv_engine *e, const skv_pass *pass, int n_prompts, uint8_t *out)
{
    const skv_schedule *s = &e->setup.schedule;
    const int token_bits = skv_dims_token_bits(&e->setup.sources->dims);
    const size_t bytes = skv_engine_bits_bytes(&e->setup);
    skv_status st = SKV_OK;
    uint8_t *host = NULL;

    SKV_TRY(skv_alloc(&host,
                      (size_t)n_prompts * (size_t)skv_schedule_tokens(s, s->n_scales - 1) *
                          (size_t)token_bits,
                      1, "bits"));
    for (int si = 0; si < s->n_scales; si++) {
        size_t n = (size_t)skv_schedule_tokens(s, si) * (size_t)token_bits;
        skv_tensor bits = skv_pass_bits(pass, si);

        SKV_TRY_GOTO(skv_backend_download(e->setup.be, host, bits.data, (size_t)n_prompts * n),
                     done);
        for (int b = 0; b < n_prompts; b++)
            skv_bits_pack(out + (size_t)e->place[b] * bytes + skv_bits_offset(s, token_bits, si),
                          host + (size_t)b * n, n);
    }
done:
    free(host);
    return st;
}

/* Copies the faults from the device to each prompt's place (NULL: in order). Called last, when
 * there is nothing left to wait for. */
static skv_status collect_faults(const skv_engine *e, const int *place, int32_t *out)
{
    const int64_t n = e->fault.shape[0];
    int32_t *host = NULL;
    skv_status st;

    if (!out)
        return SKV_OK;
    SKV_TRY(skv_alloc(&host, (size_t)n, sizeof *host, "faults"));
    st = skv_backend_download(e->setup.be, host, e->fault.data, (size_t)n * sizeof *host);
    for (int64_t b = 0; st == SKV_OK && b < n; b++)
        out[place ? place[b] : b] = host[b];
    free(host);
    return st;
}

static skv_status collect(skv_engine *e, const skv_pass *pass, skv_kv *kv, int n_prompts,
                          skv_path_result *r)
{
    skv_tensor z = skv_pass_map(pass);
    const double start = skv_seconds();
    const int64_t flops = e->setup.be->flops;

    r->pool_peak = skv_kv_peak_bytes(kv);
    if (r->bits)
        SKV_TRY(collect_bits(e, pass, n_prompts, r->bits));
    if (r->kept_by_source)
        SKV_TRY(skv_kv_kept_by_source(kv, r->kept_by_source));
    for (int b = 0; r->map && b < n_prompts; b++) {
        const skv_tensor one = skv_tensor_rows(&z, b, 1);
        const size_t bytes = skv_tensor_bytes(&one);

        SKV_TRY(skv_backend_download(e->setup.be, (char *)r->map + (size_t)e->place[b] * bytes,
                                     one.data, bytes));
    }
    if (r->image || r->rgb) {
        SKV_TRY(decode_map(e, &z, e->place, r->image, r->rgb));
        r->vae_seconds = skv_seconds() - start;
        r->vae_flops = e->setup.be->flops - flops;
    }
    return collect_faults(e, e->place, r->fault);
}

skv_generator skv_engine_generator(const skv_engine_setup *s, const skv_seed *seed)
{
    const uint64_t picture =
        skv_bits_drawn(&s->schedule, &s->guidance.gpu, skv_dims_token_bits(&s->sources->dims),
                       s->schedule.n_scales);

    return (skv_generator){seed->value, seed->before * picture};
}

skv_status skv_engine_path(skv_engine *e, const skv_path *path, int n_prompts, const skv_seed *seed,
                           const skv_probe *probe, skv_path_result *result)
{
    skv_pass_setup setup = {.model = e->infinity,
                            .stage = e->stage,
                            .n_prompts = n_prompts,
                            .guided = e->setup.guided,
                            .guidance = e->setup.guidance,
                            .policy = path->policy,
                            .policy_state = path->state,
                            .fault = e->fault};
    const double start = skv_seconds();
    skv_status st;
    skv_kv_plan *plan = NULL;
    skv_kv *kv = NULL;
    skv_pass *pass = NULL;

    skv_arena_reset(&e->group, e->conditioned);
    SKV_TRY_GOTO(skv_engine_kv_plan(&plan, &e->setup, path, n_prompts), done);
    setup.kv_plan = plan;
    result->pool_planned = skv_kv_plan_pool_bytes(plan);
    SKV_TRY_GOTO(skv_kv_create(&kv, e->setup.be, plan, path->policy, path->state, &e->group), done);
    SKV_TRY_GOTO(skv_pass_create(&pass, &setup, &e->group, &e->scratch), done);
    for (int b = 0; b < n_prompts; b++)
        e->generator[b] = skv_engine_generator(&e->setup, &seed[e->place[b]]);
    SKV_TRY_GOTO(skv_copy(e->setup.be, &(skv_copy_args){.y = e->fault, .x = e->text_fault}), done);
    result->scale_allocs = -e->setup.be->n_allocs;
    result->scale_waits = -e->setup.be->n_waits;
    SKV_TRY_GOTO(skv_pass_run(pass, e->cond, kv, e->generator, probe, result->scale_cost), done);
    result->scale_allocs += e->setup.be->n_allocs;
    result->scale_waits += e->setup.be->n_waits;
    SKV_TRY_GOTO(skv_backend_sync(e->setup.be), done);
    result->transformer_seconds = skv_seconds() - start;
    if (result->scale_cost)
        SKV_TRY_GOTO(skv_pass_seconds(pass, result->scale_cost), done);
    skv_arena_reset(&e->scratch, 0);
    SKV_TRY_GOTO(collect(e, pass, kv, n_prompts, result), done);
done:
    skv_arena_reset(&e->scratch, 0);
    skv_pass_destroy(pass);
    skv_kv_destroy(kv);
    skv_kv_plan_destroy(plan);
    return st;
}

/* Bits of one scale onto the device and into the map. */
static skv_status add_scale(skv_engine *e, skv_tensor *z, const uint8_t *packed, int n, int si,
                            uint8_t *host)
{
    const skv_schedule *s = &e->setup.schedule;
    const skv_dims *d = &e->setup.sources->dims;
    const int token_bits = skv_dims_token_bits(d);
    const int64_t tokens = skv_schedule_tokens(s, si);
    const size_t count = (size_t)(tokens * token_bits), bytes = skv_engine_bits_bytes(&e->setup);
    const size_t mark = skv_arena_mark(&e->scratch);
    skv_tensor bits;

    for (int b = 0; b < n; b++)
        skv_bits_unpack(host + (size_t)b * count,
                        packed + (size_t)b * bytes + skv_bits_offset(s, token_bits, si), count);
    SKV_TRY(SKV_TAKE(&bits, &e->scratch, SKV_U8, e->setup.be->device, n, tokens, token_bits));
    SKV_TRY(skv_backend_upload(e->setup.be, bits.data, host, (size_t)n * count));
    SKV_TRY(skv_map_from_bits(e->setup.be, d, s, z, &bits, si));
    skv_arena_reset(&e->scratch, mark);
    return SKV_OK;
}

skv_status skv_engine_decode(skv_engine *e, const uint8_t *bits, int n, uint8_t *image,
                             int32_t *fault)
{
    const skv_schedule *s = &e->setup.schedule;
    const skv_dims *d = &e->setup.sources->dims;
    skv_status st;
    uint8_t *host = NULL;
    const int last = s->n_scales - 1, h = s->h[last] * d->patch, w = s->w[last] * d->patch;
    skv_tensor z;

    assert(n <= e->setup.max_prompts);
    forget_group(e);
    skv_arena_reset(&e->group, 0);
    SKV_TRY(SKV_TAKE(&z, &e->group, SKV_F32, e->setup.be->device, n, h, w, d->bits));
    SKV_TRY(skv_zero(e->setup.be, &(skv_zero_args){.y = z}));
    SKV_TRY(take_fault(e, &e->fault, n));
    SKV_TRY(skv_alloc(&host, (size_t)n * (size_t)skv_schedule_tokens(s, s->n_scales - 1),
                      (size_t)skv_dims_token_bits(d), "bits"));
    for (int si = 0; si < s->n_scales; si++)
        SKV_TRY_GOTO(add_scale(e, &z, bits, n, si, host), done);
    SKV_TRY_GOTO(decode_map(e, &z, NULL, image, NULL), done);
    SKV_TRY_GOTO(collect_faults(e, NULL, fault), done);
done:
    free(host);
    return st;
}
