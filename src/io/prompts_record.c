/* One JSON object as a prompt. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "io/prompts_json.h"
#include "io/prompts_keys.h"

#define MAX_KEYS  200                /* of an object that are looked at */
#define MAX_WHOLE 9007199254740992.0 /* 2^53: every whole number up to it is a double */

/* An object's keys with values. */
typedef struct {
    const char *name[MAX_KEYS];
    const json_t *value[MAX_KEYS];
    int n;
} members;

static void list_members(members *m, const json_t *object, bool with_nulls)
{
    const char *key;
    json_t *value;

    m->n = 0;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if ((json_is_null(value) && !with_nulls) || m->n == MAX_KEYS)
            continue;
        m->name[m->n] = key;
        m->value[m->n++] = value;
    }
}

static bool json_to_seed(uint64_t *out, const json_t *v)
{
    if (json_is_string(v))
        return skv_prompts__parse_seed(out, json_string_value(v));
    if (json_is_real(v) && json_real_value(v) >= 0 && json_real_value(v) <= MAX_WHOLE &&
        json_real_value(v) == floor(json_real_value(v))) {
        *out = (uint64_t)json_real_value(v);
        return true;
    }
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *out = (uint64_t)json_integer_value(v);
    return true;
}

/* Of a list of captions the first one counts. */
static const json_t *text_of(const json_t *v)
{
    return json_is_array(v) && json_is_string(json_array_get(v, 0)) ? json_array_get(v, 0) : v;
}

/* A string as it is, anything else as JSON. */
static skv_status add_id_part(skv_prompts__builder *b, const json_t *v, bool first)
{
    char number[24], *text = NULL;
    skv_status st;

    if (json_is_string(v))
        return skv_prompts__add_to_id(b, json_string_value(v), json_string_length(v), first);
    if (json_is_integer(v)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
        return skv_prompts__add_to_id(b, number, strlen(number), first);
    }
    SKV_TRY(skv_json_print(&text, v, SKV_JSON_COMPACT));
    st = skv_prompts__add_to_id(b, text, strlen(text), first);
    free(text);
    return st;
}

static skv_status take_id(const char **id, skv_prompts__builder *b, const members *m,
                          const skv_prompts__roles *r)
{
    for (int i = 0; i < r->n_id; i++)
        SKV_TRY(add_id_part(b, m->value[r->id[i]], i == 0));
    if (r->n_id > 0)
        *id = b->id.data;
    return SKV_OK;
}

static skv_status add_members(skv_prompts__builder *b, size_t line, const members *m,
                              const skv_prompts__roles *r, const char *id)
{
    const json_t *text = text_of(m->value[r->text]);
    const json_t *negative = r->negative < 0 ? NULL : m->value[r->negative];
    const json_t *seed = r->seed < 0 ? NULL : m->value[r->seed];
    skv_prompts__found f = {.id = id, .has_seed = seed != NULL};

    if (!json_is_string(text))
        return skv_prompts__add_bad(b, line, id, "\"%.80s\" is not a string", m->name[r->text]);
    if (negative && !json_is_string(negative))
        return skv_prompts__add_bad(b, line, id, "\"%.80s\" is not a string", m->name[r->negative]);
    if (seed && !json_to_seed(&f.seed, seed))
        return skv_prompts__add_bad(b, line, id,
                                    "\"seed\" is not an integer from 0 to 2^64-1 (as a string from "
                                    "2^63 on)");
    f.text = json_string_value(text);
    f.text_bytes = json_string_length(text);
    f.negative_bytes = json_string_length(negative);
    f.negative = f.negative_bytes > 0 ? json_string_value(negative) : NULL;
    return skv_prompts__add(b, line, &f);
}

/* An object that lacks a prompt, for the reason `why`: its value may be null. */
static skv_status add_without(skv_prompts__builder *b, size_t line, const json_t *v, const char *id,
                              const char *why)
{
    skv_prompts__roles roles;
    char other[800];
    members all;

    list_members(&all, v, true);
    if (skv_prompts__find_roles(&roles, b, all.name, all.n, other, sizeof other))
        why = "the prompt is empty";
    return skv_prompts__add_bad(b, line, id, "%s", why);
}

skv_status skv_prompts__add_json(skv_prompts__builder *b, size_t line, const json_t *v,
                                 const char *id, bool with_error)
{
    const json_t *error = with_error ? json_object_get(v, "error") : NULL;
    skv_prompts__roles roles;
    char why[800];
    members m;

    if (!json_is_object(v))
        return skv_prompts__add_bad(b, line, id, "not a JSON object");
    if (json_is_string(error))
        return skv_prompts__add_bad(b, line, json_string_value(json_object_get(v, "id")), "%s",
                                    json_string_value(error));
    list_members(&m, v, false);
    if (!skv_prompts__find_roles(&roles, b, m.name, m.n, why, sizeof why))
        return add_without(b, line, v, id, why);
    SKV_TRY(take_id(&id, b, &m, &roles));
    SKV_TRY(skv_prompts__note_keys(b, &roles, m.name, m.n));
    return add_members(b, line, &m, &roles, id);
}

skv_status skv_prompts__add_entry(skv_prompts__builder *b, size_t entry, const json_t *v,
                                  const char *id)
{
    if (!json_is_string(v))
        return skv_prompts__add_json(b, entry, v, id, false);
    return skv_prompts__add(b, entry,
                            &(skv_prompts__found){.id = id,
                                                  .text = json_string_value(v),
                                                  .text_bytes = json_string_length(v)});
}
