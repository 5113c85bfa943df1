/* The conditioning of a group: what depends on the text alone, computed once, not once a scale.
 * src/model/README.md, Conditioning. */
#include "model/infinity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/infinity_parts.h"

/* Temporaries of the projections. */
typedef struct {
    skv_tensor normed; /* (T,Ct5) act */
    skv_tensor hidden; /* (T,C) act */
    skv_tensor ctx;    /* (T,C) act */
} text_temporaries;

static skv_status take_text(text_temporaries *t, skv_arena *scratch, const skv_dims *d,
                            const skv_backend *be, int64_t tokens)
{
    SKV_TRY(SKV_TAKE(&t->normed, scratch, be->act, be->device, tokens, d->text_width));
    SKV_TRY(SKV_TAKE(&t->hidden, scratch, be->act, be->device, tokens, d->width));
    return SKV_TAKE(&t->ctx, scratch, be->act, be->device, tokens, d->width);
}

/* y = the norm of the text's tokens, then of cfg_uncond's first rows. */
static skv_status norm_text(const skv_cond *c, const skv_infinity *m, const skv_tensor *text,
                            const skv_tensor *y)
{
    SKV_TRY(skv_rms_norm(m->be, &(skv_rms_norm_args){.y = skv_tensor_rows(y, 0, c->n_text),
                                                     .x = *text,
                                                     .w = m->text_norm,
                                                     .eps = SKV_NORM_EPS}));
    if (c->n_uncond == 0)
        return SKV_OK;
    return skv_rms_norm(m->be,
                        &(skv_rms_norm_args){.y = skv_tensor_rows(y, c->n_text, c->n_uncond),
                                             .x = skv_tensor_rows(&m->cfg_uncond, 0, c->n_uncond),
                                             .w = m->text_norm,
                                             .eps = SKV_NORM_EPS});
}

/* K/V of `text` (n_text,Ct5) fp32 and of cfg_uncond for every layer and for the pooling attention:
 * c->kv and pool_kv (T,2C); temporaries from scratch. */
static skv_status project(skv_cond *c, const skv_infinity *m, const skv_tensor *text,
                          const skv_tensor *pool_kv, skv_arena *scratch)
{
    const int64_t tokens = c->n_text + c->n_uncond, width = m->dims.width;
    const size_t mark = skv_arena_mark(scratch);
    skv_backend *be = m->be;
    text_temporaries t;

    SKV_TRY(take_text(&t, scratch, &m->dims, be, tokens));
    SKV_TRY(norm_text(c, m, text, &t.normed));
    SKV_TRY(skv_linear(
        be,
        &(skv_linear_args){.y = *pool_kv, .x = t.normed, .w = m->pool_kv, .b = m->pool_kv_bias}));
    SKV_TRY(skv_linear_gelu(
        be,
        &(skv_linear_args){.y = t.hidden, .x = t.normed, .w = m->text_fc1, .b = m->text_fc1_bias}));
    SKV_TRY(skv_linear(
        be,
        &(skv_linear_args){.y = t.ctx, .x = t.hidden, .w = m->text_fc2, .b = m->text_fc2_bias}));
    for (int l = 0; l < m->dims.depth; l++)
        SKV_TRY(skv_linear(be, &(skv_linear_args){.y = SKV_RESHAPE(&c->kv[l], tokens, 2 * width),
                                                  .x = t.ctx,
                                                  .w = m->block[l].ca_kv,
                                                  .b = m->block[l].ca_kv_bias}));
    skv_arena_reset(scratch, mark);
    return SKV_OK;
}

/* Temporaries of the rows' own conditioning. */
typedef struct {
    skv_tensor pool_kv; /* (T,2C) fp32 */
    skv_tensor pooled;  /* (R,C) fp32 */
    skv_tensor cond;    /* (R,C) fp32: the pooled text */
    skv_tensor gate;    /* (R,C) fp32: SiLU(cond) */
    skv_tensor six;     /* (R,6C) fp32 */
} row_temporaries;

static skv_status take_rows(row_temporaries *t, skv_arena *scratch, const skv_dims *d,
                            const skv_backend *be, int n_rows, int64_t tokens)
{
    const int64_t c = d->width;

    SKV_TRY(SKV_TAKE(&t->pool_kv, scratch, SKV_F32, be->device, tokens, 2 * c));
    SKV_TRY(SKV_TAKE(&t->pooled, scratch, SKV_F32, be->device, n_rows, c));
    SKV_TRY(SKV_TAKE(&t->cond, scratch, SKV_F32, be->device, n_rows, c));
    SKV_TRY(SKV_TAKE(&t->gate, scratch, SKV_F32, be->device, n_rows, c));
    return SKV_TAKE(&t->six, scratch, SKV_F32, be->device, n_rows, N_MODS * c);
}

/* What stays for the group; the plan runs it on a counting arena. */
static skv_status layout(skv_cond *c, const skv_dims *d, const skv_backend *be, int n_rows,
                         int64_t tokens, skv_arena *arena)
{
    const int64_t width = d->width;

    for (int l = 0; l < d->depth; l++) {
        SKV_TRY(SKV_TAKE(&c->kv[l], arena, be->kv, be->device, tokens, 2 * width));
        c->kv[l] = SKV_RESHAPE(&c->kv[l], tokens, 2, d->heads, d->head_dim);
    }
    SKV_TRY(
        SKV_TAKE(&c->mods, arena, SKV_F32, be->device, (int64_t)d->depth * n_rows, N_MODS * width));
    SKV_TRY(SKV_TAKE(&c->head_mods, arena, SKV_F32, be->device, n_rows, 2 * width));
    return SKV_TAKE(&c->first, arena, SKV_F32, be->device, n_rows, width);
}

