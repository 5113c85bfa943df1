/* What options.c and options_print.c share. */
#ifndef SKV_CORE_OPTIONS_INTERNAL_H
#define SKV_CORE_OPTIONS_INTERNAL_H

#include <stddef.h>

#define SKV_OPTIONS__WORD 64 /* longest word that gets a suggestion */

/* "group_size" -> "--group-size" */
void skv_options__flag(char *out, size_t bytes, const char *key);

#endif
