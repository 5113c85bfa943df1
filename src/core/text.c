#include "core/text.h"

#include <string.h>
#include <strings.h>

#include "core/mem.h"

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

skv_status skv_text_copy(char **out, const char *text)
{
    const size_t bytes = strlen(text) + 1;

    SKV_TRY(skv_alloc(out, bytes, 1, "text"));
    memcpy(*out, text, bytes);
    return SKV_OK;
}

bool skv_names_formula(const char *text)
{
    static const char scheme[] = "formula:";

    return strncmp(text, scheme, sizeof scheme - 1) == 0;
}

size_t skv_utf8_good_bytes(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t i = 0;

    while (i < n) {
        const unsigned char c = s[i];
        const int more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : (c & 0xf0) == 0xe0 ? 2 : 3;
        unsigned char low = 0x80, high = 0xbf;

        if (c == 0 || (c >= 0x80 && c < 0xc2) || c > 0xf4 || n - i <= (size_t)more)
            return i;
        if (c == 0xe0)
            low = 0xa0; /* overlong */
        else if (c == 0xed)
            high = 0x9f; /* surrogates */
        else if (c == 0xf0)
            low = 0x90; /* overlong */
        else if (c == 0xf4)
            high = 0x8f; /* above U+10FFFF */
        for (int k = 1; k <= more; k++, low = 0x80, high = 0xbf)
            if (s[i + (size_t)k] < low || s[i + (size_t)k] > high)
                return i;
        i += (size_t)more + 1;
    }
    return n;
}

bool skv_utf8_is_valid(const char *text, size_t bytes)
{
    return skv_utf8_good_bytes(text, bytes) == bytes;
}
