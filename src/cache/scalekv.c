#include "cache/scalekv.h"

#include <math.h>

#include "cache/select.h"
#include "core/log.h"

const skv_option skv_scalekv__options[] = {
    {.key = "window",
     .type = SKV_OPT_INT,
     .offset = offsetof(skv_policy_state, window),
     .fallback = "16",
     .help = "patches whose centre tokens observe, and stay: a square number"},
    {.key = "kernel",
     .type = SKV_OPT_INT,
     .offset = offsetof(skv_policy_state, kernel),
     .fallback = "5",
     .help = "width of the pooling along the cache, odd"},
    {.key = NULL},
};

static skv_status make_budget(skv_policy_state *s, const skv_policy_setup *setup)
{
    skv_budget_rule rule = {.dims = setup->dims, .schedule = setup->schedule, .base = setup->base};

    if (setup->budget) {
        SKV_TRY(skv_budget_check(setup->budget, setup->dims, setup->schedule, "the table"));
        return skv_budget_copy(&s->budget, setup->budget);
    }
    if (setup->budget_file) {
        SKV_TRY(skv_budget_load(&s->budget, setup->budget_file, setup->dims, setup->schedule));
        if (setup->base != SKV_KEEP_ALL && fabs(skv_budget_average(s->budget) - setup->base) > 0.5)
            skv_warn("%s keeps %.1f tokens a layer on average, not the %d of the path's budget",
                     setup->budget_file, skv_budget_average(s->budget), setup->base);
        return SKV_OK;
    }
    if (setup->n_drafters > 0)
        SKV_TRY(
            skv_drafters_uniform(&rule.drafters, setup->dims, setup->drafters, setup->n_drafters));
    else
        SKV_TRY(skv_drafters_known(&rule.drafters, setup->dims));
    rule.floor = skv_budget_floor(setup->base, (int)s->window);
    return skv_budget_build(&s->budget, &rule);
}

skv_status skv_scalekv__fill(skv_policy_state *s, const skv_policy_setup *setup)
{
    SKV_TRY(skv_select__check(s->window, s->kernel));
    while ((int64_t)s->grid * s->grid < s->window)
        s->grid++;
    if ((int64_t)s->grid * s->grid != s->window)
        return skv_fail(SKV_E_ARG, "window is %lld, want a square number", (long long)s->window);
    s->depth = setup->dims->depth;
    s->head_dim = setup->dims->head_dim;
    s->schedule = *setup->schedule;
    return make_budget(s, setup);
}

void skv_scalekv__release(skv_policy_state *s)
{
    skv_budget_destroy(s->budget);
}

int skv_scalekv__capacity(const skv_policy_state *s, int layer, int head, int si)
{
    int n = skv_budget_capacity(s->budget, layer, si);

    (void)head;
    return n > s->window ? n : (int)s->window; /* the window always stays whole */
}

int skv_scalekv__base(const skv_policy_state *s)
{
    bool cuts = skv_budget_first(s->budget) < s->schedule.n_scales - 1;

    return cuts ? (int)floor(skv_budget_average(s->budget) + 0.5) : SKV_KEEP_ALL;
}

skv_status skv_scalekv__report(const skv_policy_state *s, skv_json_maker *report)
{
    json_t *table = NULL;

    SKV_TRY(skv_budget_to_json(&table, s->budget));
    skv_json_put(report, "budget", table);
    return SKV_OK;
}
