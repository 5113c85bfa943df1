/* The engine: one model on one backend, its memory planned and taken once, and a group computed on
 * one path after another. sample, verify, bench and decode all go through it.
 *
 * Order for a group: skv_engine_text (room for the text features), fill it, skv_engine_condition,
 * then skv_engine_path for each path. */
#ifndef SKV_SAMPLE_ENGINE_H
#define SKV_SAMPLE_ENGINE_H

#include "model/infinity.h"
#include "model/sources.h"
#include "model/vae.h"
#include "sample/path.h"

typedef struct {
    skv_backend *be;
    const skv_sources *sources;
    skv_schedule schedule;
    skv_guidance guidance;
    bool guided;
    const skv_path *paths; /* all that will run */
    int n_paths;           /* 0: the engine only decodes, and loads the VAE alone */
    int max_prompts;       /* B of the largest group */
    int max_text_tokens;   /* of the largest group: packed prompts and negative prompts */
    int max_uncond;        /* longest row that reads cfg_uncond, 0: none does */
    size_t text_scratch;   /* bytes of scratch that the text encoder needs */
} skv_engine_setup;

/* Bytes by purpose; device memory, planned before anything is taken. */
typedef struct {
    size_t transformer, vae; /* weights; 0 where a mapped file is used in place */
    size_t run;              /* RoPE tables */
    size_t text, cond;       /* a group's text features and faults, text K/V and modulations */
    size_t results;          /* bits and residual map */
    size_t cache;            /* the largest path's pool, scratch of a layer and origins */
    size_t pool;             /* of that: the pool at its peak */
    size_t scratch;          /* the largest phase: text, conditioning, scales, VAE */
    size_t total;
} skv_memory_plan;

/* *out = the bytes that skv_engine_create will take; takes none. */
SKV_MUST skv_status skv_engine_plan(skv_memory_plan *out, const skv_engine_setup *setup);

typedef struct skv_engine skv_engine;

/* Loads the weights and takes the plan's bytes; copies setup, borrows what it points to. Caller
 * destroys; destroy accepts NULL. */
SKV_MUST skv_status skv_engine_create(skv_engine **out, const skv_engine_setup *setup);
void skv_engine_destroy(skv_engine *e);

/* The same model with other paths, lengths or group size: gives back all memory but the weights and
 * takes the new plan's. setup: of the same backend and sources, with paths like the first one's. An
 * engine that failed here can only be destroyed. */
SKV_MUST skv_status skv_engine_resize(skv_engine *e, const skv_engine_setup *setup);

skv_arena *skv_engine_scratch(skv_engine *e); /* borrowed */

/* Begins a group: *text is (n_tokens,Ct5) fp32 device memory for the caller to fill. */
SKV_MUST skv_status skv_engine_text(skv_engine *e, skv_tensor *text, int n_tokens);

/* spans: one a row, conditional rows first, n_rows = B or 2B. Prompts are computed in the order of
 * their texts' length; seeds and results are in the order of spans. */
SKV_MUST skv_status skv_engine_condition(skv_engine *e, const skv_text_span *spans, int n_rows);

/* Of each prompt of the group in the order of computing: its place in the order of spans. Borrowed
 * until the next group. */
const int *skv_engine_order(const skv_engine *e);

/* The first value of a prompt that is not finite: 0: none; 1 + si: logits of scale si; or the
 * picture (SKV_FAULT_PICTURE), or its text or negative text (SKV_FAULT_TEXT). */
#define SKV_FAULT_TEXT (-1)

/* Host buffers for one path's results; NULL members are not wanted (and not computed: no image and
 * no rgb means no VAE). */
typedef struct {
    uint8_t *bits;         /* (B, skv_engine_bits_bytes) packed */
    uint8_t *image;        /* (B,H,W,3) */
    float *map;            /* (B,Hz,Wz,d) */
    float *rgb;            /* (B,H,W,3), before clamping */
    float *kept_by_source; /* (S-1,depth,S), mean over all rows */
    int32_t *fault;        /* (B): SKV_FAULT_TEXT and so on; bits and pictures are as computed */
    double transformer_seconds, vae_seconds;
    skv_scale_cost *scale_cost; /* S of them */
    int64_t vae_flops;
    size_t pool_peak, pool_planned;    /* most K/V bytes held, and meant to be held */
    int64_t scale_allocs, scale_waits; /* of the backend, from the first scale to the last */
} skv_path_result;

/* A picture's random numbers: those of torch's generator with this seed, after it drew `before`
 * other pictures of this schedule. */
typedef struct {
    uint64_t value, before;
} skv_seed;

/* The generator as the picture finds it. */
skv_generator skv_engine_generator(const skv_engine_setup *s, const skv_seed *seed);

/* seed: B of them. probe may be NULL. */
SKV_MUST skv_status skv_engine_path(skv_engine *e, const skv_path *path, int n_prompts,
                                    const skv_seed *seed, const skv_probe *probe,
                                    skv_path_result *result);

/* Pictures of recorded bits (n, skv_engine_bits_bytes) packed -> image (n,H,W,3), and for each a
 * fault, 0 or SKV_FAULT_PICTURE. n <= max_prompts. */
SKV_MUST skv_status skv_engine_decode(skv_engine *e, const uint8_t *bits, int n, uint8_t *image,
                                      int32_t *fault);

/* Lengths and bytes of a path for B prompts; caller destroys. */
SKV_MUST skv_status skv_engine_kv_plan(skv_kv_plan **out, const skv_engine_setup *setup,
                                       const skv_path *path, int n_prompts);

/* Packed bytes of a picture's bits; sides of a picture. */
size_t skv_engine_bits_bytes(const skv_engine_setup *setup);
int skv_picture_height(const skv_schedule *s);
int skv_picture_width(const skv_schedule *s);

#endif
