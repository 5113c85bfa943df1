/* The Infinity transformer: its weights, the conditioning of a group, and one pass over the scales.
 *
 * A group is B prompts in one batch; with guidance there are R = 2B rows, conditional ones first.
 * Text K/V and modulations depend on the text alone and are made once a group (skv_cond); a pass
 * runs one cache path: for every scale blocks, logits, bits, residual map. src/model/README.md has
 * the formulas. */
#ifndef SKV_MODEL_INFINITY_H
#define SKV_MODEL_INFINITY_H

#include "arch/dims.h"
#include "arch/schedule.h"
#include "cache/kv.h"
#include "core/mem.h"
#include "core/torch_random.h"
#include "model/weights.h"

typedef struct skv_infinity skv_infinity;

/* Loads every parameter onto the backend. dims as names.h finds them. Borrows be and weights
 * (mapped tensors are used in place). Caller destroys. */
SKV_MUST skv_status skv_infinity_create(skv_infinity **out, skv_backend *be, skv_weights *weights,
                                        const skv_dims *dims);
void skv_infinity_destroy(skv_infinity *m);

/* Device bytes that creating it takes (0 for what is used in place), without taking them. */
SKV_MUST skv_status skv_infinity_plan(size_t *bytes, skv_backend *be, skv_weights *weights,
                                      const skv_dims *dims);

/* ------------------------------------------------------------------ once a run: schedule */

/* RoPE tables of a schedule. */
typedef struct skv_stage skv_stage;

/* Takes from `arena` (life of the run). */
SKV_MUST skv_status skv_stage_create(skv_stage **out, const skv_infinity *m,
                                     const skv_schedule *schedule, skv_arena *arena);
void skv_stage_destroy(skv_stage *s);

SKV_MUST skv_status skv_stage_plan(size_t *arena_bytes, const skv_dims *dims, const skv_backend *be,
                                   const skv_schedule *schedule);

/* ------------------------------------------------------------ once a group: conditioning */

/* The text tokens of one row: of the group's packed text, or of cfg_uncond (upstream: its first n,
 * start 0). */
typedef struct {
    bool uncond;
    int start, n;
} skv_text_span;

typedef struct skv_cond skv_cond;

/* text (T,Ct5) fp32: T5 outputs of the group's prompts (and negative prompts), packed, on the
 * device; T >= 1. spans: one a row, R = n_rows. Takes from `arena` and, for a moment, `scratch`. */
SKV_MUST skv_status skv_cond_create(skv_cond **out, const skv_infinity *m, const skv_tensor *text,
                                    const skv_text_span *spans, int n_rows, skv_arena *arena,
                                    skv_arena *scratch);
void skv_cond_destroy(skv_cond *c);
/* text_tokens: those of the text and of the longest row that reads cfg_uncond. */
SKV_MUST skv_status skv_cond_plan(size_t *arena_bytes, size_t *scratch_bytes, const skv_dims *dims,
                                  const skv_backend *be, int n_rows, int text_tokens);

/* ---------------------------------------------------------------- one pass over the scales */

/* Guidance and sampling of a run. */
typedef struct {
    double cfg[SKV_MAX_SCALES], tau[SKV_MAX_SCALES];
    double top_p;
    skv_torch_gpu gpu; /* whose random numbers are drawn */
    int insertion; /* 0: guidance on the logits; -k: in the residual stream after layer depth-k */
} skv_guidance;

/* A layer's cut, before it is carried out; device tensors. */
typedef struct {
    int si, layer;
    skv_tensor keep;  /* (R,Σ_h n) i32: positions the policy chose, row by row, head by head */
    skv_tensor k;     /* (R,H,>=len,D) kv: the layer's keys */
    skv_tensor q_raw; /* (R,n_window,H,D) fp32; data NULL: the policy does not use it */
    const int32_t *window; /* n_window token numbers of the current map */
    int n_window;
    const int32_t *len; /* [H] cached tokens with the current map */
} skv_cut;

