/* A growing text that becomes a page: markup as it is, everything that came from a file escaped.
 *
 * The easy mistake is to write a file's text with skv_html_f("%s"): only names made by this program
 * may go that way. Running out of memory is kept in `failed` and reported once, at the end. */
#ifndef SKV_EVAL_REPORT_HTML_H
#define SKV_EVAL_REPORT_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct {
    char *text; /* free() */
    size_t bytes, room;
    bool failed;
} skv_html;

/* Markup as it is. */
void skv_html_raw(skv_html *h, const char *markup);
void skv_html_f(skv_html *h, const char *fmt, ...) SKV_PRINTF(2, 3);

/* Text from anywhere: escaped for element content and quoted attributes alike, control characters
 * as spaces, bytes that are no UTF-8 as U+FFFD, at most max_bytes of it, then an ellipsis. */
void skv_html_text(skv_html *h, const char *text, size_t max_bytes);

/* A number with `digits` decimals; NaN is a dash, infinities their sign. */
void skv_html_real(skv_html *h, double v, int digits);

/* A number with three significant digits and no exponent where it is between 0.0001 and 10^6. */
void skv_html_short(skv_html *h, double v);

/* A whole number, its digits in groups of three from 10,000 on. */
void skv_html_count(skv_html *h, int64_t v);

/* Bytes as base64. */
void skv_html_base64(skv_html *h, const uint8_t *data, size_t bytes);

#endif
