/* H2O (arXiv 2306.14048): the tokens that got most attention so far, and the recent ones. A token's
 * running sum goes with it through the cache; each scale adds the mean over its queries, not their
 * sum, or the largest map would outweigh all others. True attention (softmax scale 1), no pooling.
 *
 * Guessed (ours): of an odd capacity the recent half is the larger; the sum of a token begins with
 * its own scale. Costs each layer two more passes over q·K. See src/cache/README.md, Policies. */
#include "cache/select.h"
#include "kernels/ops.h"

struct skv_policy_state {
    skv_plain plain;
};

static skv_status observe(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    skv_tensor norm;

    (void)s;
    SKV_TRY(SKV_TAKE(&norm, a->scratch, SKV_F32, be->device, a->q.shape[0], a->q.shape[2],
                     a->q.shape[1]));
    return skv_attention_columns(be, &(skv_attention_columns_args){.sum = a->sum,
                                                                   .q = a->q,
                                                                   .k = a->k,
                                                                   .norm = norm,
                                                                   .len = a->len,
                                                                   .base = a->base,
                                                                   .scale = 1.0f});
}

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    int32_t recent[SKV_MAX_HEADS];
    skv_tensor score;

    (void)s;
    for (int64_t h = 0; h < a->k.shape[1]; h++)
        recent[h] = a->n_keep[h] - a->n_keep[h] / 2;
    SKV_TRY(skv_select__one_score(&score, be, a));
    SKV_TRY(skv_recent_first(
        be, &(skv_recent_first_args){.s = score, .x = a->sum, .len = a->len, .recent = recent}));
    return skv_select__best(be, a, &score);
}

const skv_policy skv_policy_h2o = {
    .name = "h2o",
    .help = "H2O: half for the tokens that got most attention so far, half for the last ones",
    .state_bytes = sizeof(skv_policy_state),
    .fill = skv_plain__fill,
    .capacity = skv_plain__capacity,
    .queries = skv_select__true_queries,
    .observe = observe,
    .select = select_kept,
    .scratch_bytes = skv_select__one_score_bytes,
    .base = skv_plain__base};
