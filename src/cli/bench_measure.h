/* What skv bench measures: a group by phase, a large GEMM of the device, and the floor.
 *
 * The floor is the same path with only GEMMs, attention and convolutions left; every other
 * operation does nothing. However the others are computed, a group cannot be faster. */
#ifndef SKV_CLI_BENCH_MEASURE_H
#define SKV_CLI_BENCH_MEASURE_H

#include "core/options.h"
#include "sample/engine.h"

#define SKV_BENCH_MAX_BATCH 1024

typedef struct {
    skv_backend *be;
    skv_engine *engine;
    const skv_engine_setup *setup; /* of the engine; one path */
    const skv_ints *text_tokens;   /* of prompt i: entry i mod n */
    uint8_t *image;                /* room for the batch's pictures */
} skv_bench;

/* One timed group. */
typedef struct {
    double seconds, text, transformer, vae;
    skv_scale_cost scale[SKV_MAX_SCALES];
    int64_t text_flops, transformer_flops, vae_flops;
    size_t pool_peak;
} skv_bench_group;

/* Tokens of a prompt, and of the first n_prompts together. */
int skv_bench_tokens(const skv_ints *lengths, int prompt);
int skv_bench_all_tokens(const skv_ints *lengths, int n_prompts);

/* The yardstick: the best of a few products of side³ in the backend's own types, FLOP/s. */
SKV_MUST skv_status skv_bench_gemm(int *side, double *rate, skv_backend *be);

/* Runs one group of setup->max_prompts with made-up text. */
SKV_MUST skv_status skv_bench_run(skv_bench_group *out, const skv_bench *b);

typedef struct {
    double transformer, vae; /* seconds; 0, 0: not measured */
    int64_t flops;
} skv_bench_floor;

/* Transformer and VAE at the floor, best of three; after a group was run. Makes no pictures. */
SKV_MUST skv_status skv_bench_run_floor(skv_bench_floor *out, const skv_bench *b);

#endif
