/* Sliding window: the last `base` tokens in cache order. Start from this file to add a policy:
 * copy it to policy_<name>.c, change what follows, and add <name> to SKV_POLICIES in this folder's
 * CMakeLists.txt; the contract tests then run over it unasked.
 *
 * "Recent" is raster order: once a map exceeds the budget, only its lower part is left and nothing
 * of any earlier scale; spec cache-policies.md §2. */
#include <stdlib.h>

#include "cache/select.h"
#include "kernels/ops.h"

/* Whatever the functions below need; filled by configure, read-only from then on. */
struct skv_policy_state {
    int base;
};

/* Reads the setup and refuses what does not fit. A policy with options has a table of them, and
 * their values in its state (policy_streaming.c). */
static skv_status configure(skv_policy_state **out, const skv_policy_setup *setup)
{
    static const skv_option none[] = {{.key = NULL}};
    skv_policy_state *s;
    int nothing = 0;

    if (setup->options)
        SKV_TRY(skv_options_from_json(none, &nothing, setup->options, "options of policy sliding",
                                      NULL));
    SKV_TRY(skv_alloc(&s, 1, sizeof *s, "policy sliding"));
    s->base = setup->base;
    *out = s;
    return SKV_OK;
}

/* Tokens a head of a layer may hold after scale si; a table made by configure when it varies. */
static int capacity(const skv_policy_state *s, int layer, int head, int si)
{
    (void)layer, (void)head, (void)si;
    return s->base;
}

/* Fills a->keep with a->n_keep ascending cache positions a row and head; called only when
 * a->n_keep < a->len. Operations of kernels/ops.h, so that every backend runs it. */
static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    (void)s;
    return skv_keep_ends(be, &(skv_keep_ends_args){.keep = a->keep, .first = 0, .len = a->len});
}

/* For the run file and `inspect`. */
static skv_status report(const skv_policy_state *s, json_t **out)
{
    return skv_select__report(out, NULL, s, s->base);
}

static void destroy(skv_policy_state *s)
{
    free(s);
}

/* queries: which ones select wants; policy_scalekv.c wants raw ones, policy_snapkv.c true ones.
 * scratch_bytes: the most that select takes from a->scratch. */
const skv_policy skv_policy_sliding = {.name = "sliding",
                                       .help = "keeps the last tokens in cache order",
                                       .configure = configure,
                                       .capacity = capacity,
                                       .queries = skv_select__no_queries,
                                       .select = select_kept,
                                       .scratch_bytes = skv_select__no_scratch,
                                       .report = report,
                                       .destroy = destroy};
