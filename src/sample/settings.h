/* Every option of a run, in one table: flag, JSON key, default and help are one row. */
#ifndef SKV_SAMPLE_SETTINGS_H
#define SKV_SAMPLE_SETTINGS_H

#include "arch/schedule.h"
#include "core/config.h"
#include "model/infinity.h"

typedef struct {
    /* model */
    char *model, *transformer, *vae, *t5, *spm;
    /* text */
    char *prompts, *prompt, *prompt_key, *id_key, *prompt_order, *rewrite_cache, *text_cache,
        *negative, *tokens;
    bool positive;
    int64_t samples;
    uint64_t seed;
    char *seed_rule, *torch_gpu;
    /* picture */
    double ratio;
    char *resolution;
    skv_reals cfg, tau;
    double top_p;
    int64_t cfg_insertion_layer;
    /* cache paths */
    char *paths, *budget, *budget_file, *orders;
    skv_ints drafters;
    json_t *path_definitions;
    /* the run */
    char *out, *store, *device, *dtype, *only, *shard, *config, *note, *tune, *json, *for_gpu;
    json_t *published;
    int64_t group_size, memory_limit, threads, png_threads, port;
    double wait_notice, wait_limit, max_hours;
    bool leave_out, dry_run, allow_other_device, virtual_run, gather;
} skv_settings;

extern const skv_option skv_settings_table[];

/* Fills *s; cleared with skv_options_clear(skv_settings_table, s) in any case. */
SKV_MUST skv_status skv_settings_read(skv_settings *s, const skv_settings_sources *sources);

/* Value ranges; one sentence naming the option. */
SKV_MUST skv_status skv_settings_check(const skv_settings *s);

/* cfg and tau by scale (one value serves all), top-p, insertion layer, the GPU of --torch-gpu. */
SKV_MUST skv_status skv_settings_guidance(skv_guidance *out, const skv_settings *s,
                                          const skv_schedule *schedule, int depth);

/* What messages call the list of prompts; NULL: there is none. */
const char *skv_settings_list(const skv_settings *s);

/* Guidance at any scale: two rows a prompt. */
bool skv_settings_guided(const skv_settings *s);

/* --shard k/n: the groups [*first, *end) of n_groups; all where it is not given. */
SKV_MUST skv_status skv_settings_shard(int64_t *first, int64_t *end, const skv_settings *s,
                                       int64_t n_groups);

/* What --store says. */
typedef struct {
    bool bits, image, png;
} skv_store;
SKV_MUST skv_status skv_settings_store(skv_store *out, const skv_settings *s);

#endif
