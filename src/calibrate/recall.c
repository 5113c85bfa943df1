#include "calibrate/recall.h"

#include <assert.h>
#include <stdlib.h>

#include "calibrate/held_tokens.h"
#include "core/mem.h"
#include "model/bits.h"

struct skv_recall {
    skv_recall_setup setup;
    skv_schedule schedule;
    int kinds, layers, heads;
    skv_observer *observer;
    skv_held **held; /* (n_paths) */
    int path;        /* that is watched */
    skv_probe watching, measuring;
    /* the group's bits */
    const uint8_t *bits;
    size_t bits_bytes;
    const int *row;
    uint8_t *loose; /* (max_prompts, tokens of a map, token_bits): a byte a bit */
    /* host copies of what the probes see */
    int32_t *position; /* (R, Σ n) */
    double *column;    /* (R, heads, keys) */
    double *share;     /* (max_prompts, n_paths, scales, layers) */
};

static size_t shares_of_prompt(const skv_recall *r)
{
    return (size_t)r->setup.n_paths * (size_t)r->schedule.n_scales * (size_t)r->layers;
}

/* ------------------------------------------------------------------------- probes */

/* The run's bits in place of those that were drawn: bits (B,L,token_bits) u8 on the device. */
static skv_status feed(void *ctx, int si, const skv_tensor *guided, skv_tensor *bits)
{
    const skv_recall *r = ctx;
    const size_t count = (size_t)(bits->shape[1] * bits->shape[2]);
    const size_t at = skv_bits_offset(&r->schedule, r->setup.token_bits, si);

    (void)guided;
    for (int64_t i = 0; i < bits->shape[0]; i++)
        skv_bits_unpack(r->loose + (size_t)i * count,
                        r->bits + (size_t)r->row[i] * r->bits_bytes + at, count);
    return skv_backend_upload(r->setup.observer.be, bits->data, r->loose,
                              (size_t)bits->shape[0] * count);
}

static skv_status note_cut(void *ctx, const skv_cut *cut)
{
    skv_recall *r = ctx;
    const skv_recall_setup *s = &r->setup;
    int32_t n[SKV_MAX_HEADS];

    for (int head = 0; head < r->heads; head++) {
        const int room = s->policy[r->path]->capacity(s->state[r->path], cut->layer, head, cut->si);

        n[head] = cut->len[head] < room ? cut->len[head] : room;
    }
    SKV_TRY(skv_backend_download(s->observer.be, r->position, cut->keep.data,
                                 skv_tensor_bytes(&cut->keep)));
    return skv_held_cut(r->held[r->path], cut->layer, cut->si, (int)cut->keep.shape[0], r->position,
                        n);
}

/* Of prompt i, whose rows are i and, under guidance, i + n_prompts. */
static double share(const skv_recall *r, const skv_held *held, const skv_attended *seen, int i,
                    int n_queries)
{
    const int n_prompts = (int)seen->q.shape[0] / r->kinds;
    const size_t keys = (size_t)r->schedule.start[seen->si + 1];
    double sum = 0;

    for (int row = i; row < r->kinds * n_prompts; row += n_prompts)
        for (int head = 0; head < r->heads; head++)
            sum += skv_held_sum(held, seen->layer, seen->si, row, head,
                                r->column + ((size_t)row * (size_t)r->heads + (size_t)head) * keys);
    return sum / r->kinds / r->heads / n_queries;
}

static skv_status measure(void *ctx, const skv_attended *seen)
{
    skv_recall *r = ctx;
    const skv_probe *look = skv_observer_probe(r->observer);
    const int n_prompts = (int)seen->q.shape[0] / r->kinds;
    skv_tensor columns;
    int n_queries;

    SKV_TRY(look->attended(look->ctx, seen));
    columns = skv_observer_columns(r->observer, &n_queries);
    SKV_TRY(skv_backend_download(r->setup.observer.be, r->column, columns.data,
                                 skv_tensor_bytes(&columns)));
    for (int i = 0; i < n_prompts; i++)
        for (int path = 0; path < r->setup.n_paths; path++) {
            const size_t map = (size_t)path * (size_t)r->schedule.n_scales + (size_t)seen->si;

            r->share[(size_t)i * shares_of_prompt(r) + map * (size_t)r->layers +
                     (size_t)seen->layer] = share(r, r->held[path], seen, i, n_queries);
        }
    return SKV_OK;
}

