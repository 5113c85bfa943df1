/* Text: endings, copies, plurals, UTF-8. */
#ifndef SKV_CORE_TEXT_H
#define SKV_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* Whether `text` ends in `ending`; skv_ends_in: whatever the letters' case (ASCII), as endings of
 * file names are compared. */
bool skv_ends_with(const char *text, const char *ending);
bool skv_ends_in(const char *text, const char *ending);

/* Whether it names made-up numbers, as "formula:tiny" does, and no file: any other colon is a part
 * of a file's name. */
bool skv_names_formula(const char *text);

/* *out = a copy of `text` (free()). SKV_E_MEM. */
SKV_MUST skv_status skv_text_copy(char **out, const char *text);

/* "s" where there is not exactly one: "%lld group file%s". */
static inline const char *skv_s(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* Bytes before the first one that is not part of well-formed UTF-8 (Unicode, table 3-7: no overlong
 * forms, no surrogates, nothing above U+10FFFF), n if all are. NUL counts as ill-formed. */
size_t skv_utf8_good_bytes(const char *text, size_t n);
bool skv_utf8_is_valid(const char *text, size_t bytes);

#endif
