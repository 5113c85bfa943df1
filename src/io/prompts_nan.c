/* Python's json writes NaN, Infinity and -Infinity, which JSON does not have: here they are null.
 */
#include "io/prompts_json.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"

static const char *const words[] = {"NaN", "-Infinity", "Infinity"};

/* Bytes of the word that stands at `at`; 0: none. */
static size_t word_bytes(const char *at, size_t n)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t bytes = strlen(words[i]);

        if (n >= bytes && memcmp(at, words[i], bytes) == 0)
            return bytes;
    }
    return 0;
}

/* to: 2 n bytes at most. Returns those that were written. */
static size_t replace(char *to, const char *text, size_t n)
{
    bool in_string = false;
    size_t out = 0;

    for (size_t i = 0; i < n; i++) {
        const size_t bytes = in_string ? 0 : word_bytes(text + i, n - i);

        if (bytes > 0) {
            memcpy(to + out, "null", 4);
            out += 4;
            i += bytes - 1;
            continue;
        }
        if (in_string && text[i] == '\\' && i + 1 < n)
            to[out++] = text[i++];
        else if (text[i] == '"')
            in_string = !in_string;
        to[out++] = text[i];
    }
    return out;
}

static bool may_hold_one(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (word_bytes(text + i, n - i) > 0)
            return true;
    return false;
}

skv_status skv_prompts__load(json_t **out, json_error_t *error, const char *text, size_t n,
                             size_t flags, const char *name)
{
    skv_status st = skv_json_load(out, error, text, n, flags, name);
    char *copy = NULL;

    if (st != SKV_E_FORMAT || !may_hold_one(text, n))
        return st;
    SKV_TRY(skv_alloc(&copy, n, 2, name));
    st = skv_json_load(out, error, copy, replace(copy, text, n), flags, name);
    free(copy);
    return st;
}
