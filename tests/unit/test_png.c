#include "io/png.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

#define W 37
#define H 23

static void fill(uint8_t *rgb, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rgb[i] = (uint8_t)(i * i / 7 + i);
}

static char *bytes_of(const char *path, size_t *n)
{
    char *bytes = NULL;

    assert_int_equal(skv_file_read(&bytes, n, path, 1 << 20), SKV_OK);
    return bytes;
}

static void written_pictures_read_back_equal(void **state)
{
    static const int sides[][2] = {{1, 1}, {W, H}, {1, 500}, {500, 1}};
    static const skv_png_text text[] = {{"prompt", "a cat"}, {"seed", "7"}};
    uint8_t rgb[W * H * 3 + 1500];

    (void)state;
    fill(rgb, sizeof rgb);
    for (size_t i = 0; i < 4; i++) {
        skv_png png;
        const int w = sides[i][0], h = sides[i][1];

        assert_int_equal(skv_png_write(temp_path("a.png"), rgb, w, h, text, 2), SKV_OK);
        assert_int_equal(skv_png_read(&png, temp_path("a.png")), SKV_OK);
        assert_int_equal(png.width, w);
        assert_int_equal(png.height, h);
        assert_memory_equal(png.rgb, rgb, (size_t)(w * h * 3));
        assert_int_equal(png.n_text, 2);
        assert_string_equal(png.text[0].key, "prompt");
        assert_string_equal(png.text[0].value, "a cat");
        assert_string_equal(png.text[1].value, "7");
        skv_png_clear(&png);
    }
    assert_int_equal(temp_count(), 1);
}

static void pictures_in_memory_read_back_equal(void **state)
{
    uint8_t pixels[W * H * 3];

    (void)state;
    fill(pixels, sizeof pixels);
    for (int channels = 1; channels <= 3; channels += 2) {
        uint8_t *bytes = NULL;
        size_t n = 0;
        skv_png png;

        assert_int_equal(skv_png_encode(&bytes, &n, pixels, W, H, channels), SKV_OK);
        assert_int_equal(skv_file_write(temp_path("a.png"), bytes, n), SKV_OK);
        free(bytes);
        assert_int_equal(skv_png_read(&png, temp_path("a.png")), SKV_OK);
        assert_int_equal(png.width, W);
        assert_int_equal(png.height, H);
        for (int i = 0; i < W * H * 3; i++)
            assert_int_equal(png.rgb[i], pixels[channels == 3 ? i : i / 3]);
        skv_png_clear(&png);
    }
    assert_int_equal(skv_png_encode(NULL, NULL, pixels, W, H, 2), SKV_E_ARG);
}

static void equal_pictures_are_equal_files(void **state)
{
    static const skv_png_text text[] = {{"prompt", "é"}};
    uint8_t rgb[W * H * 3];
    size_t n[2];
    char *bytes[2];

    (void)state;
    fill(rgb, sizeof rgb);
    assert_int_equal(skv_png_write(temp_path("a.png"), rgb, W, H, text, 1), SKV_OK);
    assert_int_equal(skv_png_write(temp_path("b.png"), rgb, W, H, text, 1), SKV_OK);
    for (int i = 0; i < 2; i++)
        bytes[i] = bytes_of(temp_path(i ? "b.png" : "a.png"), &n[i]);
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
    free(bytes[0]);
    free(bytes[1]);
}

static void texts_are_utf8_with_control_characters_escaped(void **state)
{
    static const skv_png_text text[] = {
        {"a", "line\nbreak\ttab\x1b[31m\x7f back\\slash\r"},
        {"b", "é😀\xc2\x9b"
              "x\n"},
        {"c", ""},
    };
    const uint8_t rgb[3] = {1, 2, 3};
    skv_png png;

    (void)state;
    assert_int_equal(skv_png_write(temp_path("a.png"), rgb, 1, 1, text, 3), SKV_OK);
    assert_int_equal(skv_png_read(&png, temp_path("a.png")), SKV_OK);
    assert_int_equal(png.n_text, 3);
    assert_string_equal(png.text[0].value, "line\\nbreak\\ttab\\x1b[31m\\x7f back\\\\slash\\x0d");
    assert_string_equal(png.text[1].value, "é😀\\x9bx\\n");
    assert_string_equal(png.text[2].value, "");
    skv_png_clear(&png);
}

