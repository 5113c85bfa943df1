/* WebP in and out, by libwebp. */
#ifndef SKV_IO_WEBP_FILE_H
#define SKV_IO_WEBP_FILE_H

#include "io/picture_file.h"

/* Lossy and lossless pictures; animations are refused. `path` is for messages. */
SKV_MUST skv_status skv_webp_decode(skv_picture *out, const void *file, size_t bytes,
                                    const char *path);

/* *out (free()) = the picture without loss; sides of at most 16383. `name` is for messages. */
SKV_MUST skv_status skv_webp_encode(uint8_t **out, size_t *bytes, const skv_picture *picture,
                                    const char *name);

#endif