/* -------------------------------------------------------------------------- a life */

static skv_status take(skv_recall *r)
{
    const skv_recall_setup *s = &r->setup;
    const int last = r->schedule.n_scales - 1, prompts = s->observer.max_prompts;
    const int rows = r->kinds * prompts;
    const size_t tokens = (size_t)skv_schedule_tokens(&r->schedule, last),
                 keys = (size_t)r->schedule.start[last + 1],
                 heads = (size_t)rows * (size_t)r->heads;

    SKV_TRY(skv_observer_create(&r->observer, &s->observer));
    SKV_TRY(skv_alloc(&r->held, (size_t)s->n_paths, sizeof *r->held, "kept tokens"));
    for (int i = 0; i < s->n_paths; i++)
        SKV_TRY(skv_held_create(&r->held[i], &r->schedule, r->layers, r->heads, rows));
    SKV_TRY(skv_alloc(&r->loose, (size_t)prompts * tokens, (size_t)s->token_bits, "bits"));
    SKV_TRY(skv_alloc(&r->position, heads * keys, sizeof *r->position, "kept tokens"));
    SKV_TRY(skv_alloc(&r->column, heads * keys, sizeof *r->column, "attention by key"));
    return skv_alloc(&r->share, (size_t)prompts * shares_of_prompt(r), sizeof *r->share, "recall");
}

skv_status skv_recall_create(skv_recall **out, const skv_recall_setup *setup)
{
    const skv_measures *what = setup->observer.what;
    skv_recall *r = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&r, 1, sizeof *r, "recall"));
    r->setup = *setup;
    r->schedule = what->schedule;
    r->kinds = what->kinds;
    r->layers = what->layers;
    r->heads = what->heads;
    r->watching = (skv_probe){.ctx = r, .logits = feed, .cut = note_cut};
    r->measuring = (skv_probe){.ctx = r, .logits = feed, .attended = measure};
    st = take(r);
    if (st == SKV_OK)
        *out = r;
    else
        skv_recall_destroy(r);
    return st;
}

void skv_recall_destroy(skv_recall *r)
{
    if (!r)
        return;
    for (int i = 0; r->held && i < r->setup.n_paths; i++)
        skv_held_destroy(r->held[i]);
    free(r->held);
    free(r->loose);
    free(r->position);
    free(r->column);
    free(r->share);
    skv_observer_destroy(r->observer);
    free(r);
}

void skv_recall_begin(skv_recall *r, const uint8_t *bits, size_t bits_bytes, const int *row)
{
    r->bits = bits;
    r->bits_bytes = bits_bytes;
    r->row = row;
    for (int i = 0; i < r->setup.n_paths; i++)
        skv_held_begin(r->held[i]);
}

const skv_probe *skv_recall_watch(skv_recall *r, int path)
{
    assert(path >= 0 && path < r->setup.n_paths);
    r->path = path;
    return &r->watching;
}

const skv_probe *skv_recall_measure(skv_recall *r)
{
    for (int i = 0; i < r->setup.n_paths; i++)
        skv_held_end(r->held[i]);
    return &r->measuring;
}

const double *skv_recall_shares(const skv_recall *r, int i)
{
    assert(i >= 0 && i < r->setup.observer.max_prompts);
    return r->share + (size_t)i * shares_of_prompt(r);
}

double skv_recall_mean(const double *share, int n_scales, int n_layers)
{
    const int first = n_scales > 1 ? 1 : 0, n = (n_scales - first) * n_layers;
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += share[first * n_layers + i];
    return sum / n;
}
