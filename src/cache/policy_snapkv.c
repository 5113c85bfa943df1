/* SnapKV: the same capacity for every layer; the last tokens of the map observe, the positions
 * they attend to most stay. The scores are true attention (normalised, biased, rotated queries and
 * softmax scale 1), not the 1/sqrt(D) of language models. Spec cache-policies.md §2. */
#include <stdlib.h>
#include <string.h>

#include "cache/select.h"

struct skv_policy_state {
    int base;
    skv_schedule schedule;
    int64_t window, kernel;
    char *pooling;
};

static const skv_option options[] = {
    {.key = "window",
     .type = SKV_OPT_INT,
     .offset = offsetof(skv_policy_state, window),
     .fallback = "16",
     .help = "last tokens of the map that observe, and stay"},
    {.key = "kernel",
     .type = SKV_OPT_INT,
     .offset = offsetof(skv_policy_state, kernel),
     .fallback = "5",
     .help = "width of the pooling along the cache, odd"},
    {.key = "pooling",
     .type = SKV_OPT_STRING,
     .offset = offsetof(skv_policy_state, pooling),
     .fallback = "avg",
     .help = "avg or max"},
    {.key = NULL},
};

static void destroy(skv_policy_state *s)
{
    if (s)
        skv_options_clear(options, s);
    free(s);
}

static skv_status configure(skv_policy_state **out, const skv_policy_setup *setup)
{
    skv_status st = SKV_OK;
    skv_policy_state *s = NULL;

    SKV_TRY_GOTO(skv_alloc(&s, 1, sizeof *s, "policy snapkv"), done);
    SKV_TRY_GOTO(skv_options_defaults(options, s), done);
    if (setup->options)
        SKV_TRY_GOTO(
            skv_options_from_json(options, s, setup->options, "options of policy snapkv", NULL),
            done);
    SKV_TRY_GOTO(skv_select__check("snapkv", s->window, s->kernel), done);
    if (!s->pooling || (strcmp(s->pooling, "avg") != 0 && strcmp(s->pooling, "max") != 0))
        SKV_TRY_GOTO(skv_fail(SKV_E_ARG, "policy snapkv: pooling is %s, want avg or max",
                              s->pooling ? s->pooling : "not given"),
                     done);
    s->base = setup->base;
    s->schedule = *setup->schedule;
    *out = s;
    s = NULL;
done:
    destroy(s);
    return st;
}

static int capacity(const skv_policy_state *s, int layer, int head, int si)
{
    (void)layer, (void)head, (void)si;
    return s->base;
}

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    return skv_select__recent_window(
        be, a,
        &(skv_select__recent){.window = (int)s->window,
                              .kernel = (int)s->kernel,
                              .pool_max = strcmp(s->pooling, "max") == 0,
                              .tokens = skv_schedule_tokens(&s->schedule, a->si)});
}

static skv_status report(const skv_policy_state *s, json_t **out)
{
    return skv_select__report(out, options, s, s->base);
}

const skv_policy skv_policy_snapkv = {.name = "snapkv",
                                      .help = "SnapKV: what the last tokens attend to most",
                                      .options = options,
                                      .configure = configure,
                                      .capacity = capacity,
                                      .queries = skv_select__true_queries,
                                      .select = select_kept,
                                      .scratch_bytes = skv_select__scores_bytes,
                                      .report = report,
                                      .destroy = destroy};
