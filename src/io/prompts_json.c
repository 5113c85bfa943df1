/* Prompts as one JSON document, of one of the kinds below. */
#include "io/prompts_json.h"

#include <stdio.h>

#include "core/json.h"

static bool is_array(const json_t *root)
{
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
                                                 &skv_prompts__keyed};

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

skv_status skv_prompts__json(skv_prompts__builder *b, const char *bytes, size_t n)
{
    json_t *root = NULL;
    size_t kind = 0;
    skv_status st;

    SKV_TRY(skv_json_parse(&root, bytes, n, b->name));
    while (kind < N_KINDS && !kinds[kind]->is(root))
        kind++;
    st = kind < N_KINDS ? kinds[kind]->add(b, root) : refuse(b->name);
    json_decref(root);
    return st;
}
