/* Value norm: the tokens whose values are longest; needs no queries. The mirror of kvpress's key
 * norm, which has no meaning here: before RoPE, which keeps lengths, every key is a unit vector.
 *
 * Guessed (ours): that long values are the ones to keep, since a token adds its value, weighted, to
 * what attention gives; that no token is protected; that heads rank by themselves.
 * See src/cache/README.md, Policies. */
#include "cache/select.h"
#include "kernels/ops.h"

struct skv_policy_state {
    skv_plain plain;
};

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    skv_tensor score;

    (void)s;
    SKV_TRY(skv_select__one_score(&score, be, a));
    SKV_TRY(skv_squared_norms(be, &(skv_squared_norms_args){.s = score, .x = a->v, .len = a->len}));
    return skv_select__best(be, a, &score);
}

const skv_policy skv_policy_valuenorm = {.name = "valuenorm",
                                         .help = "keeps the tokens whose values are longest",
                                         .state_bytes = sizeof(skv_policy_state),
                                         .fill = skv_plain__fill,
                                         .capacity = skv_plain__capacity,
                                         .queries = skv_select__no_queries,
                                         .select = select_kept,
                                         .scratch_bytes = skv_select__one_score_bytes,
                                         .base = skv_plain__base};
