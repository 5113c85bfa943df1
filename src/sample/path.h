/* The cache paths of a run: name, policy, budget; one may be the reference. */
#ifndef SKV_SAMPLE_PATH_H
#define SKV_SAMPLE_PATH_H

#include "cache/kv.h"
#include "sample/settings.h"

typedef struct {
    char name[64]; /* as skv_path_name_is_valid takes it */
    const skv_policy *policy;
    skv_policy_state *state;
    int base; /* budget, tokens a layer; SKV_KEEP_ALL for full */
    skv_kv_dtype kv_dtype;
    bool in_bytes;     /* budget: of the run's --budget */
    bool reference;    /* the others are compared with it */
    json_t *report;    /* {policy, base_tokens, kv_dtype unless work, ...}: the policy's resolved
                          options and budget table */
    char *digest_text; /* the path's digest is taken over this: compact JSON of report */
} skv_path;

typedef struct {
    skv_path *path;
    int n;
} skv_paths;

/* Resolves settings->paths: each name is one of path_definitions, or <policy>-<percent>, or "full",
 * the last two also with "-fp8" or "-int8" behind them.
 * Default: all definitions, or "full". Duplicate and unknown names are refused. With leave_out a
 * path that its policy refuses or that never cuts is left out, with a line that says why. kv: the
 * backend's type of keys and values, by which --budget becomes tokens; then a policy's name is
 * enough. */
SKV_MUST skv_status skv_paths_resolve(skv_paths *out, const skv_settings *s, const skv_dims *dims,
                                      const skv_schedule *schedule, skv_dtype kv);
void skv_paths_clear(skv_paths *p);

/* Files that path_definitions name get their absolute names in a record of the settings. */
SKV_MUST skv_status skv_paths_record(json_t *record, const skv_settings *s);

#endif