static void keys_that_are_no_keywords_are_refused(void **state)
{
    static const char *const bad[] = {"", " a", "a ", "a  b", "a\nb", "é"};
    const uint8_t rgb[3] = {1, 2, 3};
    char longest[81];

    (void)state;
    memset(longest, 'k', 80);
    longest[80] = '\0';
    for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
        const skv_png_text text = {i < sizeof bad / sizeof bad[0] ? bad[i] : longest, "v"};

        assert_int_equal(skv_png_write(temp_path("a.png"), rgb, 1, 1, &text, 1), SKV_E_ARG);
    }
    assert_int_equal(temp_count(), 0);
}

static void a_full_disk_leaves_the_old_picture_and_no_other_file(void **state)
{
    static uint8_t rgb[256 * 256 * 3];
    size_t n = 0;
    char *bytes;

    (void)state;
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(rand() >> 8); /* does not compress */
    assert_int_equal(skv_png_write(temp_path("a.png"), rgb, 1, 1, NULL, 0), SKV_OK);
    for (unsigned long room = 1; room < sizeof rgb; room += 20011) {
        temp_limit_files(room);
        assert_int_equal(skv_png_write(temp_path("a.png"), rgb, 256, 256, NULL, 0), SKV_E_IO);
        temp_limit_files(0);
        assert_int_equal(temp_count(), 1);
    }
    bytes = bytes_of(temp_path("a.png"), &n);
    assert_true(n < 200);
    free(bytes);
    assert_int_equal(mkdir(temp_path("d.png"), 0777), 0);
    assert_int_equal(skv_png_write(temp_path("d.png"), rgb, 1, 1, NULL, 0), SKV_E_IO);
    assert_int_equal(skv_png_write(temp_path("no/a.png"), rgb, 1, 1, NULL, 0), SKV_E_KIND);
    assert_int_equal(temp_count(), 2);
}

static void impossible_sides_are_refused(void **state)
{
    const uint8_t rgb[3] = {1, 2, 3};

    (void)state;
    assert_int_equal(skv_png_write(temp_path("a.png"), rgb, 0, 1, NULL, 0), SKV_E_ARG);
    assert_int_equal(skv_png_write(temp_path("a.png"), rgb, 1, -1, NULL, 0), SKV_E_ARG);
    assert_int_equal(skv_png_write(temp_path("a.png"), rgb, SKV_PNG_MAX_SIDE + 1, 1, NULL, 0),
                     SKV_E_ARG);
}

/* A PNG of another colour type, as other programs write them; row: its packed pixels. */
static void write_kind(const char *path, int w, int h, int type, int depth, int interlace,
                       const uint8_t *rows, size_t row_bytes)
{
    static png_color palette[4] = {{1, 2, 3}, {40, 50, 60}, {255, 0, 128}, {9, 9, 9}};
    FILE *f = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_byte alpha[4] = {0, 128, 255, 7};

    png_init_io(png, f);
    png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, depth, type, interlace, 0, 0);
    if (type == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, palette, 4);
        png_set_tRNS(png, info, alpha, 4, NULL);
    }
    png_write_info(png, info);
    for (int pass = png_set_interlace_handling(png); pass > 0; pass--)
        for (int y = 0; y < h; y++)
            png_write_row(png, rows + (size_t)y * row_bytes);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    fclose(f);
}

static void assert_pixels(const char *path, int w, int h, const uint8_t *want)
{
    skv_png png;

    assert_int_equal(skv_png_read(&png, path), SKV_OK);
    assert_int_equal(png.width, w);
    assert_int_equal(png.height, h);
    assert_memory_equal(png.rgb, want, (size_t)(w * h * 3));
    skv_png_clear(&png);
}

