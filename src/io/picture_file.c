#include "io/picture_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/known_file.h"
#include "io/jpeg_file.h"
#include "io/webp_file.h"

#define MAX_FILE_BYTES ((size_t)1 << 30)
#define JPEG_QUALITY   95 /* OpenCV's default, by which Infinity's scripts write */

static const char *const names[SKV_PICTURE_FORMS] = {"png", "jpeg", "webp"};

const char *skv_form_name(skv_form form)
{
    return names[form];
}

static bool is_jpeg(const void *file, size_t bytes)
{
    return bytes >= 3 && memcmp(file, "\xff\xd8\xff", 3) == 0;
}

static bool is_webp(const char *file, size_t bytes)
{
    return bytes >= 12 && memcmp(file, "RIFF", 4) == 0 && memcmp(file + 8, "WEBP", 4) == 0;
}

static skv_status decode_png(skv_picture *out, const void *file, size_t bytes, const char *path)
{
    skv_png png = {0};

    SKV_TRY(skv_png_decode(&png, file, bytes, path));
    *out = (skv_picture){png.height, png.width, png.rgb};
    png.rgb = NULL;
    skv_png_clear(&png);
    return SKV_OK;
}

skv_status skv_picture_read(skv_picture *out, const char *path)
{
    char *file = NULL;
    size_t n = 0;
    skv_status st;

    *out = (skv_picture){0};
    SKV_TRY(skv_file_read(&file, &n, path, MAX_FILE_BYTES));
    if (is_jpeg(file, n))
        st = skv_jpeg_decode(out, file, n, path);
    else if (is_webp(file, n))
        st = skv_webp_decode(out, file, n, path);
    else if (skv_png_is(file, n))
        st = decode_png(out, file, n, path);
    else
        st = skv_not_wanted(path, file, n, "a PNG, JPEG or WebP picture");
    free(file);
    return st;
}

skv_status skv_picture_write(const char *path, skv_form form, const skv_picture *picture,
                             const skv_png_text *text, int n_text)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    skv_aside to;
    skv_status st;

    if (form == SKV_PICTURE_PNG)
        return skv_png_write(path, picture->rgb, picture->width, picture->height, text, n_text);
    st = form == SKV_PICTURE_JPEG ? skv_jpeg_encode(&bytes, &n, picture, JPEG_QUALITY, path)
                                  : skv_webp_encode(&bytes, &n, picture, path);
    SKV_TRY(st);
    st = skv_aside_create(&to, path, 0);
    if (st == SKV_OK) {
        st = skv_aside_write(&to, bytes, n);
        if (st == SKV_OK)
            st = skv_aside_commit_derived(&to);
        skv_aside_drop(&to);
    }
    free(bytes);
    return st;
}
