/* Pictures in files of the forms that evaluators read and write: PNG, JPEG, WebP.
 *
 * Eight bits, RGB. What a file's name ends in does not matter to the reader: a picture's form is
 * told by its first bytes. Safe to call from several threads for different files. */
#ifndef SKV_IO_PICTURE_FILE_H
#define SKV_IO_PICTURE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "io/png.h"

/* Pillow refuses larger pictures as decompression bombs; JPEG and WebP are held to it here. */
#define SKV_PICTURE_MAX_PIXELS 178956970

typedef struct {
    int height, width;
    uint8_t *rgb; /* (height,width,3) u8, free() */
} skv_picture;

typedef enum { SKV_PICTURE_PNG, SKV_PICTURE_JPEG, SKV_PICTURE_WEBP, SKV_PICTURE_FORMS } skv_form;

/* Any PNG, JPEG or WebP picture, as RGB: grey is repeated, alpha dropped, the orientation that a
 * camera noted not applied, all as Pillow's convert("RGB") does. SKV_E_FORMAT for other files and
 * damaged ones, SKV_E_NOTFOUND where there is none. */
SKV_MUST skv_status skv_picture_read(skv_picture *out, const char *path);

/* Writes the file whole or not at all: PNG with its texts; JPEG of quality 95; WebP without loss.
 * The latter two hold no texts. */
SKV_MUST skv_status skv_picture_write(const char *path, skv_form form, const skv_picture *picture,
                                      const skv_png_text *text, int n_text);

/* "png", "jpeg", "webp". */
const char *skv_form_name(skv_form form);

#endif
