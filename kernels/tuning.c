#include "kernels/tuning.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

int skv_tuning_find(const skv_tuning *t, const char *key)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->list[i].key, key) == 0)
            return t->list[i].choice;
    return -1;
}

skv_status skv_tuning_set(skv_tuning *t, const char *key, int choice)
{
    const size_t bytes = strlen(key) + 1;

    if (bytes > sizeof t->list->key)
        return skv_fail(SKV_E_ARG, "tuning: the key %s is too long", key);
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->list[i].key, key) == 0) {
            t->list[i].choice = choice;
            return SKV_OK;
        }
    SKV_TRY(skv_grow(&t->list, t->n, sizeof *t->list, "tuning"));
    memcpy(t->list[t->n].key, key, bytes);
    t->list[t->n++].choice = choice;
    return SKV_OK;
}

void skv_tuning_clear(skv_tuning *t)
{
    free(t->list);
    *t = (skv_tuning){.measuring = false};
}
