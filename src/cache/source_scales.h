/* Policies that keep or drop whole scales: which source scales' tokens each head holds after every
 * cut. Known before anything runs, so the capacities follow from it. */
#ifndef SKV_CACHE_SOURCE_SCALES_H
#define SKV_CACHE_SOURCE_SCALES_H

#include "cache/policy.h"

/* What the state of such a policy begins with. */
typedef struct {
    int base; /* skv_plain__base reads it */
    skv_schedule schedule;
    int depth, heads;
    int32_t *kept; /* (n_scales-1, depth, heads): bit j after scale si: those of scale j <= si */
} skv_source_scales;

/* Takes a table in which everything is kept. */
SKV_MUST skv_status skv_source_scales__init(skv_source_scales *s, const skv_policy_setup *setup);
void skv_source_scales__deinit(skv_source_scales *s);

/* The bits of a head after scale si. */
int32_t *skv_source_scales__of(const skv_source_scales *s, int layer, int head, int si);

/* Tokens of the scales whose bits are set. */
int skv_source_scales__tokens(const skv_source_scales *s, int32_t bits);

/* Members of the policy. */
int skv_source_scales__capacity(const skv_policy_state *s, int layer, int head, int si);
SKV_MUST skv_status skv_source_scales__select(const skv_policy_state *s, skv_backend *be,
                                              const skv_select_args *a);
void skv_source_scales__release(skv_policy_state *s);

#endif
