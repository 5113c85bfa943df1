#include "calibrate/observer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"

struct skv_observer {
    skv_observer_setup setup;
    skv_measures what;
    skv_probe probe;
    int n_prompts; /* of the last path */
    int n_index[SKV_MAX_SCALES];
    int32_t index[SKV_MAX_SCALES][SKV_STATS_QUERIES]; /* tokens of the map; n_index 0: all */
    void *memory;                                     /* device */
    double *y, *column; /* (scales, layers, R, heads, columns) and (R, heads, keys) there */
    skv_tensor columns; /* of the layer that was looked at last... */
    int n_looked;       /* ...and its queries */
    double *host;       /* y, downloaded */
};

static size_t y_count(const skv_measures *m, int n_prompts)
{
    return skv_figures(m) * (size_t)n_prompts;
}

static size_t column_count(const skv_measures *m)
{
    return (size_t)m->kinds * (size_t)m->heads * (size_t)m->schedule.start[m->schedule.n_scales];
}

size_t skv_observer_bytes(const skv_measures *m)
{
    return (skv_figures(m) + column_count(m)) * sizeof(double);
}

/* n tokens of the map, each set of them as likely as any other; ascending. */
static void draw_queries(skv_observer *o, int si)
{
    const int tokens = skv_schedule_tokens(&o->what.schedule, si), n = (int)o->setup.n_queries;
    int found = 0;

    if (n == 0 || n >= tokens)
        return;
    for (int t = 0; t < tokens && found < n; t++)
        if ((double)skv_uniform(o->setup.seed, 0, (uint32_t)si, (uint32_t)t) * (tokens - t) <
            n - found)
            o->index[si][found++] = t;
    o->n_index[si] = n;
}

static skv_status look(void *ctx, const skv_attended *seen)
{
    skv_observer *o = ctx;
    const skv_measures *m = &o->what;
    const int si = seen->si, rows = (int)seen->q.shape[0], len = m->schedule.start[si + 1];
    const size_t one = (size_t)rows * (size_t)m->heads * (size_t)skv_columns(m);
    int32_t edge[SKV_MAX_SCALES + 1], top[SKV_STATS_TOPS];

    assert(seen->len[0] == len); /* nothing was cut */
    for (int s = 0; s <= m->schedule.n_scales; s++)
        edge[s] = s <= si ? m->schedule.start[s] : len;
    for (int t = 0; t < m->n_tops; t++)
        top[t] = skv_measures_top(m, t, si);
    o->columns = SKV_TENSOR(o->column, SKV_F64, o->setup.be->device, rows, m->heads, len);
    o->n_looked = o->n_index[si] > 0 ? o->n_index[si] : (int)seen->q.shape[1];
    return skv_attention_stats(
        o->setup.be,
        &(skv_attention_stats_args){
            .y = SKV_TENSOR(o->y + (size_t)(si * m->layers + seen->layer) * one, SKV_F64,
                            o->setup.be->device, rows, m->heads, skv_columns(m)),
            .q = seen->q,
            .k = seen->k,
            .column = o->columns,
            .index = o->n_index[si] > 0 ? o->index[si] : NULL,
            .n = o->n_looked,
            .edge = edge,
            .n_sources = m->schedule.n_scales,
            .top = top,
            .n_top = m->n_tops,
            .history = m->schedule.start[si],
            .len = len,
            .scale = 1.0f});
}

skv_status skv_observer_create(skv_observer **out, const skv_observer_setup *setup)
{
    const size_t count = y_count(setup->what, setup->max_prompts);
    skv_observer *o = NULL;
    skv_status st;

    if (setup->n_queries < 0 || setup->n_queries > SKV_STATS_QUERIES)
        return skv_fail(SKV_E_ARG, "--queries %lld: want 1 to %d, or 0 for all",
                        (long long)setup->n_queries, SKV_STATS_QUERIES);
    SKV_TRY(skv_alloc(&o, 1, sizeof *o, "observer"));
    o->setup = *setup;
    o->what = *setup->what;
    o->probe = (skv_probe){.ctx = o, .attended = look};
    for (int si = 0; si < o->what.schedule.n_scales; si++)
        draw_queries(o, si);
    SKV_TRY_GOTO(skv_alloc(&o->host, count, sizeof *o->host, "figures of a group"), done);
    SKV_TRY_GOTO(skv_backend_alloc(setup->be, &o->memory,
                                   skv_observer_bytes(&o->what) * (size_t)setup->max_prompts,
                                   "figures of a group"),
                 done);
    o->y = o->memory;
    o->column = o->y + count;
    *out = o;
    o = NULL;
done:
    skv_observer_destroy(o);
    return st;
}

void skv_observer_destroy(skv_observer *o)
{
    if (!o)
        return;
    skv_backend_free(o->setup.be, o->memory);
    free(o->host);
    free(o);
}

const skv_probe *skv_observer_probe(const skv_observer *o)
{
    return &o->probe;
}

skv_tensor skv_observer_columns(const skv_observer *o, int *n_queries)
{
    *n_queries = o->n_looked;
    return o->columns;
}

skv_status skv_observer_fetch(skv_observer *o, int n_prompts)
{
    assert(n_prompts <= o->setup.max_prompts);
    o->n_prompts = n_prompts;
    return skv_backend_download(o->setup.be, o->host, o->y,
                                y_count(&o->what, n_prompts) * sizeof(double));
}

void skv_observer_figures(const skv_observer *o, int i, double *out)
{
    const skv_measures *m = &o->what;
    const size_t row = (size_t)m->heads * (size_t)skv_columns(m),
                 rows = (size_t)m->kinds * (size_t)o->n_prompts;

    for (int kind = 0; kind < m->kinds; kind++)
        for (int si = 0; si < m->schedule.n_scales; si++)
            for (int l = 0; l < m->layers; l++) {
                const size_t at =
                    (size_t)(si * m->layers + l) * rows + (size_t)(kind * o->n_prompts + i);

                memcpy(out + skv_figures_at(m, kind, si, l, 0), o->host + at * row,
                       row * sizeof *out);
            }
}
