/* --budget: how many tokens a layer a policy may hold in so many bytes of pool. */
#ifndef SKV_SAMPLE_POOL_BUDGET_H
#define SKV_SAMPLE_POOL_BUDGET_H

#include "cache/kv.h"

/* "512MiB", "2GiB", "64KiB", "1000": whole bytes above 0. SKV_E_ARG names --budget. */
SKV_MUST skv_status skv_pool_parse(size_t *bytes, const char *text);

/* The pool of a path on a group. */
typedef struct {
    const skv_policy *policy;
    const skv_policy_setup *setup; /* its base is what is looked for */
    int rows;                      /* of the group */
    skv_kv_types types;
} skv_pool_of;

/* *base = the largest budget whose planned pool (kv.h) is at most limit bytes, *bytes; at most the
 * tokens of all scales that are cached, which is the full cache. SKV_E_ARG: there is none, and the
 * least bytes that would do. */
SKV_MUST skv_status skv_pool_fit(int *base, size_t *bytes, const skv_pool_of *of, size_t limit);

#endif
