/* Cross attention of a layer: rows with long texts as it is written, map through the projections;
 * rows with short ones the other way round, text through the projections (absorbed_attention). */
#include <math.h>

#include "model/infinity_parts.h"

/* A map's token costs 4·T·C·H operations through keys and values of T tokens, 4·C·C through the
 * projections, so that T = D is where they meet; a text token costs as much as D of the map's, and
 * below so many tokens of all rows the launches weigh more than what is saved. */
#define ABSORBED_TOKENS 2048
#define MAP_PER_TEXT    8
/* Tokens of a map for which two ways side by side are worth their launches. */
#define DIVIDED_TOKENS 1024
/* Padding of texts, times tokens of the map, that costs as much as another call would. */
#define PADDED_AT_MOST 65536

int skv_pass__absorbed_text(const skv_dims *d, int n_rows, int64_t tokens)
{
    const int64_t by_width = 3 * (int64_t)d->head_dim / 4, by_map = tokens / MAP_PER_TEXT;

    if (n_rows * tokens < ABSORBED_TOKENS)
        return 0;
    return (int)(by_width < by_map ? by_width : by_map);
}

int skv_pass__absorbed_rows(int n_rows, int64_t tokens)
{
    const int rows = skv_pass__rows_at_once(n_rows, tokens);

    return rows < SKV_ABSORBED_ROWS ? rows : SKV_ABSORBED_ROWS;
}

/* A layer's call, and rows of it, `apart` rows from one to the next. */
typedef struct {
    skv_pass *p;
    int layer;
    skv_tensor a, y; /* (R,L,C) act */
    int longest;     /* text that goes through the projections */
} call;

typedef struct {
    int first, n, apart;
} some_rows;

static skv_tensor rows_of(const skv_tensor *all, const some_rows *r)
{
    skv_tensor t = skv_tensor_rows(all, r->first, r->n);

    t.stride[0] *= r->apart;
    return t;
}

static skv_status by_map(const call *c, const some_rows *r)
{
    const skv_dims *d = &c->p->setup.model->dims;
    const skv_block_weights *w = &c->p->setup.model->block[c->layer];
    const skv_tensor a = rows_of(&c->a, r), y = rows_of(&c->y, r);
    const int64_t tokens = a.shape[1];
    skv_backend *be = c->p->setup.model->be;

    SKV_TRY(skv_block__linear(be, &y, &a, &w->ca_q, &w->ca_q_bias));
    SKV_TRY(skv_cross_attention(
        be, &(skv_cross_attention_args){.o = SKV_RESHAPE(&a, r->n, tokens, d->heads, d->head_dim),
                                        .q = SKV_RESHAPE(&y, r->n, tokens, d->heads, d->head_dim),
                                        .kv = c->p->cond->kv[c->layer],
                                        .start = c->p->cond->start + r->first,
                                        .count = c->p->cond->count + r->first,
                                        .scale = (float)(1.0 / sqrt((double)d->head_dim))}));
    return skv_block__linear(be, &y, &a, &w->ca_proj, &w->ca_proj_bias);
}

static skv_status by_text(const call *c, const some_rows *r)
{
    const skv_dims *d = &c->p->setup.model->dims;
    const skv_block_weights *w = &c->p->setup.model->block[c->layer];
    const int64_t tokens = c->a.shape[1];
    skv_backend *be = c->p->setup.model->be;
    int32_t start[SKV_ABSORBED_ROWS], count[SKV_ABSORBED_ROWS];
    int longest = 0;
    size_t bytes;

    for (int i = 0; i < r->n; i++) {
        start[i] = c->p->cond->start[r->first + i * r->apart];
        count[i] = c->p->cond->count[r->first + i * r->apart];
        longest = count[i] > longest ? count[i] : longest;
    }
    bytes = skv_absorbed_bytes(be, r->n, tokens, longest, d->heads, d->head_dim);
    return skv_absorbed_attention(
        be, &(skv_absorbed_attention_args){
                .y = rows_of(&c->y, r),
                .x = rows_of(&c->a, r),
                .kv = c->p->cond->kv[c->layer],
                .wq = w->ca_q,
                .bq = w->ca_q_bias,
                .wo = w->ca_proj,
                .bo = w->ca_proj_bias,
                .scratch = SKV_TENSOR(c->p->b + skv_pass__full_bytes(c->p, tokens), SKV_U8,
                                      be->device, (int64_t)bytes),
                .start = start,
                .count = count,
                .scale = (float)(1.0 / sqrt((double)d->head_dim))});
}

static bool is_short(const call *c, int row)
{
    return c->p->cond->count[row] <= c->longest;
}

/* How many rows from `first` on, below `end`, one call serves: those whose texts go the same way
 * and, through the projections, are padded to the longest of them by less than a call of their own
 * would cost. */
static int rows_alike(const call *c, int first, int end)
{
    const int32_t *count = c->p->cond->count;
    const int64_t tokens = c->a.shape[1];
    const bool through = is_short(c, first);
    const int rows = through ? skv_pass__absorbed_rows(c->p->n_rows, tokens) : end;
    int64_t widest = count[first];
    int n = 1;

    while (n < rows && first + n < end && is_short(c, first + n) == through) {
        const int64_t next = count[first + n];
        const int64_t padding = next > widest ? n * (next - widest) : widest - next;

        if (through && padding * tokens > PADDED_AT_MOST)
            break;
        widest = next > widest ? next : widest;
        n++;
    }
    return n;
}

/* Rows whose texts are as long as those of as many rows behind them, as those with and without the
 * prompt are; 0: they are not. */
static int half(const skv_pass *p)
{
    const int n = p->n_rows / 2;

    for (int r = 0; r < n; r++)
        if (p->n_rows % 2 != 0 || p->cond->count[r] != p->cond->count[n + r])
            return 0;
    return n;
}

static skv_status serve(const call *c, const some_rows *r)
{
    return is_short(c, r->first) ? by_text(c, r) : by_map(c, r);
}

skv_status skv_block__cross_attention(skv_pass *p, int layer, int si, skv_tensor *y)
{
    const int64_t tokens = skv_schedule_tokens(&p->setup.stage->schedule, si);
    const int twice = half(p), end = twice > 0 ? twice : p->n_rows;
    const int most = skv_pass__absorbed_rows(p->n_rows, tokens);
    call c = {.p = p,
              .layer = layer,
              .a = skv_pass__a(p, si),
              .y = skv_block__full_width(p, tokens),
              .longest = skv_pass__absorbed_text(&p->setup.model->dims, p->n_rows, tokens)};

    for (int r = 0; r < p->n_rows && tokens < DIVIDED_TOKENS; r++)
        c.longest = is_short(&c, r) ? c.longest : 0;
    *y = c.y;
    for (int first = 0, n; first < end; first += n) {
        n = rows_alike(&c, first, end);
        if (twice > 0 && n == twice && (!is_short(&c, first) || 2 * n <= most))
            return serve(&c, &(some_rows){0, 2 * n, 1});
        if (twice > 0 && n == 1 && is_short(&c, first) && most >= 2) {
            SKV_TRY(serve(&c, &(some_rows){first, 2, twice}));
            continue;
        }
        SKV_TRY(serve(&c, &(some_rows){first, n, 1}));
        if (twice > 0)
            SKV_TRY(serve(&c, &(some_rows){twice + first, n, 1}));
    }
    return SKV_OK;
}
