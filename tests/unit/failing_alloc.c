#include "failing_alloc.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static long allowed = -1, asked;

void failing_alloc(long n)
{
    allowed = n;
    asked = 0;
}

long failing_alloc_count(void)
{
    return asked;
}

static bool may_allocate(void)
{
    asked++;
    return allowed < 0 || asked <= allowed;
}

/* The linker sends calls here (--wrap). */
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    return may_allocate() ? __real_malloc(n) : NULL;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
    return may_allocate() ? __real_realloc(p, n) : NULL;
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return may_allocate() ? __real_strdup(text) : NULL;
}

char *__real_strndup(const char *text, size_t n);
char *__wrap_strndup(const char *text, size_t n);
char *__wrap_strndup(const char *text, size_t n)
{
    return may_allocate() ? __real_strndup(text, n) : NULL;
}

void failing_alloc_json(void)
{
    json_set_alloc_funcs(__wrap_malloc, free);
}
