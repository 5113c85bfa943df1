/* Tests of text: endings and UTF-8. */
#ifndef SKV_CORE_TEXT_H
#define SKV_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `text` ends in `ending`; skv_ends_in: whatever the letters' case (ASCII), as endings of
 * file names are compared. */
bool skv_ends_with(const char *text, const char *ending);
bool skv_ends_in(const char *text, const char *ending);

/* Bytes before the first one that is not part of well-formed UTF-8 (Unicode, table 3-7: no overlong
 * forms, no surrogates, nothing above U+10FFFF), n if all are. NUL counts as ill-formed. */
size_t skv_utf8_good_bytes(const char *text, size_t n);
bool skv_utf8_is_valid(const char *text, size_t bytes);

#endif
