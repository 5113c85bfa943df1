/* One pass over the scales: blocks, logits, bits, residual map, next input. */
#include "model/infinity.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/bits.h"
#include "model/buffer.h"

static int largest(const skv_schedule *s)
{
    return s->n_scales - 1;
}

/* Queries a row that a RAW policy wants of a layer: the most of any scale after which it cuts. */
static int window_rows(const skv_pass_size *s)
{
    int32_t window[SKV_MAX_WINDOW];
    int most = 0;

    for (int si = 0; si < largest(s->schedule); si++) {
        bool cuts = false;
        int n = 0;

        for (int layer = 0; layer < s->dims->depth && !cuts; layer++)
            cuts = skv_kv_plan_cuts_at(s->kv_plan, layer, si);
        if (cuts && s->policy->queries(s->policy_state, si, window, &n) == SKV_QUERIES_RAW)
            most = n > most ? n : most;
    }
    return most;
}

/* Takes what outlives the scales: bits and residual map. */
static skv_status layout_results(skv_pass *p, const skv_pass_size *s, skv_arena *arena)
{
    const skv_dims *d = s->dims;
    const skv_schedule *sch = s->schedule;
    const skv_device device = s->be->device;
    const int last = largest(sch), bits = skv_dims_token_bits(d), n_prompts = s->n_prompts;
    const int64_t hz = sch->h[last] * d->patch, wz = sch->w[last] * d->patch;

    for (int si = 0; si < sch->n_scales; si++) {
        int64_t n = skv_schedule_tokens(sch, si);

        SKV_TRY(SKV_TAKE(&p->bits[si], arena, SKV_U8, device, n_prompts, n, bits));
    }
    return SKV_TAKE(&p->z, arena, SKV_F32, device, n_prompts, hz, wz, d->bits);
}

/* Takes the buffers of the largest scale. */
static skv_status layout_scratch(skv_pass *p, const skv_pass_size *s, skv_arena *arena)
{
    const skv_dims *d = s->dims;
    const int64_t tokens = skv_schedule_tokens(s->schedule, largest(s->schedule));
    const size_t places = (size_t)p->n_rows * (size_t)tokens, width = (size_t)d->width;
    const size_t logits =
        (size_t)s->n_prompts * (size_t)tokens * 2 * (size_t)skv_dims_token_bits(d);
    const size_t select = skv_kv_plan_select_bytes(s->kv_plan);
    void *m = NULL;

    SKV_TRY(skv_arena_take(&p->x, arena, places * width * sizeof(float)));
    SKV_TRY(skv_arena_take(
        &p->normed, arena,
        skv_max_size(places * width * skv_dtype_bytes(s->be->act), logits * sizeof(float))));
    SKV_TRY(skv_arena_take(&p->work, arena, skv_buffer__bytes(d, s->be, s->schedule, p->n_rows)));
    SKV_TRY(skv_arena_take(&p->q_raw, arena,
                           (size_t)(p->n_rows * window_rows(s)) * width * sizeof(float)));
    SKV_TRY(skv_arena_take(&m, arena, select));
    skv_arena_init(&p->select, "selection", m, select);
    return SKV_OK;
}

skv_status skv_pass_create(skv_pass **out, const skv_pass_setup *setup, skv_arena *arena,
                           skv_arena *scratch)
{
    const skv_pass_size size = {.dims = &setup->model->dims,
                                .be = setup->model->be,
                                .schedule = &setup->stage->schedule,
                                .n_prompts = setup->n_prompts,
                                .guided = setup->guided,
                                .policy = setup->policy,
                                .policy_state = setup->policy_state,
                                .kv_plan = setup->kv_plan};
    skv_status st;
    skv_pass *p = NULL;

    SKV_TRY(skv_alloc(&p, 1, sizeof *p, "pass"));
    p->setup = *setup;
    p->n_rows = setup->n_prompts * (setup->guided ? 2 : 1);
    SKV_TRY_GOTO(layout_results(p, &size, arena), done);
    SKV_TRY_GOTO(layout_scratch(p, &size, scratch), done);
    *out = p;
    p = NULL;
done:
    skv_pass_destroy(p);
    return st;
}

void skv_pass_destroy(skv_pass *p)
{
    free(p);
}

skv_status skv_pass_plan(size_t *arena_bytes, size_t *scratch_bytes, const skv_pass_size *size)
{
    skv_pass p = {.n_rows = size->n_prompts * (size->guided ? 2 : 1)};
    skv_arena results, scratch;

    skv_arena_init_counting(&results, "pass plan");
    skv_arena_init_counting(&scratch, "pass plan");
    SKV_TRY(layout_results(&p, size, &results));
    SKV_TRY(layout_scratch(&p, size, &scratch));
    *arena_bytes = results.high;
    *scratch_bytes = scratch.high;
    return SKV_OK;
}

