#include "run/starts.h"

skv_status skv_starts_check(const json_t *starts, const char *name)
{
    bool ok = !starts || json_is_array(starts);

    for (size_t i = 0; ok && i < json_array_size(starts); i++)
        ok = json_is_object(json_array_get(starts, i));
    return ok ? SKV_OK
              : skv_fail(SKV_E_FORMAT, "%s: \"" SKV_STARTS "\" is not a list of objects", name);
}

skv_status skv_starts_add(json_t **out, json_t *before, json_t *start, const char *name)
{
    skv_json_maker all = skv_json_array();
    skv_status st = skv_starts_check(before, name);

    for (size_t i = 0; st == SKV_OK && i < json_array_size(before); i++)
        skv_json_append(&all, json_incref(json_array_get(before, i)));
    if (start)
        skv_json_append(&all, json_incref(start));
    if (st == SKV_OK)
        return skv_json_finish(out, &all, name);
    json_decref(skv_json_take(&all));
    return st;
}
