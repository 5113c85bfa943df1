/* ScaleKV as its paper writes it: the window's true queries, softmax with scale 1, average pooling
 * over the row in which the window's own scores are 0. Budgets and window as in the release.
 * See src/cache/README.md, Policies. */
#include "cache/scalekv.h"
#include "cache/select.h"
#include "kernels/ops.h"

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    const int h = s->schedule.h[a->si], w = s->schedule.w[a->si];
    const int n = (int)s->window, heads = (int)a->k.shape[1];
    int32_t token[SKV_MAX_WINDOW], window[SKV_MAX_WINDOW];
    skv_tensor score, pooled;

    skv_select__window_tokens(token, s->grid, h, w);
    skv_select__window_distances(window, s->grid, h, w);
    SKV_TRY(skv_select__scores(&score, &pooled, be, a));
    SKV_TRY(skv_window_softmax(be, &(skv_window_softmax_args){.s = score,
                                                              .q = a->q,
                                                              .k = a->k,
                                                              .len = a->len,
                                                              .index = token,
                                                              .n = n,
                                                              .scale = 1.0f}));
    SKV_TRY(skv_avgpool1d(be, &(skv_avgpool1d_args){.y = pooled,
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

const skv_policy skv_policy_scalekv_paper = {
    .name = "scalekv-paper",
    .help = "ScaleKV by its paper: softmax scores of the attention's own queries",
    .options = skv_scalekv__options,
    .state_bytes = sizeof(skv_policy_state),
    .fill = skv_scalekv__fill,
    .release = skv_scalekv__release,
    .capacity = skv_scalekv__capacity,
    .queries = skv_select__true_queries,
    .select = select_kept,
    .scratch_bytes = skv_select__scores_bytes,
    .base = skv_scalekv__base,
    .report = skv_scalekv__report};
