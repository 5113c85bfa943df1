/* PNG out: one filter (Sub) and zlib level 1, an eighth of libpng's default time for a fifth more
 * bytes; in memory all filters and level 9. PNG in: the classic interface with limits, never the
 * simplified one.
 *
 * libpng reports errors by longjmp, so everything a function frees afterwards lives in a struct
 * that its caller owns. */
#include "io/png.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/known_file.h"
#include "core/mem.h"

#define MAX_CHUNK_BYTES ((size_t)16 << 20) /* of metadata and of a decompressed text */
#define MAX_CHUNKS      128
#define MAX_KEY         79
#define MAX_FILE_BYTES  ((size_t)4 << 30)

/* Of a file's beginning; of a chunk's length and kind; of the checksum behind it. */
enum { SIGNATURE = 8, CHUNK_HEAD = 8, CHUNK_SUM = 4 };

typedef struct {
    jmp_buf jump;
    const char *path;
    FILE *file;        /* of what is written */
    const uint8_t *at; /* of what is read, with `left` bytes behind it */
    size_t left;
    int channels;  /* of what is written, 1 or 3 */
    bool smallest; /* rather than soonest */
    png_structp png;
    png_infop info;
    png_bytepp rows;
    png_textp items;
    char **values; /* escaped, n_values of them */
    int n_values;
    skv_status status; /* set before the jump */
} png_job;

static void on_error(png_structp png, png_const_charp reason)
{
    png_job *job = png_get_error_ptr(png);

    job->status = skv_fail(SKV_E_FORMAT, "%s: PNG: %s", job->path, reason);
    longjmp(job->jump, 1);
}

static void on_warning(png_structp png, png_const_charp reason)
{
    (void)png;
    (void)reason;
}

/* Value with control characters (C0, DEL, and C1 as U+0080..9F) and backslashes escaped. */
static skv_status escape(char **out, const char *value)
{
    char *to = NULL;
    char *p;

    SKV_TRY(skv_alloc(&to, strlen(value) + 1, 4, "a PNG text"));
    for (p = to; *value; value++) {
        const unsigned char c = (unsigned char)*value;
        const unsigned char next = (unsigned char)value[1];

        if (c == '\\' || c == '\n' || c == '\t') {
            *p++ = '\\';
            *p++ = c == '\n' ? 'n' : c == '\t' ? 't' : '\\';
        } else if (c < 0x20 || c == 0x7f) {
            p += sprintf(p, "\\x%02x", c);
        } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
            p += sprintf(p, "\\x%02x", next);
            value++;
        } else {
            *p++ = (char)c;
        }
    }
    *p = '\0';
    *out = to;
    return SKV_OK;
}

static bool is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80)
        text++;
    return !*text;
}

static bool key_is_usable(const char *key)
{
    const size_t n = strlen(key);

    for (size_t i = 0; i < n; i++)
        if (key[i] < 0x20 || key[i] > 0x7e)
            return false;
    return n >= 1 && n <= MAX_KEY && key[0] != ' ' && key[n - 1] != ' ' && !strstr(key, "  ");
}

static skv_status make_items(png_job *job, const skv_png_text *text, int n)
{
    SKV_TRY(skv_alloc(&job->items, (size_t)n, sizeof *job->items, "PNG texts"));
    SKV_TRY(skv_alloc(&job->values, (size_t)n, sizeof *job->values, "PNG texts"));
    job->n_values = n;
    for (int i = 0; i < n; i++) {
        if (!key_is_usable(text[i].key))
            return skv_fail(SKV_E_ARG, "%s: \"%s\" is not a PNG keyword", job->path, text[i].key);
        SKV_TRY(escape(&job->values[i], text[i].value));
        /* libpng copies the key and leaves it alone */
        job->items[i].key = (png_charp)(uintptr_t)text[i].key;
        job->items[i].text = job->values[i];
        if (is_ascii(job->values[i])) {
            job->items[i].compression = PNG_TEXT_COMPRESSION_NONE;
            job->items[i].text_length = strlen(job->values[i]);
        } else {
            job->items[i].compression = PNG_ITXT_COMPRESSION_NONE;
            job->items[i].itxt_length = strlen(job->values[i]);
        }
    }
    return SKV_OK;
}

