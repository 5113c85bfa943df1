#include "sample/identity.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/torch_random.h"
#include "run/run_folder.h"

static json_t *digest_json(skv_digest d)
{
    char text[SKV_DIGEST_BYTES];

    return json_string(skv_digest_text(text, d));
}

static json_t *reals_json(const skv_reals *r)
{
    skv_json_maker list = skv_json_array();

    for (int i = 0; i < r->n; i++)
        skv_json_append(&list, json_real(r->value[i]));
    return skv_json_take(&list);
}

/* A formula is identified by its name, a file by its content, wherever it lies. */
static json_t *weights_json(const char *spec, const skv_weights *w)
{
    return skv_formula_name(spec) ? json_string(spec) : digest_json(skv_weights_digest(w));
}

static skv_status common_json(json_t **out, const skv_identity_setup *a)
{
    const skv_settings *s = a->settings;
    skv_json_maker c;
    skv_torch_gpu gpu;
    char gpu_text[24];

    SKV_TRY(skv_torch_gpu_parse(&gpu, s->torch_gpu));
    skv_torch_gpu_text(gpu_text, &gpu);
    c = skv_json_object();

    skv_json_put(&c, "transformer", weights_json(s->transformer, a->sources->transformer));
    skv_json_put(&c, "vae", weights_json(s->vae, a->sources->vae));
    skv_json_put(&c, "t5", digest_json(a->t5_digest));
    skv_json_put(&c, "tokenizer", digest_json(a->tokenizer_digest));
    skv_json_put(&c, "tokens", skv_json_text(s->tokens));
    skv_json_put(&c, "prompts", digest_json(a->prompts));
    if (a->rewriting)
        skv_json_put(&c, "rewritten", digest_json(*a->rewriting));
    if (s->prompt_key)
        skv_json_put(&c, "prompt_key", json_string(s->prompt_key));
    if (s->id_key)
        skv_json_put(&c, "id_key", json_string(s->id_key));
    skv_json_put(&c, "prompt_order", skv_json_text(s->prompt_order));
    skv_json_put(&c, "samples", json_integer(s->samples));
    skv_json_put(&c, "seed", json_integer((json_int_t)s->seed));
    skv_json_put(&c, "seed_rule", skv_json_text(s->seed_rule));
    skv_json_put(&c, SKV_RUN_RANDOM, json_string(gpu_text));
    skv_json_put(&c, "negative", skv_json_text(s->negative));
    skv_json_put(&c, "positive", json_boolean(s->positive));
    skv_json_put(&c, "ratio", json_real(s->ratio));
    skv_json_put(&c, "resolution", skv_json_text(s->resolution));
    skv_json_put(&c, "cfg", reals_json(&s->cfg));
    skv_json_put(&c, "tau", reals_json(&s->tau));
    skv_json_put(&c, "top_p", json_real(s->top_p));
    skv_json_put(&c, "cfg_insertion_layer", json_integer(s->cfg_insertion_layer));
    skv_json_put(&c, "group_size", json_integer(s->group_size));
    return skv_json_finish(out, &c, "the settings of the run");
}

skv_status skv_identity_make(skv_identity *out, const skv_identity_setup *setup)
{
    const size_t n = (size_t)setup->paths->n;
    skv_identity id = {0};
    char *text = NULL;
    skv_status st;

    SKV_TRY_GOTO(common_json(&id.common, setup), done);
    SKV_TRY_GOTO(skv_json_print(&text, id.common, SKV_JSON_COMPACT), done);
    skv_digest_text(id.digest, skv_digest_of(text, strlen(text)));
    SKV_TRY_GOTO(skv_alloc(&id.path_digest, n, sizeof *id.path_digest, "paths"), done);
    SKV_TRY_GOTO(skv_alloc(&id.path_digests, n, sizeof *id.path_digests, "paths"), done);
    for (size_t i = 0; i < n; i++) {
        const char *report = setup->paths->path[i].digest_text;

        skv_digest_text(id.path_digest[i], skv_digest_of(report, strlen(report)));
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
