#include "eval/report/report_html.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM ((size_t)64 << 10)
#define DASH       "\xe2\x80\x93"
#define INFINITE   "\xe2\x88\x9e"
#define MINUS      "\xe2\x88\x92"
#define THIN_SPACE "\xe2\x80\xaf"
#define ELLIPSIS   "\xe2\x80\xa6"
#define UNREADABLE "\xef\xbf\xbd"

/* Room for `more` bytes and a NUL behind what there is. */
static bool reserve(skv_html *h, size_t more)
{
    size_t room = h->room ? h->room : FIRST_ROOM;
    char *grown;

    if (h->failed || more >= SIZE_MAX / 4 - h->bytes) {
        h->failed = true;
        return false;
    }
    while (room < h->bytes + more + 1)
        room *= 2;
    if (room == h->room)
        return true;
    grown = realloc(h->text, room);
    if (!grown) {
        h->failed = true;
        return false;
    }
    h->text = grown;
    h->room = room;
    return true;
}

static void append(skv_html *h, const char *text, size_t bytes)
{
    if (!reserve(h, bytes))
        return;
    memcpy(h->text + h->bytes, text, bytes);
    h->bytes += bytes;
    h->text[h->bytes] = '\0';
}

void skv_html_raw(skv_html *h, const char *markup)
{
    append(h, markup, strlen(markup));
}

void skv_html_f(skv_html *h, const char *fmt, ...)
{
    va_list args, again;
    int n;

    va_start(args, fmt);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, args);
    if (n < 0) {
        h->failed = true;
    } else if (reserve(h, (size_t)n)) {
        vsnprintf(h->text + h->bytes, (size_t)n + 1, fmt, again);
        h->bytes += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

/* Bytes of the well-formed UTF-8 character at p, 0 if there is none; the text ends with a NUL. */
static size_t character_bytes(const unsigned char *p)
{
    const size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (n == 0 || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

static void append_character(skv_html *h, const unsigned char *p, size_t n)
{
    const bool control = p[0] < 0x20 || p[0] == 0x7f || (n == 2 && p[0] == 0xc2 && p[1] < 0xa0);

    if (n == 0)
        skv_html_raw(h, UNREADABLE);
    else if (control)
        skv_html_raw(h, " ");
    else if (p[0] == '<')
        skv_html_raw(h, "&lt;");
    else if (p[0] == '>')
        skv_html_raw(h, "&gt;");
    else if (p[0] == '&')
        skv_html_raw(h, "&amp;");
    else if (p[0] == '"')
        skv_html_raw(h, "&quot;");
    else if (p[0] == '\'')
        skv_html_raw(h, "&#39;");
    else
        append(h, (const char *)p, n);
}

void skv_html_text(skv_html *h, const char *text, size_t max_bytes)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t used = 0;

    while (*p) {
        const size_t n = character_bytes(p), step = n ? n : 1;

        if (used + step > max_bytes) {
            skv_html_raw(h, ELLIPSIS);
            return;
        }
        append_character(h, p, n);
        p += step;
        used += step;
    }
}

void skv_html_real(skv_html *h, double v, int digits)
{
    char number[64];

    if (isnan(v)) {
        skv_html_raw(h, DASH);
        return;
    }
    if (isinf(v)) {
        skv_html_raw(h, v < 0 ? MINUS INFINITE : INFINITE);
        return;
    }
    snprintf(number, sizeof number, fabs(v) < 1e15 ? "%.*f" : "%.*e", digits, fabs(v));
    if (v < 0 && strspn(number, "0.") != strlen(number))
        skv_html_raw(h, MINUS);
    skv_html_raw(h, number);
}

void skv_html_short(skv_html *h, double v)
{
    const double size = fabs(v);

    if (!isfinite(v) || size == 0)
        skv_html_real(h, v, 0);
    else if (size < 1e-4 || size >= 1e6)
        skv_html_f(h, "%.2e", v);
    else
        skv_html_real(h, v,
                      size < 0.9995  ? 2 - (int)floor(log10(size))
                      : size < 9.995 ? 2
                                     : size < 99.95);
}

void skv_html_count(skv_html *h, int64_t v)
{
    char digits[32];
    size_t n;

    snprintf(digits, sizeof digits, "%llu",
             v < 0 ? 0ULL - (unsigned long long)v : (unsigned long long)v);
    n = strlen(digits);
    if (v < 0)
        skv_html_raw(h, MINUS);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && n > 4 && (n - i) % 3 == 0)
            skv_html_raw(h, THIN_SPACE);
        append(h, digits + i, 1);
    }
}

void skv_html_base64(skv_html *h, const uint8_t *data, size_t bytes)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to;

    if (!reserve(h, bytes / 3 * 4 + 4))
        return;
    to = h->text + h->bytes;
    for (size_t i = 0; i < bytes; i += 3) {
        const size_t left = bytes - i;
        const uint32_t word = (uint32_t)data[i] << 16 |
                              (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                              (left > 2 ? data[i + 2] : 0U);

        *to++ = letters[word >> 18];
        *to++ = letters[word >> 12 & 63];
        *to++ = left > 1 ? letters[word >> 6 & 63] : '=';
        *to++ = left > 2 ? letters[word & 63] : '=';
    }
    *to = '\0';
    h->bytes = (size_t)(to - h->text);
}
