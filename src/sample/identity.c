#include "sample/identity.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"

static json_t *digest_json(uint64_t h)
{
    char text[SKV_DIGEST_BYTES];

    return json_string(skv_digest_text(text, h));
}

static json_t *reals_json(const skv_reals *r)
{
    json_t *list = json_array();

    for (int i = 0; i < r->n; i++)
        json_array_append_new(list, json_real(r->value[i]));
    return list;
}

static json_t *text_json(const char *text)
{
    return text ? json_string(text) : json_null();
}

/* A formula's name says what its values are; a file is told by its content, wherever it lies. */
static json_t *weights_json(const char *spec, const skv_weights *w)
{
    return skv_formula_name(spec) ? json_string(spec) : digest_json(skv_weights_digest(w));
}

static json_t *common_json(const skv_identity_setup *a)
{
    const skv_settings *s = a->settings;
    json_t *c = json_object();

    json_object_set_new(c, "transformer", weights_json(s->transformer, a->sources->transformer));
    json_object_set_new(c, "vae", weights_json(s->vae, a->sources->vae));
    json_object_set_new(c, "t5", digest_json(a->t5_digest));
    json_object_set_new(c, "tokenizer", digest_json(a->tokenizer_digest));
    json_object_set_new(c, "tokens", text_json(s->tokens));
    json_object_set_new(
        c, "prompts", digest_json(skv_digest_add(SKV_DIGEST_START, a->prompts, a->prompts_bytes)));
    if (a->rewriting)
        json_object_set_new(c, "rewritten", digest_json(a->rewriting->digest));
    json_object_set_new(c, "prompt_order", text_json(s->prompt_order));
    json_object_set_new(c, "samples", json_integer(s->samples));
    json_object_set_new(c, "seed", json_integer((json_int_t)s->seed));
    json_object_set_new(c, "seed_rule", text_json(s->seed_rule));
    json_object_set_new(c, "negative", text_json(s->negative));
    json_object_set_new(c, "positive", json_boolean(s->positive));
    json_object_set_new(c, "ratio", json_real(s->ratio));
    json_object_set_new(c, "resolution", text_json(s->resolution));
    json_object_set_new(c, "cfg", reals_json(&s->cfg));
    json_object_set_new(c, "tau", reals_json(&s->tau));
    json_object_set_new(c, "top_p", json_real(s->top_p));
    json_object_set_new(c, "cfg_insertion_layer", json_integer(s->cfg_insertion_layer));
    json_object_set_new(c, "group_size", json_integer(s->group_size));
    return c;
}

skv_status skv_identity_make(skv_identity *out, const skv_identity_setup *setup)
{
    skv_identity id = {.common = common_json(setup)};
    const size_t n = (size_t)setup->paths->n;
    char *text = json_dumps(id.common, JSON_COMPACT | JSON_REAL_PRECISION(17));
    skv_status st = text ? SKV_OK : skv_fail(SKV_E_MEM, "settings: out of memory");

    if (st != SKV_OK)
        goto done;
    skv_digest_text(id.digest, skv_digest_add(SKV_DIGEST_START, text, strlen(text)));
    SKV_TRY_GOTO(skv_alloc(&id.path_digest, n, sizeof *id.path_digest, "paths"), done);
    SKV_TRY_GOTO(skv_alloc(&id.path_digests, n, sizeof *id.path_digests, "paths"), done);
    for (size_t i = 0; i < n; i++) {
        const char *report = setup->paths->path[i].digest_text;

        skv_digest_text(id.path_digest[i],
                        skv_digest_add(SKV_DIGEST_START, report, strlen(report)));
        id.path_digests[i] = id.path_digest[i];
    }
    *out = id;
    id = (skv_identity){0};
done:
    free(text);
    skv_identity_clear(&id);
    return st;
}

void skv_identity_clear(skv_identity *id)
{
    json_decref(id->common);
    free(id->path_digest);
    free((void *)id->path_digests);
    *id = (skv_identity){0};
}
