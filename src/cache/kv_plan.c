/* The exact plan of a path: every head's length after every cut, and the bytes of all buffers.
 * Pure integers; the store (kv.c) takes exactly this. The ring's peak counts a layer's new block
 * once it is written, when its old one has left for the scratch. */
#include "cache/kv_internal.h"

#include <assert.h>
#include <stdlib.h>

#define MAX_ROWS 65536 /* keeps every size below 2^63; memory is far smaller */

static const int32_t zeros[SKV_MAX_HEADS];

static size_t at(const skv_kv_plan *p, int layer, int si)
{
    assert(layer >= 0 && layer < p->depth && si >= 0 && si < p->schedule.n_scales - 1);
    return ((size_t)si * (size_t)p->depth + (size_t)layer) * (size_t)p->heads;
}

const int32_t *skv_kv__lengths(const skv_kv_plan *plan, int layer, int si)
{
    return si < 0 ? zeros : plan->length + at(plan, layer, si);
}

int skv_kv__with_map(const skv_kv_plan *plan, int layer, int head, int si)
{
    return skv_kv__lengths(plan, layer, si - 1)[head] + skv_schedule_tokens(&plan->schedule, si);
}

const int32_t *skv_kv__reads(const skv_kv_plan *plan, int layer, int si)
{
    return plan->read + ((size_t)si * (size_t)plan->depth + (size_t)layer) * (size_t)plan->heads;
}

bool skv_kv__reads_fewer(const skv_kv_plan *plan, int layer, int si)
{
    for (int head = 0; head < plan->heads; head++)
        if (skv_kv__reads(plan, layer, si)[head] < skv_kv__with_map(plan, layer, head, si))
            return true;
    return false;
}

/* Lengths and capacities; plan->cuts. */
static skv_status fill_lengths(skv_kv_plan *p, const skv_policy *policy,
                               const skv_policy_state *state)
{
    for (int si = 0; si < p->schedule.n_scales - 1; si++)
        for (int layer = 0; layer < p->depth; layer++) {
            size_t i = at(p, layer, si);

            for (int head = 0; head < p->heads; head++) {
                int len = skv_kv__with_map(p, layer, head, si);
                int cap = policy->capacity(state, layer, head, si);

                if (cap < 0)
                    return skv_fail(SKV_E_ARG, "policy %s: capacity %d of layer %d, head %d",
                                    policy->name, cap, layer, head);
                p->capacity[i + (size_t)head] = cap;
                p->length[i + (size_t)head] = len < cap ? len : cap;
                p->cuts = p->cuts || len > cap;
            }
        }
    return SKV_OK;
}

/* What attention reads; max_read, and max_keep of the positions that it is chosen by. */
static void fill_reads(skv_kv_plan *p, const skv_policy *policy, const skv_policy_state *state)
{
    int32_t *read = p->read;

    for (int si = 0; si < p->schedule.n_scales; si++)
        for (int layer = 0; layer < p->depth; layer++) {
            size_t sum = 0;
            int most = 0;

            for (int head = 0; head < p->heads; head++, read++) {
                const int len = skv_kv__with_map(p, layer, head, si);

                *read = policy->attended ? policy->attended(state, layer, head, si, len) : len;
                assert(*read >= 1 && *read <= len);
                most = *read > most ? *read : most;
                sum += (size_t)*read;
            }
            if (!skv_kv__reads_fewer(p, layer, si))
                continue;
            p->max_read = most > p->max_read ? most : p->max_read;
            p->max_keep = sum > p->max_keep ? sum : p->max_keep;
        }
}

/* Slots of a layer's block after scale si, all rows. */
static size_t block_slots(const skv_kv_plan *p, int layer, int si)
{
    const int32_t *len = skv_kv__lengths(p, layer, si);
    size_t sum = 0;

    for (int head = 0; head < p->heads; head++)
        sum += (size_t)len[head];
    return sum * (size_t)p->rows;
}

