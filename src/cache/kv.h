/* The K/V store of one group on one path, and the exact plan of its lengths and bytes.
 *
 * A path that never cuts (full, or a budget that is never reached) has a buffer a layer and appends
 * in place; its last scale works in the shared scratch. A path that cuts keeps all layers' tokens
 * in one ring: a layer's block is popped into the scratch, the current scale is written after it,
 * attention reads that, and the kept tokens go to the ring's end. The last scale is never cached.
 * A pool that holds codes (kv_dtype) is always a ring: push writes codes, pop gives numbers back.
 * Lengths are pure integers: the plan knows them before anything runs. */
#ifndef SKV_CACHE_KV_H
#define SKV_CACHE_KV_H

#include "cache/kv_dtype.h"
#include "cache/policy.h"

/* Lengths and bytes of one path for a given number of rows. */
typedef struct skv_kv_plan skv_kv_plan;

typedef struct {
    skv_dtype work; /* the backend's type of keys and values */
    skv_kv_dtype pool;
} skv_kv_types;

/* rows: R of the group (2B with guidance). Caller destroys; borrows nothing. */
SKV_MUST skv_status skv_kv_plan_make(skv_kv_plan **out, const skv_policy *policy,
                                     const skv_policy_state *state, const skv_dims *dims,
                                     const skv_schedule *schedule, int rows, skv_kv_types types);
void skv_kv_plan_destroy(skv_kv_plan *plan);

/* Tokens head `head` of `layer` holds after the cut that follows scale si (< n_scales-1). */
int skv_kv_plan_length(const skv_kv_plan *plan, int layer, int head, int si);
/* Tokens that its attention reads at scale si, of those before it and the map. */
int skv_kv_plan_attended(const skv_kv_plan *plan, int layer, int head, int si);
/* Capacity there: SKV_KEEP_ALL where the policy sets no bound. */
int skv_kv_plan_capacity(const skv_kv_plan *plan, int layer, int head, int si);
/* K and V bytes of all rows and heads of a layer after that cut; with codes, their scales too. */
size_t skv_kv_plan_bytes(const skv_kv_plan *plan, int layer, int si);
/* Whether any layer is ever cut; false for full and for a budget that is never reached. */
bool skv_kv_plan_cuts(const skv_kv_plan *plan);
/* Whether any head of this layer loses tokens after scale si; only then does select need queries.
 */
bool skv_kv_plan_cuts_at(const skv_kv_plan *plan, int layer, int si);
/* Most K/V bytes the pool ever holds, and its scales (exact: skv_kv_peak_bytes); the scratch of one
 * layer at work (K, V, also those that attention reads where they are chosen, origins and sums);
 * origins, sums, positions and counts beside them, with all
 * alignment. What skv_kv_create takes from its arena is the three's sum, total. */
size_t skv_kv_plan_pool_bytes(const skv_kv_plan *plan);
size_t skv_kv_plan_scratch_bytes(const skv_kv_plan *plan);
size_t skv_kv_plan_meta_bytes(const skv_kv_plan *plan);
size_t skv_kv_plan_total_bytes(const skv_kv_plan *plan);
/* What policy->select or observe may take from the scratch arena given to skv_kv_end, at most. */
size_t skv_kv_plan_select_bytes(const skv_kv_plan *plan);

typedef struct skv_kv skv_kv;

/* Takes the plan's bytes from `arena` (device memory of be); borrows plan and arena. */
SKV_MUST skv_status skv_kv_create(skv_kv **out, skv_backend *be, const skv_kv_plan *plan,
                                  const skv_policy *policy, const skv_policy_state *state,
                                  skv_arena *arena);
void skv_kv_destroy(skv_kv *kv); /* accepts NULL; the arena's memory stays the arena's */

/* Empties the store for the next group of the same number of rows. */
SKV_MUST skv_status skv_kv_reset(skv_kv *kv);

/* Whether the cut of this layer after scale si loses tokens; only then are queries needed. */
bool skv_kv_cuts_at(const skv_kv *kv, int layer, int si);

/* Where a layer's attention reads, and where the current scale is to be stored. */
typedef struct {
    skv_tensor k, v;     /* (R,H,Lmax,D) kv */
    const int32_t *base; /* [H]: cached tokens; the current map goes to base[h] .. base[h]+L-1 */
    const int32_t *len;  /* [H]: base[h] + L */
} skv_kv_view;

/* Layers in order 0..depth-1, scales in order. begin pops; then the caller stores the map and runs
 * attention on what attend gives; end cuts (policy's select) and stores. The view lives until end.
 */
SKV_MUST skv_status skv_kv_begin(skv_kv *kv, int layer, int si, skv_kv_view *view);

/* What attention reads of the open layer, once the map is stored: all of it, or what the policy's
 * select chooses (policy->attended). Lives until end, as the view's lengths do. */
typedef struct {
    skv_tensor k, v;    /* (R,H,Lmax,D) kv */
    const int32_t *len; /* [H] */
    skv_tensor keep;    /* (R,Σ len) i32: their positions in the view; data NULL: all of it */
} skv_kv_read;

/* q: the attention's queries. scratch: for select. */
SKV_MUST skv_status skv_kv_attend(skv_kv *kv, const skv_tensor *q, skv_arena *scratch,
                                  skv_kv_read *read);

/* q_raw, q: what policy->queries asks for (data NULL otherwise). scratch: for select and observe.
 * forced: NULL or data NULL, or positions that are kept in place of the policy's choice, (R,Σ_h n)
 * i32 on the device, row by row, head by head (verify feeds recorded sets). keep_out: NULL, or
 * receives a view of the policy's choice, valid until the next call (data NULL where nothing was
 * cut). */
SKV_MUST skv_status skv_kv_end(skv_kv *kv, int layer, int si, const skv_tensor *q_raw,
                               const skv_tensor *q, skv_arena *scratch, const skv_tensor *forced,
                               skv_tensor *keep_out);

/* Bytes of K/V the pool holds now, and the most it has held since create (a test: = the plan). */
size_t skv_kv_held_bytes(const skv_kv *kv);
size_t skv_kv_peak_bytes(const skv_kv *kv);

/* Mean over rows and heads of kept tokens by scale of origin, after each cut:
 * out (n_scales-1, depth, n_scales) fp32, host; downloads from the device. */
SKV_MUST skv_status skv_kv_kept_by_source(skv_kv *kv, float *out);

#endif
