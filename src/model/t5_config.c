/* Where a T5 encoder's sizes come from: config.json or a name.
 *
 * Older T5 configs differ only in feed_forward_proj; such a model has other weights, so anything
 * but "gated-gelu" is refused rather than guessed. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/json.h"
#include "model/t5.h"

#define FORMULA "formula:"

static skv_status read_size(int *out, const json_t *config, const char *key, int most,
                            const char *path)
{
    int64_t v;

    SKV_TRY(skv_json_int(&v, config, key, path));
    if (v < 1 || v > most)
        return skv_fail(SKV_E_FORMAT, "%s: %s is %lld, want 1 to %d", path, key, (long long)v,
                        most);
    *out = (int)v;
    return SKV_OK;
}

static skv_status want_text(const json_t *config, const char *key, const char *want,
                            const char *path)
{
    const char *text;

    SKV_TRY(skv_json_string(&text, config, key, path));
    if (strcmp(text, want) != 0)
        return skv_fail(SKV_E_UNSUPPORTED, "%s: %s is \"%s\", only \"%s\" is supported", path, key,
                        text, want);
    return SKV_OK;
}

/* Keys that only some files have, and what they say of every model that is taken. */
static skv_status check_optional(const json_t *config, const char *path)
{
    static const struct {
        const char *key;
        int64_t id;
    } ids[] = {{"pad_token_id", 0}, {"eos_token_id", 1}};

    if (json_object_get(config, "dense_act_fn"))
        SKV_TRY(want_text(config, "dense_act_fn", "gelu_new", path));
    if (json_is_false(json_object_get(config, "is_gated_act")))
        return skv_fail(SKV_E_UNSUPPORTED, "%s: is_gated_act is false, only true is supported",
                        path);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        int64_t v;

        if (!json_object_get(config, ids[i].key))
            continue;
        SKV_TRY(skv_json_int(&v, config, ids[i].key, path));
        if (v != ids[i].id)
            return skv_fail(SKV_E_UNSUPPORTED, "%s: %s is %lld, only %lld is supported", path,
                            ids[i].key, (long long)v, (long long)ids[i].id);
    }
    return SKV_OK;
}

static skv_status read_dims(skv_t5_dims *d, const json_t *config, const char *path)
{
    double eps;

    SKV_TRY(want_text(config, "model_type", "t5", path));
    SKV_TRY(want_text(config, "feed_forward_proj", "gated-gelu", path));
    SKV_TRY(check_optional(config, path));
    SKV_TRY(read_size(&d->d_model, config, "d_model", 65536, path));
    SKV_TRY(read_size(&d->d_kv, config, "d_kv", 256, path));
    SKV_TRY(read_size(&d->n_heads, config, "num_heads", 1024, path));
    SKV_TRY(read_size(&d->d_ff, config, "d_ff", 1 << 20, path));
    SKV_TRY(read_size(&d->n_layers, config, "num_layers", 1024, path));
    SKV_TRY(read_size(&d->vocab_size, config, "vocab_size", 1 << 24, path));
    SKV_TRY(read_size(&d->n_buckets, config, "relative_attention_num_buckets", 256, path));
    d->max_distance = 128;
    if (json_object_get(config, "relative_attention_max_distance"))
        SKV_TRY(
            read_size(&d->max_distance, config, "relative_attention_max_distance", 1 << 16, path));
    if (d->n_buckets % 4 != 0 || d->max_distance <= d->n_buckets / 4)
        return skv_fail(SKV_E_FORMAT,
                        "%s: relative_attention_num_buckets is %d, want a multiple of 4 below 4 "
                        "times relative_attention_max_distance (%d)",
                        path, d->n_buckets, d->max_distance);
    SKV_TRY(skv_json_real(&eps, config, "layer_norm_epsilon", path));
    if (!(eps > 0 && eps < 1))
        return skv_fail(SKV_E_FORMAT, "%s: layer_norm_epsilon is %g, want above 0 and below 1",
                        path, eps);
    d->eps = (float)eps;
    return SKV_OK;
}

skv_status skv_t5_read_config(skv_t5_dims *dims, const char *path)
{
    json_t *config = NULL;
    skv_status st;

    SKV_TRY(skv_json_read(&config, path));
    st = read_dims(dims, config, path);
    json_decref(config);
    return st;
}

static skv_status formula_dims(skv_t5_dims *d, const char *name)
{
    static const skv_t5_dims xl = {.d_model = 2048,
                                   .d_kv = 64,
                                   .n_heads = 32,
                                   .d_ff = 5120,
                                   .n_layers = 24,
                                   .vocab_size = 32128,
                                   .n_buckets = 32,
                                   .max_distance = 128,
                                   .eps = 1e-6f};
    static const skv_t5_dims tiny = {.d_model = 256,
                                     .d_kv = 64,
                                     .n_heads = 3,
                                     .d_ff = 320,
                                     .n_layers = 3,
                                     .vocab_size = 1152,
                                     .n_buckets = 32,
                                     .max_distance = 128,
                                     .eps = 1e-6f};

    if (strcmp(name, "xl") == 0)
        *d = xl;
    else if (strcmp(name, "tiny") == 0)
        *d = tiny;
    else
        return skv_fail(SKV_E_ARG,
                        FORMULA "%s: no such text encoder, want " FORMULA "xl or " FORMULA "tiny",
                        name);
    return SKV_OK;
}

skv_status skv_t5_open(skv_weights **weights, skv_t5_dims *dims, const char *spec)
{
    struct stat info;
    char *path = NULL;
    skv_status st;

    if (strncmp(spec, FORMULA, strlen(FORMULA)) == 0) {
        SKV_TRY(formula_dims(dims, spec + strlen(FORMULA)));
        return skv_weights_open_formula(weights, "");
    }
    if (stat(spec, &info) == 0 && !S_ISDIR(info.st_mode))
        return skv_fail(SKV_E_ARG,
                        "%s is a file, want the text encoder's folder with config.json, weights "
                        "and spiece.model",
                        spec);
    SKV_TRY(skv_path_join(&path, spec, "config.json"));
    SKV_TRY_GOTO(skv_t5_read_config(dims, path), done);
    st = skv_weights_open(weights, spec, SKV_KIND_T5);
done:
    free(path);
    return st;
}
