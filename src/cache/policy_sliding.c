/* Sliding window: the last `base` tokens in cache order. Start from this file to add a policy:
 * copy it to policy_<name>.c, change what follows, and add <name> to SKV_POLICIES in this folder's
 * CMakeLists.txt; the contract tests then run over it unasked.
 *
 * "Recent" is raster order: once a map exceeds the budget, only its lower part is left and nothing
 * of any earlier scale. See src/cache/README.md, Policies. */
#include "cache/select.h"
#include "kernels/ops.h"

/* Whatever the functions below need; filled once, read-only from then on. A policy with options has
 * a table of them, and their values here (policy_streaming.c). A capacity that differs by layer,
 * head or scale needs a table and functions of its own (policy_pyramidkv.c). */
struct skv_policy_state {
    skv_plain plain;
};

/* Fills a->keep with n_keep ascending cache positions a row and head; called only where a head
 * loses some. Operations of kernels/ops.h, so that every backend runs it. */
static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    (void)s;
    return skv_keep_ends(be, &(skv_keep_ends_args){.keep = a->keep,
                                                   .len = a->len,
                                                   .n = a->n_keep,
                                                   .heads = (int)a->k.shape[1],
                                                   .first = 0});
}

/* queries: which ones select wants; policy_scalekv.c wants raw ones, policy_snapkv.c true ones.
 * scratch_bytes: the most that select takes from a->scratch. */
const skv_policy skv_policy_sliding = {.name = "sliding",
                                       .help = "keeps the last tokens in cache order",
                                       .state_bytes = sizeof(skv_policy_state),
                                       .fill = skv_plain__fill,
                                       .capacity = skv_plain__capacity,
                                       .queries = skv_select__no_queries,
                                       .select = select_kept,
                                       .scratch_bytes = skv_select__no_scratch,
                                       .base = skv_plain__base};
