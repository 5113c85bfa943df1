/* libjpeg reports errors by longjmp here (by exit() where nobody asks), so everything a function
 * frees afterwards lives in a struct that its caller owns. */
#include "io/jpeg_file.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <jpeglib.h>
#include <jerror.h>

#include "core/file.h"
#include "core/mem.h"

#define MAX_SIDE  65500 /* the format's own, less what libjpeg keeps for itself */
#define MAX_SCANS 100   /* of a progressive file: real ones have about ten, each costs a pass */

typedef struct {
    struct jpeg_error_mgr manager; /* first: libjpeg gives its address back */
    jmp_buf jump;
    const char *name;
    skv_status status; /* set before the jump */
} failing;

static void jump(j_common_ptr jpeg, skv_status status)
{
    failing *f = (failing *)jpeg->err;

    f->status = status;
    longjmp(f->jump, 1);
}

static void on_error(j_common_ptr jpeg)
{
    const failing *f = (const failing *)jpeg->err;
    char reason[JMSG_LENGTH_MAX];

    jpeg->err->format_message(jpeg, reason);
    jump(jpeg, skv_fail(jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? SKV_E_MEM : SKV_E_FORMAT,
                        "%s: JPEG: %s", f->name, reason));
}

static void on_message(j_common_ptr jpeg, int level)
{
    const failing *f = (const failing *)jpeg->err;

    if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF)
        jump(jpeg, skv_fail(SKV_E_FORMAT, "%s: JPEG: cut: the file ends before the picture does",
                            f->name));
}

static struct jpeg_error_mgr *errors_to(failing *f, const char *name)
{
    f->name = name;
    jpeg_std_error(&f->manager);
    f->manager.error_exit = on_error;
    f->manager.emit_message = on_message;
    return &f->manager;
}

/* ------------------------------------------------------------------------ in */

typedef struct {
    failing errors;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_progress_mgr progress;
    const uint8_t *file;
    size_t file_bytes;
    uint8_t *cmyk; /* a line of the picture, where it is not RGB */
} reading;

static void on_progress(j_common_ptr jpeg)
{
    const failing *f = (const failing *)jpeg->err;

    if (((j_decompress_ptr)jpeg)->input_scan_number > MAX_SCANS)
        jump(jpeg, skv_fail(SKV_E_FORMAT, "%s: JPEG: more than %d scans, as no picture needs",
                            f->name, MAX_SCANS));
}

/* A block of 8x8 pixels takes at least one bit, so a file that is much shorter than its picture is
 * cut or a bomb. */
static skv_status check_size(const reading *r, const char *path)
{
    const uint64_t w = r->jpeg.image_width, h = r->jpeg.image_height;

    if (w * h <= SKV_PICTURE_MAX_PIXELS && w * h / 512 <= r->file_bytes)
        return SKV_OK;
    return skv_fail(SKV_E_FORMAT, "%s: JPEG: %llu x %llu pixels in %zu bytes: %s", path,
                    (unsigned long long)w, (unsigned long long)h, r->file_bytes,
                    w * h > SKV_PICTURE_MAX_PIXELS ? "more than can be read" : "cut or made up");
}

/* a*b/255, rounded. */
static unsigned part_of_255(unsigned a, unsigned b)
{
    const unsigned t = a * b + 128;

    return (t + (t >> 8)) >> 8;
}

/* Stored inverted, as Adobe does and Pillow takes for granted: 255 is no ink. */
static void rgb_of_cmyk(uint8_t *rgb, const uint8_t *cmyk, size_t width)
{
    for (size_t x = 0; x < width; x++, rgb += 3, cmyk += 4)
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(cmyk[3] - part_of_255(255u - cmyk[c], cmyk[3]));
}

static void decode_lines(reading *r, skv_picture *out)
{
    const size_t width = (size_t)out->width;

    while (r->jpeg.output_scanline < r->jpeg.output_height) {
        uint8_t *to = out->rgb + (size_t)r->jpeg.output_scanline * width * 3;
        JSAMPROW line = r->cmyk ? r->cmyk : to;

        if (jpeg_read_scanlines(&r->jpeg, &line, 1) == 1 && r->cmyk)
            rgb_of_cmyk(to, r->cmyk, width);
    }
}