static void end_job(png_job *job)
{
    for (int i = 0; i < job->n_values; i++)
        free(job->values[i]);
    free(job->values);
    free(job->items);
    free(job->rows);
    if (job->file)
        fclose(job->file);
}

/* Everything that may jump. pixels: (height,width,channels). */
static skv_status encode(png_job *job, const uint8_t *pixels, int width, int height)
{
    job->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
    job->info = job->png ? png_create_info_struct(job->png) : NULL;
    if (!job->info)
        return skv_fail(SKV_E_MEM, "%s: out of memory for PNG", job->path);
    if (setjmp(job->jump))
        return job->status;
    png_init_io(job->png, job->file);
    png_set_IHDR(job->png, job->info, (png_uint_32)width, (png_uint_32)height, 8,
                 job->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_filter(job->png, PNG_FILTER_TYPE_BASE,
                   job->smallest ? PNG_ALL_FILTERS : PNG_FILTER_SUB);
    png_set_compression_level(job->png, job->smallest ? 9 : 1);
    if (job->n_values > 0)
        png_set_text(job->png, job->info, job->items, job->n_values);
    png_write_info(job->png, job->info);
    for (int y = 0; y < height; y++)
        png_write_row(job->png, pixels + (size_t)y * (size_t)width * (size_t)job->channels);
    png_write_end(job->png, job->info);
    return SKV_OK;
}

skv_status skv_png_write_aside(const skv_aside *to, const uint8_t *rgb, int width, int height,
                               const skv_png_text *text, int n_text)
{
    skv_status st = SKV_OK;
    png_job job = {.path = to->path, .channels = 3};
    FILE *f = NULL;
    int fd;

    if (width < 1 || height < 1 || width > SKV_PNG_MAX_SIDE || height > SKV_PNG_MAX_SIDE)
        return skv_fail(SKV_E_ARG, "%s: picture of %d x %d, sides 1 to %d are possible", to->path,
                        width, height, SKV_PNG_MAX_SIDE);
    SKV_TRY_GOTO(make_items(&job, text, n_text), done);
    fd = dup(to->fd); /* closed with the stream */
    job.file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!job.file) {
        st = skv_fail(SKV_E_IO, "%s: cannot write: %s", to->path, strerror(errno));
        if (fd >= 0)
            close(fd);
        goto done;
    }
    errno = 0;
    st = encode(&job, rgb, width, height);
    if (st == SKV_E_FORMAT) /* what goes wrong in writing is the disk */
        st = skv_fail(SKV_E_IO, "%s: cannot write: %s", to->path, errno ? strerror(errno) : "PNG");
    f = job.file;
    job.file = NULL;
    if (fclose(f) != 0 && st == SKV_OK)
        st = skv_fail(SKV_E_IO, "%s: cannot write: %s", to->path, strerror(errno));
    png_destroy_write_struct(&job.png, &job.info);
done:
    end_job(&job);
    return st;
}

skv_status skv_png_write(const char *path, const uint8_t *rgb, int width, int height,
                         const skv_png_text *text, int n_text)
{
    skv_status st;
    skv_aside a;

    SKV_TRY(skv_aside_create(&a, path, 0));
    st = skv_png_write_aside(&a, rgb, width, height, text, n_text);
    if (st == SKV_OK)
        st = skv_aside_commit_derived(&a);
    skv_aside_drop(&a);
    return st;
}

static skv_status encode_in_memory(uint8_t **out, size_t *bytes, png_job *job,
                                   const uint8_t *pixels, int width, int height)
{
    skv_status st;
    char *text = NULL;
    bool whole;

    if (width < 1 || height < 1 || width > SKV_PNG_MAX_SIDE || height > SKV_PNG_MAX_SIDE ||
        (job->channels != 1 && job->channels != 3))
        return skv_fail(SKV_E_ARG, "a PNG of %d x %d pixels of %d channels cannot be", width,
                        height, job->channels);
    job->file = open_memstream(&text, bytes);
    if (!job->file)
        return skv_fail(SKV_E_MEM, "%s: out of memory", job->path);
    st = encode(job, pixels, width, height);
    png_destroy_write_struct(&job->png, &job->info);
    whole = fclose(job->file) == 0;
    job->file = NULL;
    if (st == SKV_OK && !whole)
        st = skv_fail(SKV_E_MEM, "%s: out of memory", job->path);
    if (st != SKV_OK) {
        free(text);
        return st;
    }
    *out = (uint8_t *)text;
    return SKV_OK;
}

