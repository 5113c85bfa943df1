#include "model/sources.h"

#include <stdio.h>
#include <string.h>

#include "core/options.h"
#include "model/names.h"

const char *skv_formula_name(const char *spec)
{
    static const char scheme[] = "formula:";

    return strncmp(spec, scheme, sizeof scheme - 1) == 0 ? spec + sizeof scheme - 1 : NULL;
}

static void take_vae_fields(skv_dims *d, const skv_dims *from)
{
    d->bits = from->bits;
    d->vae_base = from->vae_base;
    d->vae_levels = from->vae_levels;
    memcpy(d->vae_mult, from->vae_mult, sizeof d->vae_mult);
}

static skv_status open_transformer(skv_sources *s, int *token_bits, const char *spec)
{
    const char *name = skv_formula_name(spec);

    if (name) {
        SKV_TRY(skv_dims_named(&s->dims, name));
        *token_bits = skv_dims_token_bits(&s->dims);
        return skv_weights_open_formula(&s->transformer, "");
    }
    SKV_TRY(skv_weights_open(&s->transformer, spec, SKV_KIND_TRANSFORMER));
    return skv_names_transformer(&s->dims, token_bits, s->transformer);
}

static skv_status open_vae(skv_sources *s, const char *spec)
{
    const char *name = skv_formula_name(spec);
    skv_dims named;

    if (!name) {
        SKV_TRY(skv_weights_open(&s->vae, spec, SKV_KIND_VAE));
        return skv_names_vae(&s->dims, s->vae);
    }
    SKV_TRY(skv_dims_named(&named, name));
    take_vae_fields(&s->dims, &named);
    return skv_weights_open_formula(&s->vae, "vae.");
}

static bool same_blocks(const skv_dims *a, const skv_dims *b)
{
    return a->depth == b->depth && a->width == b->width && a->heads == b->heads;
}

static bool same_transformer(const skv_dims *a, const skv_dims *b)
{
    return same_blocks(a, b) && a->hidden == b->hidden && a->text_width == b->text_width &&
           a->pool_heads == b->pool_heads && skv_dims_token_bits(a) == skv_dims_token_bits(b);
}

/* A file's dimensions get the name of the variant they are (ScaleKV's drafters go by it): the one
 * that is the same in all, else the first whose blocks are the same. */
static void recognise(skv_dims *d)
{
    static const char *const names[] = {"2b",      "8b",      "layer12", "layer16",  "layer24",
                                        "layer32", "layer40", "layer48", "tiny_f16", "tiny_f14"};
    skv_dims named;

    d->name[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (skv_dims_named(&named, names[i]) == SKV_OK && same_blocks(d, &named) &&
            (!d->name[0] || same_transformer(d, &named)))
            snprintf(d->name, sizeof d->name, "%s", names[i]);
}

static skv_status check_model(const skv_dims *d, const char *model, const char *transformer)
{
    skv_dims want;

    SKV_TRY(skv_option_opened("--model", skv_dims_named(&want, model)));
    if (!same_transformer(d, &want))
        return skv_fail(SKV_E_ARG,
                        "%s is not a %s: depth %d, width %d, %d heads, %d pooling heads, text of "
                        "width %d, %d bits a token; want %d, %d, %d, %d, %d, %d",
                        transformer, model, d->depth, d->width, d->heads, d->pool_heads,
                        d->text_width, skv_dims_token_bits(d), want.depth, want.width, want.heads,
                        want.pool_heads, want.text_width, skv_dims_token_bits(&want));
    return SKV_OK;
}

skv_status skv_sources_open(skv_sources *out, const char *transformer, const char *vae,
                            const char *model)
{
    skv_sources s = {0};
    int token_bits = 0;
    skv_status st;

    SKV_TRY_GOTO(skv_option_opened(NULL, open_transformer(&s, &token_bits, transformer)), done);
    SKV_TRY_GOTO(skv_option_opened(NULL, open_vae(&s, vae)), done);
    SKV_TRY_GOTO(skv_option_opened(NULL, skv_names_join(&s.dims, token_bits, transformer, vae)),
                 done);
    SKV_TRY_GOTO(skv_dims_check(&s.dims, transformer), done);
    recognise(&s.dims);
    if (model)
        SKV_TRY_GOTO(check_model(&s.dims, model, transformer), done);
    *out = s;
    s = (skv_sources){0};
done:
    skv_sources_close(&s);
    return st;
}

skv_status skv_sources_open_vae(skv_sources *out, const char *vae, int token_bits)
{
    skv_sources s = {0};
    skv_status st = skv_option_opened(NULL, open_vae(&s, vae));

    if (st == SKV_OK)
        st = skv_option_opened(NULL, skv_names_join(&s.dims, token_bits, "the run", vae));
    if (st == SKV_OK)
        *out = s;
    else
        skv_sources_close(&s);
    return st;
}

void skv_sources_close(skv_sources *s)
{
    skv_weights_close(s->transformer);
    skv_weights_close(s->vae);
    *s = (skv_sources){0};
}
