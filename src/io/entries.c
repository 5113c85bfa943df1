#include "io/entries.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define MAX_ENTRIES ((size_t)1 << 20)
#define MAX_NAME_BYTES                                                                             \
    ((size_t)1 << 26) /* in a hostile file nested dictionaries can repeat a tensor */

bool skv_entries_numel(size_t *out, int ndim, const int64_t *shape)
{
    *out = 1;
    for (int i = 0; i < ndim; i++)
        if (shape[i] < 0 || !skv_mul_size(out, *out, (size_t)shape[i]) || *out > INT64_MAX)
            return false;
    return true;
}

skv_status skv_entries_add(skv_entries *list, const skv_entry *e, const char *path)
{
    const size_t name_bytes = strlen(e->name) + 1;
    char *name;

    if (name_bytes > MAX_NAME_BYTES - list->name_bytes)
        return skv_fail(SKV_E_FORMAT, "%s: names of more than %zu bytes", path, MAX_NAME_BYTES);
    if (list->n >= MAX_ENTRIES)
        return skv_fail(SKV_E_FORMAT, "%s: more than %zu tensors", path, MAX_ENTRIES);
    SKV_TRY(skv_grow(&list->entry, list->n, sizeof *list->entry, path));
    name = malloc(name_bytes);
    if (!name)
        return skv_fail(SKV_E_MEM, "%s: out of memory", path);
    memcpy(name, e->name, name_bytes);
    list->name_bytes += name_bytes;
    list->entry[list->n] = *e;
    list->entry[list->n++].name = name;
    return SKV_OK;
}

void skv_entries_clear(skv_entries *list)
{
    for (size_t i = 0; i < list->n; i++)
        free((void *)(uintptr_t)list->entry[i].name);
    free(list->entry);
    *list = (skv_entries){0};
}
