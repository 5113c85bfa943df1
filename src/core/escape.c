#include "core/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the well-formed UTF-8 character at p, 0: there is none. */
static int decode(uint32_t *code, const unsigned char *p)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const int n = p[0] < 0x80   ? 1
                  : p[0] < 0xc0 ? 0
                  : p[0] < 0xe0 ? 2
                  : p[0] < 0xf0 ? 3
                  : p[0] < 0xf8 ? 4
                                : 0;

    *code = n < 2 ? p[0] : p[0] & (0x7fu >> n);
    for (int i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) /* the NUL at the end, too */
            return 0;
        *code = *code << 6 | (p[i] & 0x3f);
    }
    if (n > 1 && (*code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000)))
        return 0;
    return n;
}

static bool is_shown(uint32_t code)
{
    return code >= 0x20 && (code < 0x7f || code >= 0xa0) && code != 0x061c &&
           (code < 0x200e || code > 0x200f) && (code < 0x2028 || code > 0x202e) &&
           (code < 0x2066 || code > 0x2069);
}

/* One character as it is shown; returns the bytes of `text` that it took. */
static int escape_one(char out[8], const char *text)
{
    const unsigned char first = (unsigned char)text[0];
    uint32_t code;
    const int n = decode(&code, (const unsigned char *)text);

    if (n > 0 && is_shown(code))
        snprintf(out, 8, "%.*s", n, text);
    else if (first == '\n' || first == '\t')
        snprintf(out, 8, "\\%c", first == '\n' ? 'n' : 't');
    else if (n > 1)
        snprintf(out, 8, "\\u%04x", code & 0xffff);
    else
        snprintf(out, 8, "\\x%02x", first);
    return n > 0 ? n : 1;
}

size_t skv_escape(char *out, size_t bytes, const char *text)
{
    size_t whole = 0, used = 0;

    while (*text) {
        char one[8];
        size_t n;

        text += escape_one(one, text);
        n = strlen(one);
        if (whole == used && used + n < bytes) { /* nothing was left out so far */
            memcpy(out + used, one, n);
            used += n;
        }
        whole += n;
    }
    out[used] = '\0';
    return whole;
}
