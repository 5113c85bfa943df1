#include "io/h5.h"

#include <errno.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "failing_io.h"
#include "temp_folder.h"

#define MANY ((size_t)1 << 20)

static skv_h5 *new_file(const char *name)
{
    skv_h5 *f = NULL;

    assert_int_equal(skv_h5_create(&f, temp_path(name)), SKV_OK);
    return f;
}

static skv_h5 *old_file(const char *name)
{
    skv_h5 *f = NULL;

    assert_int_equal(skv_h5_open(&f, temp_path(name)), SKV_OK);
    return f;
}

static void write_ints(skv_h5 *f, const char *name, const int64_t *v, int64_t n, int64_t chunk)
{
    const skv_h5_layout l = {.type = SKV_H5_I64,
                             .n_dims = 1,
                             .shape = {n},
                             .rows_per_chunk = chunk,
                             .checksum = chunk > 0};

    assert_int_equal(skv_h5_write(f, name, &l, v), SKV_OK);
}

static void a_file_has_its_name_only_after_commit(void **state)
{
    const int64_t v[3] = {1, 2, 3};
    skv_h5 *f = new_file("a.h5");

    (void)state;
    write_ints(f, "/x", v, 3, 0);
    assert_int_equal(access(temp_path("a.h5"), F_OK), -1);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    assert_null(f);
    assert_int_equal(access(temp_path("a.h5"), F_OK), 0);
    assert_int_equal(temp_count(), 1);
    f = new_file("b.h5");
    skv_h5_close(f); /* thrown away */
    assert_int_equal(temp_count(), 1);
}

static void every_type_reads_back_equal(void **state)
{
    static const uint8_t u8[2] = {0, 255};
    static const int32_t i32[2] = {INT32_MIN, INT32_MAX};
    static const int64_t i64[2] = {INT64_MIN, INT64_MAX};
    static const uint64_t u64[2] = {0, UINT64_MAX};
    static const float f32[2] = {-1.5f, 3e38f};
    static const double f64[2] = {-1e-300, 1e300};
    const void *data[] = {u8, i32, i64, u64, f32, f64};
    skv_h5 *f = new_file("a.h5");
    char name[32];

    (void)state;
    for (int t = 0; t < SKV_H5_TEXT; t++) {
        const skv_h5_layout l = {.type = (skv_h5_type)t,
                                 .n_dims = 2,
                                 .shape = {1, 2},
                                 .rows_per_chunk = t % 2,
                                 .checksum = true,
                                 .long_name = "a quantity",
                                 .units = "m/s"};

        snprintf(name, sizeof name, "/g/h/t%d", t);
        assert_int_equal(skv_h5_write(f, name, &l, data[t]), SKV_OK);
    }
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    f = old_file("a.h5");
    for (int t = 0; t < SKV_H5_TEXT; t++) {
        skv_h5_layout l = {.type = (skv_h5_type)t, .n_dims = 2, .shape = {-1, 2}};
        void *found = NULL;
        char *units = NULL;

        snprintf(name, sizeof name, "/g/h/t%d", t);
        assert_int_equal(skv_h5_read(&found, f, name, &l, MANY, true), SKV_OK);
        assert_int_equal(l.shape[0], 1);
        assert_memory_equal(found, data[t], 2 * skv_h5_type_bytes((skv_h5_type)t));
        assert_int_equal(skv_h5_get_text(&units, f, name, "units"), SKV_OK);
        assert_string_equal(units, "m/s");
        free(units);
        free(found);
    }
    skv_h5_close(f);
}