skv_status skv_png_encode(uint8_t **out, size_t *bytes, const uint8_t *pixels, int width,
                          int height, int channels)
{
    png_job job = {.path = "a picture in memory", .channels = channels, .smallest = true};

    return encode_in_memory(out, bytes, &job, pixels, width, height);
}

skv_status skv_png_encode_file(skv_bytes *out, const uint8_t *rgb, int width, int height,
                               const skv_png_text *text, int n_text)
{
    png_job job = {.path = "a picture in memory", .channels = 3};
    uint8_t *bytes = NULL;
    skv_status st = make_items(&job, text, n_text);

    if (st == SKV_OK)
        st = encode_in_memory(&bytes, &out->n, &job, rgb, width, height);
    if (st == SKV_OK) {
        out->data = (char *)bytes;
        out->room = out->n;
    }
    end_job(&job);
    return st;
}

bool skv_png_is(const void *file, size_t bytes)
{
    return bytes >= SIGNATURE && memcmp(file, "\x89PNG\r\n\x1a\n", SIGNATURE) == 0;
}

/* Pillow holds grey of 16 bits as integers and cuts them at 255 on the way to RGB. Data is grey of
 * 16 bits repeated three times. */
static void cut_at_255(png_structp png, png_row_infop row, png_bytep data)
{
    (void)png;
    for (size_t i = 0; i < 3 * (size_t)row->width; i++)
        data[i] = data[2 * i] ? 255 : data[2 * i + 1];
}