/* The first input: the pooled text. */
static skv_status first_input(skv_pass *p)
{
    skv_tensor x = skv_buffer__x(p, 0);

    return skv_copy(p->setup.model->be,
                    &(skv_copy_args){.y = SKV_RESHAPE(&x, p->n_rows, p->setup.model->dims.width),
                                     .x = p->cond->first});
}

/* x = word_embed(z at this scale's size) + lvl_embed, the same for both rows of a prompt. */
static skv_status next_input(skv_pass *p, int si)
{
    const skv_infinity *m = p->setup.model;
    const skv_schedule *s = &p->setup.stage->schedule;
    const int64_t tokens = skv_schedule_tokens(s, si), n = p->setup.n_prompts * tokens;
    const int bits = skv_dims_token_bits(&m->dims);
    skv_tensor t = SKV_TENSOR(p->normed, SKV_F32, m->be->device, p->setup.n_prompts, tokens, bits);
    skv_tensor x = skv_buffer__x(p, si), cond = skv_tensor_rows(&x, 0, p->setup.n_prompts), uncond;
    skv_tensor bias = skv_tensor_rows(&m->lvl_word_bias, si, 1);

    SKV_TRY(skv_next_input(
        m->be, &(skv_next_input_args){
                   .t = t, .z = p->z, .h = s->h[si], .w = s->w[si], .patch = m->dims.patch}));
    SKV_TRY(skv_linear(m->be, &(skv_linear_args){.y = SKV_RESHAPE(&cond, n, m->dims.width),
                                                 .x = SKV_RESHAPE(&t, n, bits),
                                                 .w = m->word_embed,
                                                 .b = SKV_RESHAPE(&bias, m->dims.width)}));
    if (!p->setup.guided)
        return SKV_OK;
    uncond = skv_tensor_rows(&x, p->setup.n_prompts, p->setup.n_prompts);
    return skv_copy(m->be, &(skv_copy_args){.y = uncond, .x = cond});
}

/* Logits of the rows that the draw needs: conditional ones alone when guidance was mixed in before.
 */
static skv_status head(skv_pass *p, int si, skv_tensor *logits)
{
    const skv_infinity *m = p->setup.model;
    const int c = m->dims.width, bits = skv_dims_token_bits(&m->dims);
    const int64_t tokens = skv_schedule_tokens(&p->setup.stage->schedule, si);
    const int rows = p->setup.guidance.insertion < 0 ? p->setup.n_prompts : p->n_rows;
    const size_t h_bytes = skv_align_up((size_t)(rows * tokens * c) * skv_dtype_bytes(m->be->act));
    skv_tensor x = skv_buffer__x(p, si), scale = skv_cond__head_mod(p->cond, 0, c);
    skv_tensor shift = skv_cond__head_mod(p->cond, 1, c);
    skv_tensor h = SKV_TENSOR(p->work, m->be->act, m->be->device, rows, tokens, c);

    *logits = SKV_TENSOR(p->work + h_bytes, SKV_F32, m->be->device, rows, tokens, 2 * bits);
    SKV_TRY(skv_norm(m->be, &(skv_norm_args){.y = h,
                                             .x = skv_tensor_rows(&x, 0, rows),
                                             .scale = skv_tensor_rows(&scale, 0, rows),
                                             .shift = skv_tensor_rows(&shift, 0, rows),
                                             .eps = SKV_NORM_EPS}));
    return skv_linear(m->be, &(skv_linear_args){.y = SKV_RESHAPE(logits, rows * tokens, 2 * bits),
                                                .x = SKV_RESHAPE(&h, rows * tokens, c),
                                                .w = m->head,
                                                .b = m->head_bias});
}

static skv_status draw(skv_pass *p, int si, const skv_tensor *logits,
                       const skv_generator *generator)
{
    const skv_guidance *g = &p->setup.guidance;
    const skv_schedule *s = &p->setup.stage->schedule;
    const int bits = skv_dims_token_bits(&p->setup.model->dims);
    const int64_t numbers = 2 * (int64_t)skv_schedule_tokens(s, si) * bits;
    skv_backend *be = p->setup.model->be;
    skv_tensor guided = {0};

    if (p->probe && p->probe->logits)
        guided = SKV_TENSOR(p->normed, SKV_F32, be->device, p->bits[si].shape[0],
                            p->bits[si].shape[1], p->bits[si].shape[2], 2);
    SKV_TRY(skv_draw_bits(be, &(skv_draw_bits_args){.bits = p->bits[si],
                                                    .guided = guided,
                                                    .logits = *logits,
                                                    .fault = p->setup.fault,
                                                    .generator = generator,
                                                    .offset = skv_bits_drawn(s, &g->gpu, bits, si),
                                                    .threads = skv_torch_threads(&g->gpu, numbers),
                                                    .cfg = (float)g->cfg[si],
                                                    .tau = (float)g->tau[si],
                                                    .top_p = g->top_p,
                                                    .scale = si}));
    if (guided.data)
        SKV_TRY(p->probe->logits(p->probe->ctx, si, &guided, &p->bits[si]));
    return SKV_OK;
}

