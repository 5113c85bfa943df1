#include "core/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ENTRIES ((size_t)16) /* a power of two */

bool skv_mul_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool skv_add_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_add_overflow(a, b, out);
}

skv_status skv_alloc(void *out, size_t n, size_t size, const char *what)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        return skv_fail(SKV_E_MEM, "%s: out of memory for %zu × %zu bytes", what, n, size);
    memcpy(out, &p, sizeof p);
    return SKV_OK;
}

skv_status skv_grow(void *list, size_t n, size_t size, const char *what)
{
    const size_t room = n > 0 ? 2 * n : FIRST_ENTRIES;
    size_t bytes;
    void *p;

    if (n > 0 && (n < FIRST_ENTRIES || (n & (n - 1)) != 0))
        return SKV_OK;
    memcpy(&p, list, sizeof p);
    p = skv_mul_size(&bytes, room, size) ? realloc(p, bytes) : NULL;
    if (!p)
        return skv_fail(SKV_E_MEM, "%s: out of memory for %zu × %zu bytes", what, room, size);
    memcpy(list, &p, sizeof p);
    return SKV_OK;
}

void skv_arena_init(skv_arena *a, const char *name, void *base, size_t bytes)
{
    *a = (skv_arena){.base = base, .bytes = bytes, .name = name};
}

void skv_arena_init_counting(skv_arena *a, const char *name)
{
    skv_arena_init(a, name, (char *)(uintptr_t)SKV_ALIGN, SIZE_MAX / 2);
}

skv_status skv_arena_take(void *out, skv_arena *a, size_t bytes)
{
    size_t n = skv_align_up(bytes);
    void *p;

    if (n < bytes || n > a->bytes - a->used)
        return skv_fail(SKV_E_MEM, "arena %s: %zu bytes wanted, %zu of %zu left", a->name, bytes,
                        a->bytes - a->used, a->bytes);
    p = a->base + a->used;
    a->used += n;
    if (a->used > a->high)
        a->high = a->used;
    memcpy(out, &p, sizeof p);
    return SKV_OK;
}

size_t skv_arena_mark(const skv_arena *a)
{
    return a->used;
}

void skv_arena_reset(skv_arena *a, size_t mark)
{
    assert(mark <= a->used);
    a->used = mark;
}
