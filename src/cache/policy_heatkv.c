/* HeatKV (arXiv 2605.14877): each head keeps or drops a source scale whole. What is dropped before
 * a scale is the beginning of an order, measured on the uncompressed model and read from a file, so
 * no queries are needed, and lengths differ by head. See src/cache/README.md, Policies.
 *
 * Guessed (ours): B tokens a layer stand for its b·T. Strict: what is held in the pool stays within
 * the budget at every moment of writing a scale; the layer at work is in the scratch that all
 * policies have, and not counted. For that, some of what a scale would drop goes a scale earlier:
 * last layers first, of a layer the later source scales first, of these the lower heads first. */
#include "cache/heatkv.h"

#include <assert.h>
#include <math.h>

#include "cache/heat_orders.h"
#include "cache/select.h"
#include "cache/source_scales.h"

struct skv_policy_state {
    skv_source_scales sources;
    int64_t sinks;
    bool strict;
    skv_digest orders;
};

static const skv_option options[] = {
    SKV_OPTION(skv_policy_state, sinks, INT, "3", "first scales that are never dropped", NULL),
    SKV_OPTION(skv_policy_state, strict, BOOL, "true",
               "the budget also holds while a scale is being written", NULL),
    {.key = NULL},
};

int skv_heatkv__dropped(const skv_schedule *schedule, int t, int sinks, int slots, double tokens)
{
    const double held = schedule->start[t], over = held - tokens;
    const double share = over / (held - schedule->start[sinks]);

    if (t <= sinks || over <= 0)
        return 0;
    return share < 1 ? (int)ceil(slots * share) : slots;
}

/* After scale si, before t = si + 1. */
static void drop_beginnings(skv_policy_state *s, const skv_heat_orders *o)
{
    skv_source_scales *src = &s->sources;
    const int sinks = (int)s->sinks;

    for (int si = sinks; si < src->schedule.n_scales - 1; si++) {
        const int n = skv_heatkv__dropped(&src->schedule, si + 1, sinks, o->n_slots, src->base);

        for (int j = sinks; j <= si; j++)
            for (int i = 0; i < n; i++) {
                const int slot = o->slot[(size_t)(j - sinks) * (size_t)o->n_slots + (size_t)i];

                *skv_source_scales__of(src, slot / src->heads, slot % src->heads, si) &= ~(1 << j);
            }
    }
}

/* Tokens of a layer's heads after scale si. */
static int64_t layer_tokens(const skv_source_scales *s, int layer, int si)
{
    int64_t n = 0;

    for (int head = 0; head < s->heads; head++)
        n += skv_source_scales__tokens(s, *skv_source_scales__of(s, layer, head, si));
    return n;
}

/* The most that is held while scale si is written: layers done as they are after it, the others as
 * after the scale before. */
static int64_t most_held(const skv_source_scales *s, int si)
{
    int64_t held = 0, most;

    for (int layer = 0; layer < s->depth; layer++)
        held += layer_tokens(s, layer, si - 1);
    most = held;
    for (int layer = 0; layer < s->depth; layer++) {
        held += layer_tokens(s, layer, si) - layer_tokens(s, layer, si - 1);
        most = held > most ? held : most;
    }
    return most;
}

/* The next pair that drops source scale j after scale si, and may do so after si - 1: last layers
 * and late sources first. False: none is left. */
static bool drop_early(skv_source_scales *s, int si)
{
    for (int layer = s->depth - 1; layer >= 0; layer--)
        for (int j = si - 1; j >= 0; j--)
            for (int head = 0; head < s->heads; head++) {
                int32_t *before = skv_source_scales__of(s, layer, head, si - 1);
                const int32_t after = *skv_source_scales__of(s, layer, head, si);

                if ((*before & ~after) >> j & 1) {
                    *before &= ~(1 << j);
                    return true;
                }
            }
    return false;
}

/* Backwards, so that a drop may move over several scales. What is held after a scale is within the
 * budget, unless the sinks alone exceed it. */
static void hold_budget(skv_source_scales *s)
{
    for (int si = s->schedule.n_scales - 2; si > 0; si--) {
        int64_t limit = (int64_t)s->base * s->depth * s->heads, after = 0;

        for (int layer = 0; layer < s->depth; layer++)
            after += layer_tokens(s, layer, si);
        limit = limit > after ? limit : after;
        while (most_held(s, si) > limit && drop_early(s, si))
            continue;
    }
}

static skv_status fill(skv_policy_state *s, const skv_policy_setup *setup)
{
    const int last = setup->schedule->n_scales - 1;
    skv_heat_orders orders;

    if (s->sinks < 1 || s->sinks >= last)
        return skv_fail(SKV_E_ARG, "sinks is %lld, want 1 to %d scales", (long long)s->sinks,
                        last - 1);
    if (!setup->orders_file)
        return skv_fail(SKV_E_NOTFOUND, "no orders are given: name a file of them with --orders");
    SKV_TRY(skv_source_scales__init(&s->sources, setup));
    SKV_TRY(skv_heat_orders_read(&orders, setup->orders_file, setup->dims, last - (int)s->sinks));
    s->orders = orders.digest;
    drop_beginnings(s, &orders);
    skv_heat_orders_deinit(&orders);
    if (s->strict)
        hold_budget(&s->sources);
    return SKV_OK;
}

static skv_status report(const skv_policy_state *s, skv_json_maker *report)
{
    char text[SKV_DIGEST_BYTES];

    skv_json_put(report, "orders", json_string(skv_digest_text(text, s->orders)));
    return SKV_OK;
}

const skv_policy skv_policy_heatkv = {
    .name = "heatkv",
    .help = "HeatKV: each head keeps or drops whole scales, by measured orders (--orders)",
    .options = options,
    .state_bytes = sizeof(skv_policy_state),
    .fill = fill,
    .release = skv_source_scales__release,
    .capacity = skv_source_scales__capacity,
    .queries = skv_select__no_queries,
    .select = skv_source_scales__select,
    .scratch_bytes = skv_select__one_score_bytes,
    .base = skv_plain__base,
    .report = report};
