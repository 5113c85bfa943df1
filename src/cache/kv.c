/* The store. A path with a ring moves one layer's block at a time: ring -> scratch (begin), scratch
 * -> ring's end (end), so that capacities may wander between layers from scale to scale. Slots are
 * counted modulo the plan's peak; a block that leaves makes room for the one that comes. */
#include "cache/kv_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "kernels/ops.h"
#include "kernels/ragged.h"

struct skv_kv {
    skv_backend *be;
    const skv_kv_plan *plan;
    const skv_policy *policy;
    const skv_policy_state *state;
    char *piece[SKV_KV__N_PIECES];
    size_t head, held, peak; /* slots: first of the ring, filled, most ever filled */
    size_t n_peaks;          /* maps of layers whose peaks are known */
    int layer, si;           /* next to begin, or open */
    bool open;
    int32_t base[SKV_MAX_HEADS], len[SKV_MAX_HEADS]; /* of the open layer */
    int32_t *no_counts;                              /* host zeros, to empty the counts */
    skv_tensor k, v, origin, sum;                    /* (R,H,max of len,D), (R,H,max of len) */
};

static int last_scale(const skv_kv *kv)
{
    return kv->plan->schedule.n_scales - 1;
}

skv_status skv_kv_create(skv_kv **out, skv_backend *be, const skv_kv_plan *plan,
                         const skv_policy *policy, const skv_policy_state *state, skv_arena *arena)
{
    skv_status st = SKV_OK;
    size_t bytes[SKV_KV__N_PIECES];
    skv_kv *kv = NULL;

    if (plan->kv != be->kv)
        return skv_fail(SKV_E_ARG, "K/V store: planned as %s, the backend has %s",
                        skv_dtype_name(plan->kv), skv_dtype_name(be->kv));
    SKV_TRY_GOTO(skv_alloc(&kv, 1, sizeof *kv, "K/V store"), done);
    SKV_TRY_GOTO(skv_alloc(&kv->no_counts, plan->n_counts, sizeof *kv->no_counts, "K/V store"),
                 done);
    *kv = (skv_kv){
        .be = be, .plan = plan, .policy = policy, .state = state, .no_counts = kv->no_counts};
    skv_kv__pieces(plan, bytes);
    for (int i = 0; i < SKV_KV__N_PIECES; i++)
        SKV_TRY_GOTO(skv_arena_take(&kv->piece[i], arena, bytes[i]), done);
    SKV_TRY_GOTO(skv_kv_reset(kv), done);
    *out = kv;
    kv = NULL;
done:
    skv_kv_destroy(kv);
    return st;
}

void skv_kv_destroy(skv_kv *kv)
{
    if (!kv)
        return;
    free(kv->no_counts);
    free(kv);
}

skv_status skv_kv_reset(skv_kv *kv)
{
    kv->head = kv->held = kv->n_peaks = 0;
    kv->layer = kv->si = 0;
    kv->open = false;
    if (kv->plan->n_counts == 0)
        return SKV_OK;
    return skv_backend_upload(kv->be, kv->piece[SKV_KV__COUNTS], kv->no_counts,
                              kv->plan->n_counts * sizeof *kv->no_counts);
}

/* The scratch as a compact view of max_len tokens a head. */
static void view_scratch(skv_kv *kv, int max_len)
{
    const skv_kv_plan *p = kv->plan;
    skv_device device = kv->be->device;

    assert(max_len <= p->max_len);
    kv->k =
        SKV_TENSOR(kv->piece[SKV_KV__K], p->kv, device, p->rows, p->heads, max_len, p->head_dim);
    kv->v =
        SKV_TENSOR(kv->piece[SKV_KV__V], p->kv, device, p->rows, p->heads, max_len, p->head_dim);
    kv->origin = SKV_TENSOR(kv->piece[SKV_KV__ORIGIN], SKV_I32, device, p->rows, p->heads, max_len);
    kv->sum = SKV_TENSOR(p->sums ? kv->piece[SKV_KV__SUM] : NULL, SKV_F32, device, p->rows,
                         p->heads, max_len);
}

/* The peaks of the layer at work, (R,H,scales but the last,D); data NULL without codes. */
static skv_tensor peaks(const skv_kv *kv)
{
    const skv_kv_plan *p = kv->plan;
    const int scales = last_scale(kv);
    const size_t bytes = (size_t)scales * skv_kv__peak_bytes(p);

    return SKV_TENSOR(p->codes ? kv->piece[SKV_KV__PEAK] + (size_t)kv->layer * bytes : NULL,
                      SKV_F32, kv->be->device, p->rows, p->heads, scales, p->head_dim);
}

