/* The full cache: nothing is ever cut. The reference that all other paths are held against. */
#include <assert.h>
#include <stdlib.h>

#include "cache/select.h"

struct skv_policy_state {
    int unused;
};

static skv_status configure(skv_policy_state **out, const skv_policy_setup *setup)
{
    static const skv_option none[] = {{.key = NULL}};
    int nothing = 0;

    if (setup->options)
        SKV_TRY(
            skv_options_from_json(none, &nothing, setup->options, "options of policy full", NULL));
    return skv_alloc(out, 1, sizeof **out, "policy full");
}

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

static skv_status report(const skv_policy_state *s, json_t **out)
{
    return skv_select__report(out, NULL, s, SKV_KEEP_ALL);
}

static void destroy(skv_policy_state *s)
{
    free(s);
}

const skv_policy skv_policy_full = {.name = "full",
                                    .help = "keeps every token of every scale but the last",
                                    .configure = configure,
                                    .capacity = capacity,
                                    .queries = skv_select__no_queries,
                                    .select = select_kept,
                                    .scratch_bytes = skv_select__no_scratch,
                                    .report = report,
                                    .destroy = destroy};
