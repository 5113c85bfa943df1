/* An object whose keys are ids: of prompts, of objects with a prompt (GenAI-Bench, MJHQ-30K), or of
 * arrays of either (HPSv2's styles), whose entries get the key and their place as an id. An object
 * with one array among plain values is that array, and one with a prompt of its own is one prompt.
 */
#include <stdio.h>

#include "io/prompts_json.h"
#include "io/prompts_keys.h"

static bool is_entry(const json_t *v)
{
    return json_is_string(v) || json_is_object(v) || json_is_array(v);
}

static bool is_keyed(const skv_prompts__builder *b, const json_t *root)
{
    const char *key;
    json_t *value;

    (void)b;
    if (json_object_get(root, "images"))
        return false; /* of COCO's family, but without captions */
    json_object_foreach((json_t *)(uintptr_t)root, key, value) if (is_entry(value)) return true;
    return false;
}

bool skv_prompts__is_prompt(const skv_prompts__builder *b, const json_t *v)
{
    skv_prompts__roles roles;
    const char *name[16];
    const char *key;
    json_t *value;
    char why[800];
    int n = 0;

    json_object_foreach((json_t *)(uintptr_t)v, key, value)
    {
        if (n == 16)
            return false;
        name[n++] = key;
    }
    return skv_prompts__find_roles(&roles, b, name, n, why, sizeof why) &&
           json_is_string(json_object_get(v, name[roles.text]));
}

/* Whether an array may be a list of prompts: one of its entries is a prompt, or it has none. */
static bool may_be_list(const skv_prompts__builder *b, const json_t *array)
{
    bool may_be = json_array_size(array) == 0;

    for (size_t i = 0; i < json_array_size(array) && !may_be; i++) {
        const json_t *v = json_array_get(array, i);

        may_be = json_is_string(v) || (json_is_object(v) && skv_prompts__is_prompt(b, v));
    }
    return may_be;
}

/* The array of {"version": 1, "prompts": [...], "info": {...}}; NULL: the object is not of this
 * kind. */
static const json_t *only_array(const skv_prompts__builder *b, const json_t *root)
{
    const json_t *found = NULL;
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)root, key, value)
    {
        if (json_is_object(value) && skv_prompts__is_prompt(b, value))
            return NULL;
        if (!json_is_array(value) || !may_be_list(b, value))
            continue;
        if (found)
            return NULL;
        found = value;
    }
    return found;
}

static skv_status add_array(skv_prompts__builder *b, size_t *entry, const json_t *array,
                            const char *key)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        char id[SKV_PROMPTS__MAX_ID + 32];

        snprintf(id, sizeof id, "%.*s-%05zu", SKV_PROMPTS__MAX_ID, key ? key : "", i);
        SKV_TRY(skv_prompts__add_entry(b, ++*entry, json_array_get(array, i), key ? id : NULL));
    }
    return SKV_OK;
}

static skv_status add_keyed(skv_prompts__builder *b, const json_t *root)
{
    const json_t *array = only_array(b, root);
    size_t entry = 0;
    const char *key;
    json_t *value;

    if (skv_prompts__is_prompt(b, root))
        return skv_prompts__add_json(b, 1, root, NULL, false);
    if (array)
        return add_array(b, &entry, array, NULL);
    json_object_foreach((json_t *)(uintptr_t)root, key, value)
    {
        if (json_is_array(value))
            SKV_TRY(add_array(b, &entry, value, key));
        else
            SKV_TRY(skv_prompts__add_entry(b, ++entry, value, key));
    }
    return SKV_OK;
}

const skv_prompts__kind skv_prompts__keyed = {"an object of prompts by their ids", is_keyed,
                                              add_keyed};
