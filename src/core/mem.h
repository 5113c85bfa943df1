/* Checked sizes, and arenas: bump allocators over one block whose size was planned beforehand.
 *
 * An arena knows its high-water mark, so that "bytes planned" can be held against "bytes taken". */
#ifndef SKV_CORE_MEM_H
#define SKV_CORE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define SKV_ALIGN 256 /* of every arena allocation: a cache line, and what tensor cores want */

/* *out = a·b, a+b; false on overflow. */
bool skv_mul_size(size_t *out, size_t a, size_t b);
bool skv_add_size(size_t *out, size_t a, size_t b);

/* n rounded up to SKV_ALIGN. */
static inline size_t skv_align_up(size_t n)
{
    return (n + (SKV_ALIGN - 1)) & ~(size_t)(SKV_ALIGN - 1);
}

static inline size_t skv_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* n rounded up to a multiple of step; both positive. */
static inline int64_t skv_round_up(int64_t n, int64_t step)
{
    return (n + step - 1) / step * step;
}

/* calloc that fails with a message naming `what`. *out is freed with free(). */
SKV_MUST skv_status skv_alloc(void *out, size_t n, size_t size, const char *what);

/* Makes room for one entry more in the list at *list (NULL at first, freed with free()), which has
 * n of `size` bytes. Called before each entry that is added: it doubles the list at 16, 32, 64, ...
 */
SKV_MUST skv_status skv_grow(void *list, size_t n, size_t size, const char *what);

typedef struct {
    char *base;       /* host or device memory, borrowed */
    size_t bytes;     /* capacity */
    size_t used;      /* now */
    size_t high;      /* most ever used */
    const char *name; /* for messages: "kv", "scratch", ... */
} skv_arena;

void skv_arena_init(skv_arena *a, const char *name, void *base, size_t bytes);

/* An arena that only counts: its pieces must not be touched. A plan runs the very code that will
 * take the memory and reads `high`. */
void skv_arena_init_counting(skv_arena *a, const char *name);

/* *out = an SKV_ALIGN-aligned piece (base must be aligned). Fails with SKV_E_MEM beyond capacity.
 */
SKV_MUST skv_status skv_arena_take(void *out, skv_arena *a, size_t bytes);

/* A mark is the fill level; resetting to it frees everything taken since. */
size_t skv_arena_mark(const skv_arena *a);
void skv_arena_reset(skv_arena *a, size_t mark);

#endif