/* Pool, scratch and select of a ring: walks through all layers of all scales. */
static void fill_ring(skv_kv_plan *p, const skv_policy *policy, const skv_policy_state *state)
{
    int last = p->schedule.n_scales - 1;
    size_t held = 0;
    int64_t most_seen = 0; /* tokens of all heads, where select or observe sees them */

    for (int si = 0; si <= last; si++)
        for (int layer = 0; layer < p->depth; layer++) {
            int64_t sum = 0;

            for (int head = 0; head < p->heads; head++) {
                const int len = skv_kv__with_map(p, layer, head, si);

                p->max_len = len > p->max_len ? len : p->max_len;
                sum += len;
            }
            if (skv_kv_plan_cuts_at(p, layer, si) || (p->sums && si < last) ||
                skv_kv__reads_fewer(p, layer, si))
                most_seen = sum > most_seen ? sum : most_seen;
            held -= si > 0 ? block_slots(p, layer, si - 1) : 0;
            if (si == last)
                continue;
            held += block_slots(p, layer, si);
            if (held > p->slots)
                p->slots = held;
            if (block_slots(p, layer, si) / (size_t)p->rows > p->max_keep)
                p->max_keep = block_slots(p, layer, si) / (size_t)p->rows;
        }
    assert(held == 0);
    p->select_bytes = policy->scratch_bytes(state, p->rows, most_seen);
    p->n_counts = (size_t)last * (size_t)p->depth * (size_t)(last + 1);
}

skv_status skv_kv_plan_make(skv_kv_plan **out, const skv_policy *policy,
                            const skv_policy_state *state, const skv_dims *dims,
                            const skv_schedule *schedule, int rows, skv_kv_types types)
{
    skv_status st = SKV_OK;
    skv_kv_plan *p = NULL;
    const size_t slots = (size_t)dims->depth * (size_t)dims->heads;
    const size_t n = (size_t)(schedule->n_scales - 1) * slots;

    assert(dims->depth >= 1 && dims->depth <= SKV_MAX_DEPTH);
    assert(dims->heads >= 1 && dims->heads <= SKV_MAX_HEADS);
    if (rows < 1 || rows > MAX_ROWS)
        return skv_fail(SKV_E_ARG, "K/V plan: %d rows, want 1 to %d", rows, MAX_ROWS);
    SKV_TRY_GOTO(skv_alloc(&p, 1, sizeof *p, "K/V plan"), done);
    p->rows = rows;
    p->depth = dims->depth;
    p->heads = dims->heads;
    p->head_dim = dims->head_dim;
    p->kv = types.work;
    p->pool = skv_kv_dtype_of(types.pool, types.work);
    p->codes = p->pool != p->kv;
    p->schedule = *schedule;
    SKV_TRY_GOTO(skv_alloc(&p->length, n, sizeof *p->length, "K/V plan"), done);
    SKV_TRY_GOTO(skv_alloc(&p->capacity, n, sizeof *p->capacity, "K/V plan"), done);
    SKV_TRY_GOTO(skv_alloc(&p->read, n + slots, sizeof *p->read, "K/V plan"), done);
    SKV_TRY_GOTO(fill_lengths(p, policy, state), done);
    fill_reads(p, policy, state);
    p->sums = p->cuts && policy->observe;
    p->ring = p->cuts || p->codes || p->max_read > 0;
    if (p->ring) {
        fill_ring(p, policy, state);
    } else {
        p->slots = (size_t)p->depth * (size_t)rows * (size_t)p->heads *
                   (size_t)skv_schedule_history(schedule);
        p->max_len = schedule->start[schedule->n_scales];
    }
    *out = p;
    p = NULL;
done:
    skv_kv_plan_destroy(p);
    return st;
}

void skv_kv_plan_destroy(skv_kv_plan *plan)
{
    if (!plan)
        return;
    free(plan->length);
    free(plan->capacity);
    free(plan->read);
    free(plan);
}

int skv_kv_plan_length(const skv_kv_plan *plan, int layer, int head, int si)
{
    assert(head >= 0 && head < plan->heads);
    return plan->length[at(plan, layer, si) + (size_t)head];
}

int skv_kv_plan_capacity(const skv_kv_plan *plan, int layer, int head, int si)
{
    assert(head >= 0 && head < plan->heads);
    return plan->capacity[at(plan, layer, si) + (size_t)head];
}

int skv_kv_plan_attended(const skv_kv_plan *plan, int layer, int head, int si)
{
    assert(layer >= 0 && layer < plan->depth && head >= 0 && head < plan->heads);
    assert(si >= 0 && si < plan->schedule.n_scales);
    return skv_kv__reads(plan, layer, si)[head];
}

