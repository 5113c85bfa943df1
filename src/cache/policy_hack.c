/* HACK (arXiv 2504.09261) and HACK++ (2606.08302): heads are of two kinds, told apart offline.
 * Contextual heads hold few tokens, those with the most attention; structural heads hold more, the
 * first scales and the latest one before all others. Two budgets: what is cached, the path's own,
 * and what attention reads at each scale, chosen by the same rules before it. Scores are true
 * attention (softmax scale 1) of some queries spread evenly over the map. No code was published.
 * See src/cache/README.md, Policies.
 *
 * Guessed (ours): the kinds' shares and the ratio of their budgets, from the paper's "contextual
 * heads stand 90 %, structural ones 50 %"; that the heads which a file of orders names first on
 * average are the contextual ones (one list by column variance is HACK's own measure, HeatKV's
 * orders are by reliance on earlier scales as in HACK++); where the latest scale alone exceeds a
 * structural head's number, that the first scales stay and the rest goes by attention within the
 * map; that attention reads the same number of tokens in all heads, never fewer than are kept;
 * that tokens dropped at the last scale are not merged into those that stay. */
#include <math.h>
#include <stdlib.h>

#include "cache/heat_orders.h"
#include "cache/select.h"
#include "core/text.h"
#include "kernels/ops.h"

struct skv_policy_state {
    skv_plain plain;
    skv_schedule schedule;
    double attention, contextual, ratio;
    int64_t sinks, observers;
    int few, many; /* tokens of a contextual head, and of a structural one */
    bool structural[SKV_MAX_DEPTH][SKV_MAX_HEADS];
    skv_digest orders;
};

static const skv_option options[] = {
    SKV_OPTION(skv_policy_state, attention, REAL, "100",
               "percent of the tokens so far that attention reads at a scale, the map included",
               NULL),
    SKV_OPTION(skv_policy_state, contextual, REAL, "0.5", "share of heads that are contextual",
               NULL),
    SKV_OPTION(skv_policy_state, ratio, REAL, "5",
               "tokens of a structural head for each one of a contextual head", NULL),
    SKV_OPTION(skv_policy_state, sinks, INT, "2", "first scales that structural heads keep", NULL),
    SKV_OPTION(skv_policy_state, observers, INT, "32",
               "queries whose attention is counted, spread evenly over the map", NULL),
    {.key = NULL},
};

static skv_status check(const skv_policy_state *s, const skv_policy_setup *setup)
{
    const int last = setup->schedule->n_scales - 1;

    if (!(s->attention > 0 && s->attention <= 100))
        return skv_fail(SKV_E_ARG, "attention is %g, want above 0 to 100 percent", s->attention);
    if (!(s->contextual >= 0 && s->contextual <= 1))
        return skv_fail(SKV_E_ARG, "contextual is %g, want a share from 0 to 1", s->contextual);
    if (!(s->ratio >= 1 && s->ratio <= 1000))
        return skv_fail(SKV_E_ARG, "ratio is %g, want 1 to 1000", s->ratio);
    if (s->sinks < 0 || s->sinks >= last)
        return skv_fail(SKV_E_ARG, "sinks is %lld, want 0 to %d scales", (long long)s->sinks,
                        last - 1);
    if (s->observers < 1 || s->observers > SKV_MAX_WINDOW)
        return skv_fail(SKV_E_ARG, "observers is %lld, want 1 to %d", (long long)s->observers,
                        SKV_MAX_WINDOW);
    if (!setup->orders_file)
        return skv_fail(SKV_E_NOTFOUND, "no orders are given: name a file of them with --orders");
    return SKV_OK;
}

typedef struct {
    int64_t place; /* sum over the lists */
    int slot;
} placed;

static int by_place(const void *a, const void *b)
{
    const placed *x = a, *y = b;

    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return x->slot - y->slot;
}

/* All heads but the first n_contextual by their mean place in the lists. */
static skv_status find_structural(skv_policy_state *s, const skv_heat_orders *o, int heads,
                                  int n_contextual)
{
    placed *p;

    SKV_TRY(skv_alloc(&p, (size_t)o->n_slots, sizeof *p, "heads"));
    for (int i = 0; i < o->n_slots; i++)
        p[i].slot = i;
    for (int list = 0; list < o->n_lists; list++)
        for (int i = 0; i < o->n_slots; i++)
            p[o->slot[(size_t)list * (size_t)o->n_slots + (size_t)i]].place += i;
    qsort(p, (size_t)o->n_slots, sizeof *p, by_place);
    for (int i = n_contextual; i < o->n_slots; i++)
        s->structural[p[i].slot / heads][p[i].slot % heads] = true;
    free(p);
    return SKV_OK;
}

/* Numbers of tokens whose sum over all heads is the budget's, but for what rounding leaves. What
 * structural heads could not hold goes to the others. */
