#include "arch/dims.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    int depth, width, heads, chunks, bits, patch, text_width, vae_base;
} variant;

static const variant variants[] = {
    {"2b", 32, 2048, 16, 8, 32, 1, 2048, 128},      {"8b", 40, 3584, 28, 8, 14, 2, 2048, 128},
    {"layer12", 12, 768, 8, 4, 16, 1, 2048, 128},   {"layer16", 16, 1152, 12, 4, 16, 1, 2048, 128},
    {"layer24", 24, 1536, 16, 4, 16, 1, 2048, 128}, {"layer32", 32, 2080, 20, 4, 16, 1, 2048, 128},
    {"layer40", 40, 2688, 24, 4, 16, 1, 2048, 128}, {"layer48", 48, 3360, 28, 4, 16, 1, 2048, 128},
    {"tiny_f16", 4, 128, 4, 2, 16, 1, 256, 32},     {"tiny_f14", 4, 128, 4, 2, 14, 2, 256, 32},
};

static const int released_bits[] = {14, 16, 18, 20, 24, 32, 64};

static skv_status parse_bits(int *out, const char *text, const char *name)
{
    char *end;
    long bits = strtol(text, &end, 10);

    for (size_t i = 0; i < sizeof released_bits / sizeof released_bits[0]; i++)
        if (*end == '\0' && bits == released_bits[i]) {
            *out = (int)bits;
            return SKV_OK;
        }
    return skv_fail(SKV_E_ARG, "model %s: bits must be 14, 16, 18, 20, 24, 32 or 64", name);
}

/* round(4·C/256)·256, halves to even as in Python: 2080 -> 8192. */
static int mlp_width(int width)
{
    int q = width * 4 / 256, r = width * 4 % 256;

    return (q + (r > 128 || (r == 128 && q % 2 == 1))) * 256;
}

static const char *behind(const char *text, const char *word)
{
    const size_t n = strlen(word);

    return strncmp(text, word, n) == 0 ? text + n : text;
}

/* Whether a name without its ":bits" is one of the variant's: ours, or upstream's, as its files
 * (Infinity_2b_reg, infinity_8b_weights) and its scripts (layer12c4, with the chunks) have it. */
static bool is_called(const variant *v, const char *name, size_t n)
{
    static const char *const endings[] = {"", "_reg", "_weights", "_512x512_weights"};
    char plain[48], chunks[16];
    const char *rest;

    if (n >= sizeof plain)
        return false;
    for (size_t i = 0; i < n; i++)
        plain[i] = (char)(name[i] == '-' ? '_' : tolower((unsigned char)name[i]));
    plain[n] = '\0';
    rest = behind(behind(plain, "infinity"), "_");
    if (strncmp(rest, v->name, strlen(v->name)) != 0)
        return false;
    rest += strlen(v->name);
    snprintf(chunks, sizeof chunks, "c%d", v->chunks);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(rest, endings[i]) == 0)
            return true;
    return strcmp(rest, chunks) == 0;
}

skv_status skv_dims_named(skv_dims *out, const char *name)
{
    const char *colon = strchr(name, ':');
    size_t n = colon ? (size_t)(colon - name) : strlen(name);

    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        const variant *v = &variants[i];
        skv_dims d = {.depth = v->depth,
                      .width = v->width,
                      .heads = v->heads,
                      .head_dim = v->width / v->heads,
                      .hidden = mlp_width(v->width),
                      .per_chunk = v->depth / v->chunks,
                      .bits = v->bits,
                      .patch = v->patch,
                      .text_width = v->text_width,
                      .pool_heads = v->text_width / (v->width <= 4096 ? 128 : 64),
                      .max_text = 512,
                      .vae_base = v->vae_base,
                      .vae_levels = v->patch == 2 ? 4 : 5,
                      .vae_mult = {1, 2, 4, 4, 4}};

        if (!is_called(v, name, n))
            continue;
        if (colon)
            SKV_TRY(parse_bits(&d.bits, colon + 1, name));
        snprintf(d.name, sizeof d.name, "%s", v->name);
        *out = d;
        return SKV_OK;
    }
    return skv_fail(SKV_E_NOTFOUND,
                    "model %s is not known: want 2b, 8b, tiny_f16, tiny_f14, or layer12, 16, 24, "
                    "32, 40, 48 (\":32\" after it for 32 bits)",
                    name);
}

static skv_status want(int ok, const char *name, const char *what, int value)
{
    return ok ? SKV_OK : skv_fail(SKV_E_SHAPE, "%s: %s %d is out of range", name, what, value);
}

skv_status skv_dims_check(const skv_dims *d, const char *name)
{
    SKV_TRY(want(d->depth >= 1 && d->depth <= SKV_MAX_DEPTH, name, "depth", d->depth));
    SKV_TRY(want(d->heads >= 1 && d->heads <= SKV_MAX_HEADS, name, "number of heads", d->heads));
    SKV_TRY(want(d->width >= 1 && d->width <= 16384 && d->width == d->heads * d->head_dim, name,
                 "width", d->width));
    SKV_TRY(want(d->head_dim % 4 == 0 && d->head_dim <= 256, name, "head dimension", d->head_dim));
    SKV_TRY(want(d->hidden >= 1 && d->hidden <= 65536, name, "MLP width", d->hidden));
    SKV_TRY(want(d->bits >= 1 && d->bits <= 256, name, "number of bits", d->bits));
    SKV_TRY(want(d->patch == 1 || d->patch == 2, name, "patch", d->patch));
    SKV_TRY(want(d->text_width >= 1 && d->text_width <= 16384, name, "text width", d->text_width));
    SKV_TRY(
        want(d->pool_heads >= 1 && d->width % d->pool_heads == 0 && d->width / d->pool_heads <= 256,
             name, "number of pooling heads", d->pool_heads));
    SKV_TRY(want(d->max_text >= 1 && d->max_text <= 4096, name, "text length", d->max_text));
    SKV_TRY(want(d->vae_base >= 1 && d->vae_base <= 1024, name, "VAE base width", d->vae_base));
    return want(d->vae_levels >= 1 && d->vae_levels <= SKV_MAX_VAE_LEVELS, name,
                "number of VAE levels", d->vae_levels);
}
