#include "model/names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The tensor's extent `axis`, with the number of dimensions checked. */
static skv_status extent(int *out, const skv_weights *w, const char *name, int ndim, int axis)
{
    int64_t shape[SKV_MAX_DIMS];
    int n = 0;

    SKV_TRY(skv_weights_shape(w, name, shape, &n));
    if (n != ndim || shape[axis] < 1 || shape[axis] > (1 << 20))
        return skv_fail(SKV_E_SHAPE, "%s: %s has %d dimensions or an extent out of range, want %d",
                        skv_weights_describe(w), name, n, ndim);
    *out = (int)shape[axis];
    return SKV_OK;
}

static bool has(const skv_weights *w, const char *name)
{
    int64_t shape[SKV_MAX_DIMS];
    int n;

    return skv_weights_shape(w, name, shape, &n) == SKV_OK;
}

const char *skv_names_layer(char *buf, size_t bytes, const skv_dims *d, int layer)
{
    if (d->per_chunk > 0)
        snprintf(buf, bytes, "block_chunks.%d.module.%d.", layer / d->per_chunk,
                 layer % d->per_chunk);
    else
        snprintf(buf, bytes, "%sblocks.%d.",
                 d->per_chunk == SKV_BLOCKS_UNREGISTERED ? "unregistered_" : "", layer);
    return buf;
}

static bool has_layer(const skv_weights *w, const skv_dims *d, int layer)
{
    char prefix[64], name[96];

    snprintf(name, sizeof name, "%sada_gss", skv_names_layer(prefix, sizeof prefix, d, layer));
    return has(w, name);
}

/* Which of the three forms the file uses, and how many layers follow one another. */
static skv_status count_layers(skv_dims *d, const skv_weights *w)
{
    d->per_chunk = SKV_MAX_DEPTH; /* every layer in chunk 0: counts that chunk's */
    d->depth = 0;
    while (d->depth < SKV_MAX_DEPTH && has_layer(w, d, d->depth))
        d->depth++;
    d->per_chunk = d->depth;
    if (d->depth == 0) {
        d->per_chunk = SKV_BLOCKS_PLAIN;
        if (!has_layer(w, d, 0))
            d->per_chunk = SKV_BLOCKS_UNREGISTERED;
    }
    while (d->depth < SKV_MAX_DEPTH && has_layer(w, d, d->depth))
        d->depth++;
    if (d->depth == 0)
        return skv_fail(SKV_E_NOTFOUND,
                        "%s: no transformer layers (no block_chunks.0.module.0.ada_gss, "
                        "blocks.0.ada_gss or unregistered_blocks.0.ada_gss)",
                        skv_weights_describe(w));
    return SKV_OK;
}

skv_status skv_names_transformer(skv_dims *d, int *token_bits, const skv_weights *w)
{
    char prefix[64], name[96];
    int rows = 0;

    SKV_TRY(count_layers(d, w));
    SKV_TRY(extent(&d->width, w, "word_embed.weight", 2, 0));
    SKV_TRY(extent(token_bits, w, "word_embed.weight", 2, 1));
    SKV_TRY(extent(&d->text_width, w, "cfg_uncond", 2, 1));
    SKV_TRY(extent(&d->max_text, w, "cfg_uncond", 2, 0));
    SKV_TRY(extent(&d->pool_heads, w, "text_proj_for_sos.ca.mat_q", 3, 1));
    skv_names_layer(prefix, sizeof prefix, d, 0);
    snprintf(name, sizeof name, "%ssa.scale_mul_1H11", prefix);
    SKV_TRY(extent(&d->heads, w, name, 4, 1));
    snprintf(name, sizeof name, "%sffn.fc1.weight", prefix);
    SKV_TRY(extent(&d->hidden, w, name, 2, 0));
    SKV_TRY(extent(&rows, w, "lvl_embed.weight", 2, 0));
    if (d->width % d->heads != 0)
        return skv_fail(SKV_E_SHAPE, "%s: width %d is not a multiple of its %d heads",
                        skv_weights_describe(w), d->width, d->heads);
    d->head_dim = d->width / d->heads;
    return SKV_OK;
}

/* Old files lack the inner ".conv" of a name. */
static skv_status conv_extent(int *out, const skv_weights *w, const char *stem, int axis)
{
    char name[96];

    snprintf(name, sizeof name, "%s.conv.weight", stem);
    if (!has(w, name))
        snprintf(name, sizeof name, "%s.weight", stem);
    return extent(out, w, name, 4, axis);
}

skv_status skv_names_vae(skv_dims *d, const skv_weights *w)
{
    char stem[64];
    int width = 0;

    SKV_TRY(conv_extent(&d->bits, w, "decoder.conv_in", 1));
    SKV_TRY(conv_extent(&d->vae_base, w, "decoder.conv_out", 1));
    for (d->vae_levels = 0; d->vae_levels < SKV_MAX_VAE_LEVELS; d->vae_levels++) {
        snprintf(stem, sizeof stem, "decoder.up.%d.block.0.conv1", d->vae_levels);
        if (conv_extent(&width, w, stem, 0) != SKV_OK)
            break;
        if (width % d->vae_base != 0)
            return skv_fail(SKV_E_SHAPE,
                            "%s: level %d has width %d, which is not a multiple of the base %d",
                            skv_weights_describe(w), d->vae_levels, width, d->vae_base);
        d->vae_mult[d->vae_levels] = width / d->vae_base;
    }
    if (d->vae_levels == 0)
        return skv_fail(SKV_E_NOTFOUND, "%s: no decoder levels (decoder.up.0.block.0.conv1)",
                        skv_weights_describe(w));
    return SKV_OK;
}

skv_status skv_names_join(skv_dims *d, int token_bits, const char *transformer, const char *vae)
{
    int stride = 1 << (d->vae_levels - 1);

    if (token_bits == d->bits)
        d->patch = 1;
    else if (token_bits == 4 * d->bits)
        d->patch = 2;
    else
        return skv_fail(SKV_E_SHAPE,
                        "%s has %d bits a token and %s has %d: they do not belong together (want "
                        "equal numbers, or four times as many with patchify)",
                        transformer, token_bits, vae, d->bits);
    if (stride * d->patch != SKV_TOKEN_STRIDE)
        return skv_fail(SKV_E_SHAPE, "%s: stride %d with %s makes a token %d pixels wide, want %d",
                        vae, stride, d->patch == 2 ? "patchify" : "no patchify", stride * d->patch,
                        SKV_TOKEN_STRIDE);
    return SKV_OK;
}