/* Everything that may jump. */
static skv_status decode(reading *r, skv_picture *out, const char *path)
{
    bool inks;

    r->jpeg.err = errors_to(&r->errors, path);
    if (setjmp(r->errors.jump))
        return r->errors.status;
    jpeg_create_decompress(&r->jpeg);
    r->progress.progress_monitor = on_progress;
    r->jpeg.progress = &r->progress;
    jpeg_mem_src(&r->jpeg, r->file, (unsigned long)r->file_bytes);
    jpeg_read_header(&r->jpeg, TRUE);
    SKV_TRY(check_size(r, path));
    inks = r->jpeg.jpeg_color_space == JCS_CMYK || r->jpeg.jpeg_color_space == JCS_YCCK;
    r->jpeg.out_color_space = inks ? JCS_CMYK : JCS_RGB;
    out->width = (int)r->jpeg.image_width;
    out->height = (int)r->jpeg.image_height;
    SKV_TRY(skv_alloc(&out->rgb, (size_t)out->height, (size_t)out->width * 3, path));
    if (inks)
        SKV_TRY(skv_alloc(&r->cmyk, (size_t)out->width, 4, path));
    jpeg_start_decompress(&r->jpeg);
    decode_lines(r, out);
    jpeg_finish_decompress(&r->jpeg);
    return SKV_OK;
}

skv_status skv_jpeg_decode(skv_picture *out, const void *file, size_t bytes, const char *path)
{
    reading r = {.file = file, .file_bytes = bytes};
    skv_status st;

    *out = (skv_picture){0};
    st = decode(&r, out, path);
    jpeg_destroy_decompress(&r.jpeg);
    free(r.cmyk);
    if (st != SKV_OK) {
        free(out->rgb);
        *out = (skv_picture){0};
    }
    return st;
}

/* ----------------------------------------------------------------------- out */

typedef struct {
    failing errors;
    struct jpeg_compress_struct jpeg;
    FILE *to;
} writing;

/* Everything that may jump. */
static skv_status encode(writing *w, const skv_picture *picture, int quality, const char *name)
{
    w->jpeg.err = errors_to(&w->errors, name);
    if (setjmp(w->errors.jump))
        return w->errors.status;
    jpeg_create_compress(&w->jpeg);
    jpeg_stdio_dest(&w->jpeg, w->to);
    w->jpeg.image_width = (JDIMENSION)picture->width;
    w->jpeg.image_height = (JDIMENSION)picture->height;
    w->jpeg.input_components = 3;
    w->jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&w->jpeg);
    jpeg_set_quality(&w->jpeg, quality, TRUE);
    jpeg_start_compress(&w->jpeg, TRUE);
    while (w->jpeg.next_scanline < w->jpeg.image_height) {
        /* libjpeg only reads it */
        JSAMPROW line = picture->rgb + (size_t)w->jpeg.next_scanline * (size_t)picture->width * 3;

        jpeg_write_scanlines(&w->jpeg, &line, 1);
    }
    jpeg_finish_compress(&w->jpeg);
    return SKV_OK;
}

skv_status skv_jpeg_encode(uint8_t **out, size_t *bytes, const skv_picture *picture, int quality,
                           const char *name)
{
    writing w = {0};
    char *text = NULL;
    skv_status st;

    if (picture->width < 1 || picture->height < 1 || picture->width > MAX_SIDE ||
        picture->height > MAX_SIDE)
        return skv_fail(SKV_E_ARG, "%s: a JPEG of %d x %d pixels, sides 1 to %d are possible", name,
                        picture->width, picture->height, MAX_SIDE);
    w.to = open_memstream(&text, bytes);
    if (!w.to)
        return skv_fail(SKV_E_MEM, "%s: out of memory for JPEG", name);
    st = encode(&w, picture, quality, name);
    jpeg_destroy_compress(&w.jpeg);
    if (fclose(w.to) != 0 && st == SKV_OK)
        st = skv_fail(SKV_E_MEM, "%s: out of memory for JPEG", name);
    if (st != SKV_OK) {
        free(text);
        return st;
    }
    *out = (uint8_t *)text;
    return SKV_OK;
}
