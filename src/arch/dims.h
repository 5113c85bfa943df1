/* The dimensions of a model: pure integers. They come from the checkpoint's own tensors
 * (model/names.h) or from a named variant; src/arch/README.md, Variants. */
#ifndef SKV_ARCH_DIMS_H
#define SKV_ARCH_DIMS_H

#include "core/status.h"

#define SKV_MAX_DEPTH      64
#define SKV_MAX_HEADS      64
#define SKV_MAX_VAE_LEVELS 6
#define SKV_TOKEN_STRIDE   16 /* pixels of a token's side, in every variant */

typedef struct {
    char name[32];  /* "2b", "8b", "tiny_f16", ..., "" when it is not a known variant */
    int depth;      /* layers */
    int width;      /* C */
    int heads;      /* H */
    int head_dim;   /* D = C/H */
    int hidden;     /* of the MLP */
    int per_chunk;  /* layers in a block chunk (names only); 0: unchunked names */
    int bits;       /* d, the VAE's */
    int patch;      /* 2: patchify, 1: not */
    int text_width; /* Ct5 */
    int pool_heads; /* of the pooling attention over the text */
    int max_text;   /* rows of cfg_uncond: the longest text */
    int vae_base;   /* decoder's base width */
    int vae_levels; /* 5 at stride 16, 4 at stride 8 */
    int vae_mult[SKV_MAX_VAE_LEVELS];
} skv_dims;

/* Logit pairs of a token: bits·patch². */
static inline int skv_dims_token_bits(const skv_dims *d)
{
    return d->bits * d->patch * d->patch;
}

/* Dimensions of 2b, 8b, tiny_f16, tiny_f14, layer12 .. layer48 ("layer12:32" for 32 bits instead
 * of 16), in any case and as upstream calls them (infinity_2b_reg, layer12c4). SKV_E_NOTFOUND lists
 * the names. */
SKV_MUST skv_status skv_dims_named(skv_dims *out, const char *name);

/* SKV_E_SHAPE unless sizes are positive, divide where they must, and fit the tables; `name`: the
 * source, for messages. */
SKV_MUST skv_status skv_dims_check(const skv_dims *d, const char *name);

#endif