static skv_status blocks(skv_pass *p, int si)
{
    const skv_infinity *m = p->setup.model;
    const int c = m->dims.width;
    skv_tensor x = skv_buffer__x(p, si);

    p->queries = SKV_QUERIES_NONE;
    if (si < largest(&p->setup.stage->schedule))
        p->queries = p->setup.policy->queries(p->setup.policy_state, si, p->window, &p->n_window);
    SKV_TRY(skv_norm(m->be, &(skv_norm_args){.y = skv_buffer__normed(p, si),
                                             .x = x,
                                             .scale = skv_cond__mod(p->cond, 0, MOD_S1, c),
                                             .shift = skv_cond__mod(p->cond, 0, MOD_B1, c),
                                             .eps = SKV_NORM_EPS}));
    for (int layer = 0; layer < m->dims.depth; layer++) {
        SKV_TRY(skv_block__forward(p, layer, si));
        if (p->probe && p->probe->block)
            SKV_TRY(p->probe->block(p->probe->ctx, si, layer, &x));
    }
    return SKV_OK;
}

skv_status skv_map_from_bits(skv_backend *be, const skv_dims *dims, const skv_schedule *schedule,
                             skv_tensor *z, const skv_tensor *bits, int si)
{
    return skv_codes_add(be, &(skv_codes_add_args){.z = *z,
                                                   .bits = *bits,
                                                   .h = schedule->h[si],
                                                   .w = schedule->w[si],
                                                   .patch = dims->patch});
}

static skv_status one_scale(skv_pass *p, int si, const skv_generator *generator)
{
    const skv_infinity *m = p->setup.model;
    skv_tensor logits;

    SKV_TRY(si == 0 ? first_input(p) : next_input(p, si));
    SKV_TRY(blocks(p, si));
    SKV_TRY(head(p, si, &logits));
    SKV_TRY(draw(p, si, &logits, generator));
    return skv_map_from_bits(m->be, &m->dims, &p->setup.stage->schedule, &p->z, &p->bits[si], si);
}

_Static_assert(SKV_MAX_SCALES < SKV_MARKS, "a mark at each scale's start and one at the end");
_Static_assert(SKV_MAX_SCALES <= SKV_CAPTURES, "a capture a scale");

skv_status skv_pass_run(skv_pass *p, const skv_cond *cond, skv_kv *kv,
                        const skv_generator *generator, const skv_probe *probe,
                        skv_scale_cost *cost)
{
    const skv_infinity *m = p->setup.model;
    const skv_schedule *s = &p->setup.stage->schedule;

    assert(cond->n_rows == p->n_rows);
    p->cond = cond;
    p->kv = kv;
    p->probe = probe;
    SKV_TRY(skv_zero(m->be, &(skv_zero_args){.y = p->z}));
    for (int si = 0; si < s->n_scales; si++) {
        const int64_t flops = m->be->flops;
        skv_status st;

        if (cost)
            SKV_TRY(skv_backend_mark(m->be, si));
        if (!probe) /* which may read what was computed */
            SKV_TRY(skv_backend_capture(m->be));
        st = one_scale(p, si, generator);
        SKV_TRY(skv_backend_launch(m->be, si, st)); /* what was captured; or passes st on */
        if (cost)
            cost[si] = (skv_scale_cost){0, m->be->flops - flops};
    }
    return cost ? skv_backend_mark(m->be, s->n_scales) : SKV_OK;
}

skv_status skv_pass_seconds(const skv_pass *p, skv_scale_cost *cost)
{
    for (int si = 0; si < p->setup.stage->schedule.n_scales; si++)
        SKV_TRY(skv_backend_elapsed(p->setup.model->be, si, si + 1, &cost[si].seconds));
    return SKV_OK;
}

skv_tensor skv_pass_bits(const skv_pass *p, int si)
{
    return p->bits[si];
}

skv_tensor skv_pass_map(const skv_pass *p)
{
    return p->z;
}
