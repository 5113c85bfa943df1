/* SnapKV: the same capacity for every layer; the last tokens of the map observe, the positions
 * they attend to most stay. The scores are true attention (normalised, biased, rotated queries and
 * softmax scale 1), not the 1/sqrt(D) of language models. See src/cache/README.md, Policies. */
#include "cache/select.h"

struct skv_policy_state {
    skv_plain plain;
    skv_schedule schedule;
    skv_recent recent;
};

static const skv_option options[] = {
    SKV_RECENT_OPTIONS(recent),
    {.key = NULL},
};

static skv_status fill(skv_policy_state *s, const skv_policy_setup *setup)
{
    SKV_TRY(skv_recent__check(&s->recent));
    s->schedule = *setup->schedule;
    return skv_plain__fill(s, setup);
}

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    return skv_recent__select(be, a, &s->recent, skv_schedule_tokens(&s->schedule, a->si));
}

const skv_policy skv_policy_snapkv = {.name = "snapkv",
                                      .help = "SnapKV: what the last tokens attend to most",
                                      .options = options,
                                      .state_bytes = sizeof(skv_policy_state),
                                      .fill = fill,
                                      .capacity = skv_plain__capacity,
                                      .queries = skv_select__true_queries,
                                      .select = select_kept,
                                      .scratch_bytes = skv_select__scores_bytes,
                                      .base = skv_plain__base};
