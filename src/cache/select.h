/* Parts that several policies' select() share: observation windows and ranking by scores.
 *
 * Positions count in the cache (the current map is its end), tokens in the current map. */
#ifndef SKV_CACHE_SELECT_H
#define SKV_CACHE_SELECT_H

#include "cache/policy.h"

/* Refuses a window of no token or too many, and an even kernel. */
SKV_MUST skv_status skv_select__check(const char *name, int64_t window, int64_t kernel);

/* The n = grid² window tokens of an h×w map: the centre tokens of grid×grid patches, patch rows
 * first. A map smaller than the grid has the last n cache positions instead; a position before the
 * map borrows the map's first token. Spec scalekv.md, cache-policies.md §1. */
void skv_select__window_tokens(int32_t *token, int grid, int h, int w);

/* Their cache positions, ascending, when len tokens are cached. */
void skv_select__window_positions(int32_t *position, int grid, int h, int w, int len);

/* Two score tensors (R,h,len) fp32 from a->scratch. */
SKV_MUST skv_status skv_select__scores(skv_tensor *s, skv_tensor *pooled, skv_backend *be,
                                       const skv_select_args *a);

/* Members of skv_policy that several have. scratch_bytes: what skv_select__scores takes, or
 * nothing. queries: the attention's own ones, or none. */
size_t skv_select__scores_bytes(const skv_policy_state *s, int rows, int heads, int len);
size_t skv_select__no_scratch(const skv_policy_state *s, int rows, int heads, int len);
skv_queries skv_select__true_queries(const skv_policy_state *s, int si, int32_t *window, int *n);
skv_queries skv_select__no_queries(const skv_policy_state *s, int si, int32_t *window, int *n);

/* SnapKV's choice: the last min(window, tokens of the map) positions, and the others of the highest
 * softmax mass from the window's queries, pooled along the cache. A cut to no more than the window
 * keeps the last n_keep. Spec cache-policies.md §2. */
typedef struct {
    int window, kernel;
    bool pool_max; /* else average, zeros beyond the ends counted in the divisor */
    int tokens;    /* of the current map */
} skv_select__recent;

SKV_MUST skv_status skv_select__recent_window(skv_backend *be, const skv_select_args *a,
                                              const skv_select__recent *how);

/* The report's object: "base" (null: no bound) and the options as resolved. Takes nothing over. */
SKV_MUST skv_status skv_select__report(json_t **out, const skv_option *table, const void *settings,
                                       int base);

#endif
