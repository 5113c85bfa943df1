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

static skv_status count_traits(traits *out, const json_t *root, const skv_prompts *p)
{
    skv_prompts__set prompts = {0};
    const char *key;
    json_t *value;
    skv_status st;

    *out = (traits){0};
    SKV_TRY_GOTO(skv_prompts__set_init(&prompts, p->n + json_object_size(root), false), done);
    for (size_t i = 0; i < p->n; i++) {
        size_t place = 1;

        skv_prompts__set_add(&prompts, p->prompts[i].text, &place);
    }
    json_object_foreach((json_t *)(uintptr_t)root, key, value)
    {
        const char *text = json_string_value(value);
        size_t place = 0;

        out->keys++;
        out->self += text && strcmp(text, key) == 0;
        out->values += text && skv_prompts__set_add(&prompts, text, &place) && place == 1;
    }
done:
    skv_prompts__set_deinit(&prompts);
    return st;
}

/* No prompt is a key: say what the file looks like. */
static skv_status refuse(const json_t *root, const skv_prompts *p, const char *name)
{
    traits t;

    SKV_TRY(count_traits(&t, root, p));
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

skv_status skv_prompts_rewrite(skv_prompts *p, const char *bytes, size_t n, const char *name)
{
    json_t *root = NULL;
    skv_status st;

    p->rewriting = (skv_rewriting){0};
    SKV_TRY(skv_json_parse(&root, bytes, n, name));
    if (!json_is_object(root)) {
        st = skv_fail(SKV_E_FORMAT, "%s: want one JSON object, prompt to rewritten prompt", name);
        goto done;
    }
    for (size_t i = 0; i < p->n; i++) {
        skv_prompt *q = &p->prompts[i];
        const char *text;
        size_t text_bytes;

        q->rewritten = NULL;
        if (q->error)
            continue;
        if (!text_of(&text, &text_bytes, json_object_get(root, q->text))) {
            p->rewriting.n_missing++;
            continue;
        }
        SKV_TRY_GOTO(skv_prompts__keep(&q->rewritten, p, text, text_bytes), done);
        p->rewriting.n_rewritten++;
        p->rewriting.digest = skv_digest_add(p->rewriting.digest, &(uint64_t){i}, sizeof(uint64_t));
        p->rewriting.digest = skv_digest_add(p->rewriting.digest, text, text_bytes);
    }
    st = p->rewriting.n_rewritten == 0 && p->rewriting.n_missing > 0 ? refuse(root, p, name)
                                                                     : SKV_OK;
done:
    json_decref(root);
    return st;
}
