#include "model/buffer.h"

static skv_tensor of_scale(const skv_pass *p, void *data, skv_dtype type, int si)
{
    const skv_infinity *m = p->setup.model;

    return SKV_TENSOR(data, type, m->be->device, p->n_rows,
                      skv_schedule_tokens(&p->setup.stage->schedule, si), m->dims.width);
}

skv_tensor skv_buffer__x(const skv_pass *p, int si)
{
    return of_scale(p, p->x, SKV_F32, si);
}

skv_tensor skv_buffer__normed(const skv_pass *p, int si)
{
    return of_scale(p, p->normed, p->setup.model->be->act, si);
}

static size_t full_bytes(const skv_dims *d, const skv_backend *be, int n_rows, int64_t tokens)
{
    return skv_align_up((size_t)n_rows * (size_t)tokens * (size_t)d->width *
                        skv_dtype_bytes(be->act));
}

skv_tensor skv_buffer__full(const skv_pass *p, int64_t tokens)
{
    const skv_infinity *m = p->setup.model;

    return SKV_TENSOR(p->work, m->be->act, m->be->device, p->n_rows, tokens, m->dims.width);
}

char *skv_buffer__behind(const skv_pass *p, int64_t tokens)
{
    const skv_infinity *m = p->setup.model;

    return p->work + full_bytes(&m->dims, m->be, p->n_rows, tokens);
}

skv_tensor skv_buffer__wide(const skv_pass *p, int rows, int64_t tokens, int64_t width)
{
    const skv_backend *be = p->setup.model->be;

    return SKV_TENSOR(skv_buffer__behind(p, tokens), be->act, be->device, rows, tokens, width);
}

int skv_buffer__absorbed_rows(const skv_backend *be, int n_rows, int64_t tokens)
{
    const int rows = skv_limits_rows_at_once(be->limits, n_rows, tokens);

    return rows < SKV_ABSORBED_ROWS ? rows : SKV_ABSORBED_ROWS;
}

size_t skv_buffer__bytes(const skv_dims *d, const skv_backend *be, const skv_schedule *s,
                         int n_rows)
{
    const size_t wide = skv_max_size(3 * (size_t)d->width, (size_t)d->hidden);
    size_t most = 0;

    for (int si = 0; si < s->n_scales; si++) {
        const int64_t tokens = skv_schedule_tokens(s, si);
        const int rows = skv_limits_rows_at_once(be->limits, n_rows, tokens);
        const size_t some = (size_t)rows * (size_t)tokens;
        const size_t logits = (size_t)n_rows * (size_t)tokens * 2 * (size_t)skv_dims_token_bits(d);
        const size_t absorbed =
            skv_absorbed_bytes(be, skv_buffer__absorbed_rows(be, n_rows, tokens), tokens,
                               skv_limits_absorbed_text(be->limits, d->head_dim, n_rows, tokens),
                               d->heads, d->head_dim);
        size_t behind =
            skv_max_size(some * wide * skv_dtype_bytes(be->act), logits * sizeof(float));

        behind = skv_max_size(behind, absorbed);
        most = skv_max_size(most, full_bytes(d, be, n_rows, tokens) + behind);
    }
    return most;
}