/* Block of `slots` slots whose first is `first` of the pool: the ring, or an uncut path's layer. */
static skv_kv_pop_args block_pop(const skv_kv *kv, size_t first, size_t slots)
{
    const skv_kv_plan *p = kv->plan;
    skv_device device = kv->be->device;
    size_t offset = first * skv_kv__slot_bytes(p);

    return (skv_kv_pop_args){
        .ring_k = SKV_TENSOR(kv->piece[SKV_KV__RING_K] + offset, p->pool, device, (int64_t)slots,
                             p->head_dim),
        .ring_v = SKV_TENSOR(kv->piece[SKV_KV__RING_V] + offset, p->pool, device, (int64_t)slots,
                             p->head_dim),
        .ring_origin = SKV_TENSOR(kv->piece[SKV_KV__RING_ORIGIN], SKV_I32, device, (int64_t)slots),
        .ring_sum = SKV_TENSOR(p->sums ? kv->piece[SKV_KV__RING_SUM] : NULL, SKV_F32, device,
                               (int64_t)slots),
        .k = kv->k,
        .v = kv->v,
        .origin = kv->origin,
        .sum = kv->sum,
        .peak = peaks(kv),
        .edge = p->schedule.start,
    };
}

static size_t layer_slots(const skv_kv_plan *p)
{
    return p->slots / (size_t)p->depth;
}

/* Without a ring: the layer's own buffer, or at the last scale (for which it has no room) the
 * scratch. */
static skv_status begin_in_place(skv_kv *kv, int layer, int si)
{
    const skv_kv_plan *p = kv->plan;
    size_t slots = layer_slots(p), offset = (size_t)layer * slots * skv_kv__slot_bytes(p);
    int64_t history = skv_schedule_history(&p->schedule);
    skv_kv_pop_args move;

    if (si < last_scale(kv)) {
        kv->k = SKV_TENSOR(kv->piece[SKV_KV__RING_K] + offset, p->kv, kv->be->device, p->rows,
                           p->heads, history, p->head_dim);
        kv->v = SKV_TENSOR(kv->piece[SKV_KV__RING_V] + offset, p->kv, kv->be->device, p->rows,
                           p->heads, history, p->head_dim);
        return SKV_OK;
    }
    view_scratch(kv, p->max_len);
    if (history == 0)
        return SKV_OK;
    move = block_pop(kv, (size_t)layer * slots, slots);
    move.len = kv->base;
    return skv_kv_pop(kv->be, &move);
}

/* With a ring: the layer's block leaves its front for the scratch. */
static skv_status begin_ring(skv_kv *kv)
{
    const skv_kv_plan *p = kv->plan;
    size_t sum = 0;
    int max_len = 0;

    for (int h = 0; h < p->heads; h++) {
        sum += (size_t)kv->base[h] * (size_t)p->rows;
        max_len = kv->len[h] > max_len ? kv->len[h] : max_len;
    }
    view_scratch(kv, max_len);
    if (sum > 0) {
        skv_kv_pop_args move = block_pop(kv, 0, p->slots);

        move.at = (int64_t)kv->head;
        move.len = kv->base;
        SKV_TRY(skv_kv_pop(kv->be, &move));
    }
    kv->head = (kv->head + sum) % p->slots;
    kv->held -= sum;
    return SKV_OK;
}

skv_status skv_kv_begin(skv_kv *kv, int layer, int si, skv_kv_view *view)
{
    const skv_kv_plan *p = kv->plan;
    const int32_t *before = skv_kv__lengths(p, layer, si - 1);

    assert(!kv->open && layer == kv->layer && si == kv->si && si <= last_scale(kv));
    for (int h = 0; h < p->heads; h++) {
        kv->base[h] = before[h];
        kv->len[h] = before[h] + skv_schedule_tokens(&p->schedule, si);
    }
    if (p->ring)
        SKV_TRY(begin_ring(kv));
    else
        SKV_TRY(begin_in_place(kv, layer, si));
    kv->open = true;
    *view = (skv_kv_view){.k = kv->k, .v = kv->v, .base = kv->base, .len = kv->len};
    return SKV_OK;
}

/* What a policy sees of the open layer. */
static skv_select_args seen(const skv_kv *kv, const skv_tensor *q_raw, const skv_tensor *q,
                            skv_arena *scratch)
{
    const skv_tensor none = {.data = NULL};

    return (skv_select_args){.layer = kv->layer,
                             .si = kv->si,
                             .base = kv->base,
                             .len = kv->len,
                             .k = kv->k,
                             .v = kv->v,
                             .origin = kv->origin,
                             .sum = kv->sum,
                             .q_raw = q_raw ? *q_raw : none,
                             .q = q ? *q : none,
                             .scratch = scratch};
}

