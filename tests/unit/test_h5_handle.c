#include "io/h5_handle.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "io/h5.h"
#include "io/h5_open.h"
#include "temp_folder.h"

static skv_status status_after(hid_t major, hid_t minor)
{
    skv_h5 *f = NULL;
    skv_status st;

    assert_int_equal(skv_h5_create(&f, temp_path("a.h5")), SKV_OK);
    assert_true(H5Epush2(H5E_DEFAULT, "H5P.c", "H5P_copy", 1, H5E_ERR_CLS, major, minor,
                         "memory allocation failed") >= 0);
    assert_true(H5Epush2(H5E_DEFAULT, "H5D.c", "H5D_open", 1, H5E_ERR_CLS, H5E_DATASET, H5E_CANTGET,
                         "unable to open dataset") >= 0);
    st = skv_h5__fail(f, "/row: not a dataset that can be opened");
    skv_h5_close(f);
    return st;
}

/* Readers set a damaged file aside, which a reader without memory must not do. */
static void a_library_without_memory_calls_no_file_damaged(void **state)
{
    (void)state;
    assert_int_equal(status_after(H5E_RESOURCE, H5E_NOSPACE), SKV_E_MEM);
    assert_non_null(strstr(skv_message(), "a.h5: /row: not a dataset that can be opened"));
    assert_int_equal(status_after(H5E_PLIST, H5E_NOTFOUND), SKV_E_H5);
}

static skv_status enter(int fd)
{
    skv_h5 *f = NULL;
    const skv_status st =
        skv_h5__enter(&f, temp_path("a.h5"), &(skv_h5__entry){.fd = fd, .ours = true});

    skv_h5_close(f);
    return st;
}

/* The library opens the file once more than we do. */
static void a_file_that_the_system_does_not_open_is_not_called_damaged(void **state)
{
    struct rlimit limit, none;
    skv_h5 *f = NULL;
    skv_status st;
    int fd;

    (void)state;
    assert_int_equal(skv_h5_create(&f, temp_path("a.h5")), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    fd = open(temp_path("a.h5"), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    st = enter(fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(st, SKV_E_IO);
    assert_non_null(strstr(skv_message(), "Too many open files"));
    assert_int_equal(enter(fd), SKV_OK);
    close(fd);
    assert_int_equal(skv_file_write(temp_path("a.h5"), "no HDF5", 7), SKV_OK);
    fd = open(temp_path("a.h5"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(enter(fd), SKV_E_H5);
    close(fd);
}

static bool is_kind_unknown, is_length_unknown; /* to the library */

htri_t __real_H5Tis_variable_str(hid_t type);
htri_t __wrap_H5Tis_variable_str(hid_t type);
htri_t __wrap_H5Tis_variable_str(hid_t type)
{
    return is_kind_unknown ? -1 : __real_H5Tis_variable_str(type);
}

size_t __real_H5Tget_size(hid_t type);
size_t __wrap_H5Tget_size(hid_t type);
size_t __wrap_H5Tget_size(hid_t type)
{
    return is_length_unknown ? 0 : __real_H5Tget_size(type);
}

/* What skv_h5__text_bytes says of a text type of so many bytes; 0: of variable length. */
static skv_status ask_text_bytes(size_t *out, size_t bytes)
{
    const hid_t type = skv_h5__text_type(bytes);
    skv_h5 *f = NULL;
    skv_status st;

    assert_true(type >= 0);
    assert_int_equal(skv_h5_create(&f, temp_path("a.h5")), SKV_OK);
    st = skv_h5__text_bytes(out, f, "name", type);
    skv_h5_close(f);
    assert_true(H5Tclose(type) >= 0);
    return st;
}

static void a_text_has_its_bytes_or_a_variable_length(void **state)
{
    size_t bytes = 7;

    (void)state;
    assert_int_equal(ask_text_bytes(&bytes, 12), SKV_OK);
    assert_int_equal(bytes, 12);
    assert_int_equal(ask_text_bytes(&bytes, 0), SKV_OK);
    assert_int_equal(bytes, 0);
}

/* 0 would be taken for a variable length, or for a text without bytes. */
static void a_text_whose_length_the_library_cannot_tell_is_refused(void **state)
{
    size_t bytes = 7;

    (void)state;
    is_length_unknown = true;
    assert_int_equal(ask_text_bytes(&bytes, 12), SKV_E_H5);
    assert_non_null(strstr(skv_message(), "a.h5: name: its type cannot be read"));
    is_length_unknown = false;
    is_kind_unknown = true;
    assert_int_equal(ask_text_bytes(&bytes, 12), SKV_E_H5);
    assert_int_equal(ask_text_bytes(&bytes, 0), SKV_E_H5);
    is_kind_unknown = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_library_without_memory_calls_no_file_damaged,
                                        temp_folder_make, temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_file_that_the_system_does_not_open_is_not_called_damaged,
                                        temp_folder_make, temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_text_has_its_bytes_or_a_variable_length, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_text_whose_length_the_library_cannot_tell_is_refused,
                                        temp_folder_make, temp_folder_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