static void grey_palette_alpha_and_16_bit_become_rgb8(void **state)
{
    static const uint8_t grey[] = {0, 7, 255, 100},
                         grey_rgb[] = {0, 0, 0, 7, 7, 7, 255, 255, 255, 100, 100, 100};
    static const uint8_t bits[] = {0xa0}, bits_rgb[] = {255, 255, 255, 0, 0, 0, 255, 255, 255};
    static const uint8_t index[] = {0x1b},
                         index_rgb[] = {1, 2, 3, 40, 50, 60, 255, 0, 128, 9, 9, 9};
    static const uint8_t rgba[] = {1, 2, 3, 0, 4, 5, 6, 128}, rgba_rgb[] = {1, 2, 3, 4, 5, 6};
    /* Pillow 9.4: the upper byte of colours and of grey with alpha, grey alone cut at 255 */
    static const uint8_t deep[] = {0x12, 0x80, 0xfe, 0xff, 0, 255}, deep_rgb[] = {0x12, 0xfe, 0};
    static const uint8_t deep_grey[] = {0, 200, 0, 255, 1, 0, 0xff, 0xff},
                         deep_grey_rgb[] = {200, 200, 200, 255, 255, 255,
                                            255, 255, 255, 255, 255, 255};
    static const uint8_t deep_alpha[] = {1, 0x80, 0xff, 0xff}, deep_alpha_rgb[] = {1, 1, 1};
    const char *path = temp_path("a.png");

    (void)state;
    write_kind(path, 2, 2, PNG_COLOR_TYPE_GRAY, 8, 0, grey, 2);
    assert_pixels(path, 2, 2, grey_rgb);
    write_kind(path, 3, 1, PNG_COLOR_TYPE_GRAY, 1, 0, bits, 1);
    assert_pixels(path, 3, 1, bits_rgb);
    write_kind(path, 4, 1, PNG_COLOR_TYPE_PALETTE, 2, 0, index, 1);
    assert_pixels(path, 4, 1, index_rgb);
    write_kind(path, 2, 1, PNG_COLOR_TYPE_RGB_ALPHA, 8, 0, rgba, 8);
    assert_pixels(path, 2, 1, rgba_rgb);
    write_kind(path, 1, 1, PNG_COLOR_TYPE_RGB, 16, 0, deep, 6);
    assert_pixels(path, 1, 1, deep_rgb);
    write_kind(path, 4, 1, PNG_COLOR_TYPE_GRAY, 16, 0, deep_grey, 8);
    assert_pixels(path, 4, 1, deep_grey_rgb);
    write_kind(path, 2, 2, PNG_COLOR_TYPE_GRAY, 16, 1, deep_grey, 4);
    assert_pixels(path, 2, 2, deep_grey_rgb);
    write_kind(path, 1, 1, PNG_COLOR_TYPE_GRAY_ALPHA, 16, 0, deep_alpha, 4);
    assert_pixels(path, 1, 1, deep_alpha_rgb);
    write_kind(path, 2, 2, PNG_COLOR_TYPE_GRAY, 8, 1, grey, 2);
    assert_pixels(path, 2, 2, grey_rgb);
}

static void other_files_are_refused_by_name(void **state)
{
    static const struct {
        const char *bytes, *word;
        size_t n;
    } other[] = {{"\xff\xd8\xff\xe0 and more", "JPEG", 12},
                 {"RIFF1234WEBPVP8 ", "WebP", 16},
                 {"GIF89a 12345678", "GIF", 15},
                 {"text", "is not a PNG picture", 4},
                 {"", "is empty: want a PNG picture", 0},
                 {"\x89PNG\r\n\x1a\n", "without header", 8}};
    skv_png png;

    (void)state;
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        assert_int_equal(skv_file_write(temp_path("a.png"), other[i].bytes, other[i].n), SKV_OK);
        assert_int_equal(skv_png_read(&png, temp_path("a.png")), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), other[i].word));
        assert_non_null(strstr(skv_message(), "a.png"));
    }
    assert_int_equal(skv_png_read(&png, temp_path("none.png")), SKV_E_NOTFOUND);
}

