/* data/fuzz/picture: small JPEG and WebP files made by Pillow 9.4 of one pattern, 24 x 17;
 * data/pictures/<file>.rgb: what Pillow's convert("RGB") makes of each. */
#include "io/picture_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "io/jpeg_file.h"
#include "io/webp_file.h"
#include "temp_folder.h"

#define W     24
#define H     17
#define BYTES (W * H * 3)

static char *bytes_of(const char *path, size_t *n)
{
    char *bytes = NULL;

    assert_int_equal(skv_file_read(&bytes, n, path, 1 << 20), SKV_OK);
    return bytes;
}

static const char *sample(const char *folder, const char *name, const char *ending)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/%s/%s%s", SKV_TEST_DATA, folder, name, ending);
    return path;
}

/* A smooth picture, and one that JPEG cannot do well. */
static void fill(uint8_t *rgb, int height, int width)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, rgb += 3) {
            rgb[0] = (uint8_t)(x * 255 / width);
            rgb[1] = (uint8_t)(y * 255 / height);
            rgb[2] = (uint8_t)(255 - rgb[0] / 2);
        }
}

static void foreign_files_are_read_as_pillow_reads_them(void **state)
{
    static const char *const names[] = {"baseline.jpg",  "progressive.jpg", "full_colour.jpg",
                                        "grey.jpg",      "cmyk.jpg",        "lossy.webp",
                                        "lossless.webp", "alpha.webp"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        skv_picture p;
        size_t n = 0;
        char *want = bytes_of(sample("pictures", names[i], ".rgb"), &n);
        int worst = 0;

        assert_int_equal(n, BYTES);
        assert_int_equal(skv_picture_read(&p, sample("fuzz/picture", names[i], "")), SKV_OK);
        assert_int_equal(p.width, W);
        assert_int_equal(p.height, H);
        for (size_t b = 0; b < n; b++) {
            const int d = abs((int)p.rgb[b] - (int)(uint8_t)want[b]);

            worst = d > worst ? d : worst;
        }
        assert_in_range(worst, 0, 1); /* other versions of libjpeg-turbo may round otherwise */
        free(p.rgb);
        free(want);
    }
}

static void what_is_written_reads_back(void **state)
{
    static const int sides[][2] = {{1, 1}, {40, 56}, {1, 300}, {300, 1}};
    static uint8_t rgb[300 * 300 * 3];

    (void)state;
    for (int form = 0; form < SKV_PICTURE_FORMS; form++)
        for (size_t i = 0; i < 4; i++) {
            const skv_picture want = {sides[i][0], sides[i][1], rgb};
            skv_picture p;

            fill(rgb, want.height, want.width);
            assert_int_equal(skv_picture_write(temp_path("a"), (skv_form)form, &want, NULL, 0),
                             SKV_OK);
            assert_int_equal(skv_picture_read(&p, temp_path("a")), SKV_OK);
            assert_int_equal(p.height, want.height);
            assert_int_equal(p.width, want.width);
            for (int b = 0; b < want.height * want.width * 3; b++)
                assert_in_range(abs(p.rgb[b] - rgb[b]), 0, form == SKV_PICTURE_JPEG ? 8 : 0);
            free(p.rgb);
        }
    assert_int_equal(temp_count(), 1);
}

static void jpeg_has_the_tables_of_its_quality(void **state)
{
    static const uint8_t first[] = {2, 1, 1, 1, 1, 1, 2}; /* 16 11 12 14 12 10 16 at 10 % */
    uint8_t rgb[BYTES], *bytes = NULL;
    const skv_picture p = {H, W, rgb};
    size_t n = 0, at = 2;

    (void)state;
    fill(rgb, H, W);
    assert_int_equal(skv_picture_write(temp_path("a.jpg"), SKV_PICTURE_JPEG, &p, NULL, 0), SKV_OK);
    bytes = (uint8_t *)bytes_of(temp_path("a.jpg"), &n);
    while (at + 4 < n && !(bytes[at] == 0xff && bytes[at + 1] == 0xdb))
        at += 2 + (size_t)(bytes[at + 2] << 8 | bytes[at + 3]);
    assert_true(at + 9 < n);
    assert_memory_equal(bytes + at + 5, first, sizeof first);
    free(bytes);
}

