#include "sample/tune.h"

#include <stdio.h>
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

/* Says where the measuring is, for the log (kernels/tuning.h). */
typedef struct {
    skv_backend *be;
    const skv_engine_setup *setup;
    int path;
} place;

static void say_scale(const place *p, int done)
{
    snprintf(p->be->tuning.where, sizeof p->be->tuning.where, "path %d of %d, %d of %d scales done",
             p->path + 1, p->setup->n_paths, done, p->setup->schedule.n_scales);
}

static skv_status after_block(void *ctx, int si, int layer, const skv_tensor *x)
{
    (void)layer;
    (void)x;
    say_scale(ctx, si);
    return SKV_OK;
}

static skv_status all_paths(skv_engine *e, const skv_engine_setup *s, const skv_seed *seed,
                            uint8_t *image)
{
    place at = {s->be, s, 0};
    const skv_probe probe = {.ctx = &at, .block = after_block};

    for (; at.path < s->n_paths; at.path++) {
        skv_path_result r = {.image = at.path == 0 ? image : NULL};

        say_scale(&at, 0);
        SKV_TRY(skv_engine_path(e, &s->paths[at.path], s->max_prompts, seed, &probe, &r));
    }
    return SKV_OK;
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
    st = all_paths(e, s, seed, image);
done:
    s->be->tuning.measuring = false;
    s->be->tuning.where[0] = '\0';
    free(seed);
    free(image);
    return st;
}

/* --------------------------------------------------------------------------- reading */

static skv_status set_choices(skv_backend *be, json_t *choices, const char *name)
{
    const char *key;
    json_t *value;

    json_object_foreach(choices, key, value)
    {
        if (!json_is_string(value) || strlen(json_string_value(value)) >= SKV_TUNING_CHOICE ||
            strlen(key) >= SKV_TUNING_KEY)
            return skv_fail(SKV_E_FORMAT, "%s: choice \"%s\" is not a short text", name, key);
        SKV_TRY(skv_tuning_set(&be->tuning, key, json_string_value(value)));
    }
    return SKV_OK;
}

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

static skv_status check_form(json_t **devices, const json_t *root, const char *name)
{
    const char *device;
    json_t *choices;

    SKV_TRY(check_version(root, name));
    *devices = json_object_get(root, "devices");
    if (!json_is_object(*devices))
        return skv_fail(SKV_E_FORMAT, "%s: \"devices\" is missing or not an object", name);
    json_object_foreach(*devices, device, choices)
    {
        if (!json_is_object(choices))
            return skv_fail(SKV_E_FORMAT, "%s: the choices of \"%s\" are not an object", name,
                            device);
    }
    return SKV_OK;
}

skv_status skv_tune_parse(skv_tune_found *found, skv_backend *be, const char *text, size_t bytes,
                          const char *name)
{
    json_t *root = NULL, *devices = NULL, *mine;
    skv_status st;

    *found = SKV_TUNE_NONE;
    SKV_TRY_GOTO(skv_json_parse(&root, text, bytes, name), done);
    SKV_TRY_GOTO(check_form(&devices, root, name), done);
    mine = json_object_get(devices, skv_backend_describe(be));
    if (mine)
        *found = SKV_TUNE_FOUND;
    else if (json_object_size(devices) > 0)
        *found = SKV_TUNE_OTHERS;
    if (mine)
        st = set_choices(be, mine, name);
done:
    json_decref(root);
    return st;
}

skv_status skv_tune_read(skv_tune_found *found, skv_backend *be, const char *run)
{
    char *path = NULL, *text = NULL;
    size_t bytes = 0;
    skv_status st;

    *found = SKV_TUNE_NONE;
    SKV_TRY_GOTO(skv_path_join(&path, run, "tune.json"), done);
    st = skv_file_read_below(&text, &bytes, path, 1, MAX_BYTES);
    if (st == SKV_OK)
        st = skv_tune_parse(found, be, text, bytes, path);
    else if (st == SKV_E_NOTFOUND)
        st = SKV_OK;
done:
    free(path);
    free(text);
    return st;
}

/* --------------------------------------------------------------------------- writing */

/* New reference, NULL after a failure. */
static json_t *choices_of(const skv_backend *be, bool for_others)
{
    skv_json_maker choices = skv_json_object();

    for (size_t i = 0; i < be->tuning.n; i++) {
        const skv_choice *c = &be->tuning.list[i];

        if (!for_others || (c->measured && strcmp(c->choice, SKV_TUNING_OURS) != 0))
            skv_json_put(&choices, c->key, json_string(c->choice));
    }
    return skv_json_take(&choices);
}

static skv_status make_table(json_t **out, const skv_backend *be, bool for_others)
{
    skv_json_maker table = skv_json_object(), devices = skv_json_object();

    skv_json_put(&table, "version", json_integer(SKV_TUNING_VERSION));
    skv_json_put(&devices, skv_backend_describe(be), choices_of(be, for_others));
    skv_json_put(&table, "devices", skv_json_take(&devices));
    return skv_json_finish(out, &table, "tune.json");
}

skv_status skv_tune_print(char **text, const skv_backend *be, bool for_others)
{
    json_t *root = NULL;
    skv_status st;

    SKV_TRY(make_table(&root, be, for_others));
    st = skv_json_print(text, root, SKV_JSON_INDENTED);
    json_decref(root);
    return st;
}

/* *root: the file with this device's choices put in. */
static skv_status add_to(json_t *root, const skv_backend *be, const char *path)
{
    json_t *devices = NULL;
    skv_json_maker all;

    SKV_TRY(check_form(&devices, root, path));
    all = skv_json_extend(devices);
    skv_json_put(&all, skv_backend_describe(be), choices_of(be, false));
    return skv_json_finish(NULL, &all, path);
}

skv_status skv_tune_keep(const skv_backend *be, const char *run)
{
    char *path = NULL;
    json_t *root = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_path_join(&path, run, "tune.json"), done);
    st = skv_json_read_below(&root, path, 1);
    if (st == SKV_E_NOTFOUND)
        SKV_TRY_GOTO(make_table(&root, be, false), done);
    else if (st == SKV_OK)
        SKV_TRY_GOTO(add_to(root, be, path), done);
    else
        goto done;
    st = skv_json_write(root, path);
done:
    free(path);
    json_decref(root);
    return st;
}