skv_status skv_kv_attend(skv_kv *kv, const skv_tensor *q, skv_arena *scratch, skv_kv_read *read)
{
    const skv_kv_plan *p = kv->plan;
    const skv_device device = kv->be->device;
    const int32_t *n = skv_kv__reads(p, kv->layer, kv->si);
    const size_t mark = skv_arena_mark(scratch);
    skv_select_args a = seen(kv, NULL, q, scratch);

    assert(kv->open);
    *read = (skv_kv_read){.k = kv->k, .v = kv->v, .len = kv->len};
    if (!skv_kv__reads_fewer(p, kv->layer, kv->si))
        return SKV_OK;
    *read = (skv_kv_read){
        .k = SKV_TENSOR(kv->piece[SKV_KV__READ_K], p->kv, device, p->rows, p->heads,
                        skv_ragged_longest(n, p->heads), p->head_dim),
        .len = n,
        .keep = SKV_TENSOR(kv->piece[SKV_KV__KEEP], SKV_I32, device, p->rows,
                           skv_ragged_start(n, p->heads)),
    };
    read->v = read->k;
    read->v.data = kv->piece[SKV_KV__READ_V];
    a.n_keep = n;
    a.keep = read->keep;
    SKV_TRY(kv->policy->select(kv->state, kv->be, &a));
    skv_arena_reset(scratch, mark);
    return skv_kv_gather(
        kv->be,
        &(skv_kv_gather_args){
            .k_to = read->k, .v_to = read->v, .k = kv->k, .v = kv->v, .keep = read->keep, .n = n});
}

/* The positions to keep (R,Σ n_keep): the policy's choice where a head loses tokens, else all. */
static skv_status choose(skv_kv *kv, const skv_tensor *keep, const int32_t *n_keep,
                         skv_select_args *a)
{
    const size_t mark = skv_arena_mark(a->scratch);

    if (kv->plan->sums) {
        SKV_TRY(kv->policy->observe(kv->state, kv->be, a));
        skv_arena_reset(a->scratch, mark);
    }
    if (keep->shape[1] == 0)
        return SKV_OK;
    if (!skv_kv_plan_cuts_at(kv->plan, kv->layer, kv->si))
        return skv_keep_ends(
            kv->be,
            &(skv_keep_ends_args){
                .keep = *keep, .len = kv->len, .n = n_keep, .heads = kv->plan->heads, .first = 0});
    a->n_keep = n_keep;
    a->keep = *keep;
    SKV_TRY(kv->policy->select(kv->state, kv->be, a));
    skv_arena_reset(a->scratch, mark);
    return SKV_OK;
}

/* What the codes of the map's values will be scaled by. */
static skv_status note_peaks(skv_kv *kv)
{
    skv_tensor peak = peaks(kv);

    peak.data = (float *)peak.data + (ptrdiff_t)kv->si * peak.stride[2];
    kv->n_peaks++;
    return skv_channel_peaks(kv->be,
                             &(skv_channel_peaks_args){
                                 .peak = {.data = peak.data,
                                          .dtype = SKV_F32,
                                          .device = peak.device,
                                          .ndim = 3,
                                          .shape = {peak.shape[0], peak.shape[1], peak.shape[3]},
                                          .stride = {peak.stride[0], peak.stride[1], 1}},
                                 .v = kv->v,
                                 .base = kv->base,
                                 .tokens = skv_schedule_tokens(&kv->plan->schedule, kv->si),
                             });
}

static skv_status push(skv_kv *kv, const skv_tensor *keep, const int32_t *n_keep)
{
    const skv_kv_plan *p = kv->plan;
    int n_scales = p->schedule.n_scales;
    size_t sum = (size_t)(keep->shape[0] * keep->shape[1]);
    int32_t *count = (int32_t *)(void *)kv->piece[SKV_KV__COUNTS] +
                     ((size_t)kv->si * (size_t)p->depth + (size_t)kv->layer) * (size_t)n_scales;
    const skv_kv_pop_args block = block_pop(kv, 0, p->slots);

    if (sum == 0)
        return SKV_OK;
    assert(kv->held + sum <= p->slots);
    SKV_TRY(skv_kv_push(kv->be, &(skv_kv_push_args){
                                    .ring_k = block.ring_k,
                                    .ring_v = block.ring_v,
                                    .ring_origin = block.ring_origin,
                                    .ring_sum = block.ring_sum,
                                    .k = block.k,
                                    .v = block.v,
                                    .origin = block.origin,
                                    .sum = block.sum,
                                    .peak = block.peak,
                                    .keep = *keep,
                                    .count = SKV_TENSOR(count, SKV_I32, kv->be->device, n_scales),
                                    .at = (int64_t)((kv->head + kv->held) % p->slots),
                                    .len = n_keep,
                                    .base = kv->base,
                                    .edge = p->schedule.start,
                                    .first = p->schedule.start[kv->si],
                                    .n_scales = n_scales,
                                }));
    kv->held += sum;
    return SKV_OK;
}

