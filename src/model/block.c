/* One layer of the transformer, at one scale. src/model/README.md, Block:
 *
 *   x += g1·SA(LN(x)·(1+s1)+b1);  x += CA(LN(x; ca_norm), text);  x += g2·FFN(LN(x)·(1+s2)+b2)
 *
 * Every residual update is one pass with the norm that follows it, so the layer starts with its
 * first norm done and ends with the next layer's; the biases of both attentions' projections are
 * added there too (in a product's epilogue they cost an H200 up to a tenth of it). The "+1" of the
 * modulations is in the tables. */
#include <assert.h>

#include "model/buffer.h"

/* One row, repeated for all. */
static skv_tensor repeat(const skv_tensor *row, int n_rows)
{
    skv_tensor t = *row;

    t.shape[0] = n_rows;
    t.stride[0] = 0;
    return t;
}

/* y = x·wᵀ + b for tokens of some rows: x, y three-dimensional; b NULL: none. */
static skv_status linear(skv_backend *be, const skv_tensor *y, const skv_tensor *x,
                         const skv_tensor *w, const skv_tensor *b)
{
    const int64_t rows = x->shape[0] * x->shape[1];

    return skv_linear(be, &(skv_linear_args){.y = SKV_RESHAPE(y, rows, y->shape[2]),
                                             .x = SKV_RESHAPE(x, rows, x->shape[2]),
                                             .w = *w,
                                             .b = b ? *b : (skv_tensor){0}});
}

/* The policy cuts the layer's cache; a probe may look on, or put recorded positions in its place.
 */
static skv_status cut(skv_pass *p, int layer, int si, const skv_kv_view *view,
                      const skv_tensor *q_raw, const skv_tensor *q)
{
    const skv_probe *probe = p->probe;
    skv_tensor forced = {0}, chosen = {0};
    skv_cut seen = {.si = si,
                    .layer = layer,
                    .k = view->k,
                    .q_raw = *q_raw,
                    .window = p->window,
                    .n_window = p->n_window,
                    .len = view->len};

    if (probe && probe->forced)
        SKV_TRY(probe->forced(probe->ctx, si, layer, &forced));
    SKV_TRY(skv_kv_end(p->kv, layer, si, q_raw, q, &p->select, &forced, &chosen));
    seen.keep = chosen;
    if (probe && probe->cut && chosen.data)
        SKV_TRY(probe->cut(probe->ctx, &seen));
    return SKV_OK;
}

/* The QKV product and what follows it token by token, some rows at a time: q, the cache, q_raw. */
static skv_status project(skv_pass *p, int layer, int si, const skv_tensor *q,
                          const skv_kv_view *view, const skv_tensor *q_raw)
{
    const skv_dims *d = &p->setup.model->dims;
    const skv_block_weights *w = &p->setup.model->block[layer];
    const int64_t tokens = skv_schedule_tokens(&p->setup.stage->schedule, si);
    const int step = skv_limits_rows_at_once(p->setup.model->be->limits, p->n_rows, tokens);
    skv_backend *be = p->setup.model->be;
    skv_tensor a = skv_buffer__normed(p, si);

    for (int first = 0; first < p->n_rows; first += step) {
        const int n = first + step < p->n_rows ? step : p->n_rows - first;
        skv_tensor x = skv_tensor_rows(&a, first, n),
                   qkv = skv_buffer__wide(p, n, tokens, 3 * d->width);

        SKV_TRY(linear(be, &qkv, &x, &w->qkv, NULL));
        SKV_TRY(skv_qkv_rope(
            be,
            &(skv_qkv_rope_args){.q = skv_tensor_rows(q, first, n),
                                 .k = skv_tensor_rows(&view->k, first, n),
                                 .v = skv_tensor_rows(&view->v, first, n),
                                 .q_raw = q_raw->data ? skv_tensor_rows(q_raw, first, n) : *q_raw,
                                 .qkv = qkv,
                                 .q_bias = w->q_bias,
                                 .v_bias = w->v_bias,
                                 .scale = w->scale,
                                 .rope = p->setup.stage->rope[si],
                                 .base = view->base,
                                 .window = p->window,
                                 .n_window = q_raw->data ? p->n_window : 0}));
    }
    return SKV_OK;
}

/* y (in the work buffer) = SA of p->normed, without the last bias; keys and values go to the cache.
 */
static skv_status self_attention(skv_pass *p, int layer, int si, skv_tensor *y)
{
    const skv_dims *d = &p->setup.model->dims;
    const skv_block_weights *w = &p->setup.model->block[layer];
    const int64_t tokens = skv_schedule_tokens(&p->setup.stage->schedule, si);
    skv_backend *be = p->setup.model->be;
    skv_tensor normed = skv_buffer__normed(p, si), q = skv_buffer__full(p, tokens), q_raw = {0};
    skv_tensor o = SKV_RESHAPE(&normed, p->n_rows, tokens, d->heads, d->head_dim);
    skv_kv_view view;
    skv_kv_read read;

    q = SKV_RESHAPE(&q, p->n_rows, tokens, d->heads, d->head_dim);
    if (p->queries == SKV_QUERIES_RAW && skv_kv_cuts_at(p->kv, layer, si))
        q_raw = SKV_TENSOR(p->q_raw, SKV_F32, be->device, p->n_rows, p->n_window, d->heads,
                           d->head_dim);
    SKV_TRY(skv_kv_begin(p->kv, layer, si, &view));
    SKV_TRY(project(p, layer, si, &q, &view, &q_raw));
    SKV_TRY(skv_kv_attend(p->kv, &q, &p->select, &read));
    SKV_TRY(skv_attention(
        be, &(skv_attention_args){
                .o = o, .q = q, .k = read.k, .v = read.v, .len = read.len, .scale = 1.0f}));
    if (p->probe && p->probe->attended)
        SKV_TRY(p->probe->attended(
            p->probe->ctx,
            &(skv_attended){.si = si, .layer = layer, .q = q, .k = read.k, .len = read.len}));
    SKV_TRY(cut(p, layer, si, &view, &q_raw, &q));
    *y = skv_buffer__full(p, tokens);
    return linear(be, y, &normed, &w->proj, NULL);
}