static void sides_beyond_a_form_are_refused(void **state)
{
    uint8_t rgb[3] = {0}, *bytes = NULL;
    const skv_picture none = {0, 1, rgb}, wide = {1, 65501, rgb}, high = {16384, 1, rgb};
    size_t n = 0;

    (void)state;
    assert_int_equal(skv_jpeg_encode(&bytes, &n, &none, 95, "x"), SKV_E_ARG);
    assert_int_equal(skv_jpeg_encode(&bytes, &n, &wide, 95, "x"), SKV_E_ARG);
    assert_int_equal(skv_webp_encode(&bytes, &n, &none, "x"), SKV_E_ARG);
    assert_int_equal(skv_webp_encode(&bytes, &n, &high, "x"), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "1 x 16384 pixels, sides 1 to 16383"));
}

/* Writes `n` bytes and expects the reader to refuse them with a sentence that has `why`. */
static void refused(const void *bytes, size_t n, const char *why)
{
    skv_picture p = {1, 1, NULL};
    char start[4200];

    assert_int_equal(skv_file_write(temp_path("b"), bytes, n), SKV_OK);
    assert_int_equal(skv_picture_read(&p, temp_path("b")), SKV_E_FORMAT);
    assert_null(p.rgb);
    snprintf(start, sizeof start, "%s/b", temp_folder());
    assert_memory_equal(skv_message(), start, strlen(start));
    assert_non_null(strstr(skv_message(), why));
}

static void damaged_files_are_refused_with_the_reason(void **state)
{
    size_t n = 0;
    char *bytes = bytes_of(sample("fuzz/picture", "baseline.jpg", ""), &n);

    (void)state;
    refused(bytes, n - 40, "cut: the file ends before the picture does");
    refused(bytes, 3, "JPEG: ");
    for (size_t at = 2; at + 8 < n;
         at += 2 + (((size_t)(uint8_t)bytes[at + 2]) << 8) + (size_t)(uint8_t)bytes[at + 3]) {
        if ((uint8_t)bytes[at + 1] != 0xc0)
            continue;
        memcpy(bytes + at + 5, "\xff\xd0\xff\xd0", 4); /* the frame's height and width */
        refused(bytes, n, "more than can be read");
        memcpy(bytes + at + 5, "\x10\x00\x10\x00", 4);
        refused(bytes, n, "cut or made up");
    }
    free(bytes);
    bytes = bytes_of(sample("fuzz/picture", "lossy.webp", ""), &n);
    refused(bytes, n - 20, "WebP: cut");
    refused(bytes, 12, "WebP: cut");
    free(bytes);
    bytes = bytes_of(sample("fuzz/picture", "animation.webp", ""), &n);
    refused(bytes, n, "an animation");
    free(bytes);
    refused("GIF89a, and more", 16, "is a GIF picture: want a PNG, JPEG or WebP picture");
    refused("version https://git-lfs.github.com/spec/v1\n", 43, "is a Git LFS pointer");
    refused("a text", 6, "is not a PNG, JPEG or WebP picture");
    refused("", 0, "is empty: want a PNG, JPEG or WebP picture");
}

static void missing_files_and_full_disks_are_named(void **state)
{
    static uint8_t rgb[300 * 300 * 3];
    const skv_picture p = {300, 300, rgb};
    skv_picture none;

    (void)state;
    assert_int_equal(skv_picture_read(&none, temp_path("none.jpg")), SKV_E_NOTFOUND);
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(i * i / 7 + i);
    temp_limit_files(1000);
    assert_int_equal(skv_picture_write(temp_path("c.jpg"), SKV_PICTURE_JPEG, &p, NULL, 0),
                     SKV_E_IO);
    assert_int_equal(skv_picture_write(temp_path("c.webp"), SKV_PICTURE_WEBP, &p, NULL, 0),
                     SKV_E_IO);
    temp_limit_files(0);
    assert_int_equal(temp_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_files_are_read_as_pillow_reads_them),
        cmocka_unit_test_setup_teardown(what_is_written_reads_back, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(jpeg_has_the_tables_of_its_quality, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test(sides_beyond_a_form_are_refused),
        cmocka_unit_test_setup_teardown(damaged_files_are_refused_with_the_reason, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(missing_files_and_full_disks_are_named, temp_folder_make,
                                        temp_folder_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
