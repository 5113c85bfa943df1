/* Cross attention of a layer. Rows with long texts: the map's tokens go through the projections, as
 * in the formula. Rows with short texts: the text goes through them instead (absorbed_attention).
 */
#include <math.h>

#include "model/buffer.h"

/* Rows first .. first+n-1 of a layer's call. count: text tokens of the rows that go one way, 0 for
 * others. */
typedef struct {
    skv_pass *p;
    const skv_block_weights *w;
    skv_tensor a, y; /* (n,L,C) act */
    skv_tensor kv;
    const int32_t *start;
    int32_t count[SKV_ABSORBED_ROWS];
    int n;
} call;

static float scale_of(const skv_dims *d)
{
    return (float)(1.0 / sqrt((double)d->head_dim));
}

/* Whether rows have a count in both halves, with and without prompt, or in neither. */
static bool halves_alike(const call *c)
{
    for (int r = 0; r < c->n / 2; r++)
        if ((c->count[r] > 0) != (c->count[c->n / 2 + r] > 0))
            return false;
    return c->n % 2 == 0;
}

/* Rows first .. first+n-1 of (R,L,C), and of each of `parts` parts of R: (parts,n·L,C). */
static skv_tensor some_rows(const skv_tensor *t, int parts, int first, int n)
{
    skv_tensor some = skv_tensor_view(skv_tensor_rows(t, first, n).data, t->dtype, t->device, 3,
                                      (int64_t[]){parts, n * t->shape[1], t->shape[2]});

    some.stride[0] = t->shape[0] / parts * t->stride[0];
    return some;
}

/* y = x·wᵀ + b of the rows that have a count. */
static skv_status project(const call *c, const skv_tensor *y, const skv_tensor *x,
                          const skv_tensor *w, const skv_tensor *b)
{
    const int parts = halves_alike(c) ? 2 : 1, end = c->n / parts;

    for (int first = 0, n; first < end; first += n) {
        const bool mine = c->count[first] > 0;

        for (n = 1; first + n < end && (c->count[first + n] > 0) == mine; n++)
            continue;
        if (mine)
            SKV_TRY(skv_linear(c->p->setup.model->be,
                               &(skv_linear_args){.y = some_rows(y, parts, first, n),
                                                  .x = some_rows(x, parts, first, n),
                                                  .w = *w,
                                                  .b = b ? *b : (skv_tensor){0}}));
    }
    return SKV_OK;
}

static skv_status by_map(const call *c)
{
    const skv_dims *d = &c->p->setup.model->dims;
    const skv_block_weights *w = c->w;
    const int64_t tokens = c->a.shape[1];

    SKV_TRY(project(c, &c->y, &c->a, &w->ca_q, &w->ca_q_bias));
    SKV_TRY(skv_cross_attention(
        c->p->setup.model->be,
        &(skv_cross_attention_args){.o = SKV_RESHAPE(&c->a, c->n, tokens, d->heads, d->head_dim),
                                    .q = SKV_RESHAPE(&c->y, c->n, tokens, d->heads, d->head_dim),
                                    .kv = c->kv,
                                    .start = c->start,
                                    .count = c->count,
                                    .scale = scale_of(d)}));
    return project(c, &c->y, &c->a, &w->ca_proj, NULL);
}

static skv_status by_text(const call *c, int longest)
{
    const skv_dims *d = &c->p->setup.model->dims;
    const int64_t tokens = c->a.shape[1];
    skv_backend *be = c->p->setup.model->be;
    const int at_once = skv_buffer__absorbed_rows(be, c->p->n_rows, tokens);
    const size_t bytes = skv_absorbed_bytes(be, at_once, tokens, longest, d->heads, d->head_dim);

    return skv_absorbed_attention(be, &(skv_absorbed_attention_args){
                                          .y = c->y,
                                          .x = c->a,
                                          .kv = c->kv,
                                          .wq = c->w->ca_q,
                                          .bq = c->w->ca_q_bias,
                                          .wo = c->w->ca_proj,
                                          .scratch = SKV_TENSOR(skv_buffer__behind(c->p, tokens),
                                                                SKV_U8, be->device, (int64_t)bytes),
                                          .start = c->start,
                                          .count = c->count,
                                          .at_once = at_once,
                                          .longest = longest,
                                          .scale = scale_of(d)});
}

/* Keeps the counts of rows with texts of at most `longest` tokens, or (others) of all other rows,
 * and sets the rest to 0. Returns whether any row is kept. */
static bool pick(call *c, const int32_t *count, int longest, bool others)
{
    bool any = false;

    for (int r = 0; r < c->n; r++) {
        const bool mine = (count[r] > longest) == others;

        c->count[r] = mine ? count[r] : 0;
        any = any || mine;
    }
    return any;
}

skv_status skv_block__cross_attention(skv_pass *p, int layer, int si, skv_tensor *y)
{
    const skv_cond *cond = p->cond;
    const skv_tensor a = skv_buffer__normed(p, si);
    const int64_t tokens = a.shape[1];
    const skv_limits *limits = p->setup.model->be->limits;
    int longest =
        skv_limits_absorbed_text(limits, p->setup.model->dims.head_dim, p->n_rows, tokens);

    for (int r = 0; r < p->n_rows && !skv_limits_divided(limits, tokens); r++)
        longest = cond->count[r] > longest ? 0 : longest;
    *y = skv_buffer__full(p, tokens);
    for (int first = 0; first < p->n_rows; first += SKV_ABSORBED_ROWS) {
        const int left = p->n_rows - first;
        call c = {.p = p,
                  .w = &p->setup.model->block[layer],
                  .kv = cond->kv[layer],
                  .start = cond->start + first,
                  .n = left < SKV_ABSORBED_ROWS ? left : SKV_ABSORBED_ROWS};

        c.a = skv_tensor_rows(&a, first, c.n);
        c.y = skv_tensor_rows(y, first, c.n);
        if (pick(&c, cond->count + first, longest, false))
            SKV_TRY(by_text(&c, longest));
        if (pick(&c, cond->count + first, longest, true))
            SKV_TRY(by_map(&c));
    }
    return SKV_OK;
}
