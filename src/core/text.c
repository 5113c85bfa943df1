#include "core/text.h"

#include <string.h>
#include <strings.h>

/* Where text's last strlen(ending) bytes begin, NULL if there are fewer. */
static const char *tail(const char *text, const char *ending)
{
    const size_t n = strlen(text), m = strlen(ending);

    return n >= m ? text + n - m : NULL;
}

bool skv_ends_with(const char *text, const char *ending)
{
    const char *end = tail(text, ending);

    return end && strcmp(end, ending) == 0;
}

bool skv_ends_in(const char *text, const char *ending)
{
    const char *end = tail(text, ending);

    return end && strcasecmp(end, ending) == 0;
}
