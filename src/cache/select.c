#include "cache/select.h"

#include <string.h>

#include "kernels/ops.h"
#include "kernels/ragged.h"

skv_status skv_plain__fill(skv_policy_state *s, const skv_policy_setup *setup)
{
    ((skv_plain *)(void *)s)->base = setup->base;
    return SKV_OK;
}

int skv_plain__capacity(const skv_policy_state *s, int layer, int head, int si)
{
    (void)layer, (void)head, (void)si;
    return skv_plain__base(s);
}

int skv_plain__base(const skv_policy_state *s)
{
    return ((const skv_plain *)(const void *)s)->base;
}

skv_status skv_select__check(int64_t window, int64_t kernel)
{
    if (window < 1 || window > SKV_MAX_WINDOW)
        return skv_fail(SKV_E_ARG, "window is %lld, want 1 to %d", (long long)window,
                        SKV_MAX_WINDOW);
    if (kernel < 1 || kernel > 255 || kernel % 2 == 0)
        return skv_fail(SKV_E_ARG, "kernel is %lld, want an odd number from 1 to 255",
                        (long long)kernel);
    return SKV_OK;
}

void skv_select__window_tokens(int32_t *token, int grid, int h, int w)
{
    int n = grid * grid, ph = h / grid, pw = w / grid;

    for (int i = 0; i < n; i++) {
        int from_end = h * w - n + i;

        if (ph > 0 && pw > 0)
            token[i] = (i / grid * ph + (ph - 1) / 2) * w + i % grid * pw + (pw - 1) / 2;
        else
            token[i] = from_end > 0 ? from_end : 0;
    }
}

void skv_select__window_distances(int32_t *distance, int grid, int h, int w)
{
    int n = grid * grid;

    skv_select__window_tokens(distance, grid, h, w);
    for (int i = 0; i < n; i++)
        distance[i] = h >= grid && w >= grid ? h * w - distance[i] : n - i;
}

skv_status skv_select__one_score(skv_tensor *s, skv_backend *be, const skv_select_args *a)
{
    return SKV_TAKE(s, a->scratch, SKV_F32, be->device, a->k.shape[0],
                    skv_ragged_start(a->len, a->k.shape[1]));
}

skv_status skv_select__scores(skv_tensor *s, skv_tensor *pooled, skv_backend *be,
                              const skv_select_args *a)
{
    SKV_TRY(skv_select__one_score(s, be, a));
    return skv_select__one_score(pooled, be, a);
}

skv_status skv_select__best(skv_backend *be, const skv_select_args *a, const skv_tensor *score)
{
    return skv_topk_keep(be, &(skv_topk_keep_args){.keep = a->keep,
                                                   .s = *score,
                                                   .len = a->len,
                                                   .n = a->n_keep,
                                                   .heads = (int)a->k.shape[1]});
}

size_t skv_select__scores_bytes(const skv_policy_state *s, int rows, int64_t tokens)
{
    return 2 * skv_select__one_score_bytes(s, rows, tokens);
}

size_t skv_select__one_score_bytes(const skv_policy_state *s, int rows, int64_t tokens)
{
    (void)s;
    return skv_align_up((size_t)rows * (size_t)tokens * sizeof(float));
}

size_t skv_select__no_scratch(const skv_policy_state *s, int rows, int64_t tokens)
{
    (void)s, (void)rows, (void)tokens;
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the table's signature */
skv_queries skv_select__true_queries(const skv_policy_state *s, int si, int32_t *window, int *n)
{
    (void)s, (void)si, (void)window;
    *n = 0;
    return SKV_QUERIES_TRUE;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the table's signature */
skv_queries skv_select__no_queries(const skv_policy_state *s, int si, int32_t *window, int *n)
{
    (void)s, (void)si, (void)window;
    *n = 0;
    return SKV_QUERIES_NONE;
}

skv_status skv_recent__check(const skv_recent *r)
{
    SKV_TRY(skv_select__check(r->window, r->kernel));
    if (!r->pooling || (strcmp(r->pooling, "avg") != 0 && strcmp(r->pooling, "max") != 0))
        return skv_fail(SKV_E_ARG, "pooling is %s, want avg or max",
                        r->pooling ? r->pooling : "not given");
    return SKV_OK;
}

/* The last n tokens are the window. Pooling must not see their own scores. */
static skv_status rank_recent(skv_backend *be, const skv_select_args *a, const skv_recent *r,
                              int tokens, int n)
{
    int32_t token[SKV_MAX_WINDOW], distance[SKV_MAX_WINDOW];
    const int heads = (int)a->k.shape[1];
    skv_pool1d_args pool = {.len = a->len, .heads = heads, .unscored = n, .kernel = (int)r->kernel};
    skv_tensor s, pooled;

    for (int i = 0; i < n; i++) {
        token[i] = tokens - n + i;
        distance[i] = n - i;
    }
    SKV_TRY(skv_select__scores(&s, &pooled, be, a));
    SKV_TRY(skv_window_softmax(
        be,
        &(skv_window_softmax_args){
            .s = s, .q = a->q, .k = a->k, .len = a->len, .index = token, .n = n, .scale = 1.0f}));
    pool.x = s;
    pool.y = pooled;
    if (strcmp(r->pooling, "max") == 0)
        SKV_TRY(skv_maxpool1d(be, &pool));
    else
        SKV_TRY(skv_avgpool1d(be, &pool));
    return skv_topk_keep(be, &(skv_topk_keep_args){.keep = a->keep,
                                                   .s = pooled,
                                                   .len = a->len,
                                                   .n = a->n_keep,
                                                   .heads = heads,
                                                   .unscored = n,
                                                   .always = distance,
                                                   .n_always = n});
}

skv_status skv_recent__select(skv_backend *be, const skv_select_args *a, const skv_recent *r,
                              int tokens)
{
    const int heads = (int)a->k.shape[1];
    const int n = r->window < tokens ? (int)r->window : tokens;

    if (skv_ragged_longest(a->n_keep, heads) > n)
        return rank_recent(be, a, r, tokens, n);
    return skv_keep_ends(
        be, &(skv_keep_ends_args){
                .keep = a->keep, .len = a->len, .n = a->n_keep, .heads = heads, .first = 0});
}
