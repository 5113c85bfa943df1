/* Pictures as PNG: 8-bit RGB out, any PNG in.
 *
 * Equal pictures with equal texts are equal files. Written aside (core/aside.h; the name does not
 * end in .png, so no evaluator takes it for a picture), synced and renamed. Safe to call from
 * several threads for different files. */
#ifndef SKV_IO_PNG_H
#define SKV_IO_PNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/aside.h"
#include "core/bytes.h"
#include "core/status.h"

#define SKV_PNG_MAX_SIDE 32768

/* One item of metadata: key of 1-79 printable ASCII characters; value UTF-8. ASCII values become
 * tEXt, others iTXt; control characters and backslashes are written as \n, \t, \\, \xNN. */
typedef struct {
    const char *key, *value;
} skv_png_text;

/* rgb: (height,width,3) u8. Into an aside file, which stays the caller's to commit or drop. */
SKV_MUST skv_status skv_png_write_aside(const skv_aside *to, const uint8_t *rgb, int width,
                                        int height, const skv_png_text *text, int n_text);

/* The same into a file of this name, whole or not at all. */
SKV_MUST skv_status skv_png_write(const char *path, const uint8_t *rgb, int width, int height,
                                  const skv_png_text *text, int n_text);

/* The same in memory, for pictures inside other files: *out (free()) is as small as libpng makes
 * it. pixels: (height,width,channels) u8, channels 1 (grey) or 3. */
SKV_MUST skv_status skv_png_encode(uint8_t **out, size_t *bytes, const uint8_t *pixels, int width,
                                   int height, int channels);

/* The bytes that skv_png_write writes: *out, zeroed by the caller (skv_bytes_clear). */
SKV_MUST skv_status skv_png_encode_file(skv_bytes *out, const uint8_t *rgb, int width, int height,
                                        const skv_png_text *text, int n_text);

typedef struct {
    int width, height;
    uint8_t *rgb;       /* (height,width,3) */
    skv_png_text *text; /* as in the file, escapes left as they are */
    int n_text;
} skv_png;

/* Grey, palette and 16-bit pictures become RGB8, as Pillow's convert("RGB") has them: of 16 bits
 * the upper 8, but grey without alpha is cut at 255; alpha is dropped (colours as stored). A file
 * that is not a PNG is called what it is (core/known_file.h), a damaged one refused with libpng's
 * reason. */
SKV_MUST skv_status skv_png_read(skv_png *out, const char *path);
SKV_MUST skv_status skv_png_read_below(skv_png *out, const char *path, int n_below); /* file.h */
/* The same of a file in memory; `path` is for messages. */
SKV_MUST skv_status skv_png_decode(skv_png *out, const void *file, size_t bytes, const char *path);
void skv_png_clear(skv_png *png);

/* Whether a file begins as every PNG does. */
bool skv_png_is(const void *file, size_t bytes);

#endif
