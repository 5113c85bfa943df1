#include "cache/scalekv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache/select.h"
#include "core/json.h"
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

static skv_status make_budget(skv_policy_state *s, const skv_policy_setup *setup, const char *name)
{
    skv_budget_rule rule = {.dims = setup->dims, .schedule = setup->schedule, .base = setup->base};

    if (setup->budget) {
        SKV_TRY(skv_budget_check(setup->budget, setup->dims, setup->schedule, name));
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

skv_status skv_scalekv__configure(skv_policy_state **out, const skv_policy_setup *setup,
                                  const char *name)
{
    skv_status st = SKV_OK;
    skv_policy_state *s = NULL;
    char title[64];

    snprintf(title, sizeof title, "options of policy %s", name);
    SKV_TRY_GOTO(skv_alloc(&s, 1, sizeof *s, "policy scalekv"), done);
    SKV_TRY_GOTO(skv_options_defaults(skv_scalekv__options, s), done);
    if (setup->options)
        SKV_TRY_GOTO(skv_options_from_json(skv_scalekv__options, s, setup->options, title, NULL),
                     done);
    SKV_TRY_GOTO(skv_select__check(name, s->window, s->kernel), done);
    while ((int64_t)s->grid * s->grid < s->window)
        s->grid++;
    if ((int64_t)s->grid * s->grid != s->window)
        SKV_TRY_GOTO(skv_fail(SKV_E_ARG, "policy %s: window is %lld, want a square number", name,
                              (long long)s->window),
                     done);
    s->depth = setup->dims->depth;
    s->head_dim = setup->dims->head_dim;
    s->schedule = *setup->schedule;
    SKV_TRY_GOTO(make_budget(s, setup, name), done);
    *out = s;
    s = NULL;
done:
    skv_scalekv__destroy(s);
    return st;
}

int skv_scalekv__capacity(const skv_policy_state *s, int layer, int head, int si)
{
    int n = skv_budget_capacity(s->budget, layer, si);

    (void)head;
    return n > s->window ? n : (int)s->window; /* the window always stays whole */
}

skv_status skv_scalekv__report(const skv_policy_state *s, json_t **out)
{
    skv_status st = SKV_OK;
    json_t *object = NULL, *table = NULL;
    skv_json_maker report;
    bool cuts = skv_budget_first(s->budget) < s->schedule.n_scales - 1;
    int base = cuts ? (int)floor(skv_budget_average(s->budget) + 0.5) : SKV_KEEP_ALL;

    SKV_TRY_GOTO(skv_select__report(&object, skv_scalekv__options, s, base), done);
    SKV_TRY_GOTO(skv_budget_to_json(&table, s->budget), done);
    report = skv_json_extend(object);
    skv_json_put(&report, "budget", table);
    st = skv_json_finish(out, &report, "policy report");
done:
    json_decref(object);
    return st;
}

void skv_scalekv__destroy(skv_policy_state *s)
{
    if (s)
        skv_budget_destroy(s->budget);
    free(s);
}
