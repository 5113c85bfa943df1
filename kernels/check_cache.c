/* Checks of the cache's, bits' and map's operations: shapes as kernels/ops.h gives them. */
#include "kernels/check.h"
#include "kernels/ragged.h"

#define KV (1u << be->kv)

#define MAX_HEAD_DIM 256

/* (R, sum of n[0..heads)) with 0 <= n[h] <= most. */
static skv_status lists(const skv_backend *be, const skv_wanted *w, const int32_t *n, int64_t heads,
                        int64_t most)
{
    skv_wanted list = *w;

    SKV_TRY(skv_check__range(w->op, "the number of heads", heads, 0, INT32_MAX));
    for (int64_t h = 0; h < heads; h++)
        SKV_TRY(skv_check__range(w->op, "a head's length", n[h], 0, most));
    list.ndim = 2;
    list.shape[0] = w->shape[0];
    list.shape[1] = skv_ragged_start(n, heads);
    return skv_check__tensor(be, &list);
}

#define LISTS(op_name, a, member, type_set, rows, n, heads, most)                                  \
    lists(be,                                                                                      \
          &(skv_wanted){.op = (op_name),                                                           \
                        .arg = #member,                                                            \
                        .t = &(a)->member,                                                         \
                        .types = (type_set),                                                       \
                        .shape = {(rows)}},                                                        \
          (n), (heads), (most))

static skv_status tokens(const char *op, const int32_t *index, int n, int64_t limit)
{
    for (int i = 0; i < n; i++)
        SKV_TRY(skv_check__range(op, "a query", index[i], 0, limit - 1));
    return SKV_OK;
}

/* Distances from a list's end: descending, at least 1. */
static skv_status distances(const char *op, const int32_t *d, int n)
{
    for (int i = 0; i < n; i++)
        SKV_TRY(skv_check__range(op, "a distance from the end", d[i], 1,
                                 i > 0 ? (int64_t)d[i - 1] - 1 : INT32_MAX));
    return SKV_OK;
}

