/* TOVA (arXiv 2401.06104): what the last query attends to, mean over the heads, so that all heads
 * keep the same tokens. Scores are true attention (softmax scale 1), as in policy_snapkv.c.
 *
 * Guessed (ours): the last query is the map's last token, at the picture's lower right corner; it
 * ranks with the others and is not kept for itself; heads of different lengths (TOVA's own are
 * equal) take the mean over those that hold the position. See src/cache/README.md, Policies. */
#include "cache/select.h"
#include "kernels/ops.h"

struct skv_policy_state {
    skv_plain plain;
};

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    const int32_t last = (int32_t)a->q.shape[1] - 1;
    skv_tensor score, mean;

    (void)s;
    SKV_TRY(skv_select__scores(&score, &mean, be, a));
    SKV_TRY(skv_window_softmax(be, &(skv_window_softmax_args){.s = score,
                                                              .q = a->q,
                                                              .k = a->k,
                                                              .len = a->len,
                                                              .index = &last,
                                                              .n = 1,
                                                              .scale = 1.0f}));
    SKV_TRY(skv_mean_heads(
        be,
        &(skv_mean_heads_args){.y = mean, .x = score, .len = a->len, .heads = (int)a->k.shape[1]}));
    return skv_select__best(be, a, &mean);
}

const skv_policy skv_policy_tova = {.name = "tova",
                                    .help = "TOVA: what the last token attends to, heads together",
                                    .heads_together = true,
                                    .state_bytes = sizeof(skv_policy_state),
                                    .fill = skv_plain__fill,
                                    .capacity = skv_plain__capacity,
                                    .queries = skv_select__true_queries,
                                    .select = select_kept,
                                    .scratch_bytes = skv_select__scores_bytes,
                                    .base = skv_plain__base};
