/* A rewriting cache: one JSON object, original prompt -> rewritten text, or the rewriter's raw
 * answer <prompt:TEXT><cfg:N>, of which only the prompt counts.
 *
 * Infinity's GenEval script stores a new rewriting under itself, not under the prompt: such a cache
 * has no prompt among its keys, and the next run would silently use the plain texts. */
#include "io/prompts.h"
#include "io/prompts_internal.h"

#include <string.h>

#include "core/json.h"

#define FIELD "<prompt:"

typedef struct {
    size_t keys, self, values; /* entries; stored under themselves; whose text is a prompt */
} traits;

/* The text of an entry: all of it, or the prompt of a raw answer, which ends at the first '>' after
 * its leading blanks. False: there is none. */
static bool text_of(const char **text, size_t *n, const json_t *value)
{
    const char *s = json_string_value(value), *field, *end;

    if (!s)
        return false;
    field = strstr(s, FIELD);
    if (field) {
        s = field + strlen(FIELD);
        s += strspn(s, " \t\r\n");
        end = strchr(s, '>');
        *n = end ? (size_t)(end - s) : 0;
    } else {
        *n = strlen(s);
    }
    *text = s;
    return *n > 0 && *n <= SKV_PROMPT_MAX_BYTES;
}

static traits traits_of(const json_t *rewrites, const skv_prompts__set *prompts)
{
    traits t = {0};
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)rewrites, key, value)
    {
        const char *text = json_string_value(value);
        size_t place;

        t.keys++;
        t.self += text && strcmp(text, key) == 0;
        t.values += text && skv_prompts__set_find(prompts, text, &place);
    }
    return t;
}

skv_status skv_prompts__refuse_rewrites(const json_t *rewrites, const skv_prompts__set *prompts,
                                        const char *name)
{
    const traits t = traits_of(rewrites, prompts);

    if (t.values > 0)
        return skv_fail(SKV_E_ARG,
                        "%s: keys and values are swapped: no key is one of the prompts, but %zu of "
                        "%zu values are",
                        name, t.values, t.keys);
    if (t.self > 0)
        return skv_fail(SKV_E_ARG,
                        "%s: the rewritten texts are their own keys (%zu of %zu), as Infinity's "
                        "script leaves its cache: no key is one of the prompts",
                        name, t.self, t.keys);
    return skv_fail(SKV_E_ARG, "%s: none of its %zu keys is one of the prompts", name, t.keys);
}

skv_status skv_prompts__rewrites_read(json_t **out, const skv_prompts_options *opts)
{
    SKV_TRY(skv_json_parse(out, opts->rewrites, opts->rewrites_bytes, opts->rewrites_name));
    if (json_is_object(*out))
        return SKV_OK;
    json_decref(*out);
    *out = NULL;
    return skv_fail(SKV_E_FORMAT, "%s: want one JSON object, prompt to rewritten prompt",
                    opts->rewrites_name);
}

bool skv_prompts__rewritten(const char **text, size_t *n, const json_t *rewrites,
                            const char *prompt)
{
    return text_of(text, n, json_object_get(rewrites, prompt));
}