skv_status skv_check__window_scores(const skv_backend *be, const skv_window_scores_args *a)
{
    const int64_t r = a->q.shape[0], h = a->q.shape[2], d = a->q.shape[3];

    SKV_TRY(SKV_WANT("window_scores", a, q, SKV_IS_F32, SKV_FREE_ALL, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT("window_scores", a, k, KV, SKV_FREE_TWO, r, h, -1, d));
    SKV_TRY(skv_check__range("window_scores", "the head dimension", d, 1, MAX_HEAD_DIM));
    return LISTS("window_scores", a, s, SKV_IS_F32, r, a->len, h, a->k.shape[2]);
}

skv_status skv_check__window_softmax(const skv_backend *be, const skv_window_softmax_args *a)
{
    const int64_t r = a->q.shape[0], h = a->q.shape[2], d = a->q.shape[3];

    SKV_TRY(SKV_WANT("window_softmax", a, q, 1u << be->act, SKV_FREE_ALL, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT("window_softmax", a, k, KV, SKV_FREE_TWO, r, h, -1, d));
    SKV_TRY(tokens("window_softmax", a->index, a->n, a->q.shape[1]));
    SKV_TRY(skv_check__range("window_softmax", "the head dimension", d, 1, MAX_HEAD_DIM));
    return LISTS("window_softmax", a, s, SKV_IS_F32, r, a->len, h, a->k.shape[2]);
}

skv_status skv_check__attention_columns(const skv_backend *be, const skv_attention_columns_args *a)
{
    const int64_t r = a->q.shape[0], l = a->q.shape[1], h = a->q.shape[2], d = a->q.shape[3];
    const char *op = "attention_columns";

    SKV_TRY(SKV_WANT(op, a, q, 1u << be->act, SKV_FREE_ALL, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT(op, a, k, KV, SKV_FREE_TWO, r, h, -1, d));
    SKV_TRY(SKV_WANT(op, a, sum, SKV_IS_F32, SKV_FREE_TWO, r, h, a->k.shape[2]));
    SKV_TRY(SKV_WANT(op, a, norm, SKV_IS_F32, SKV_DENSE, r, h, l));
    SKV_TRY(skv_check__range(op, "the head dimension", d, 1, MAX_HEAD_DIM));
    for (int64_t i = 0; i < h; i++) {
        SKV_TRY(skv_check__range(op, "a head's length", a->len[i], 0, a->k.shape[2]));
        SKV_TRY(skv_check__range(op, "a head's base", a->base[i], 0, a->len[i]));
    }
    return SKV_OK;
}

skv_status skv_check__recent_first(const skv_backend *be, const skv_recent_first_args *a)
{
    const int64_t r = a->x.shape[0], h = a->x.shape[1];

    SKV_TRY(SKV_WANT("recent_first", a, x, SKV_IS_F32, SKV_FREE_TWO, -1, -1, -1));
    SKV_TRY(LISTS("recent_first", a, s, SKV_IS_F32, r, a->len, h, a->x.shape[2]));
    for (int64_t i = 0; i < h; i++)
        SKV_TRY(skv_check__range("recent_first", "a head's number of recent tokens", a->recent[i],
                                 0, a->len[i]));
    return SKV_OK;
}

/* What source_scores and source_order have in common. */
static skv_status sources(const skv_backend *be, const skv_source_scores_args *a, const char *op)
{
    const int64_t r = a->origin.shape[0], h = a->origin.shape[1];

    SKV_TRY(SKV_WANT(op, a, origin, SKV_IS_I32, SKV_FREE_TWO, -1, -1, -1));
    SKV_TRY(LISTS(op, a, s, SKV_IS_F32, r, a->len, h, INT32_MAX));
    for (int64_t i = 0; i < h; i++)
        SKV_TRY(skv_check__range(op, "a head's base", a->base[i], 0, a->origin.shape[2]));
    return skv_check__range(op, "the number of scales", a->n_scales, 0, 31);
}

skv_status skv_check__source_scores(const skv_backend *be, const skv_source_scores_args *a)
{
    return sources(be, a, "source_scores");
}

skv_status skv_check__source_order(const skv_backend *be, const skv_source_order_args *a)
{
    const skv_source_scores_args same = {
        .s = a->s, .origin = a->origin, .len = a->len, .base = a->base, .n_scales = a->n_scales};

    return sources(be, &same, "source_order");
}

skv_status skv_check__squared_norms(const skv_backend *be, const skv_squared_norms_args *a)
{
    SKV_TRY(SKV_WANT("squared_norms", a, x, KV, SKV_FREE_TWO, -1, -1, -1, -1));
    return LISTS("squared_norms", a, s, SKV_IS_F32, a->x.shape[0], a->len, a->x.shape[1],
                 a->x.shape[2]);
}

skv_status skv_check__random_scores(const skv_backend *be, const skv_random_scores_args *a)
{
    return LISTS("random_scores", a, s, SKV_IS_F32, -1, a->len, a->heads, INT32_MAX);
}

skv_status skv_check__mean_heads(const skv_backend *be, const skv_mean_heads_args *a)
{
    SKV_TRY(LISTS("mean_heads", a, x, SKV_IS_F32, -1, a->len, a->heads, INT32_MAX));
    return LISTS("mean_heads", a, y, SKV_IS_F32, a->x.shape[0], a->len, a->heads, INT32_MAX);
}

static skv_status pool(const skv_backend *be, const skv_pool1d_args *a, const char *op)
{
    SKV_TRY(LISTS(op, a, x, SKV_IS_F32, -1, a->len, a->heads, INT32_MAX));
    SKV_TRY(LISTS(op, a, y, SKV_IS_F32, a->x.shape[0], a->len, a->heads, INT32_MAX));
    SKV_TRY(skv_check__range(op, "the number of unscored tokens", a->unscored, 0, INT32_MAX));
    if (a->kernel < 1 || a->kernel % 2 == 0)
        return skv_fail(SKV_E_SHAPE, "%s: the kernel is %d, want an odd number", op, a->kernel);
    return distances(op, a->skip, a->n_skip);
}

skv_status skv_check__maxpool1d(const skv_backend *be, const skv_maxpool1d_args *a)
{
    return pool(be, a, "maxpool1d");
}

skv_status skv_check__avgpool1d(const skv_backend *be, const skv_avgpool1d_args *a)
{
    return pool(be, a, "avgpool1d");
}

/* Positions that head h may keep: those with a score, and those kept always. */
static int64_t may_keep(const skv_topk_keep_args *a, int64_t h)
{
    const int64_t len = a->len[h], scored = len > a->unscored ? len - a->unscored : 0;
    int64_t n = scored;

    for (int i = 0; i < a->n_always; i++)
        n += a->always[i] <= len && a->always[i] <= a->unscored;
    return n;
}

skv_status skv_check__topk_keep(const skv_backend *be, const skv_topk_keep_args *a)
{
    SKV_TRY(LISTS("topk_keep", a, s, SKV_IS_F32, -1, a->len, a->heads, INT32_MAX));
    SKV_TRY(
        skv_check__range("topk_keep", "the number of unscored tokens", a->unscored, 0, INT32_MAX));
    SKV_TRY(distances("topk_keep", a->always, a->n_always));
    for (int64_t h = 0; h < a->heads; h++)
        SKV_TRY(skv_check__range("topk_keep", "the number of kept positions", a->n[h], 0,
                                 may_keep(a, h)));
    return LISTS("topk_keep", a, keep, SKV_IS_I32, a->s.shape[0], a->n, a->heads, INT32_MAX);
}

skv_status skv_check__keep_ends(const skv_backend *be, const skv_keep_ends_args *a)
{
    SKV_TRY(LISTS("keep_ends", a, keep, SKV_IS_I32, -1, a->n, a->heads, INT32_MAX));
    for (int64_t h = 0; h < a->heads; h++)
        SKV_TRY(
            skv_check__range("keep_ends", "the number of kept positions", a->n[h], 0, a->len[h]));
    return skv_check__range("keep_ends", "first", a->first, 0, INT32_MAX);
}

skv_status skv_check__channel_peaks(const skv_backend *be, const skv_channel_peaks_args *a)
{
    const int64_t r = a->v.shape[0], h = a->v.shape[1], d = a->v.shape[3];

    SKV_TRY(SKV_WANT("channel_peaks", a, v, KV, SKV_FREE_TWO, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT("channel_peaks", a, peak, SKV_IS_F32, SKV_FREE_TWO, r, h, d));
    SKV_TRY(skv_check__range("channel_peaks", "the number of tokens", a->tokens, 1, INT32_MAX));
    for (int64_t i = 0; i < h; i++)
        SKV_TRY(skv_check__range("channel_peaks", "a head's base", a->base[i], 0,
                                 a->v.shape[2] - a->tokens));
    return SKV_OK;
}

/* What pop and push have in common. */
static skv_status move(const skv_backend *be, const skv_kv_pop_args *a, const char *op,
                       int64_t *row_tokens)
{
    const int64_t slots = a->ring_k.shape[0], d = a->ring_k.shape[1];
    const int64_t r = a->k.shape[0], h = a->k.shape[1], room = a->k.shape[2];
    const bool codes = a->ring_k.dtype != be->kv;
    int64_t sum = 0;

    SKV_TRY(SKV_WANT(op, a, ring_k, KV | SKV_IS_E4M3 | SKV_IS_I8, SKV_DENSE, -1, -1));
    SKV_TRY(SKV_WANT(op, a, ring_v, 1u << a->ring_k.dtype, SKV_DENSE, slots, d));
    if (codes)
        SKV_TRY(SKV_WANT(op, a, peak, SKV_IS_F32, SKV_DENSE, r, h, -1, d));
    if (codes)
        SKV_TRY(skv_check__range(op, "the number of scales with peaks", a->peak.shape[2], 1,
                                 INT32_MAX));
    SKV_TRY(SKV_WANT(op, a, ring_origin, SKV_IS_I32, SKV_DENSE, slots));
    SKV_TRY(SKV_WANT(op, a, k, KV, SKV_FREE_TWO, -1, -1, -1, d));
    SKV_TRY(SKV_WANT(op, a, v, KV, SKV_FREE_TWO, r, h, room, d));
    SKV_TRY(SKV_WANT(op, a, origin, SKV_IS_I32, SKV_FREE_TWO, r, h, room));
    if (a->ring_sum.data || a->sum.data) {
        SKV_TRY(SKV_WANT(op, a, ring_sum, SKV_IS_F32, SKV_DENSE, slots));
        SKV_TRY(SKV_WANT(op, a, sum, SKV_IS_F32, SKV_FREE_TWO, r, h, room));
    }
    for (int64_t i = 0; i < h; i++) {
        SKV_TRY(skv_check__range(op, "a head's length", a->len[i], 0, room));
        sum += a->len[i];
    }
    SKV_TRY(skv_check__range(op, "the block's place", a->at, 0, INT64_MAX - r * sum));
    *row_tokens = sum;
    return skv_check__range(op, "the block's number of slots", r * sum, 0, slots);
}

skv_status skv_check__kv_pop(const skv_backend *be, const skv_kv_pop_args *a)
{
    int64_t row_tokens = 0;

    return move(be, a, "kv_pop", &row_tokens);
}

skv_status skv_check__kv_push(const skv_backend *be, const skv_kv_push_args *a)
{
    const skv_kv_pop_args same = {.ring_k = a->ring_k,
                                  .ring_v = a->ring_v,
                                  .ring_origin = a->ring_origin,
                                  .ring_sum = a->ring_sum,
                                  .k = a->k,
                                  .v = a->v,
                                  .origin = a->origin,
                                  .sum = a->sum,
                                  .peak = a->peak,
                                  .at = a->at,
                                  .len = a->len,
                                  .edge = a->edge};
    int64_t row_tokens = 0;

    SKV_TRY(move(be, &same, "kv_push", &row_tokens));
    if (a->ring_k.dtype != be->kv)
        SKV_TRY(skv_check__range("kv_push", "the number of scales with peaks", a->peak.shape[2], 1,
                                 a->n_scales));
    for (int64_t h = 0; h < a->k.shape[1]; h++)
        SKV_TRY(skv_check__range("kv_push", "a head's base", a->base[h], 0, a->k.shape[2]));
    SKV_TRY(SKV_WANT("kv_push", a, count, SKV_IS_I32, SKV_DENSE, a->n_scales));
    return SKV_WANT("kv_push", a, keep, SKV_IS_I32, SKV_DENSE, a->k.shape[0], row_tokens);
}

/* -------------------------------------------------------------------- bits, map */

skv_status skv_check__draw_bits(const skv_backend *be, const skv_draw_bits_args *a)
{
    const int64_t b = a->bits.shape[0], l = a->bits.shape[1], n = a->bits.shape[2];

    SKV_TRY(SKV_WANT("draw_bits", a, bits, SKV_IS_U8, SKV_DENSE, -1, -1, -1));
    SKV_TRY(SKV_WANT("draw_bits", a, logits, SKV_IS_F32, SKV_DENSE, -1, l, 2 * n));
    if (a->guided.data)
        SKV_TRY(SKV_WANT("draw_bits", a, guided, SKV_IS_F32, SKV_DENSE, b, l, n, 2));
    if (a->fault.data)
        SKV_TRY(SKV_WANT("draw_bits", a, fault, SKV_IS_I32, SKV_DENSE, b));
    if (a->logits.shape[0] != b && a->logits.shape[0] != 2 * b)
        return skv_fail(SKV_E_SHAPE, "draw_bits: logits have %lld rows, want %lld or twice as many",
                        (long long)a->logits.shape[0], (long long)b);
    SKV_TRY(skv_check__range("draw_bits", "twice the number of bits", 2 * l * n, 0, INT32_MAX));
    SKV_TRY(skv_check__range("draw_bits", "the number of threads", a->threads, 2, INT32_MAX / 4));
    if (a->threads % 2)
        return skv_fail(SKV_E_SHAPE, "draw_bits: %lld threads, want an even number",
                        (long long)a->threads);
    if (!(a->tau > 0))
        return skv_fail(SKV_E_SHAPE, "draw_bits: tau is %g, want more than 0", (double)a->tau);
    return SKV_OK;
}

static skv_status map(const skv_backend *be, const char *op, const skv_tensor *z,
                      const skv_tensor *t, const char *name, unsigned type, int h, int w, int patch)
{
    skv_wanted wz = {
        .op = op, .arg = "z", .t = z, .types = SKV_IS_F32, .ndim = 4, .shape = {-1, -1, -1, -1}};
    skv_wanted wt = {.op = op, .arg = name, .t = t, .types = type, .ndim = 3};

    SKV_TRY(skv_check__tensor(be, &wz));
    SKV_TRY(skv_check__range(op, "the map's height", h, 1, INT32_MAX / 2));
    SKV_TRY(skv_check__range(op, "the map's width", w, 1, INT32_MAX / 2));
    SKV_TRY(skv_check__range(op, "patch", patch, 1, 2));
    wt.shape[0] = z->shape[0];
    wt.shape[1] = (int64_t)h * w;
    wt.shape[2] = z->shape[3] * patch * patch;
    return skv_check__tensor(be, &wt);
}

skv_status skv_check__codes_add(const skv_backend *be, const skv_codes_add_args *a)
{
    return map(be, "codes_add", &a->z, &a->bits, "bits", SKV_IS_U8, a->h, a->w, a->patch);
}

skv_status skv_check__next_input(const skv_backend *be, const skv_next_input_args *a)
{
    return map(be, "next_input", &a->z, &a->t, "t", SKV_IS_F32, a->h, a->w, a->patch);
}

/* Ascending from 0 to len. */
static skv_status edges(const char *op, const int32_t *edge, int n, int len)
{
    for (int s = 0; s <= n; s++)
        SKV_TRY(skv_check__range(op, "a source's edge", edge[s], s > 0 ? edge[s - 1] : 0,
                                 s > 0 ? len : 0));
    return skv_check__range(op, "the last source's edge", edge[n], len, len);
}

skv_status skv_check__attention_stats(const skv_backend *be, const skv_attention_stats_args *a)
{
    static const char op[] = "attention_stats";
    const int64_t r = a->q.shape[0], l = a->q.shape[1], h = a->q.shape[2], d = a->q.shape[3];

    SKV_TRY(SKV_WANT(op, a, q, 1u << be->act, SKV_FREE_ALL, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT(op, a, k, KV, SKV_FREE_TWO, r, h, -1, d));
    SKV_TRY(skv_check__range(op, "the head dimension", d, 1, MAX_HEAD_DIM));
    SKV_TRY(skv_check__range(op, "the number of keys", a->len, 1, a->k.shape[2]));
    SKV_TRY(skv_check__range(op, "the keys of earlier scales", a->history, 0, a->len));
    SKV_TRY(skv_check__range(op, "the number of queries", a->n, a->index ? 1 : l,
                             a->index ? SKV_STATS_QUERIES : l));
    SKV_TRY(tokens(op, a->index, a->index ? a->n : 0, l));
    SKV_TRY(skv_check__range(op, "the number of sources", a->n_sources, 1, SKV_STATS_SOURCES));
    SKV_TRY(edges(op, a->edge, a->n_sources, a->len));
    SKV_TRY(skv_check__range(op, "the number of top sums", a->n_top, 0, SKV_STATS_TOPS));
    for (int t = 0; t < a->n_top; t++)
        SKV_TRY(skv_check__range(op, "a top sum's positions", a->top[t], 1, INT32_MAX));
    SKV_TRY(SKV_WANT(op, a, y, SKV_IS_F64, SKV_DENSE, r, h, a->n_sources + 2 * a->n_top + 2));
    return SKV_WANT(op, a, column, SKV_IS_F64, SKV_DENSE, r, h, a->len);
}

skv_status skv_check__kv_gather(const skv_backend *be, const skv_kv_gather_args *a)
{
    const int64_t r = a->k.shape[0], h = a->k.shape[1], d = a->k.shape[3];

    SKV_TRY(SKV_WANT("kv_gather", a, k, KV, SKV_FREE_TWO, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT("kv_gather", a, v, KV, SKV_FREE_TWO, r, h, a->k.shape[2], d));
    SKV_TRY(SKV_WANT("kv_gather", a, k_to, KV, SKV_FREE_TWO, r, h, -1, d));
    SKV_TRY(SKV_WANT("kv_gather", a, v_to, KV, SKV_FREE_TWO, r, h, a->k_to.shape[2], d));
    return LISTS("kv_gather", a, keep, SKV_IS_I32, r, a->n, h, a->k_to.shape[2]);
}