/* Text of the rows as start and count. */
static skv_status set_spans(skv_cond *c, const skv_text_span *spans, int n_rows, int n_text)
{
    SKV_TRY(skv_alloc(&c->start, (size_t)n_rows, sizeof *c->start, "text spans"));
    SKV_TRY(skv_alloc(&c->count, (size_t)n_rows, sizeof *c->count, "text spans"));
    c->n_rows = n_rows;
    c->n_text = n_text;
    for (int r = 0; r < n_rows; r++) {
        const int end = spans[r].start + spans[r].n;

        c->start[r] = spans[r].start + (spans[r].uncond ? n_text : 0);
        c->count[r] = spans[r].n;
        if (spans[r].uncond && end > c->n_uncond)
            c->n_uncond = end;
    }
    return SKV_OK;
}

/* sos = cond = attention pooling over each row's text, then everything that follows from it. */
static skv_status condition_rows(skv_cond *c, const skv_infinity *m, const row_temporaries *t)
{
    const skv_dims *d = &m->dims;
    const int64_t width = d->width, dp = width / d->pool_heads;
    skv_backend *be = m->be;

    SKV_TRY(skv_pool_attention(
        be, &(skv_pool_attention_args){
                .o = SKV_RESHAPE(&t->pooled, c->n_rows, d->pool_heads, dp),
                .q = m->pool_q,
                .kv = SKV_RESHAPE(&t->pool_kv, t->pool_kv.shape[0], 2, d->pool_heads, dp),
                .start = c->start,
                .count = c->count}));
    SKV_TRY(skv_linear(
        be, &(skv_linear_args){
                .y = t->cond, .x = t->pooled, .w = m->pool_proj, .b = m->pool_proj_bias}));
    SKV_TRY(
        skv_add_rows(be, &(skv_add_rows_args){.y = c->first, .x = t->cond, .b = m->first_bias}));
    SKV_TRY(skv_silu(be, &(skv_silu_args){.y = t->gate, .x = t->cond}));
    SKV_TRY(skv_linear(
        be, &(skv_linear_args){.y = t->six, .x = t->gate, .w = m->ada_lin, .b = m->ada_lin_bias}));
    SKV_TRY(skv_add_rows(be, &(skv_add_rows_args){.y = t->six, .x = t->six, .b = m->six_ones}));
    for (int l = 0; l < d->depth; l++)
        SKV_TRY(skv_add_rows(
            be,
            &(skv_add_rows_args){.y = skv_tensor_rows(&c->mods, (int64_t)l * c->n_rows, c->n_rows),
                                 .x = t->six,
                                 .b = m->block[l].gss}));
    SKV_TRY(skv_linear(
        be, &(skv_linear_args){
                .y = c->head_mods, .x = t->gate, .w = m->head_ada_lin, .b = m->head_ada_lin_bias}));
    return skv_add_rows(
        be, &(skv_add_rows_args){.y = c->head_mods, .x = c->head_mods, .b = m->head_ones});
}

skv_status skv_cond_create(skv_cond **out, const skv_infinity *m, const skv_tensor *text,
                           const skv_text_span *spans, int n_rows, skv_arena *arena,
                           skv_arena *scratch)
{
    const size_t mark = skv_arena_mark(scratch);
    skv_status st;
    skv_cond *c = NULL;
    row_temporaries t;
    int64_t tokens;

    SKV_TRY(skv_alloc(&c, 1, sizeof *c, "conditioning"));
    SKV_TRY_GOTO(set_spans(c, spans, n_rows, (int)text->shape[0]), done);
    tokens = c->n_text + c->n_uncond;
    SKV_TRY_GOTO(layout(c, &m->dims, m->be, n_rows, tokens, arena), done);
    SKV_TRY_GOTO(take_rows(&t, scratch, &m->dims, m->be, n_rows, tokens), done);
    SKV_TRY_GOTO(project(c, m, text, &t.pool_kv, scratch), done);
    SKV_TRY_GOTO(condition_rows(c, m, &t), done);
    skv_arena_reset(scratch, mark);
    *out = c;
    c = NULL;
done:
    skv_cond_destroy(c);
    return st;
}

void skv_cond_destroy(skv_cond *c)
{
    if (!c)
        return;
    free(c->start);
    free(c->count);
    free(c);
}

skv_status skv_cond_plan(size_t *arena_bytes, size_t *scratch_bytes, const skv_dims *dims,
                         const skv_backend *be, int n_rows, int text_tokens)
{
    skv_arena keep, scratch;
    skv_cond c;
    row_temporaries rows;
    text_temporaries text;

    skv_arena_init_counting(&keep, "conditioning plan");
    skv_arena_init_counting(&scratch, "conditioning plan");
    SKV_TRY(layout(&c, dims, be, n_rows, text_tokens, &keep));
    SKV_TRY(take_rows(&rows, &scratch, dims, be, n_rows, text_tokens));
    SKV_TRY(take_text(&text, &scratch, dims, be, text_tokens));
    *arena_bytes = keep.high;
    *scratch_bytes = scratch.high;
    return SKV_OK;
}

skv_tensor skv_cond__mod(const skv_cond *c, int layer, int which, int width)
{
    skv_tensor t = skv_tensor_rows(&c->mods, (int64_t)layer * c->n_rows, c->n_rows);

    t.data = (float *)t.data + (int64_t)which * width;
    t.shape[1] = width;
    return t;
}

skv_tensor skv_cond__head_mod(const skv_cond *c, int which, int width)
{
    skv_tensor t = c->head_mods;

    t.data = (float *)t.data + (int64_t)which * width;
    t.shape[1] = width;
    return t;
}
