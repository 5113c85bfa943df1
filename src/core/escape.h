/* Foreign text made safe to show: a prompt, an id or a file's name must not drive the reader's
 * terminal, forge a line, or turn the text around it. */
#ifndef SKV_CORE_ESCAPE_H
#define SKV_CORE_ESCAPE_H

#include <stddef.h>

/* Copies `text` into `out`, always with a NUL, cut at a whole character where `bytes` (at least 1)
 * are too few. Control characters (C0, DEL, C1), line separators and marks of direction become \n,
 * \t, \x1b or \u009b, bytes that are not UTF-8 become \xff; everything else stays. Returns the
 * bytes of the whole result without the NUL, as snprintf does; they are at most 4 a byte of `text`.
 */
size_t skv_escape(char *out, size_t bytes, const char *text);

#endif
