/* Tokens by chance: the floor below which no policy should fall. A number is a function of seed,
 * scale, layer, head and place in the cache, so every row keeps the same places, and a run that is
 * resumed keeps what it kept before.
 *
 * Guessed (ours): each cut draws anew among all that is held, the map included, so what was kept
 * from early scales dwindles with each cut; kvpress's press cuts once. */
#include "cache/select.h"
#include "kernels/ops.h"

struct skv_policy_state {
    skv_plain plain;
    uint64_t seed;
};

static const skv_option options[] = {
    SKV_OPTION(skv_policy_state, seed, U64, "0", "of the random numbers", NULL),
    {.key = NULL},
};

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    skv_tensor score;

    SKV_TRY(skv_select__one_score(&score, be, a));
    SKV_TRY(skv_random_scores(
        be, &(skv_random_scores_args){.s = score,
                                      .len = a->len,
                                      .heads = (int)a->k.shape[1],
                                      .seed = s->seed,
                                      .stream = (uint32_t)(a->si * SKV_MAX_DEPTH + a->layer)}));
    return skv_select__best(be, a, &score);
}

const skv_policy skv_policy_random = {.name = "random",
                                      .help = "keeps tokens by chance: the floor",
                                      .options = options,
                                      .state_bytes = sizeof(skv_policy_state),
                                      .fill = skv_plain__fill,
                                      .capacity = skv_plain__capacity,
                                      .queries = skv_select__no_queries,
                                      .select = select_kept,
                                      .scratch_bytes = skv_select__one_score_bytes,
                                      .base = skv_plain__base};