/* A layer's attention, just computed; device tensors. */
typedef struct {
    int si, layer;
    skv_tensor q, k;    /* (R,L,H,D) act; (R,H,>=len,D) kv, the current map's keys last */
    const int32_t *len; /* [H] cached tokens with the current map */
} skv_attended;

/* What verify feeds in and reads out, and calibrate reads; every member may be NULL. Pointers are
 * to device memory. */
typedef struct {
    void *ctx;
    skv_status (*attended)(void *ctx, const skv_attended *seen);
    /* After layer `layer`'s residual updates: x (R,L,C) fp32. */
    skv_status (*block)(void *ctx, int si, int layer, const skv_tensor *x);
    /* Guided logits (B,L,bits,2) fp32; *bits (B,L,bits) u8 may be overwritten (teacher forcing). */
    skv_status (*logits)(void *ctx, int si, const skv_tensor *guided, skv_tensor *bits);
    /* *forced: leave data NULL, or set recorded positions (see skv_kv_end). */
    skv_status (*forced)(void *ctx, int si, int layer, skv_tensor *forced);
    /* After every cut (not where nothing was cut). */
    skv_status (*cut)(void *ctx, const skv_cut *cut);
} skv_probe;

/* What a scale cost: the device's time and counted operations. */
typedef struct {
    double seconds;
    int64_t flops;
} skv_scale_cost;

typedef struct skv_pass skv_pass;

typedef struct {
    const skv_infinity *model;
    const skv_stage *stage;
    int n_prompts; /* B */
    bool guided;   /* R = 2B */
    skv_guidance guidance;
    const skv_policy *policy;
    const skv_policy_state *policy_state;
    const skv_kv_plan *kv_plan; /* the path's, for R rows; read while the pass is created */
    skv_tensor fault; /* (B) i32 on the device, or data NULL: as draw_bits notes it at each scale */
} skv_pass_setup;

/* Bits and residual map come from `arena` (they outlive the scales), the activations of the largest
 * scale from `scratch` (free again after the run). */
SKV_MUST skv_status skv_pass_create(skv_pass **out, const skv_pass_setup *setup, skv_arena *arena,
                                    skv_arena *scratch);
void skv_pass_destroy(skv_pass *p);

/* What the bytes of a pass depend on. */
typedef struct {
    const skv_dims *dims;
    const skv_backend *be;
    const skv_schedule *schedule;
    int n_prompts;
    bool guided;
    const skv_policy *policy;
    const skv_policy_state *policy_state;
    const skv_kv_plan *kv_plan;
} skv_pass_size;
/* Exactly what skv_pass_create takes of both arenas. */
SKV_MUST skv_status skv_pass_plan(size_t *arena_bytes, size_t *scratch_bytes,
                                  const skv_pass_size *size);

/* Runs all scales of one group. kv must be empty. generator: B of them, as they stand before
 * the picture. probe may be NULL.
 * No allocation and no download happens between the first scale and the last, but for what the
 * probe asks. cost: NULL, or n_scales of them: operations are counted, and the backend's marks
 * 0..n_scales set for skv_pass_seconds. */
SKV_MUST skv_status skv_pass_run(skv_pass *p, const skv_cond *cond, skv_kv *kv,
                                 const skv_generator *generator, const skv_probe *probe,
                                 skv_scale_cost *cost);

/* Fills in the seconds of a run that had `cost`; waits for it. */
SKV_MUST skv_status skv_pass_seconds(const skv_pass *p, skv_scale_cost *cost);

/* All bits of the last run: scale si is (B,L,bits) u8 0/1 on the device. */
skv_tensor skv_pass_bits(const skv_pass *p, int si);
/* The residual map (B,Hz,Wz,d) fp32 of the last run, on the device. */
skv_tensor skv_pass_map(const skv_pass *p);

/* The residual map from bits alone (decode): bits as skv_pass_bits gives them, z zeroed here. */
SKV_MUST skv_status skv_map_from_bits(skv_backend *be, const skv_dims *dims,
                                      const skv_schedule *schedule, skv_tensor *z,
                                      const skv_tensor *bits, int si);

#endif
