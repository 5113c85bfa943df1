/* StreamingLLM: the first `sinks` tokens and the last ones. No key is re-rotated, unlike in the
 * language models it was made for: RoPE here is by place on the grid, not by place in the cache.
 * Spec cache-policies.md §2. */
#include <stdlib.h>

#include "cache/select.h"
#include "kernels/ops.h"

struct skv_policy_state {
    int base;
    int64_t sinks;
};

static const skv_option options[] = {
    {.key = "sinks",
     .type = SKV_OPT_INT,
     .offset = offsetof(skv_policy_state, sinks),
     .fallback = "4",
     .help = "first tokens that always stay; whole scales are 1, 5 or 21 (square)"},
    {.key = NULL},
};

static skv_status configure(skv_policy_state **out, const skv_policy_setup *setup)
{
    skv_status st = SKV_OK;
    skv_policy_state *s = NULL;

    SKV_TRY_GOTO(skv_alloc(&s, 1, sizeof *s, "policy streaming"), done);
    SKV_TRY_GOTO(skv_options_defaults(options, s), done);
    if (setup->options)
        SKV_TRY_GOTO(
            skv_options_from_json(options, s, setup->options, "options of policy streaming", NULL),
            done);
    if (s->sinks < 0 || s->sinks > SKV_KEEP_ALL)
        SKV_TRY_GOTO(skv_fail(SKV_E_ARG, "policy streaming: sinks is %lld, want 0 or more",
                              (long long)s->sinks),
                     done);
    s->base = setup->base;
    *out = s;
    s = NULL;
done:
    free(s);
    return st;
}

static int capacity(const skv_policy_state *s, int layer, int head, int si)
{
    (void)layer, (void)head, (void)si;
    return s->base;
}

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    int first = s->sinks < a->n_keep ? (int)s->sinks : a->n_keep;

    return skv_keep_ends(be, &(skv_keep_ends_args){.keep = a->keep, .first = first, .len = a->len});
}

static skv_status report(const skv_policy_state *s, json_t **out)
{
    return skv_select__report(out, options, s, s->base);
}

static void destroy(skv_policy_state *s)
{
    free(s);
}

const skv_policy skv_policy_streaming = {.name = "streaming",
                                         .help = "StreamingLLM: the first tokens and the last",
                                         .options = options,
                                         .configure = configure,
                                         .capacity = capacity,
                                         .queries = skv_select__no_queries,
                                         .select = select_kept,
                                         .scratch_bytes = skv_select__no_scratch,
                                         .report = report,
                                         .destroy = destroy};
