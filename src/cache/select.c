#include "cache/select.h"

#include <assert.h>

#include "core/json.h"
#include "kernels/ops.h"

skv_status skv_select__check(const char *name, int64_t window, int64_t kernel)
{
    if (window < 1 || window > SKV_MAX_WINDOW)
        return skv_fail(SKV_E_ARG, "policy %s: window is %lld, want 1 to %d", name,
                        (long long)window, SKV_MAX_WINDOW);
    if (kernel < 1 || kernel > 255 || kernel % 2 == 0)
        return skv_fail(SKV_E_ARG, "policy %s: kernel is %lld, want an odd number from 1 to 255",
                        name, (long long)kernel);
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

void skv_select__window_positions(int32_t *position, int grid, int h, int w, int len)
{
    int n = grid * grid;

    assert(len >= n && len >= h * w);
    skv_select__window_tokens(position, grid, h, w);
    for (int i = 0; i < n; i++)
        position[i] = h >= grid && w >= grid ? len - h * w + position[i] : len - n + i;
}

skv_status skv_select__scores(skv_tensor *s, skv_tensor *pooled, skv_backend *be,
                              const skv_select_args *a)
{
    int64_t rows = a->k.shape[0], heads = a->k.shape[1];
    size_t bytes = (size_t)(rows * heads * a->len) * sizeof(float);
    void *p, *q;

    SKV_TRY(skv_arena_take(&p, a->scratch, bytes));
    SKV_TRY(skv_arena_take(&q, a->scratch, bytes));
    *s = SKV_TENSOR(p, SKV_F32, be->device, rows, heads, a->len);
    *pooled = SKV_TENSOR(q, SKV_F32, be->device, rows, heads, a->len);
    return SKV_OK;
}

size_t skv_select__scores_bytes(const skv_policy_state *s, int rows, int heads, int len)
{
    (void)s;
    return 2 * skv_align_up((size_t)rows * (size_t)heads * (size_t)len * sizeof(float));
}

size_t skv_select__no_scratch(const skv_policy_state *s, int rows, int heads, int len)
{
    (void)s, (void)rows, (void)heads, (void)len;
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

/* Scores of the first len - n positions only: the pooling must not see the window. */
static skv_status rank_recent(skv_backend *be, const skv_select_args *a,
                              const skv_select__recent *how, int n)
{
    int32_t token[SKV_MAX_WINDOW], position[SKV_MAX_WINDOW];
    skv_tensor s, pooled;

    for (int i = 0; i < n; i++) {
        token[i] = how->tokens - n + i;
        position[i] = a->len - n + i;
    }
    SKV_TRY(skv_select__scores(&s, &pooled, be, a));
    SKV_TRY(skv_window_softmax(
        be, &(skv_window_softmax_args){
                .s = s, .q = a->q, .k = a->k, .index = token, .n = n, .scale = 1.0f}));
    s.shape[2] = a->len - n; /* its rows stay len apart; the pooled ones lie close together */
    pooled = SKV_TENSOR(pooled.data, SKV_F32, be->device, s.shape[0], s.shape[1], s.shape[2]);
    if (how->pool_max)
        SKV_TRY(
            skv_maxpool1d(be, &(skv_maxpool1d_args){.y = pooled, .x = s, .kernel = how->kernel}));
    else
        SKV_TRY(
            skv_avgpool1d(be, &(skv_avgpool1d_args){.y = pooled, .x = s, .kernel = how->kernel}));
    return skv_topk_keep(
        be, &(skv_topk_keep_args){.keep = a->keep, .s = pooled, .always = position, .n_always = n});
}

skv_status skv_select__recent_window(skv_backend *be, const skv_select_args *a,
                                     const skv_select__recent *how)
{
    int n = how->window < how->tokens ? how->window : how->tokens;
    size_t mark = skv_arena_mark(a->scratch);
    skv_status st;

    if (a->n_keep <= n)
        return skv_keep_ends(be, &(skv_keep_ends_args){.keep = a->keep, .first = 0, .len = a->len});
    st = rank_recent(be, a, how, n);
    skv_arena_reset(a->scratch, mark);
    return st;
}

skv_status skv_select__report(json_t **out, const skv_option *table, const void *settings, int base)
{
    skv_json_maker report;
    json_t *options = NULL;

    if (table)
        SKV_TRY(skv_options_to_json(&options, table, settings));
    report = skv_json_object();
    skv_json_put(&report, "base", base == SKV_KEEP_ALL ? json_null() : json_integer(base));
    skv_json_put(&report, "options", table ? options : json_object());
    return skv_json_finish(out, &report, "policy report");
}