static skv_status share_tokens(skv_policy_state *s, int n_contextual, int n_structural)
{
    const double history = skv_schedule_history(&s->schedule);
    const double base = fmin(s->plain.base, history);
    const double all = base * (n_contextual + n_structural);
    double few = floor(all / (n_contextual + s->ratio * n_structural)), many = 0;

    if (n_structural > 0)
        many = fmin(floor((all - few * n_contextual) / n_structural), history);
    if (n_contextual > 0)
        few = floor((all - many * n_structural) / n_contextual);
    if (few < 1)
        return skv_fail(SKV_E_ARG,
                        "a budget of %d token%s a layer leaves contextual heads none (ratio %g)",
                        s->plain.base, skv_s(s->plain.base), s->ratio);
    s->few = (int)few;
    s->many = (int)many;
    return SKV_OK;
}

static skv_status fill(skv_policy_state *s, const skv_policy_setup *setup)
{
    const int slots = setup->dims->depth * setup->dims->heads;
    const int n_contextual = (int)floor(s->contextual * slots + 0.5);
    skv_heat_orders orders;
    skv_status st;

    SKV_TRY(check(s, setup));
    SKV_TRY(skv_plain__fill(s, setup));
    s->schedule = *setup->schedule;
    SKV_TRY(share_tokens(s, n_contextual, slots - n_contextual));
    SKV_TRY(skv_heat_orders_read(&orders, setup->orders_file, setup->dims, 0));
    s->orders = orders.digest;
    st = find_structural(s, &orders, setup->dims->heads, n_contextual);
    skv_heat_orders_deinit(&orders);
    return st;
}

static int capacity(const skv_policy_state *s, int layer, int head, int si)
{
    (void)si;
    return s->structural[layer][head] ? s->many : s->few;
}

static int attended(const skv_policy_state *s, int layer, int head, int si, int len)
{
    const double share = ceil(s->attention / 100 * s->schedule.start[si + 1]);
    const int kept = capacity(s, layer, head, si);
    const int n = share > kept ? (int)share : kept;

    return n < len ? n : len;
}

/* Which scales a head's choice takes before all others, and which behind them: bits. */
static void rank_scales(const skv_policy_state *s, const skv_select_args *a, int head,
                        int32_t *always, int32_t *never)
{
    const int n_sinks = a->si < s->sinks ? a->si : (int)s->sinks;
    const int32_t sinks = (1 << n_sinks) - 1, map = 1 << a->si;
    const int needed = s->schedule.start[n_sinks] + skv_schedule_tokens(&s->schedule, a->si);

    *always = *never = 0;
    if (!s->structural[a->layer][head])
        return;
    *always = a->n_keep[head] >= needed ? sinks | map : sinks;
    if (a->n_keep[head] < needed)
        *never = (map - 1) & ~sinks;
}

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    const int tokens = skv_schedule_tokens(&s->schedule, a->si);
    const int n = s->observers < tokens ? (int)s->observers : tokens;
    int32_t index[SKV_MAX_WINDOW], always[SKV_MAX_HEADS], never[SKV_MAX_HEADS];
    skv_tensor score;

    for (int64_t i = 0; i < n; i++)
        index[i] = (int32_t)((2 * i + 1) * tokens / (2 * n));
    for (int head = 0; head < (int)a->k.shape[1]; head++)
        rank_scales(s, a, head, &always[head], &never[head]);
    SKV_TRY(skv_select__one_score(&score, be, a));
    SKV_TRY(skv_window_softmax(be, &(skv_window_softmax_args){.s = score,
                                                              .q = a->q,
                                                              .k = a->k,
                                                              .len = a->len,
                                                              .index = index,
                                                              .n = n,
                                                              .scale = 1.0f}));
    SKV_TRY(skv_source_order(be, &(skv_source_order_args){.s = score,
                                                          .origin = a->origin,
                                                          .len = a->len,
                                                          .base = a->base,
                                                          .edge = s->schedule.start,
                                                          .always = always,
                                                          .never = never,
                                                          .first = s->schedule.start[a->si],
                                                          .n_scales = s->schedule.n_scales}));
    return skv_select__best(be, a, &score);
}

static skv_status report(const skv_policy_state *s, skv_json_maker *report)
{
    char text[SKV_DIGEST_BYTES];

    skv_json_put(report, "orders", json_string(skv_digest_text(text, s->orders)));
    return SKV_OK;
}

const skv_policy skv_policy_hack = {
    .name = "hack",
    .help = "HACK: few tokens in contextual heads, more in structural ones (--orders)",
    .options = options,
    .state_bytes = sizeof(skv_policy_state),
    .fill = fill,
    .capacity = capacity,
    .attended = attended,
    .queries = skv_select__true_queries,
    .select = select_kept,
    .scratch_bytes = skv_select__one_score_bytes,
    .base = skv_plain__base,
    .report = report};
