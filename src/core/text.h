/* Small questions about text. */
#ifndef SKV_CORE_TEXT_H
#define SKV_CORE_TEXT_H

#include <stdbool.h>

/* Whether `text` ends in `ending`; skv_ends_in: whatever the letters' case (ASCII), as endings of
 * file names are compared. */
bool skv_ends_with(const char *text, const char *ending);
bool skv_ends_in(const char *text, const char *ending);

#endif
