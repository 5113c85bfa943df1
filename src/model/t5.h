/* The T5 (v1.1, flan) encoder: token ids -> text features.
 *
 * Prompts are packed one after another without padding; attention stays inside a prompt. Easy to
 * get wrong: scores are not scaled, the inner width n_heads·d_kv need not be d_model, and layer 0's
 * bias table serves every layer. The residual stays fp32, as fp16 would overflow. */
#ifndef SKV_MODEL_T5_H
#define SKV_MODEL_T5_H

#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"
#include "core/tensor.h"
#include "kernels/backend.h"
#include "model/weights.h"

typedef struct {
    int d_model, d_kv, n_heads, d_ff, n_layers; /* of the encoder */
    int vocab_size;                             /* rows of the embedding */
    int n_buckets, max_distance;                /* of the relative position bias */
    float eps;                                  /* of the norms, inside the root */
} skv_t5_dims;

typedef struct skv_t5 skv_t5;

/* Opens a checkpoint folder and its config.json, or "formula:xl" (the sizes of flan-t5-xl) or
 * "formula:tiny"; loads nothing. A config that is not of a gated-gelu T5 is refused with the key
 * named. Caller closes *weights. */
SKV_MUST skv_status skv_t5_open(skv_weights **weights, skv_t5_dims *dims, const char *spec);

/* Sizes from a config.json alone. */
SKV_MUST skv_status skv_t5_read_config(skv_t5_dims *dims, const char *path);

/* Device bytes that create will take. One message names all missing or misshapen tensors. */
SKV_MUST skv_status skv_t5_plan(size_t *bytes, skv_backend *be, skv_weights *w,
                                const skv_t5_dims *d);

/* Loads the encoder; borrows be and w (the embedding is read from w's file). Caller destroys. */
SKV_MUST skv_status skv_t5_create(skv_t5 **out, skv_backend *be, skv_weights *w,
                                  const skv_t5_dims *d);

/* Accepts NULL. */
void skv_t5_destroy(skv_t5 *t);

/* The backend it computes on. Where another backend wrote or reads the memory given to encode, the
 * caller must synchronise the two. */
skv_backend *skv_t5_backend(const skv_t5 *t);

/* Bytes of an arena that encoding n_tokens (of all prompts together) takes. */
size_t skv_t5_scratch_bytes(const skv_t5_dims *d, const skv_backend *be, int n_tokens);

/* out (start[n_prompts], d_model) fp32 on the device = the encoder's output for the ids of prompt p
 * in [start[p], start[p+1]). ids and start are host arrays, start begins at 0 and ascends strictly;
 * ids outside the vocabulary are refused. The scratch is given back. */
SKV_MUST skv_status skv_t5_encode(skv_t5 *t, const int32_t *ids, const int32_t *start,
                                  int n_prompts, const skv_tensor *out, skv_arena *scratch);

/* What a traced run shows: the residual (T,d_model) fp32 on the device after the embedding
 * (layer -1) and after each layer. */
typedef skv_status skv_t5_trace_fn(void *user, int layer, const skv_tensor *residual);

/* Calls fn during every encode from now on; NULL: no more. */
void skv_t5_set_trace(skv_t5 *t, skv_t5_trace_fn *fn, void *user);

/* Bucket of (key - query) for |key - query| <= n_rel into bucket_of[offset + n_rel]; only beyond
 * max_distance are all offsets of one sign in one bucket. */
void skv_t5_buckets(int32_t *bucket_of, int n_rel, int n_buckets, int max_distance);

#endif
