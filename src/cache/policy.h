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
    const skv_budget *budget; /* used as it is, before budget_file and the rule; usually NULL */
    const json_t *options;    /* object of policy options, or NULL; unknown keys are refused */
} skv_policy_setup;

/* Which queries select() wants for scale si. */
typedef enum {
    SKV_QUERIES_NONE,
    SKV_QUERIES_RAW, /* raw projections of the window's tokens: skv_select_args.q_raw */
    SKV_QUERIES_TRUE /* the attention's own queries of all tokens: skv_select_args.q */
} skv_queries;

/* One layer, one run of heads of equal length, all rows, after attention at scale si. */
typedef struct {
    int layer, si;
    int len;            /* cached tokens with the current map, the same for these heads */
    int n_keep;         /* = min(len, capacity) < len */
    skv_tensor k;       /* (R,h,>=len,D) kv, first two strides free */
    skv_tensor q_raw;   /* (R,n,h,D) fp32, strides free but the last; RAW only */
    skv_tensor q;       /* (R,L,h,D) act, strides free but the last; TRUE only */
    skv_tensor keep;    /* out: (R,h,n_keep) i32, first stride free; ascending cache positions */
    skv_arena *scratch; /* select marks and resets it */
} skv_select_args;

typedef struct skv_policy_state skv_policy_state; /* each policy's own */

typedef struct {
    const char *name, *help;
    const skv_option *options; /* what `configure` takes in setup->options; NULL: none */
    /* Refuses unknown options and tables made for other layers, scales or schedules, by name. */
    skv_status (*configure)(skv_policy_state **out, const skv_policy_setup *setup);
    /* Tokens the head may hold after scale si (0-based, not the last). Pure. */
    int (*capacity)(const skv_policy_state *s, int layer, int head, int si);
    /* For RAW: fills window (room SKV_MAX_WINDOW) with token numbers of the map, *n of them. */
    skv_queries (*queries)(const skv_policy_state *s, int si, int32_t *window, int *n);
    skv_status (*select)(const skv_policy_state *s, skv_backend *be, const skv_select_args *a);
    /* Bytes of scratch that one select may take for `rows` rows, `heads` heads and `len` tokens. */
    size_t (*scratch_bytes)(const skv_policy_state *s, int rows, int heads, int len);
    /* New JSON object: budget table, window, options as resolved (for run files and inspect). */
    skv_status (*report)(const skv_policy_state *s, json_t **out);
    void (*destroy)(skv_policy_state *s); /* accepts NULL */
} skv_policy;

/* All policies, NULL-terminated, in the order of SKV_POLICIES. */
extern const skv_policy *const skv_policies[];

/* SKV_E_NOTFOUND names the nearest known one. */
SKV_MUST skv_status skv_policy_find(const skv_policy **out, const char *name);

/* Tokens a layer for a budget in percent of the history T: 4, 10, 20 % are 265, 650, 1300 tokens of
 * 6,425, any other p is 65·p; times T/6425, half up. Spec cache-policies.md §1. */
int skv_policy_base(double percent, const skv_schedule *schedule);

#endif