static skv_status end_ring(skv_kv *kv, const skv_tensor *q_raw, const skv_tensor *q,
                           skv_arena *scratch, const skv_tensor *forced, skv_tensor *keep_out)
{
    const skv_kv_plan *p = kv->plan;
    const int32_t *n_keep = skv_kv__lengths(p, kv->layer, kv->si);
    skv_select_args a = seen(kv, q_raw, q, scratch);
    int64_t sum = 0;
    skv_tensor keep;

    for (int h = 0; h < p->heads; h++)
        sum += n_keep[h];
    keep = SKV_TENSOR(kv->piece[SKV_KV__KEEP], SKV_I32, kv->be->device, p->rows, sum);
    SKV_TRY(choose(kv, &keep, n_keep, &a));
    if (p->codes)
        SKV_TRY(note_peaks(kv));
    if (forced && forced->data) {
        if (forced->ndim != 2 || forced->dtype != SKV_I32 || forced->shape[0] != p->rows ||
            forced->shape[1] != sum || !skv_tensor_contiguous(forced))
            return skv_fail(SKV_E_SHAPE,
                            "kept positions of layer %d, scale %d: want (%d,%lld) i32, row by row, "
                            "head by head",
                            kv->layer, kv->si, p->rows, (long long)sum);
        SKV_TRY(push(kv, forced, n_keep));
    } else {
        SKV_TRY(push(kv, &keep, n_keep));
    }
    if (keep_out && skv_kv_plan_cuts_at(p, kv->layer, kv->si))
        *keep_out = keep;
    return SKV_OK;
}

skv_status skv_kv_end(skv_kv *kv, int layer, int si, const skv_tensor *q_raw, const skv_tensor *q,
                      skv_arena *scratch, const skv_tensor *forced, skv_tensor *keep_out)
{
    const skv_kv_plan *p = kv->plan;

    assert(kv->open && layer == kv->layer && si == kv->si);
    if (keep_out)
        *keep_out = (skv_tensor){.data = NULL};
    if (si < last_scale(kv)) {
        if (p->ring)
            SKV_TRY(end_ring(kv, q_raw, q, scratch, forced, keep_out));
        else
            kv->held +=
                (size_t)p->rows * (size_t)p->heads * (size_t)skv_schedule_tokens(&p->schedule, si);
    }
    if (kv->held > kv->peak)
        kv->peak = kv->held;
    kv->open = false;
    kv->layer = (layer + 1) % p->depth;
    kv->si += kv->layer == 0;
    return SKV_OK;
}

bool skv_kv_cuts_at(const skv_kv *kv, int layer, int si)
{
    return skv_kv_plan_cuts_at(kv->plan, layer, si);
}

size_t skv_kv_held_bytes(const skv_kv *kv)
{
    return kv->held * 2 * skv_kv__slot_bytes(kv->plan) + kv->n_peaks * skv_kv__peak_bytes(kv->plan);
}

size_t skv_kv_peak_bytes(const skv_kv *kv)
{
    const skv_kv_plan *p = kv->plan;

    return kv->peak * 2 * skv_kv__slot_bytes(p) +
           (size_t)p->depth * (size_t)last_scale(kv) * skv_kv__peak_bytes(p);
}

skv_status skv_kv_kept_by_source(skv_kv *kv, float *out)
{
    const skv_kv_plan *p = kv->plan;
    int n_scales = p->schedule.n_scales;
    skv_status st = SKV_OK;
    int32_t *count = NULL;
    size_t i = 0;

    if (p->ring) {
        SKV_TRY_GOTO(skv_alloc(&count, p->n_counts, sizeof *count, "kept tokens by source"), done);
        SKV_TRY_GOTO(skv_backend_download(kv->be, count, kv->piece[SKV_KV__COUNTS],
                                          p->n_counts * sizeof *count),
                     done);
    }
    for (int si = 0; si < n_scales - 1; si++)
        for (int layer = 0; layer < p->depth; layer++)
            for (int source = 0; source < n_scales; source++, i++) {
                if (count)
                    out[i] = (float)((double)count[i] / ((double)p->rows * p->heads));
                else
                    out[i] = source <= si ? (float)skv_schedule_tokens(&p->schedule, source) : 0.0f;
            }
done:
    free(count);
    return st;
}
