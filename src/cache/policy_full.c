/* The full cache: nothing is ever cut. The reference that all other paths are held against. */
#include <assert.h>

#include "cache/select.h"

struct skv_policy_state {
    int unused;
};

static int capacity(const skv_policy_state *s, int layer, int head, int si)
{
    (void)s, (void)layer, (void)head, (void)si;
    return SKV_KEEP_ALL;
}

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    (void)s, (void)be, (void)a;
    assert(!"never called: the capacity has no bound");
    return SKV_OK;
}

static int base(const skv_policy_state *s)
{
    (void)s;
    return SKV_KEEP_ALL;
}

const skv_policy skv_policy_full = {.name = "full",
                                    .help = "keeps every token of every scale but the last",
                                    .state_bytes = sizeof(skv_policy_state),
                                    .capacity = capacity,
                                    .queries = skv_select__no_queries,
                                    .select = select_kept,
                                    .scratch_bytes = skv_select__no_scratch,
                                    .base = base};
