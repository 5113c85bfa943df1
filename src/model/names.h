/* Dimensions of a model read off its checkpoints' own tensors, and the names of a layer's tensors.
 * src/model/README.md, Parameters. */
#ifndef SKV_MODEL_NAMES_H
#define SKV_MODEL_NAMES_H

#include "arch/dims.h"
#include "model/weights.h"

/* How a checkpoint names layer 0 .. depth-1; dims->per_chunk holds the form. */
#define SKV_BLOCKS_PLAIN        0  /* blocks.{l}. */
#define SKV_BLOCKS_UNREGISTERED -1 /* unregistered_blocks.{l}. */

/* Fills the transformer's fields of *d; *token_bits = logit pairs a token. */
SKV_MUST skv_status skv_names_transformer(skv_dims *d, int *token_bits, const skv_weights *w);

/* Fills the VAE's fields and bits of *d. */
SKV_MUST skv_status skv_names_vae(skv_dims *d, const skv_weights *w);

/* Sets d->patch from the transformer's bits a token and the VAE's bits, refuses a pair that does
 * not belong together. */
SKV_MUST skv_status skv_names_join(skv_dims *d, int token_bits, const char *transformer,
                                   const char *vae);

/* "block_chunks.3.module.2." into buf; returns buf. */
const char *skv_names_layer(char *buf, size_t bytes, const skv_dims *d, int layer);

#endif