/* Transformations to RGB8, after the header is read. */
static void ask_for_rgb8(png_structp png, png_infop info)
{
    const int type = png_get_color_type(png, info), depth = png_get_bit_depth(png, info);

    if (depth == 16 && type == PNG_COLOR_TYPE_GRAY) {
        png_set_read_user_transform_fn(png, cut_at_255);
        png_set_user_transform_info(png, NULL, 8, 3);
    } else if (depth == 16) {
        png_set_strip_16(png);
    }
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(png);
    else if (depth < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    if (!(type & PNG_COLOR_MASK_COLOR))
        png_set_gray_to_rgb(png);
    png_set_strip_alpha(png); /* no tRNS is expanded: the colours stay as stored */
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

static skv_status copy_texts(skv_png *out, png_job *job)
{
    png_textp items = NULL;
    int n = 0;

    png_get_text(job->png, job->info, &items, &n);
    SKV_TRY(skv_alloc(&out->text, (size_t)n, sizeof *out->text, "PNG texts"));
    for (int i = 0; i < n; i++) {
        const char *value = items[i].text ? items[i].text : "";
        const size_t key_bytes = strlen(items[i].key) + 1;
        char *copy = NULL;

        SKV_TRY(skv_alloc(&copy, key_bytes + strlen(value) + 1, 1, "a PNG text"));
        memcpy(copy, items[i].key, key_bytes);
        memcpy(copy + key_bytes, value, strlen(value) + 1);
        out->text[out->n_text++] = (skv_png_text){copy, copy + key_bytes};
    }
    return SKV_OK;
}

static void take_bytes(png_structp png, png_bytep to, size_t n)
{
    png_job *job = png_get_io_ptr(png);

    if (n > job->left)
        png_error(png, "cut: the file ends before the picture does");
    memcpy(to, job->at, n);
    job->at += n;
    job->left -= n;
}

/* Everything that may jump. */
static skv_status decode(skv_png *out, png_job *job)
{
    job->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
    job->info = job->png ? png_create_info_struct(job->png) : NULL;
    if (!job->info)
        return skv_fail(SKV_E_MEM, "%s: out of memory for PNG", job->path);
    if (setjmp(job->jump))
        return job->status;
    png_set_user_limits(job->png, SKV_PNG_MAX_SIDE, SKV_PNG_MAX_SIDE);
    png_set_chunk_cache_max(job->png, MAX_CHUNKS);
    png_set_chunk_malloc_max(job->png, MAX_CHUNK_BYTES);
    png_set_read_fn(job->png, job, take_bytes);
    png_read_info(job->png, job->info);
    out->width = (int)png_get_image_width(job->png, job->info);
    out->height = (int)png_get_image_height(job->png, job->info);
    ask_for_rgb8(job->png, job->info);
    if (png_get_rowbytes(job->png, job->info) != (size_t)out->width * 3)
        return skv_fail(SKV_E_FORMAT, "%s: a PNG that cannot be converted to RGB", job->path);
    SKV_TRY(skv_alloc(&out->rgb, (size_t)out->height, (size_t)out->width * 3, job->path));
    SKV_TRY(skv_alloc(&job->rows, (size_t)out->height, sizeof *job->rows, "PNG rows"));
    for (int y = 0; y < out->height; y++)
        job->rows[y] = out->rgb + (size_t)y * (size_t)out->width * 3;
    png_read_image(job->png, job->rows);
    png_read_end(job->png, job->info);
    return copy_texts(out, job);
}

static uint32_t number(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Every chunk that libpng reads lies within the file: it asks for as much memory as a chunk says,
 * and reads on after an IEND that comes before the picture. What is wrong otherwise it finds by
 * itself. */
static skv_status check_chunks(const uint8_t *file, size_t bytes, const char *path)
{
    bool picture = false;
    size_t n;

    for (size_t at = SIGNATURE; bytes - at >= CHUNK_HEAD; at += n + CHUNK_HEAD + CHUNK_SUM) {
        const uint8_t *kind = file + at + 4;

        n = number(file + at);
        if (picture && memcmp(kind, "IEND", 4) == 0)
            break;
        picture = picture || memcmp(kind, "IDAT", 4) == 0;
        if (bytes - at < CHUNK_HEAD + CHUNK_SUM || n > bytes - at - CHUNK_HEAD - CHUNK_SUM)
            return skv_fail(SKV_E_FORMAT,
                            "%s: damaged or cut: the chunk at byte %zu says that it has %zu bytes, "
                            "the file has %zu",
                            path, at, n, bytes);
    }
    return SKV_OK;
}

/* Deflate makes at most 1032 bytes of one: a file much shorter than its picture is a bomb or cut.
 */
static skv_status check_lengths(const uint8_t *file, size_t bytes, const char *path)
{
    uint64_t width, height;

    if (bytes < 33 || memcmp(file + 12, "IHDR", 4) != 0)
        return skv_fail(SKV_E_FORMAT, "%s: a PNG without header", path);
    width = number(file + 16);
    height = number(file + 20);
    if (width > SKV_PNG_MAX_SIDE || height > SKV_PNG_MAX_SIDE ||
        width * height / 8 / 1032 > (uint64_t)bytes)
        return skv_fail(SKV_E_FORMAT, "%s: %zu bytes cannot hold %llu x %llu pixels", path, bytes,
                        (unsigned long long)width, (unsigned long long)height);
    return check_chunks(file, bytes, path);
}

skv_status skv_png_decode(skv_png *out, const void *file, size_t bytes, const char *path)
{
    skv_status st = SKV_OK;
    png_job job = {.path = path, .at = file, .left = bytes};

    *out = (skv_png){0};
    if (!skv_png_is(file, bytes))
        return skv_not_wanted(path, file, bytes, "a PNG picture");
    SKV_TRY(check_lengths(file, bytes, path));
    st = decode(out, &job);
    if (job.png)
        png_destroy_read_struct(&job.png, &job.info, NULL);
    end_job(&job);
    if (st != SKV_OK)
        skv_png_clear(out);
    return st;
}

skv_status skv_png_read_below(skv_png *out, const char *path, int n_below)
{
    char *file = NULL;
    size_t bytes = 0;
    skv_status st;

    *out = (skv_png){0};
    SKV_TRY(skv_file_read_below(&file, &bytes, path, n_below, MAX_FILE_BYTES));
    st = skv_png_decode(out, file, bytes, path);
    free(file);
    return st;
}

skv_status skv_png_read(skv_png *out, const char *path)
{
    return skv_png_read_below(out, path, 0);
}

void skv_png_clear(skv_png *png)
{
    for (int i = 0; i < png->n_text; i++)
        free((char *)(uintptr_t)png->text[i].key); /* holds the value, too */
    free(png->text);
    free(png->rgb);
    *png = (skv_png){0};
}
