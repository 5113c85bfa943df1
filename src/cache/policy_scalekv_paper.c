/* ScaleKV as its paper writes it: the window's true queries, softmax with scale 1, average pooling
 * over the row in which the window's own scores are 0. Budgets and window as in the release.
 * Spec cache-policies.md §1, Selection. */
#include "cache/scalekv.h"
#include "cache/select.h"
#include "kernels/ops.h"

static skv_status configure(skv_policy_state **out, const skv_policy_setup *setup)
{
    return skv_scalekv__configure(out, setup, "scalekv-paper");
}

static skv_status rank(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    int h = s->schedule.h[a->si], w = s->schedule.w[a->si], n = (int)s->window;
    int32_t token[SKV_MAX_WINDOW], position[SKV_MAX_WINDOW];
    skv_tensor score, pooled;

    skv_select__window_tokens(token, s->grid, h, w);
    skv_select__window_positions(position, s->grid, h, w, a->len);
    SKV_TRY(skv_select__scores(&score, &pooled, be, a));
    SKV_TRY(skv_window_softmax(
        be, &(skv_window_softmax_args){
                .s = score, .q = a->q, .k = a->k, .index = token, .n = n, .scale = 1.0f}));
    SKV_TRY(skv_avgpool1d(
        be, &(skv_avgpool1d_args){
                .y = pooled, .x = score, .kernel = (int)s->kernel, .skip = position, .n_skip = n}));
    return skv_topk_keep(
        be, &(skv_topk_keep_args){.keep = a->keep, .s = pooled, .always = position, .n_always = n});
}

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    size_t mark = skv_arena_mark(a->scratch);
    skv_status st = rank(s, be, a);

    skv_arena_reset(a->scratch, mark);
    return st;
}

const skv_policy skv_policy_scalekv_paper = {
    .name = "scalekv-paper",
    .help = "ScaleKV by its paper: softmax scores of the attention's own queries",
    .options = skv_scalekv__options,
    .configure = configure,
    .capacity = skv_scalekv__capacity,
    .queries = skv_select__true_queries,
    .select = select_kept,
    .scratch_bytes = skv_select__scores_bytes,
    .report = skv_scalekv__report,
    .destroy = skv_scalekv__destroy};
