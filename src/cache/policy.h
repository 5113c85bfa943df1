/* A cache policy: how many tokens each layer and head keeps after a scale, and which.
 *
 * To add one: write policy_<name>.c ending in `const skv_policy skv_policy_<name> = {...};` (start
 * from policy_sliding.c) and add <name> to SKV_POLICIES in this folder's CMakeLists.txt. */
#ifndef SKV_CACHE_POLICY_H
#define SKV_CACHE_POLICY_H

#include <jansson.h>
#include <limits.h>

#include "arch/dims.h"
#include "arch/schedule.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/options.h"
#include "core/tensor.h"
#include "kernels/backend.h"

#define SKV_KEEP_ALL   INT_MAX
#define SKV_MAX_WINDOW 256

typedef struct skv_budget skv_budget; /* cache/budget.h */

/* What a policy is configured with; nothing is kept of it. */
typedef struct {
    const skv_dims *dims;
    const skv_schedule *schedule;
    int base;                /* budget: average tokens a layer; SKV_KEEP_ALL for full */
    const char *budget_file; /* a released budget JSON, NULL: the table is built by the rule */
    const int *drafters;     /* layers, ascending; n_drafters 0: the model's known set */
    int n_drafters;
    const char *orders_file;  /* HeatKV's orders (cache/heat_orders.h), or NULL */
    const skv_budget *budget; /* used as it is, before budget_file and the rule; usually NULL */
    const json_t *options;    /* object of policy options, or NULL; unknown keys are refused */
} skv_policy_setup;

/* Which queries select() wants for scale si. */
typedef enum {
    SKV_QUERIES_NONE,
    SKV_QUERIES_RAW, /* raw projections of the window's tokens: skv_select_args.q_raw */
    SKV_QUERIES_TRUE /* the attention's own queries of all tokens: skv_select_args.q */
} skv_queries;

/* One layer, all its heads and rows, after attention at scale si. H = k.shape[1]; head h of a
 * tensor is head h of the layer. Every head's tokens end with the current map. */
typedef struct {
    int layer, si;
    const int32_t *base;   /* [H] cached tokens before the current map */
    const int32_t *len;    /* [H] the same with it */
    const int32_t *n_keep; /* [H] = min(len, capacity); less than len for one head at least */
    skv_tensor k, v;       /* (R,H,>=len,D) kv, first two strides free */
    skv_tensor origin;     /* (R,H,>=len) i32: of the first base[h] tokens, their numbers in the
                            * sequence of all scales */
    skv_tensor sum;        /* (R,H,>=len) fp32, strides as k's: with `observe` */
    skv_tensor q_raw;      /* (R,n,H,D) fp32, strides free but the last; RAW only */
    skv_tensor q;          /* (R,L,H,D) act, strides free but the last; TRUE only */
    skv_tensor keep;       /* out: (R,Σ_h n_keep) i32, row by row, head by head: ascending cache
                            * positions; all of them where n_keep = len */
    skv_arena *scratch;    /* the caller frees what select takes */
} skv_select_args;

typedef struct skv_policy_state skv_policy_state; /* each policy's own */

/* What a policy's file ends in. Capacities are planned before anything runs, so that every byte of
 * the cache is known then: they may differ by layer, head and scale, but not by what the keys or
 * queries turn out to be, nor by row. Budgets that depend on data (Ada-KV's) are excluded by
 * design. */
typedef struct {
    const char *name, *help;
    const skv_option *options; /* members of the state, what setup->options may set; NULL: none */
    bool heads_together;       /* a head's choice depends on the row's other heads, too */
    size_t state_bytes;
    /* The state is zeroed and has its options. Refuses values out of range, and tables made for
     * other layers, scales or schedules, by name. On failure `release` is called all the same. */
    skv_status (*fill)(skv_policy_state *s, const skv_policy_setup *setup);
    /* Frees what `fill` took, beside the options; NULL: nothing. */
    void (*release)(skv_policy_state *s);
    /* Tokens the head may hold after scale si (0-based, not the last). Pure. */
    int (*capacity)(const skv_policy_state *s, int layer, int head, int si);
    /* For RAW: fills window (room SKV_MAX_WINDOW) with token numbers of the map, *n of them. */
    skv_queries (*queries)(const skv_policy_state *s, int si, int32_t *window, int *n);
    skv_status (*select)(const skv_policy_state *s, skv_backend *be, const skv_select_args *a);
    /* NULL, or: a number goes with each token through the cache, a->sum. Called after attention at
     * every scale but the last of a path that cuts, before select; n_keep and keep are unset. Adds
     * to what the tokens before base[h] bring, and sets those of the map behind them. */
    skv_status (*observe)(const skv_policy_state *s, skv_backend *be, const skv_select_args *a);
    /* NULL, or: how many of the `len` tokens that a head has with the map of scale si its attention
     * reads there, at the last scale too: 1 to len. Where that is less than len for one head at
     * least, select is called before attention as well, with these as n_keep, and attention reads
     * what it chooses; nothing is cut by that. A policy that has it takes no RAW queries and has
     * no `observe`. */
    int (*attended)(const skv_policy_state *s, int layer, int head, int si, int len);
    /* Bytes of scratch that one select or observe may take for `rows` rows of `tokens` tokens, all
     * heads together. */
    size_t (*scratch_bytes)(const skv_policy_state *s, int rows, int64_t tokens);
    /* Average tokens a layer that the state stands for; SKV_KEEP_ALL: no bound. */
    int (*base)(const skv_policy_state *s);
    /* Adds to the report what only this policy has (a budget table); NULL: nothing. */
    skv_status (*report)(const skv_policy_state *s, skv_json_maker *report);
} skv_policy;

/* A policy's state for this setup; unknown options are refused by name. */
SKV_MUST skv_status skv_policy_open(skv_policy_state **out, const skv_policy *policy,
                                    const skv_policy_setup *setup);
void skv_policy_close(const skv_policy *policy, skv_policy_state *state); /* accepts NULL */

/* New JSON object for run files and `inspect`: "base" (null: no bound), "options" as resolved, and
 * what the policy adds. */
SKV_MUST skv_status skv_policy_report(json_t **out, const skv_policy *policy,
                                      const skv_policy_state *state);

/* All policies, NULL-terminated, in the order of SKV_POLICIES. */
extern const skv_policy *const skv_policies[];

/* SKV_E_NOTFOUND names the nearest known one. */
SKV_MUST skv_status skv_policy_find(const skv_policy **out, const char *name);

/* Tokens a layer for a budget in percent of the history T: 4, 10, 20 % are 265, 650, 1300 tokens of
 * 6,425, any other p is 65·p; times T/6425, half up. See src/cache/README.md, Budgets. */
int skv_policy_base(double percent, const skv_schedule *schedule);

#endif
