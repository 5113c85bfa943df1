#include "sample/tune.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/json.h"
#include "core/mem.h"
#include "sample/text_features.h"

#define MAX_BYTES ((size_t)4 << 20)

/* Every prompt is the same text of one token, so the GEMMs whose size depends on the text are not
 * measured at its length. */
static skv_status condition(skv_engine *e, const skv_engine_setup *s)
{
    const int n = s->max_prompts;
    skv_text_span *spans = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&spans, 2 * (size_t)n, sizeof *spans, "text"));
    for (int i = 0; i < 2 * n; i++)
        spans[i] = (skv_text_span){.n = 1, .uncond = i >= n && s->max_uncond > 0};
    SKV_TRY_GOTO(skv_text_features(e, s->be, NULL, 1), done);
    st = skv_engine_condition(e, spans, s->guided ? 2 * n : n);
done:
    free(spans);
    return st;
}

skv_status skv_tune_measure(skv_engine *e, const skv_engine_setup *s)
{
    const size_t picture =
        (size_t)skv_picture_height(&s->schedule) * (size_t)skv_picture_width(&s->schedule) * 3;
    skv_seed *seed = NULL;
    uint8_t *image = NULL;
    skv_status st;

    s->be->tuning.measuring = true;
    SKV_TRY_GOTO(skv_alloc(&seed, (size_t)s->max_prompts, sizeof *seed, "seeds"), done);
    SKV_TRY_GOTO(skv_alloc(&image, (size_t)s->max_prompts, picture, "pictures"), done);
    SKV_TRY_GOTO(condition(e, s), done);
    for (int i = 0; i < s->n_paths; i++) {
        skv_path_result r = {.image = i == 0 ? image : NULL};

        SKV_TRY_GOTO(skv_engine_path(e, &s->paths[i], s->max_prompts, seed, NULL, &r), done);
    }
done:
    s->be->tuning.measuring = false;
    free(seed);
    free(image);
    return st;
}

skv_status skv_tune_read(char **text, size_t *bytes, const char *run)
{
    char *path = NULL;
    skv_status st;

    SKV_TRY(skv_path_join(&path, run, "tune.json"));
    st = skv_file_read_below(text, bytes, path, 1, MAX_BYTES);
    free(path);
    return st;
}

skv_status skv_tune_write(const skv_backend *be, const char *run)
{
    char *path = NULL;
    skv_json_maker table = skv_json_object(), choices = skv_json_object();
    json_t *root = NULL;
    skv_status st;

    skv_json_put(&table, "version", json_integer(SKV_TUNING_VERSION));
    for (size_t i = 0; i < be->tuning.n; i++)
        skv_json_put(&choices, be->tuning.list[i].key, json_integer(be->tuning.list[i].choice));
    skv_json_put(&table, "device", json_string(skv_backend_describe(be)));
    skv_json_put(&table, "choices", skv_json_take(&choices));
    SKV_TRY_GOTO(skv_json_finish(&root, &table, "tune.json"), done);
    SKV_TRY_GOTO(skv_path_join(&path, run, "tune.json"), done);
    st = skv_json_write(root, path);
done:
    free(path);
    json_decref(root);
    return st;
}

static skv_status set_choices(skv_backend *be, json_t *choices, const char *name)
{
    const char *key;
    json_t *value;

    if (!json_is_object(choices))
        return skv_fail(SKV_E_FORMAT, "%s: choices is missing or not an object", name);
    json_object_foreach(choices, key, value)
    {
        const json_int_t n = json_is_integer(value) ? json_integer_value(value) : -1;

        if (n < 0 || n > INT_MAX)
            return skv_fail(SKV_E_FORMAT, "%s: choice \"%s\" is not a small number", name, key);
        SKV_TRY(skv_tuning_set(&be->tuning, key, (int)n));
    }
    return SKV_OK;
}

/* A table without a version has shorter keys, which do not tell all shapes apart. */
static skv_status check_version(const json_t *root, const char *name)
{
    const json_t *value = json_object_get(root, "version");
    const json_int_t version = json_is_integer(value) ? json_integer_value(value) : 1;

    if (version == SKV_TUNING_VERSION)
        return SKV_OK;
    return skv_fail(SKV_E_ARG,
                    "%s: the table has version %lld, this program reads version %d; remove the "
                    "file to measure again",
                    name, (long long)version, SKV_TUNING_VERSION);
}

skv_status skv_tune_parse(skv_backend *be, const char *text, size_t bytes, const char *name,
                          bool other_device)
{
    json_t *root = NULL;
    const char *device;
    skv_status st;

    SKV_TRY_GOTO(skv_json_parse(&root, text, bytes, name), done);
    SKV_TRY_GOTO(check_version(root, name), done);
    SKV_TRY_GOTO(skv_json_string(&device, root, "device", name), done);
    if (!other_device && strcmp(device, skv_backend_describe(be)) != 0)
        SKV_TRY_GOTO(skv_fail(SKV_E_ARG,
                              "%s was measured on \"%s\", this is \"%s\" "
                              "(--allow-other-device continues anyway)",
                              name, device, skv_backend_describe(be)),
                     done);
    st = set_choices(be, json_object_get(root, "choices"), name);
done:
    json_decref(root);
    return st;
}
