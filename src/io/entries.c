#include "io/entries.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES ((size_t)1 << 20)

skv_status skv_entries_add(skv_entries *list, const skv_entry *e, const char *path)
{
    char *name;

    if (list->n == list->room) {
        const size_t room = list->room ? 2 * list->room : 256;
        skv_entry *grown;

        if (list->n >= MAX_ENTRIES)
            return skv_fail(SKV_E_FORMAT, "%s: more than %zu tensors", path, MAX_ENTRIES);
        grown = realloc(list->entry, room * sizeof *grown);
        if (!grown)
            return skv_fail(SKV_E_MEM, "%s: out of memory for %zu tensors", path, room);
        list->entry = grown;
        list->room = room;
    }
    name = strdup(e->name);
    if (!name)
        return skv_fail(SKV_E_MEM, "%s: out of memory", path);
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
