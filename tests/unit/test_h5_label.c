#include "io/h5.h"

#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

#define MANY ((size_t)1 << 20)

static const int64_t v[3] = {1, 2, 3};
static skv_h5_layout l = {.type = SKV_H5_I64, .n_dims = 1, .shape = {3}};

static void write_file(skv_h5 *f)
{
    assert_int_equal(skv_h5_write(f, "/x", &l, v), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
}

static void write_sealed(const char *name)
{
    skv_h5 *f = NULL;

    assert_int_equal(skv_h5_create_sealed(&f, temp_path(name), 0, "one\ntwo"), SKV_OK);
    write_file(f);
}

static void a_sealed_file_opens_sealed_and_plainly(void **state)
{
    skv_status (*const open[])(skv_h5 **, const char *,
                               int) = {skv_h5_open_sealed, skv_h5_open_checked, skv_h5_open_below};
    int64_t *found = NULL;
    char *label = NULL;
    skv_h5 *f = NULL;

    (void)state;
    write_sealed("a.h5");
    assert_int_equal(temp_count(), 1);
    assert_int_equal(skv_h5_read_label(&label, &(skv_h5_seal){0}, temp_path("a.h5"), 0), SKV_OK);
    assert_string_equal(label, "one\ntwo");
    free(label);
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        assert_int_equal(open[i](&f, temp_path("a.h5"), 0), SKV_OK);
        assert_int_equal(skv_h5_read(&found, f, "/x", &l, MANY, true), SKV_OK);
        assert_memory_equal(found, v, sizeof v);
        free(found);
        skv_h5_close(f);
    }
    assert_int_equal(skv_h5_create(&f, temp_path("plain.h5")), SKV_OK);
    write_file(f);
    assert_int_equal(skv_h5_open_sealed(&f, temp_path("plain.h5"), 0), SKV_E_FORMAT);
    assert_int_equal(skv_h5_read_label(&label, &(skv_h5_seal){0}, temp_path("plain.h5"), 0),
                     SKV_E_FORMAT);
}

static bool is_as_made(const char *path)
{
    skv_h5_seal seal;
    char *label = NULL;

    assert_int_equal(skv_h5_read_label(&label, &seal, path, 0), SKV_OK);
    free(label);
    return seal.as_made;
}

/* Wherever it was moved to; but not once anybody opened it for writing, and not a copy. */
static void a_sealed_file_tells_whether_anybody_wrote_to_it(void **state)
{
    struct stat info;
    char *bytes = NULL;
    size_t n = 0;

    (void)state;
    write_sealed("a.h5");
    assert_true(is_as_made(temp_path("a.h5")));
    assert_int_equal(rename(temp_path("a.h5"), temp_path("b.h5")), 0);
    assert_true(is_as_made(temp_path("b.h5")));
    assert_int_equal(stat(temp_path("b.h5"), &info), 0);
    assert_int_equal(skv_file_read(&bytes, &n, temp_path("b.h5"), MANY), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("c.h5"), bytes, n), SKV_OK);
    free(bytes);
    assert_int_equal(utimensat(AT_FDCWD, temp_path("c.h5"),
                               (const struct timespec[]){info.st_atim, info.st_mtim}, 0),
                     0);
    assert_false(is_as_made(temp_path("c.h5")));
    assert_int_equal(utimensat(AT_FDCWD, temp_path("b.h5"), NULL, 0), 0);
    assert_false(is_as_made(temp_path("b.h5")));
}

static long n_opened; /* files, by the library */

hid_t __real_H5Fopen(const char *name, unsigned how, hid_t access);
hid_t __wrap_H5Fopen(const char *name, unsigned how, hid_t access);
hid_t __wrap_H5Fopen(const char *name, unsigned how, hid_t access)
{
    n_opened++;
    return __real_H5Fopen(name, how, access);
}

/* The status of opening a new file of these bytes, with a time of its own. */
static skv_status open_bytes(skv_status (*open)(skv_h5 **, const char *, int), const char *bytes,
                             size_t n)
{
    static struct timespec time[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    skv_h5 *f = NULL;
    skv_status st;

    assert_int_equal(skv_file_write(temp_path("b.h5"), bytes, n), SKV_OK);
    time[1].tv_sec++;
    assert_int_equal(utimensat(AT_FDCWD, temp_path("b.h5"), time, 0), 0);
    st = open(&f, temp_path("b.h5"), 0);
    skv_h5_close(f);
    return st;
}

/* It may read anywhere in memory on such a file (io/h5_probe.h). */
static void a_damaged_sealed_file_does_not_come_to_the_library(void **state)
{
    skv_status (*const open[])(skv_h5 **, const char *, int) = {skv_h5_open_sealed,
                                                                skv_h5_open_below};
    char *bytes = NULL;
    size_t n = 0;

    (void)state;
    write_sealed("a.h5");
    assert_int_equal(skv_file_read(&bytes, &n, temp_path("a.h5"), MANY), SKV_OK);
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        n_opened = 0;
        for (size_t at = 0; at < n; at += at < 64 ? 1 : 37) {
            bytes[at] ^= 4;
            assert_int_equal(open_bytes(open[i], bytes, n), SKV_E_FORMAT);
            bytes[at] ^= 4;
        }
        for (size_t cut = n / 20; cut < n; cut += n / 20)
            if (cut > 16) /* shorter ones say of nothing that they were sealed */
                assert_int_equal(open_bytes(open[i], bytes, cut), SKV_E_FORMAT);
        assert_int_equal(n_opened, 0);
        for (int twice = 0; twice < 2; twice++)
            assert_int_equal(open_bytes(open[i], bytes, n), SKV_OK);
        assert_int_equal(n_opened, 2);
    }
    free(bytes);
}

/* A file that was found right is not read whole again, until somebody writes to it. */
static void a_sealed_file_is_checked_again_once_it_changes(void **state)
{
    skv_h5 *f = NULL;

    (void)state;
    write_sealed("a.h5");
    assert_int_equal(utimensat(AT_FDCWD, temp_path("a.h5"), NULL, 0), 0);
    assert_int_equal(skv_h5_open_below(&f, temp_path("a.h5"), 0), SKV_OK);
    skv_h5_close(f);
    for (int unseen = 1; unseen >= 0; unseen--) {
        const int fd = open(temp_path("a.h5"), O_RDWR);
        struct stat info;

        assert_true(fd >= 0 && fstat(fd, &info) == 0);
        assert_int_equal(pwrite(fd, unseen ? "X" : "Y", 1, info.st_size - 1), 1);
        if (unseen)
            assert_int_equal(futimens(fd, (const struct timespec[]){info.st_atim, info.st_mtim}),
                             0);
        else
            assert_int_equal(futimens(fd, NULL), 0);
        close(fd);
        f = NULL;
        assert_int_equal(skv_h5_open_below(&f, temp_path("a.h5"), 0),
                         unseen ? SKV_OK : SKV_E_FORMAT);
        skv_h5_close(f);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(a_sealed_file_opens_sealed_and_plainly),
        CASE(a_sealed_file_tells_whether_anybody_wrote_to_it),
        CASE(a_damaged_sealed_file_does_not_come_to_the_library),
        CASE(a_sealed_file_is_checked_again_once_it_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