/* p->normed = FFN of p->normed, some rows at a time. */
static skv_status feed_forward(skv_pass *p, int layer, int si)
{
    const skv_dims *d = &p->setup.model->dims;
    const skv_block_weights *w = &p->setup.model->block[layer];
    const int64_t tokens = skv_schedule_tokens(&p->setup.stage->schedule, si);
    skv_backend *be = p->setup.model->be;
    const int step = skv_limits_rows_at_once(be->limits, p->n_rows, tokens);
    skv_tensor all = skv_buffer__normed(p, si);

    for (int first = 0; first < p->n_rows; first += step) {
        const int n = first + step < p->n_rows ? step : p->n_rows - first;
        skv_tensor normed = skv_tensor_rows(&all, first, n);
        skv_tensor hidden = skv_buffer__wide(p, n, tokens, d->hidden);

        SKV_TRY(
            skv_linear_gelu(be, &(skv_linear_args){.y = SKV_RESHAPE(&hidden, n * tokens, d->hidden),
                                                   .x = SKV_RESHAPE(&normed, n * tokens, d->width),
                                                   .w = w->fc1,
                                                   .b = w->fc1_bias}));
        SKV_TRY(linear(be, &normed, &hidden, &w->fc2, &w->fc2_bias));
    }
    return SKV_OK;
}

/* x += g2·y, y = p->normed, and what comes between this layer and the next: guidance in the
 * residual stream, the next layer's first norm. */
static skv_status finish(skv_pass *p, int layer, int si)
{
    const skv_infinity *m = p->setup.model;
    const int width = m->dims.width;
    const bool last = layer + 1 == m->dims.depth;
    const bool mix = p->setup.guided && p->setup.guidance.insertion < 0 &&
                     layer == m->dims.depth + p->setup.guidance.insertion;
    skv_tensor x = skv_buffer__x(p, si), normed = skv_buffer__normed(p, si);
    skv_tensor g2 = skv_cond__mod(p->cond, layer, MOD_G2, width), s1, b1;

    if (last || mix)
        SKV_TRY(skv_gate_add(m->be, &(skv_gate_add_args){.x = x, .h = normed, .gate = g2}));
    if (mix)
        SKV_TRY(skv_guide_mix(
            m->be, &(skv_guide_mix_args){.x = x, .cfg = (float)p->setup.guidance.cfg[si]}));
    if (last)
        return SKV_OK;
    s1 = skv_cond__mod(p->cond, layer + 1, MOD_S1, width);
    b1 = skv_cond__mod(p->cond, layer + 1, MOD_B1, width);
    if (mix)
        return skv_norm(
            m->be,
            &(skv_norm_args){.y = normed, .x = x, .scale = s1, .shift = b1, .eps = SKV_NORM_EPS});
    return skv_gate_norm(m->be, &(skv_gate_norm_args){.y = normed,
                                                      .x = x,
                                                      .h = normed,
                                                      .gate = g2,
                                                      .scale = s1,
                                                      .shift = b1,
                                                      .eps = SKV_NORM_EPS});
}

skv_status skv_block__forward(skv_pass *p, int layer, int si)
{
    const skv_infinity *m = p->setup.model;
    const skv_block_weights *w = &m->block[layer];
    const int width = m->dims.width;
    const skv_tensor g1 = skv_cond__mod(p->cond, layer, MOD_G1, width);
    const skv_tensor s2 = skv_cond__mod(p->cond, layer, MOD_S2, width);
    const skv_tensor b2 = skv_cond__mod(p->cond, layer, MOD_B2, width);
    const skv_tensor ca_scale = repeat(&w->ca_norm_w, p->n_rows);
    const skv_tensor ca_shift = repeat(&w->ca_norm_b, p->n_rows);
    const skv_tensor ones = repeat(&m->ones, p->n_rows);
    skv_tensor x = skv_buffer__x(p, si), normed = skv_buffer__normed(p, si), y;

    SKV_TRY(self_attention(p, layer, si, &y)); /* y = SA(normed) */
    SKV_TRY(skv_gate_norm(m->be, &(skv_gate_norm_args){.y = normed,
                                                       .x = x,
                                                       .h = y,
                                                       .gate = g1,
                                                       .bias = w->proj_bias,
                                                       .scale = ca_scale,
                                                       .shift = ca_shift,
                                                       .eps = SKV_NORM_EPS}));
    SKV_TRY(skv_block__cross_attention(p, layer, si, &y)); /* y = CA(normed, text) */
    SKV_TRY(skv_gate_norm(m->be, &(skv_gate_norm_args){.y = normed,
                                                       .x = x,
                                                       .h = y,
                                                       .gate = ones,
                                                       .bias = w->ca_proj_bias,
                                                       .scale = s2,
                                                       .shift = b2,
                                                       .eps = SKV_NORM_EPS}));
    SKV_TRY(feed_forward(p, layer, si)); /* normed = FFN(normed) */
    return finish(p, layer, si);         /* x += g2·normed; the next layer's first norm */
}
