#include "io/tar_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

static void write_archive(const char *name)
{
    static const char block[512] = {7};
    const char *path = temp_path(name);
    skv_aside to;

    assert_int_equal(skv_aside_create(&to, path, 0), SKV_OK);
    assert_int_equal(skv_tar_add(&to, "000.txt", "a cat", 5), SKV_OK);
    assert_int_equal(skv_tar_add(&to, "empty", "", 0), SKV_OK);
    assert_int_equal(skv_tar_add(&to, "block", block, sizeof block), SKV_OK);
    assert_int_equal(skv_tar_end(&to), SKV_OK);
    assert_int_equal(skv_aside_commit_derived(&to), SKV_OK);
}

static char *bytes_of(const char *name, size_t *n)
{
    char *bytes = NULL;

    assert_int_equal(skv_file_read(&bytes, n, temp_path(name), 1 << 20), SKV_OK);
    return bytes;
}

static void what_is_written_reads_back(void **state)
{
    static const struct {
        const char *name;
        size_t bytes;
    } want[] = {{"000.txt", 5}, {"empty", 0}, {"block", 512}};
    char name[SKV_TAR_NAME_BYTES];
    uint8_t *data = NULL;
    skv_tar_reader r;
    bool more = false;
    size_t n = 0;

    (void)state;
    write_archive("a.tar");
    assert_int_equal(skv_tar_open(&r, temp_path("a.tar")), SKV_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(skv_tar_next(&more, name, &data, &n, &r), SKV_OK);
        assert_true(more);
        assert_string_equal(name, want[i].name);
        assert_int_equal(n, want[i].bytes);
        assert_int_equal(i == 0 ? data[4] : 't', 't');
        free(data);
    }
    assert_int_equal(skv_tar_next(&more, name, &data, &n, &r), SKV_OK);
    assert_false(more);
    skv_tar_close(&r);
}

static void equal_files_make_equal_archives(void **state)
{
    size_t n[2];
    char *bytes[2];

    (void)state;
    write_archive("a.tar");
    write_archive("b.tar");
    bytes[0] = bytes_of("a.tar", &n[0]);
    bytes[1] = bytes_of("b.tar", &n[1]);
    assert_int_equal(n[0], 512 * (2 + 1 + 2 + 2));
    assert_int_equal(n[1], n[0]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
    free(bytes[0]);
    free(bytes[1]);
}

/* Reads the archive, of which `n` bytes are kept, to the end or to the first fault. */
static skv_status read_all(const char *bytes, size_t n)
{
    char name[SKV_TAR_NAME_BYTES];
    skv_tar_reader r;
    skv_status st;
    bool more = true;

    assert_int_equal(skv_file_write(temp_path("b.tar"), bytes, n), SKV_OK);
    assert_int_equal(skv_tar_open(&r, temp_path("b.tar")), SKV_OK);
    do {
        uint8_t *data = NULL;
        size_t size;

        st = skv_tar_next(&more, name, &data, &size, &r);
        free(data);
    } while (st == SKV_OK && more);
    skv_tar_close(&r);
    return st;
}

static void damaged_archives_are_refused(void **state)
{
    size_t n = 0;
    char *bytes;

    (void)state;
    write_archive("a.tar");
    bytes = bytes_of("a.tar", &n);
    assert_int_equal(read_all(bytes, n), SKV_OK);
    assert_int_equal(read_all(bytes, n - 1024), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "ends without its mark"));
    assert_int_equal(read_all(bytes, 600), SKV_E_FORMAT);
    bytes[124] = '9'; /* the first file's size */
    assert_int_equal(read_all(bytes, n), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "no tar header at byte 0"));
    free(bytes);
}

/* A header whose sum is right, with a size beyond the file. */
static void sizes_beyond_the_archive_are_refused(void **state)
{
    char header[2048] = "x";
    unsigned sum = 8 * ' ';

    (void)state;
    memcpy(header + 124, "77777777777", 12);
    header[156] = '0';
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    assert_int_equal(read_all(header, sizeof header), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "says that it has"));
}

static void names_that_do_not_fit_are_refused(void **state)
{
    char name[101];
    skv_aside to;

    (void)state;
    memset(name, 'x', 100);
    name[100] = '\0';
    assert_int_equal(skv_aside_create(&to, temp_path("a.tar"), 0), SKV_OK);
    assert_int_equal(skv_tar_add(&to, name, "", 0), SKV_E_ARG);
    assert_int_equal(skv_tar_add(&to, "", "", 0), SKV_E_ARG);
    assert_int_equal(skv_tar_add(&to, name + 1, "", 0), SKV_OK);
    skv_aside_drop(&to);
    assert_int_equal(temp_count(), 0);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, temp_folder_make, temp_folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_written_reads_back),
        IN_FOLDER(equal_files_make_equal_archives),
        IN_FOLDER(damaged_archives_are_refused),
        IN_FOLDER(sizes_beyond_the_archive_are_refused),
        IN_FOLDER(names_that_do_not_fit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
