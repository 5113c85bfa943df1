/* JPEG in and out, by libjpeg-turbo. */
#ifndef SKV_IO_JPEG_FILE_H
#define SKV_IO_JPEG_FILE_H

#include "io/picture_file.h"

/* Baseline, progressive, grey, CMYK (as Adobe writes it): as RGB, as Pillow converts. A file whose
 * data end before the picture is refused; other damage that libjpeg only warns of is not. `path` is
 * for messages. */
SKV_MUST skv_status skv_jpeg_decode(skv_picture *out, const void *file, size_t bytes,
                                    const char *path);

/* *out (free()) = the picture as baseline JPEG, colours at half resolution (4:2:0), as OpenCV and
 * Pillow write it. `name` is for messages. */
SKV_MUST skv_status skv_jpeg_encode(uint8_t **out, size_t *bytes, const skv_picture *picture,
                                    int quality, const char *name);

#endif
