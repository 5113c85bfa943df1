#include "io/picture_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "io/jpeg_file.h"
#include "io/webp_file.h"

#define JPEG_QUALITY 95 /* OpenCV's default, by which Infinity's scripts write */

static const char *const names[SKV_PICTURE_FORMS] = {"png", "jpeg", "webp"};

const char *skv_form_name(skv_form form)
{
    return names[form];
}

/* The form by the first bytes; what is neither of the others is PNG's to refuse. */
static skv_status form_of(skv_form *out, const char *path)
{
    unsigned char head[12] = {0};
    size_t n = 0;
    int fd = -1;
    skv_status st;

    SKV_TRY(skv_file_open(&fd, path, 0));
    st = skv_read_fully(&n, fd, head, sizeof head, path);
    close(fd);
    *out = SKV_PICTURE_PNG;
    if (n >= 3 && memcmp(head, "\xff\xd8\xff", 3) == 0)
        *out = SKV_PICTURE_JPEG;
    else if (n == 12 && memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WEBP", 4) == 0)
        *out = SKV_PICTURE_WEBP;
    return st;
}

static skv_status read_png(skv_picture *out, const char *path)
{
    skv_png png = {0};

    *out = (skv_picture){0};
    SKV_TRY(skv_png_read(&png, path));
    *out = (skv_picture){png.height, png.width, png.rgb};
    png.rgb = NULL;
    skv_png_clear(&png);
    return SKV_OK;
}

skv_status skv_picture_read(skv_picture *out, const char *path)
{
    skv_form form;

    *out = (skv_picture){0};
    SKV_TRY(form_of(&form, path));
    switch (form) {
    case SKV_PICTURE_JPEG:
        return skv_jpeg_read(out, path);
    case SKV_PICTURE_WEBP:
        return skv_webp_read(out, path);
    default:
        return read_png(out, path);
    }
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
