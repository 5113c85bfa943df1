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

/* Whether the list has room for one more name of so many bytes. */
static skv_status take_room(skv_entries *list, size_t name_bytes, const char *path)
{
    if (name_bytes > MAX_NAME_BYTES - list->name_bytes)
        return skv_fail(SKV_E_FORMAT, "%s: names of more than %zu bytes", path, MAX_NAME_BYTES);
    if (list->n + list->n_other >= MAX_ENTRIES)
        return skv_fail(SKV_E_FORMAT, "%s: more than %zu tensors", path, MAX_ENTRIES);
    list->name_bytes += name_bytes;
    return SKV_OK;
}

skv_status skv_entries_add(skv_entries *list, const skv_entry *e, const char *path)
{
    char *name;

    SKV_TRY(take_room(list, strlen(e->name) + 1, path));
    SKV_TRY(skv_grow(&list->entry, list->n, sizeof *list->entry, path));
    name = strdup(e->name);
    if (!name)
        return skv_fail(SKV_E_MEM, "%s: out of memory", path);
    list->entry[list->n] = *e;
    list->entry[list->n++].name = name;
    return SKV_OK;
}

skv_status skv_entries_add_other(skv_entries *list, const char *name, const char *what,
                                 const char *path)
{
    skv_other_entry *o;

    SKV_TRY(take_room(list, strlen(name) + strlen(what) + 2, path));
    SKV_TRY(skv_grow(&list->other, list->n_other, sizeof *list->other, path));
    o = &list->other[list->n_other++];
    *o = (skv_other_entry){strdup(name), strdup(what)};
    return o->name && o->what ? SKV_OK : skv_fail(SKV_E_MEM, "%s: out of memory", path);
}

void skv_entries_clear(skv_entries *list)
{
    for (size_t i = 0; i < list->n; i++)
        free((void *)(uintptr_t)list->entry[i].name);
    for (size_t i = 0; i < list->n_other; i++) {
        free(list->other[i].name);
        free(list->other[i].what);
    }
    free(list->entry);
    free(list->other);
    *list = (skv_entries){0};
}