/* The header's own checksum made right for the new sides, so that only the length gives it away. */
static void a_small_file_that_claims_a_huge_picture_is_refused(void **state)
{
    const uint8_t rgb[3] = {1, 2, 3};
    size_t n = 0;
    char *bytes;
    skv_png png;

    (void)state;
    assert_int_equal(skv_png_write(temp_path("a.png"), rgb, 1, 1, NULL, 0), SKV_OK);
    bytes = bytes_of(temp_path("a.png"), &n);
    memcpy(bytes + 16, "\0\0\x75\x30\0\0\x75\x30", 8); /* 30000 x 30000 */
    assert_int_equal(skv_file_write(temp_path("a.png"), bytes, n), SKV_OK);
    assert_int_equal(skv_png_read(&png, temp_path("a.png")), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "cannot hold"));
    free(bytes);
}

/* libpng asks for the memory of such a chunk before it reads it. Before the picture it goes on
 * after an IEND, and takes the eight bytes that a cut leaves for a chunk, too. */
static void a_chunk_longer_than_the_file_is_refused(void **state)
{
    static const char *const chunks[] = {"\x70\0\0\0zTXtabcd", "\x70\0\0\0zTXt",
                                         "\0\0\0\0IEND\xae\x42\x60\x82\x70\0\0\0zTXtabcd"};
    static const size_t sizes[] = {12, 8, 24};
    const uint8_t rgb[3] = {1, 2, 3};
    size_t n = 0;
    char *bytes;
    skv_png png;

    (void)state;
    assert_int_equal(skv_png_write(temp_path("a.png"), rgb, 1, 1, NULL, 0), SKV_OK);
    bytes = bytes_of(temp_path("a.png"), &n);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char file[33 + 24];

        memcpy(file, bytes, 33); /* up to the header's end */
        memcpy(file + 33, chunks[i], sizes[i]);
        assert_int_equal(skv_file_write(temp_path("b.png"), file, 33 + sizes[i]), SKV_OK);
        assert_int_equal(skv_png_read(&png, temp_path("b.png")), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "1879048192 bytes"));
    }
    free(bytes);
}

/* libpng checks a CRC a chunk and zlib's own sum: whatever still reads has the right pixels, but
 * for chunks that are not the picture's. */
static void cut_and_altered_pictures_are_refused_or_right(void **state)
{
    static const skv_png_text text[] = {{"prompt", "é"}, {"seed", "1"}};
    uint8_t rgb[W * H * 3];
    size_t n = 0, refused = 0;
    char *bytes;

    (void)state;
    fill(rgb, sizeof rgb);
    assert_int_equal(skv_png_write(temp_path("a.png"), rgb, W, H, text, 2), SKV_OK);
    bytes = bytes_of(temp_path("a.png"), &n);
    for (size_t i = 0; i < 9 * n; i++) {
        const size_t at = i / 9, bit = i % 9;
        FILE *f = fopen(temp_path("b.png"), "wb");
        skv_png png;

        if (bit < 8)
            bytes[at] = (char)(bytes[at] ^ (1 << bit));
        fwrite(bytes, 1, bit < 8 ? n : at, f);
        fclose(f);
        if (bit < 8)
            bytes[at] = (char)(bytes[at] ^ (1 << bit));
        if (skv_png_read(&png, temp_path("b.png")) != SKV_OK) {
            assert_null(png.rgb);
            refused++;
            continue;
        }
        assert_int_equal(png.width, W);
        assert_memory_equal(png.rgb, rgb, sizeof rgb);
        skv_png_clear(&png);
    }
    assert_true(refused > 8 * n);
    free(bytes);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(written_pictures_read_back_equal),
        CASE(pictures_in_memory_read_back_equal),
        CASE(equal_pictures_are_equal_files),
        CASE(texts_are_utf8_with_control_characters_escaped),
        CASE(keys_that_are_no_keywords_are_refused),
        CASE(a_full_disk_leaves_the_old_picture_and_no_other_file),
        CASE(impossible_sides_are_refused),
        CASE(grey_palette_alpha_and_16_bit_become_rgb8),
        CASE(other_files_are_refused_by_name),
        CASE(a_small_file_that_claims_a_huge_picture_is_refused),
        CASE(a_chunk_longer_than_the_file_is_refused),
        CASE(cut_and_altered_pictures_are_refused_or_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