size_t skv_kv__slot_bytes(const skv_kv_plan *plan)
{
    return (size_t)plan->head_dim * skv_dtype_bytes(plan->pool);
}

size_t skv_kv__peak_bytes(const skv_kv_plan *plan)
{
    const size_t channels = (size_t)plan->rows * (size_t)plan->heads * (size_t)plan->head_dim;

    return plan->codes ? channels * sizeof(float) : 0;
}

/* Of all maps and layers. */
static size_t all_peaks(const skv_kv_plan *plan)
{
    return (size_t)plan->depth * (size_t)(plan->schedule.n_scales - 1) * skv_kv__peak_bytes(plan);
}

size_t skv_kv_plan_bytes(const skv_kv_plan *plan, int layer, int si)
{
    return block_slots(plan, layer, si) * 2 * skv_kv__slot_bytes(plan) +
           (size_t)(si + 1) * skv_kv__peak_bytes(plan);
}

bool skv_kv_plan_cuts(const skv_kv_plan *plan)
{
    return plan->cuts;
}

bool skv_kv_plan_cuts_at(const skv_kv_plan *plan, int layer, int si)
{
    if (si == plan->schedule.n_scales - 1)
        return false;
    for (int head = 0; head < plan->heads; head++)
        if (skv_kv__lengths(plan, layer, si)[head] < skv_kv__with_map(plan, layer, head, si))
            return true;
    return false;
}

void skv_kv__pieces(const skv_kv_plan *plan, size_t bytes[SKV_KV__N_PIECES])
{
    size_t slot = skv_kv__slot_bytes(plan);
    size_t token = (size_t)plan->head_dim * skv_dtype_bytes(plan->kv); /* in the scratch */
    size_t lists = (size_t)plan->rows * (size_t)plan->heads;
    size_t work = lists * (size_t)plan->max_len;
    /* A path without a ring moves a layer like a ring's block; one layer's origins serve them all.
     */
    size_t origins = plan->ring ? plan->slots : plan->slots / (size_t)plan->depth;

    bytes[SKV_KV__RING_K] = bytes[SKV_KV__RING_V] = plan->slots * slot;
    bytes[SKV_KV__PEAK] = all_peaks(plan);
    bytes[SKV_KV__K] = bytes[SKV_KV__V] = work * token;
    bytes[SKV_KV__ORIGIN] = work * sizeof(int32_t);
    bytes[SKV_KV__RING_ORIGIN] = origins * sizeof(int32_t);
    bytes[SKV_KV__SUM] = plan->sums ? work * sizeof(float) : 0;
    bytes[SKV_KV__RING_SUM] = plan->sums ? origins * sizeof(float) : 0;
    bytes[SKV_KV__READ_K] = bytes[SKV_KV__READ_V] = lists * (size_t)plan->max_read * token;
    bytes[SKV_KV__KEEP] = (size_t)plan->rows * plan->max_keep * sizeof(int32_t);
    bytes[SKV_KV__COUNTS] = plan->n_counts * sizeof(int32_t);
}

size_t skv_kv_plan_pool_bytes(const skv_kv_plan *plan)
{
    return plan->slots * 2 * skv_kv__slot_bytes(plan) + all_peaks(plan);
}

size_t skv_kv_plan_scratch_bytes(const skv_kv_plan *plan)
{
    size_t bytes[SKV_KV__N_PIECES];

    skv_kv__pieces(plan, bytes);
    return bytes[SKV_KV__K] + bytes[SKV_KV__V] + bytes[SKV_KV__READ_K] + bytes[SKV_KV__READ_V] +
           bytes[SKV_KV__ORIGIN] + bytes[SKV_KV__SUM];
}

size_t skv_kv_plan_meta_bytes(const skv_kv_plan *plan)
{
    return skv_kv_plan_total_bytes(plan) - skv_kv_plan_pool_bytes(plan) -
           skv_kv_plan_scratch_bytes(plan);
}

size_t skv_kv_plan_total_bytes(const skv_kv_plan *plan)
{
    size_t bytes[SKV_KV__N_PIECES], sum = 0;

    skv_kv__pieces(plan, bytes);
    for (int i = 0; i < SKV_KV__N_PIECES; i++)
        sum += skv_align_up(bytes[i]);
    return sum;
}

size_t skv_kv_plan_select_bytes(const skv_kv_plan *plan)
{
    return plan->select_bytes;
}