static void texts_read_back_equal_fixed_or_variable(void **state)
{
    static char big[2 << 20];
    const char *text[100];
    const skv_h5_layout l = {
        .type = SKV_H5_TEXT, .n_dims = 1, .shape = {100}, .rows_per_chunk = 10};
    skv_h5_layout want = {.type = SKV_H5_TEXT, .n_dims = 1, .shape = {100}}, has;
    char **found = NULL;
    skv_h5 *f = new_file("a.h5");

    (void)state;
    for (int i = 0; i < 100; i++)
        text[i] = i % 3 ? "çà 😀" : "";
    assert_int_equal(skv_h5_write(f, "/short", &l, text), SKV_OK);
    memset(big, 'x', sizeof big - 1);
    text[50] = big; /* padding would take 200 MB */
    assert_int_equal(skv_h5_write(f, "/long", &l, text), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    f = old_file("a.h5");
    assert_int_equal(skv_h5_describe(&has, f, "/short"), SKV_OK);
    assert_int_equal(has.text_bytes, strlen("çà 😀") + 1);
    assert_int_equal(skv_h5_describe(&has, f, "/long"), SKV_OK);
    assert_int_equal(has.text_bytes, 0);
    assert_int_equal(skv_h5_read(&found, f, "/long", &want, sizeof big + 10000, true), SKV_OK);
    for (int i = 0; i < 100; i++)
        assert_string_equal(found[i], text[i]);
    free(found);
    assert_int_equal(skv_h5_read(&found, f, "/long", &want, sizeof big / 2, true), SKV_E_FORMAT);
    assert_int_equal(skv_h5_read(&found, f, "/short", &want, MANY, true), SKV_OK);
    assert_string_equal(found[1], "çà 😀");
    assert_string_equal(found[3], "");
    free(found);
    skv_h5_close(f);
}

static void rows_are_appended_and_read_by_range(void **state)
{
    const skv_h5_layout l = {
        .type = SKV_H5_U8, .n_dims = 3, .shape = {4, 2, 3}, .rows_per_chunk = 1, .checksum = true};
    skv_h5_layout want = {.type = SKV_H5_U8, .n_dims = 3, .shape = {-1, 2, 3}};
    uint8_t row[2][6] = {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}}, found[12];
    skv_h5 *f = new_file("a.h5");

    (void)state;
    assert_int_equal(skv_h5_make(f, "/x", &l), SKV_OK);
    assert_int_equal(skv_h5_append(f, "/x", 1, SKV_H5_U8, row[1]), SKV_OK);
    assert_int_equal(skv_h5_append(f, "/x", 1, SKV_H5_U8, row[0]), SKV_OK);
    assert_int_equal(skv_h5_append(f, "/x", 2, SKV_H5_U8, row), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    f = old_file("a.h5");
    assert_int_equal(skv_h5_read_rows(f, "/x", &want, 1, 2, found), SKV_OK);
    assert_memory_equal(found, row[0], 6);
    assert_memory_equal(found + 6, row[0], 6);
    assert_int_equal(skv_h5_read_rows(f, "/x", &want, 3, 2, found), SKV_E_SHAPE);
    assert_int_equal(skv_h5_read_rows(f, "/x", &want, -1, 2, found), SKV_E_SHAPE);
    assert_int_equal(skv_h5_read_rows(f, "/x", &want, INT64_MAX, 1, found), SKV_E_SHAPE);
    skv_h5_close(f);
}

static void a_failed_write_never_gets_the_name(void **state)
{
    const int64_t v[3] = {1, 2, 3};
    skv_h5 *f = new_file("a.h5");

    (void)state;
    write_ints(f, "/x", v, 3, 0);
    assert_int_equal(skv_h5_append(f, "/x", 1, SKV_H5_I64, v), SKV_E_SHAPE);
    assert_int_equal(skv_h5_commit(&f), SKV_E_H5);
    assert_int_equal(temp_count(), 0);
}

static void what_differs_from_the_wanted_is_refused(void **state)
{
    const int64_t v[3] = {1, 2, 3};
    skv_h5 *f = new_file("a.h5");
    skv_h5_layout l = {.type = SKV_H5_I64, .n_dims = 1, .shape = {3}};
    int64_t *found = NULL;
    bool there = false;

    (void)state;
    write_ints(f, "/g/x", v, 3, 0);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    f = old_file("a.h5");
    l.type = SKV_H5_U64;
    assert_int_equal(skv_h5_expect(f, "/g/x", &l), SKV_E_FORMAT);
    l.type = SKV_H5_TEXT;
    assert_int_equal(skv_h5_expect(f, "/g/x", &l), SKV_E_FORMAT);
    l.type = SKV_H5_I64;
    l.n_dims = 2;
    assert_int_equal(skv_h5_expect(f, "/g/x", &l), SKV_E_SHAPE);
    l.n_dims = 1;
    l.shape[0] = 4;
    assert_int_equal(skv_h5_expect(f, "/g/x", &l), SKV_E_SHAPE);
    l.shape[0] = -1;
    assert_int_equal(skv_h5_read(&found, f, "/g/x", &l, 23, true), SKV_E_FORMAT);
    assert_int_equal(skv_h5_read(&found, f, "/g/x", &l, 24, true), SKV_OK);
    free(found);
    assert_int_equal(skv_h5_expect(f, "/g/y", &l), SKV_E_NOTFOUND);
    assert_int_equal(skv_h5_expect(f, "/g", &l), SKV_E_H5);
    assert_int_equal(skv_h5_expect(f, "/g/x/z", &l), SKV_E_NOTFOUND);
    assert_int_equal(skv_h5_has(&there, f, "/g/x"), SKV_OK);
    assert_true(there);
    assert_int_equal(skv_h5_has(&there, f, "/h/x"), SKV_OK);
    assert_false(there);
    assert_int_equal(skv_h5_has(&there, f, "/g"), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "a.h5: /g is a group"));
    skv_h5_close(f);
}

