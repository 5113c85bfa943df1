/* What options.c and options_print.c share. */
#ifndef SKV_CORE_OPTIONS_INTERNAL_H
#define SKV_CORE_OPTIONS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define SKV_OPTIONS__WORD 64 /* longest word that gets a suggestion */

/* "group_size" -> "--group-size" */
void skv_options__flag(char *out, size_t bytes, const char *key);

/* "formula:tiny" names made-up numbers, not a file; any other colon is a part of a file's name. */
static inline bool skv_options__is_source(const char *text)
{
    return strncmp(text, "formula:", strlen("formula:")) == 0;
}

#endif
