#include "core/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define FIRST_ROOM ((size_t)4096)

static skv_status make_room(skv_bytes *b, size_t n, const char *what)
{
    size_t need = 0, room = 0;
    char *grown = NULL;

    if (!skv_add_size(&need, b->n, n) || !skv_mul_size(&room, need, 2))
        return skv_fail(SKV_E_MEM, "out of memory for %s", what);
    room = need < FIRST_ROOM ? FIRST_ROOM : need + need / 2;
    grown = realloc(b->data, room);
    if (!grown)
        return skv_fail(SKV_E_MEM, "out of memory for %s (%zu bytes)", what, room);
    b->data = grown;
    b->room = room;
    return SKV_OK;
}

skv_status skv_bytes_add(skv_bytes *b, const void *data, size_t n, const char *what)
{
    if (n == 0)
        return SKV_OK;
    if (b->room - b->n < n)
        SKV_TRY(make_room(b, n, what));
    memcpy(b->data + b->n, data, n);
    b->n += n;
    return SKV_OK;
}

void skv_bytes_clear(skv_bytes *b)
{
    free(b->data);
    *b = (skv_bytes){0};
}
