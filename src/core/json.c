#include "core/json.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/known_file.h"

#define JSON_MAX_BYTES ((size_t)512 << 20) /* captions_val2017.json has 4 MB, LAION lists more */

static _Thread_local bool no_memory;

static void *allocate(size_t bytes)
{
    void *p = malloc(bytes);

    no_memory = no_memory || !p;
    return p;
}

static void watch_memory(void)
{
    json_set_alloc_funcs(allocate, free);
}

skv_status skv_json_load(json_t **out, json_error_t *error, const char *text, size_t bytes,
                         size_t flags, const char *name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const bool marked =
        bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0; /* by Windows' editors */
    json_t *root;

    text += marked ? 3 : 0;
    bytes -= marked ? 3 : 0;
    (void)pthread_once(&once, watch_memory);
    no_memory = false;
    root = json_loadb(text, bytes, flags, error);
    if (!root && no_memory)
        return skv_fail(SKV_E_MEM, "%s: out of memory for its JSON", name);
    if (!root)
        return skv_fail(SKV_E_FORMAT, "%s: line %d: %s", name, error->line, error->text);
    *out = root;
    return SKV_OK;
}

skv_status skv_json_parse(json_t **out, const char *text, size_t bytes, const char *name)
{
    json_error_t error;
    const skv_status st = skv_json_load(out, &error, text, bytes, JSON_REJECT_DUPLICATES, name);
    const char *is = st == SKV_E_FORMAT ? skv_known_file(text, bytes) : NULL;

    return is ? skv_fail(st, "%s %s", name, is) : st;
}

skv_status skv_json_read_below(json_t **out, const char *path, int n_below)
{
    skv_status st;
    char *text = NULL;
    size_t bytes = 0;

    SKV_TRY(skv_file_read_below(&text, &bytes, path, n_below, JSON_MAX_BYTES));
    st = skv_json_parse(out, text, bytes, path);
    free(text);
    return st;
}

skv_status skv_json_read(json_t **out, const char *path)
{
    return skv_json_read_below(out, path, 0);
}

skv_status skv_json_write(const json_t *root, const char *path)
{
    skv_status st;
    char *text = NULL;

    SKV_TRY(skv_json_print(&text, root, SKV_JSON_INDENTED));
    st = skv_file_write(path, text, strlen(text));
    free(text);
    return st;
}

skv_status skv_json_int(int64_t *out, const json_t *object, const char *key, const char *name)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_integer(v))
        return skv_fail(SKV_E_FORMAT, "%s: \"%s\" %s, want an integer", name, key,
                        v ? "is not an integer" : "is missing");
    *out = json_integer_value(v);
    return SKV_OK;
}

skv_status skv_json_real(double *out, const json_t *object, const char *key, const char *name)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_number(v))
        return skv_fail(SKV_E_FORMAT, "%s: \"%s\" %s, want a number", name, key,
                        v ? "is not a number" : "is missing");
    *out = json_number_value(v);
    return SKV_OK;
}

skv_status skv_json_string(const char **out, const json_t *object, const char *key,
                           const char *name)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_string(v))
        return skv_fail(SKV_E_FORMAT, "%s: \"%s\" %s, want a string", name, key,
                        v ? "is not a string" : "is missing");
    *out = json_string_value(v);
    return SKV_OK;
}