static void attributes_read_back_equal_and_typed(void **state)
{
    const int64_t list[3] = {5, -6, 7};
    int64_t i = 0, *ints = NULL;
    double x = 0;
    char *text = NULL;
    static char big[70000];
    int n = 0;
    skv_h5 *f = new_file("a.h5");

    (void)state;
    assert_int_equal(skv_h5_make_group(f, "/g/h"), SKV_OK);
    memset(big, 'x', sizeof big - 1); /* more than a text of fixed length may have */
    assert_int_equal(skv_h5_set_text(f, "/", "big", big), SKV_OK);
    assert_int_equal(skv_h5_set_int(f, "/", "i", INT64_MIN), SKV_OK);
    assert_int_equal(skv_h5_set_int(f, "/", "i", -3), SKV_OK);
    assert_int_equal(skv_h5_set_real(f, "/g", "x", 0.1), SKV_OK);
    assert_int_equal(skv_h5_set_text(f, "/g/h", "t", "ç"), SKV_OK);
    assert_int_equal(skv_h5_set_text(f, "/g/h", "empty", ""), SKV_OK);
    assert_int_equal(skv_h5_set_ints(f, "/g/h", "list", list, 3), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    f = old_file("a.h5");
    assert_int_equal(skv_h5_get_int(&i, f, "/", "i"), SKV_OK);
    assert_int_equal(i, -3);
    assert_int_equal(skv_h5_get_real(&x, f, "/g", "x"), SKV_OK);
    assert_true(x == 0.1);
    assert_int_equal(skv_h5_get_text(&text, f, "/g/h", "t"), SKV_OK);
    assert_string_equal(text, "ç");
    free(text);
    assert_int_equal(skv_h5_get_text(&text, f, "/g/h", "empty"), SKV_OK);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(skv_h5_get_ints(&ints, &n, f, "/g/h", "list"), SKV_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(ints, list, sizeof list);
    free(ints);
    assert_int_equal(skv_h5_get_int(&i, f, "/", "none"), SKV_E_NOTFOUND);
    assert_int_equal(skv_h5_get_int(&i, f, "/none", "i"), SKV_E_NOTFOUND);
    assert_int_equal(skv_h5_get_int(&i, f, "/g", "x"), SKV_E_FORMAT);
    assert_int_equal(skv_h5_get_int(&i, f, "/g/h", "list"), SKV_E_FORMAT);
    assert_int_equal(skv_h5_get_text(&text, f, "/", "i"), SKV_E_FORMAT);
    assert_int_equal(skv_h5_get_text(&text, f, "/", "big"), SKV_OK);
    assert_string_equal(text, big);
    free(text);
    skv_h5_close(f);
}

static void members_are_listed_sorted(void **state)
{
    skv_h5 *f = new_file("a.h5");
    char **names = NULL;
    int n = 0;

    (void)state;
    assert_int_equal(skv_h5_make_group(f, "/g/snapkv-4"), SKV_OK);
    assert_int_equal(skv_h5_make_group(f, "/g/full"), SKV_OK);
    assert_int_equal(skv_h5_make_group(f, "/g/a"), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    f = old_file("a.h5");
    assert_int_equal(skv_h5_list(&names, &n, f, "/g"), SKV_OK);
    assert_int_equal(n, 3);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "full");
    assert_string_equal(names[2], "snapkv-4");
    free(names);
    assert_int_equal(skv_h5_list(&names, &n, f, "/none"), SKV_E_NOTFOUND);
    skv_h5_close(f);
}

static void altered_data_do_not_pass_their_checksum(void **state)
{
    const int64_t v[3] = {0x1122334455667788, 2, 3};
    skv_h5_layout l = {.type = SKV_H5_I64, .n_dims = 1, .shape = {3}};
    skv_h5 *f = new_file("a.h5");
    int64_t *found = NULL;
    char *bytes;
    size_t n, n_altered = 0;

    (void)state;
    write_ints(f, "/plain", v, 3, 0);
    write_ints(f, "/chunked", v, 3, 3);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    assert_int_equal(skv_file_read(&bytes, &n, temp_path("a.h5"), MANY), SKV_OK);
    for (size_t i = 0; i + 8 <= n; i++) {
        if (memcmp(bytes + i, v, 8) == 0) {
            bytes[i]++;
            n_altered++;
        }
    }
    assert_int_equal(n_altered, 2);
    assert_int_equal(skv_file_write(temp_path("a.h5"), bytes, n), SKV_OK);
    free(bytes);
    f = old_file("a.h5");
    assert_int_equal(skv_h5_read(&found, f, "/plain", &l, MANY, true), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "checksum"));
    assert_int_equal(skv_h5_read(&found, f, "/chunked", &l, MANY, true), SKV_E_H5);
    skv_h5_close(f);
}

/* Hostile files are made with the library itself. */
static hid_t raw_file(const char *name)
{
    assert_int_equal(skv_h5_init(), SKV_OK);
    return H5Fcreate(temp_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

static void raw_set(hid_t file, const char *name, hsize_t n, hid_t type, hid_t how)
{
    const hid_t space = H5Screate_simple(1, &n, NULL);
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);

    assert_true(set >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static skv_status read_bytes(const char *file, const char *name)
{
    skv_h5 *f = old_file(file);
    skv_h5_layout l = {.type = SKV_H5_U8, .n_dims = 1, .shape = {-1}};
    uint8_t *found = NULL;
    const skv_status st = skv_h5_read(&found, f, name, &l, (size_t)1 << 40, false);

    free(found);
    skv_h5_close(f);
    return st;
}

static void what_is_not_stored_is_not_allocated(void **state)
{
    const hid_t file = raw_file("a.h5"), how = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk = 1 << 20;

    (void)state;
    raw_set(file, "huge", (hsize_t)1 << 39, H5T_STD_U8LE, how);
    assert_true(H5Pset_chunk(how, 1, &chunk) >= 0);
    raw_set(file, "chunked", (hsize_t)1 << 39, H5T_STD_U8LE, how);
    assert_true(H5Pset_deflate(how, 1) >= 0);
    raw_set(file, "bomb", (hsize_t)1 << 39, H5T_STD_U8LE, how);
    H5Pclose(how);
    H5Fclose(file);
    assert_int_equal(read_bytes("a.h5", "/huge"), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "too few"));
    assert_int_equal(read_bytes("a.h5", "/chunked"), SKV_E_FORMAT);
    assert_int_equal(read_bytes("a.h5", "/bomb"), SKV_E_FORMAT);
}

static void links_out_of_the_file_are_refused(void **state)
{
    hid_t file;
    skv_h5 *f = new_file("secret.h5");
    const skv_h5_layout l = {.type = SKV_H5_U8, .n_dims = 1, .shape = {3}};

    (void)state;
    assert_int_equal(skv_h5_write(f, "/g/x", &l, "abc"), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    assert_int_equal(read_bytes("secret.h5", "/g/x"), SKV_OK);
    file = raw_file("a.h5");
    H5Lcreate_external("secret.h5", "/g/x", file, "set", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("secret.h5", "/g", file, "group", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/set", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    assert_int_equal(read_bytes("a.h5", "/set"), SKV_E_UNSUPPORTED);
    assert_int_equal(read_bytes("a.h5", "/group/x"), SKV_E_UNSUPPORTED);
    assert_int_equal(read_bytes("a.h5", "/soft"), SKV_E_UNSUPPORTED);
}

static void external_storage_and_other_filters_are_refused(void **state)
{
    const hid_t file = raw_file("a.h5");
    const hsize_t chunk = 4;
    hid_t how = H5Pcreate(H5P_DATASET_CREATE);

    (void)state;
    assert_int_equal(skv_file_write(temp_path("secret"), "abcd", 4), SKV_OK);
    assert_true(H5Pset_external(how, temp_path("secret"), 0, 4) >= 0);
    raw_set(file, "external", 4, H5T_STD_U8LE, how);
    H5Pclose(how);
    how = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(how, 1, &chunk);
    assert_true(H5Pset_scaleoffset(how, H5Z_SO_INT, 0) >= 0);
    raw_set(file, "filter", 4, H5T_STD_U8LE, how);
    H5Pclose(how);
    raw_set(file, "type", 4, H5T_STD_U16LE, H5P_DEFAULT);
    H5Fclose(file);
    assert_int_equal(read_bytes("a.h5", "/external"), SKV_E_UNSUPPORTED);
    assert_int_equal(read_bytes("a.h5", "/filter"), SKV_E_UNSUPPORTED);
    assert_int_equal(read_bytes("a.h5", "/type"), SKV_E_FORMAT);
}

/* A hundred entries of one megabyte each that are one text in the file. */
static void texts_that_share_their_bytes_are_counted_in_full(void **state)
{
    static char big[1 << 20];
    char *text[100];
    const hsize_t n = 100;
    const hid_t file = raw_file("a.h5"), type = H5Tcopy(H5T_C_S1);
    hid_t space, set;
    skv_h5_layout l = {.type = SKV_H5_TEXT, .n_dims = 1, .shape = {100}};
    char **found = NULL;
    skv_h5 *f;

    (void)state;
    memset(big, 'x', sizeof big - 1);
    for (int i = 0; i < 100; i++)
        text[i] = big;
    H5Tset_size(type, H5T_VARIABLE);
    space = H5Screate_simple(1, &n, NULL);
    set = H5Dcreate2(file, "t", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(file);
    f = old_file("a.h5");
    assert_int_equal(skv_h5_read(&found, f, "/t", &l, 50 * sizeof big, false), SKV_E_FORMAT);
    assert_int_equal(skv_h5_read(&found, f, "/t", &l, 101 * sizeof big, false), SKV_OK);
    free(found);
    skv_h5_close(f);
}

static void make_virtual_run(void)
{
    const int64_t v[5] = {10, 11, 12, 13, 14};
    const skv_h5_layout l = {.type = SKV_H5_I64, .n_dims = 1, .shape = {5}};
    const skv_h5_source parts[] = {{"g/a.h5", "/x", 0, 2}, {"g/b.h5", "/x", 2, 3}};
    skv_h5 *f;

    assert_int_equal(skv_folder_make(temp_path("g")), SKV_OK);
    f = new_file("g/a.h5");
    write_ints(f, "/x", v, 2, 0);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    f = new_file("g/b.h5");
    write_ints(f, "/x", v + 2, 3, 0);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    f = new_file("run.h5");
    assert_int_equal(skv_h5_make_virtual(f, "/v", &l, parts, 2), SKV_OK);
    assert_int_equal(skv_h5_link(f, "/metrics", "metrics.h5", "/"), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
}

static void virtual_rows_come_from_their_files_and_are_never_made_up(void **state)
{
    const int64_t v[3] = {11, 12, 13};
    int64_t found[5] = {0};
    skv_h5_layout l = {.type = SKV_H5_I64, .n_dims = 1, .shape = {5}};
    skv_h5 *f;

    (void)state;
    make_virtual_run();
    f = old_file("run.h5");
    assert_int_equal(skv_h5_read_rows(f, "/v", &l, 1, 3, found), SKV_OK);
    assert_memory_equal(found, v, sizeof v);
    assert_int_equal(unlink(temp_path("g/b.h5")), 0);
    assert_int_equal(skv_h5_read_rows(f, "/v", &l, 0, 2, found), SKV_OK);
    assert_int_equal(skv_h5_read_rows(f, "/v", &l, 1, 3, found), SKV_E_NOTFOUND);
    assert_int_equal(skv_file_write(temp_path("g/b.h5"), "text", 4), SKV_OK);
    assert_int_equal(skv_h5_read_rows(f, "/v", &l, 1, 3, found), SKV_E_H5);
    skv_h5_close(f);
}

static void virtual_sources_outside_the_folder_are_refused(void **state)
{
    static const char *const outside[] = {"../x.h5", "/etc/x.h5", "g/../../x.h5", ".."};
    const hsize_t n = 2;
    const skv_h5_layout l = {.type = SKV_H5_I64, .n_dims = 1, .shape = {2}};
    skv_h5_layout want = l;
    int64_t found[2];

    (void)state;
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        const skv_h5_source source = {outside[i], "/x", 0, 2}, pattern = {"%b.h5", "/x", 0, 2};
        const hid_t file = raw_file("a.h5"), how = H5Pcreate(H5P_DATASET_CREATE);
        const hid_t space = H5Screate_simple(1, &n, NULL);
        skv_h5 *f = new_file("b.h5");

        assert_int_equal(skv_h5_make_virtual(f, "/v", &l, &source, 1), SKV_E_ARG);
        assert_int_equal(skv_h5_make_virtual(f, "/v", &l, &pattern, 1), SKV_E_ARG);
        skv_h5_close(f);
        assert_true(H5Pset_virtual(how, space, outside[i], "/x", space) >= 0);
        raw_set(file, "v", n, H5T_STD_I64LE, how);
        H5Sclose(space);
        H5Pclose(how);
        H5Fclose(file);
        f = old_file("a.h5");
        assert_int_equal(skv_h5_read_rows(f, "/v", &want, 0, 2, found), SKV_E_H5);
        assert_non_null(strstr(skv_message(), "none of ours"));
        skv_h5_close(f);
    }
}

/* In a child: the library must not crash at exit on what it could not write. */
static int write_on_a_full_disk(bool in_memory, unsigned long room)
{
    static uint8_t data[300000];
    const skv_h5_layout l = {.type = SKV_H5_U8,
                             .n_dims = 1,
                             .shape = {sizeof data},
                             .rows_per_chunk = 50000,
                             .checksum = true};
    skv_h5 *f = NULL;
    skv_status st;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)rand();
    st = in_memory ? skv_h5_create_sealed(&f, temp_path("a.h5"), 0, "label")
                   : skv_h5_create(&f, temp_path("a.h5"));
    temp_limit_files(room);
    if (st == SKV_OK)
        st = skv_h5_write(f, "/x", &l, data);
    if (st == SKV_OK)
        st = skv_h5_commit(&f);
    skv_h5_close(f);
    return st == SKV_OK ? 0 : 1;
}

static void a_full_disk_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        for (unsigned long room = 100; room < 300000; room += 29990) {
            int how = -1;
            const pid_t child = fork();

            if (child == 0)
                exit(write_on_a_full_disk(in_memory, room)); /* with all exit handlers */
            assert_true(child > 0 && waitpid(child, &how, 0) == child);
            assert_true(WIFEXITED(how));
            assert_int_equal(WEXITSTATUS(how), 1);
            assert_int_equal(temp_count(), 0);
        }
    }
}

/* In a child, as above: the status of one write of three datasets, one of which fails. */
static int write_with_one_failure(long n, int error)
{
    static int64_t data[4096];
    skv_h5_layout rows = {
        .type = SKV_H5_I64, .n_dims = 1, .shape = {4096}, .rows_per_chunk = 512, .checksum = true};
    skv_h5 *f = NULL;
    skv_status st = skv_h5_create(&f, temp_path("a.h5"));

    for (int i = 0; i < 4096; i++)
        data[i] = i * (int64_t)i + 1;
    failing_write(n, error);
    for (int i = 0; i < 3 && st == SKV_OK; i++) {
        char name[] = {'/', (char)('x' + i), '\0'};

        st = skv_h5_write(f, name, &rows, data);
        rows.rows_per_chunk = 0;
        rows.shape[0] = 5;
    }
    if (st == SKV_OK)
        st = skv_h5_commit(&f);
    skv_h5_close(f);
    return st == SKV_OK ? (failing_write_came() ? 2 : 0) : 1;
}

/* What is written may lie in the library's buffers until a dataset or the file is closed. */
static void one_failed_write_among_good_ones_is_an_error(void **state)
{
    static const int errors[] = {ENOSPC, EIO, EDQUOT};

    (void)state;
    for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++) {
        int how = 1;

        for (long n = 1; how != 0; n++) {
            const pid_t child = fork();

            if (child == 0)
                exit(write_with_one_failure(n, errors[e])); /* with all exit handlers */
            assert_true(child > 0 && waitpid(child, &how, 0) == child);
            assert_true(WIFEXITED(how));
            how = WEXITSTATUS(how);
            assert_true(how < 2);
            assert_int_equal(temp_count(), how == 0);
            assert_true(how != 0 || n > 3);
        }
        assert_int_equal(unlink(temp_path("a.h5")), 0);
    }
}

static void reads_that_fail_for_a_moment_are_tried_again(void **state)
{
    static const int errors[] = {EINTR, EIO, 0, EINTR, 0, EIO}, lasting[] = {EIO, EIO, EIO};
    const int n = sizeof errors / sizeof errors[0];
    skv_h5 *f = NULL;
    char *label = NULL;

    (void)state;
    assert_int_equal(skv_h5_create_sealed(&f, temp_path("a.h5"), 0, "label"), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    failing_reads(errors, n);
    assert_int_equal(skv_h5_read_label(&label, &(skv_h5_seal){0}, temp_path("a.h5"), 0), SKV_OK);
    assert_string_equal(label, "label");
    free(label);
    failing_reads(errors, n);
    assert_int_equal(skv_h5_open_sealed(&f, temp_path("a.h5"), 0), SKV_OK);
    skv_h5_close(f);
    failing_reads(lasting, 3);
    assert_int_equal(skv_h5_read_label(&label, &(skv_h5_seal){0}, temp_path("a.h5"), 0), SKV_E_IO);
    failing_reads(lasting, 3);
    assert_int_equal(skv_h5_open_sealed(&f, temp_path("a.h5"), 0), SKV_E_IO);
    assert_non_null(strstr(skv_message(), "cannot read"));
    failing_reads(NULL, 0);
}

static void what_is_no_hdf5_file_is_refused(void **state)
{
    skv_h5 *f = NULL;

    (void)state;
    assert_int_equal(skv_h5_open(&f, temp_path("none.h5")), SKV_E_NOTFOUND);
    assert_int_equal(skv_h5_open(&f, temp_folder()), SKV_E_KIND);
    assert_int_equal(mkfifo(temp_path("fifo.h5"), 0600), 0);
    assert_int_equal(skv_h5_open(&f, temp_path("fifo.h5")), SKV_E_KIND);
    assert_int_equal(skv_file_write(temp_path("a.h5"), "\x89HDF\r\n\x1a\n", 8), SKV_OK);
    assert_int_equal(skv_h5_open(&f, temp_path("a.h5")), SKV_E_H5);
    assert_non_null(strstr(skv_message(), "a.h5"));
    assert_int_equal(skv_h5_create(&f, temp_path("no/a.h5")), SKV_E_KIND);
    assert_null(f);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(a_file_has_its_name_only_after_commit),
        CASE(every_type_reads_back_equal),
        CASE(texts_read_back_equal_fixed_or_variable),
        CASE(rows_are_appended_and_read_by_range),
        CASE(a_failed_write_never_gets_the_name),
        CASE(what_differs_from_the_wanted_is_refused),
        CASE(attributes_read_back_equal_and_typed),
        CASE(members_are_listed_sorted),
        CASE(altered_data_do_not_pass_their_checksum),
        CASE(what_is_not_stored_is_not_allocated),
        CASE(links_out_of_the_file_are_refused),
        CASE(external_storage_and_other_filters_are_refused),
        CASE(texts_that_share_their_bytes_are_counted_in_full),
        CASE(virtual_rows_come_from_their_files_and_are_never_made_up),
        CASE(virtual_sources_outside_the_folder_are_refused),
        CASE(a_full_disk_is_an_error_and_leaves_nothing),
        CASE(one_failed_write_among_good_ones_is_an_error),
        CASE(reads_that_fail_for_a_moment_are_tried_again),
        CASE(what_is_no_hdf5_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
