#include "core/json.h"

#include <math.h>
#include <stdio.h>

static skv_json_maker start(json_t *value)
{
    return (skv_json_maker){.value = value, .failed = !value};
}

skv_json_maker skv_json_object(void)
{
    return start(json_object());
}

skv_json_maker skv_json_array(void)
{
    return start(json_array());
}

skv_json_maker skv_json_extend(json_t *value)
{
    return start(json_incref(value));
}

static void note(skv_json_maker *m, const char *key)
{
    if (!m->failed)
        snprintf(m->where, sizeof m->where, "%s", key);
    m->failed = true;
}

/* jansson drops the value where it fails, and fails where the value or the holder is NULL. */
void skv_json_put(skv_json_maker *m, const char *key, json_t *value)
{
    if (json_object_set_new(m->value, key, value) != 0)
        note(m, key);
}

void skv_json_append(skv_json_maker *m, json_t *value)
{
    char place[24];

    if (json_array_append_new(m->value, value) == 0)
        return;
    snprintf(place, sizeof place, "%zu", json_array_size(m->value));
    note(m, place);
}

json_t *skv_json_take(skv_json_maker *m)
{
    json_t *value = m->value;

    m->value = NULL;
    if (!m->failed)
        return value;
    json_decref(value);
    return NULL;
}

skv_status skv_json_finish(json_t **out, skv_json_maker *m, const char *name)
{
    json_t *value = skv_json_take(m);

    if (!value)
        return skv_fail(
            SKV_E_MEM,
            "%s: \"%s\" cannot be written as JSON: out of memory, or a text that is not "
            "UTF-8, or a number that is not finite",
            name, m->where);
    if (out)
        *out = value;
    else
        json_decref(value);
    return SKV_OK;
}

json_t *skv_json_text(const char *text)
{
    return text ? json_string(text) : json_null();
}

json_t *skv_json_foreign(const char *text)
{
    json_t *v = json_string(text);

    return v ? v : json_string("(no UTF-8)");
}

json_t *skv_json_finite(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}
