/* Parts that several policies share: a plain budget, observation windows, ranking by scores.
 *
 * Positions count in the cache, whose end is the current map; tokens count in the current map. A
 * token of the map is named for all heads by its distance from the end (kernels/ops.h). */
#ifndef SKV_CACHE_SELECT_H
#define SKV_CACHE_SELECT_H

#include "cache/policy.h"

/* ------------------------------------------------------------- a plain budget */

/* What the state of a policy begins with that keeps setup->base tokens of every layer and head. */
typedef struct {
    int base;
} skv_plain;

/* Members of its skv_policy. */
SKV_MUST skv_status skv_plain__fill(skv_policy_state *s, const skv_policy_setup *setup);
int skv_plain__capacity(const skv_policy_state *s, int layer, int head, int si);
int skv_plain__base(const skv_policy_state *s);

/* -------------------------------------------------- other members of skv_policy */

/* What skv_select__scores takes, what skv_select__one_score takes, or nothing. */
size_t skv_select__scores_bytes(const skv_policy_state *s, int rows, int64_t tokens);
size_t skv_select__one_score_bytes(const skv_policy_state *s, int rows, int64_t tokens);
size_t skv_select__no_scratch(const skv_policy_state *s, int rows, int64_t tokens);
/* The attention's own queries, or none. */
skv_queries skv_select__true_queries(const skv_policy_state *s, int si, int32_t *window, int *n);
skv_queries skv_select__no_queries(const skv_policy_state *s, int si, int32_t *window, int *n);

/* ------------------------------------------------------- windows and their scores */

/* Refuses a window of no token or too many, and an even kernel. */
SKV_MUST skv_status skv_select__check(int64_t window, int64_t kernel);

/* The n = grid² window tokens of an h×w map: the centre tokens of grid×grid patches, patch rows
 * first. A map smaller than the grid has the last n cache positions instead; a position before the
 * map borrows the map's first token. See src/cache/README.md, Policies. */
void skv_select__window_tokens(int32_t *token, int grid, int h, int w);

/* Their distances from the cache's end, descending. */
void skv_select__window_distances(int32_t *distance, int grid, int h, int w);

/* Two score tensors (R,Σ_h len) fp32 from a->scratch. */
SKV_MUST skv_status skv_select__scores(skv_tensor *s, skv_tensor *pooled, skv_backend *be,
                                       const skv_select_args *a);
/* One of them. */
SKV_MUST skv_status skv_select__one_score(skv_tensor *s, skv_backend *be, const skv_select_args *a);

/* Keeps the n_keep positions of each head with the highest scores (R,Σ_h len). */
SKV_MUST skv_status skv_select__best(skv_backend *be, const skv_select_args *a,
                                     const skv_tensor *score);

/* ------------------------------------------------------------- SnapKV's choice */

/* Options of a policy that chooses as SnapKV does, a member of its state. */
typedef struct {
    int64_t window, kernel;
    char *pooling; /* "avg" (zeros beyond the ends count in the divisor) or "max" */
} skv_recent;

/* Its rows of the policy's option table; recent: the member's name. */
#define SKV_RECENT_OPTIONS(recent)                                                                 \
    {.key = "window",                                                                              \
     .type = SKV_OPT_INT,                                                                          \
     .offset = offsetof(skv_policy_state, recent.window),                                          \
     .fallback = "16",                                                                             \
     .help = "last tokens of the map that observe, and stay"},                                     \
        {.key = "kernel",                                                                          \
         .type = SKV_OPT_INT,                                                                      \
         .offset = offsetof(skv_policy_state, recent.kernel),                                      \
         .fallback = "5",                                                                          \
         .help = "width of the pooling along the cache, odd"},                                     \
    {                                                                                              \
        .key = "pooling", .type = SKV_OPT_STRING,                                                  \
        .offset = offsetof(skv_policy_state, recent.pooling), .fallback = "avg",                   \
        .help = "avg or max"                                                                       \
    }

SKV_MUST skv_status skv_recent__check(const skv_recent *r);

/* The last min(window, tokens of the map) positions, and the others of the highest softmax mass
 * from the window's queries, pooled along the cache. A head cut to no more than the window keeps
 * its last n_keep. tokens: of the current map. See src/cache/README.md, Policies. */
SKV_MUST skv_status skv_recent__select(skv_backend *be, const skv_select_args *a,
                                       const skv_recent *r, int tokens);

#endif
