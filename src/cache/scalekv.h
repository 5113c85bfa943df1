/* What ScaleKV's two rules share, the release's (policy_scalekv.c) and the paper's
 * (policy_scalekv_paper.c): the budget table and the window of patch centres. */
#ifndef SKV_CACHE_SCALEKV_H
#define SKV_CACHE_SCALEKV_H

#include "cache/budget.h"
#include "cache/policy.h"

struct skv_policy_state {
    int64_t window, kernel; /* options */
    int grid;               /* grid² = window */
    int depth, head_dim;
    skv_schedule schedule;
    skv_budget *budget;
};

extern const skv_option skv_scalekv__options[];

/* Members of both policies. The table is setup->budget, else the file, else built by the rule. */
SKV_MUST skv_status skv_scalekv__fill(skv_policy_state *s, const skv_policy_setup *setup);
void skv_scalekv__release(skv_policy_state *s);
int skv_scalekv__capacity(const skv_policy_state *s, int layer, int head, int si);
int skv_scalekv__base(const skv_policy_state *s);
SKV_MUST skv_status skv_scalekv__report(const skv_policy_state *s, skv_json_maker *report);

#endif
