/* Prompts as one JSON document, of one of the kinds below. */
#include "io/prompts_json.h"

#include <stdio.h>

#include "core/json.h"
#include "core/known_file.h"

static bool is_array(const skv_prompts__builder *b, const json_t *root)
{
    (void)b;
    return json_is_array(root);
}

static skv_status add_array(skv_prompts__builder *b, const json_t *root)
{
    const size_t n = json_array_size(root);

    for (size_t i = 0; i < n; i++)
        SKV_TRY(skv_prompts__add_entry(b, i + 1, json_array_get(root, i), NULL));
    return SKV_OK;
}

static const skv_prompts__kind array = {"an array of prompts", is_array, add_array};

/* The first that it is counts. */
static const skv_prompts__kind *const kinds[] = {&array, &skv_prompts__coco, &skv_prompts__karpathy,
                                                 &skv_prompts__columns, &skv_prompts__keyed};

#define N_KINDS (sizeof kinds / sizeof kinds[0])

static skv_status refuse(const char *name)
{
    char list[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < N_KINDS && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                 kinds[i]->what);
    return skv_fail(SKV_E_FORMAT, "%s: there are no prompts in this JSON: want one of %s", name,
                    list);
}

/* What a server sends in place of a file: {"error": "Repository not found"}. */
static bool is_message(const json_t *root)
{
    static const char *const words[] = {"error", "detail",  "message",          "status",
                                        "code",  "success", "documentation_url"};
    size_t known = 0;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        known += json_object_get(root, words[i]) != NULL;
    return known > 0 && known == json_object_size(root) &&
           (json_is_string(json_object_get(root, words[0])) ||
            json_is_string(json_object_get(root, words[1])) ||
            json_is_string(json_object_get(root, words[2])));
}

/* What stands in {"data": {...}}, {"prompts": {...}} and the like, where nothing else could be
 * prompts. */
static const json_t *unwrapped(const skv_prompts__builder *b, const json_t *root)
{
    static const char *const words[] = {"data", "dataset", "prompts", "items", "results"};
    const json_t *inner = NULL;
    const char *key;
    json_t *value;
    size_t n = 0;

    json_object_foreach((json_t *)(uintptr_t)root, key, value) n +=
        json_is_object(value) || json_is_array(value) || json_is_string(value);
    for (size_t i = 0; i < sizeof words / sizeof words[0] && !inner; i++)
        inner = json_object_get(root, words[i]);
    return n == 1 && json_is_object(inner) && !skv_prompts__is_prompt(b, inner) ? inner : root;
}

skv_status skv_prompts__json(skv_prompts__builder *b, const char *bytes, size_t n)
{
    json_error_t error;
    json_t *all = NULL;
    const json_t *root;
    const char *is;
    size_t kind = 0;
    skv_status st;

    st = skv_prompts__load(&all, &error, bytes, n, JSON_REJECT_DUPLICATES, b->name);
    is = st == SKV_E_FORMAT ? skv_known_file(bytes, n) : NULL;
    if (is)
        return skv_fail(st, "%s %s", b->name, is);
    if (st != SKV_OK)
        return st;
    root = unwrapped(b, all);
    while (kind < N_KINDS && !kinds[kind]->is(b, root))
        kind++;
    if (is_message(all)) {
        st = skv_fail(SKV_E_ARG, "%s is a server's error message, not the file itself", b->name);
        goto done;
    }
    st = kind < N_KINDS ? kinds[kind]->add(b, root) : refuse(b->name);
done:
    json_decref(all);
    return st;
}
