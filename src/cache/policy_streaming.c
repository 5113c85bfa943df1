/* StreamingLLM: the first `sinks` tokens and the last ones. No key is re-rotated, unlike in the
 * language models it was made for: RoPE here is by place on the grid, not by place in the cache.
 * See src/cache/README.md, Policies. */
#include "cache/select.h"
#include "kernels/ops.h"

struct skv_policy_state {
    skv_plain plain;
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

static skv_status fill(skv_policy_state *s, const skv_policy_setup *setup)
{
    if (s->sinks < 0 || s->sinks > SKV_KEEP_ALL)
        return skv_fail(SKV_E_ARG, "sinks is %lld, want 0 or more", (long long)s->sinks);
    return skv_plain__fill(s, setup);
}

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    return skv_keep_ends(be, &(skv_keep_ends_args){.keep = a->keep,
                                                   .len = a->len,
                                                   .n = a->n_keep,
                                                   .heads = (int)a->k.shape[1],
                                                   .first = (int)s->sinks});
}

const skv_policy skv_policy_streaming = {.name = "streaming",
                                         .help = "StreamingLLM: the first tokens and the last",
                                         .options = options,
                                         .state_bytes = sizeof(skv_policy_state),
                                         .fill = fill,
                                         .capacity = skv_plain__capacity,
                                         .queries = skv_select__no_queries,
                                         .select = select_kept,
                                         .scratch_bytes = skv_select__no_scratch,
                                         .base = skv_plain__base};
