/* Transformer and VAE as the user names them (a checkpoint, or formula:NAME), opened but not
 * loaded, and the dimensions that follow from both together. */
#ifndef SKV_MODEL_SOURCES_H
#define SKV_MODEL_SOURCES_H

#include "arch/dims.h"
#include "model/weights.h"

typedef struct {
    skv_weights *transformer, *vae;
    skv_dims dims;
} skv_sources;

/* model: NULL, or a named variant that the checkpoint must be. Closed with skv_sources_close.
 * SKV_E_ARG: a file that is not there, is of another kind, or does not fit the other one or model;
 * a damaged one is SKV_E_FORMAT or SKV_E_IO. */
SKV_MUST skv_status skv_sources_open(skv_sources *out, const char *transformer, const char *vae,
                                     const char *model);

/* The VAE alone, for bits of a model with `token_bits` bits a token (decoding). */
SKV_MUST skv_status skv_sources_open_vae(skv_sources *out, const char *vae, int token_bits);

void skv_sources_close(skv_sources *s);

/* The NAME of "formula:NAME", NULL for a file. */
const char *skv_formula_name(const char *spec);

#endif
