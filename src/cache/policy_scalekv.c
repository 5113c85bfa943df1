/* ScaleKV as released. Scores come from the **raw** query projections of the window's tokens (no
 * bias, normalisation or RoPE) and have no softmax; the maximum pooling passes over the positions
 * of the window (-inf there), which stay whatever it says. See src/cache/README.md, Policies. */
#include <math.h>

#include "cache/scalekv.h"
#include "cache/select.h"
#include "kernels/ops.h"

static skv_queries queries(const skv_policy_state *s, int si, int32_t *window, int *n)
{
    *n = (int)s->window;
    skv_select__window_tokens(window, s->grid, s->schedule.h[si], s->schedule.w[si]);
    return SKV_QUERIES_RAW;
}

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    int32_t window[SKV_MAX_WINDOW];
    const int n = (int)s->window, heads = (int)a->k.shape[1];
    skv_tensor score, pooled;

    skv_select__window_distances(window, s->grid, s->schedule.h[a->si], s->schedule.w[a->si]);
    SKV_TRY(skv_select__scores(&score, &pooled, be, a));
    SKV_TRY(skv_window_scores(
        be, &(skv_window_scores_args){.s = score,
                                      .q = a->q_raw,
                                      .k = a->k,
                                      .len = a->len,
                                      .scale = (float)(1.0 / sqrt((double)s->head_dim))}));
    SKV_TRY(skv_maxpool1d(be, &(skv_maxpool1d_args){.y = pooled,
                                                    .x = score,
                                                    .len = a->len,
                                                    .heads = heads,
                                                    .kernel = (int)s->kernel,
                                                    .skip = window,
                                                    .n_skip = n}));
    return skv_topk_keep(be, &(skv_topk_keep_args){.keep = a->keep,
                                                   .s = pooled,
                                                   .len = a->len,
                                                   .n = a->n_keep,
                                                   .heads = heads,
                                                   .always = window,
                                                   .n_always = n});
}

const skv_policy skv_policy_scalekv = {
    .name = "scalekv",
    .help = "ScaleKV as released: drafter layers keep much, refiner layers little",
    .options = skv_scalekv__options,
    .state_bytes = sizeof(skv_policy_state),
    .fill = skv_scalekv__fill,
    .release = skv_scalekv__release,
    .capacity = skv_scalekv__capacity,
    .queries = queries,
    .select = select_kept,
    .scratch_bytes = skv_select__scores_bytes,
    .base = skv_scalekv__base,
    .report = skv_scalekv__report};
