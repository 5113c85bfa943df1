/* Arrays of numpy: what it writes is read, what differs from what is wanted is refused by name, and
 * what is written is read again. */
#include "io/npz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"
#include "write_checkpoint.h"

static const int64_t three[] = {3}, square[] = {3, 3};

/* A file that numpy wrote, of the fuzz target's corpus. */
static skv_npz *open_numpys(const char *name)
{
    char path[4096];
    skv_npz *f = NULL;

    snprintf(path, sizeof path, "%s/fuzz/npz/%s", SKV_TEST_DATA, name);
    if (skv_npz_open(&f, path) != SKV_OK)
        fail_msg("%s", skv_message());
    return f;
}

static void holds(const skv_npz *f, const char *name, int n_dims, const int64_t *shape, double step)
{
    double *v = NULL;
    const int n = n_dims == 1 ? 3 : 9;

    if (skv_npz_read(&v, f, name, n_dims, shape) != SKV_OK)
        fail_msg("%s", skv_message());
    for (int i = 0; i < n; i++)
        assert_true(v[i] == i * step);
    free(v);
}

/* float32 and float64, both byte orders, stored and deflated, by rows and by columns. */
static void arrays_that_numpy_wrote_are_read(void **state)
{
    static const struct {
        const char *file;
        double sigma;
    } files[] = {{"stored", 0.125}, {"deflated", 0}, {"fortran", 0.125}};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        skv_npz *f = open_numpys(files[i].file);

        holds(f, "mu", 1, three, 0.25);
        holds(f, "sigma", 2, square, files[i].sigma);
        skv_npz_close(f);
    }
}

static void refused(const skv_npz *f, const char *name, int n_dims, const int64_t *shape,
                    const char *why)
{
    double *v = NULL;

    assert_int_not_equal(skv_npz_read(&v, f, name, n_dims, shape), SKV_OK);
    assert_null(v);
    if (!strstr(skv_message(), why))
        fail_msg("\"%s\", want \"%s\"", skv_message(), why);
}

static void other_arrays_are_called_what_they_are(void **state)
{
    skv_npz *f = open_numpys("other");

    (void)state;
    refused(f, "mu", 1, three, "no array mu; it has: arr_0.npy, feats.npy");
    refused(f, "arr_0", 1, three, "arr_0 is of numpy's type \"<i8\", want float32 or float64");
    refused(f, "feats", 2, square, "feats has the shape (0,3), want (3,3)");
    skv_npz_close(f);
    f = open_numpys("stored");
    refused(f, "mu", 2, square, "mu has the shape (3), want (3,3)");
    refused(f, "sigma", 1, three, "sigma has the shape (3,3), want (3)");
    refused(f, "sigma", 2, (const int64_t[]){9, 1}, "(3,3), want (9,1)");
    refused(f, "sigma", 2, (const int64_t[]){INT64_MAX, 3}, "too large");
    skv_npz_close(f);
}

/* An archive of one member "mu.npy", numpy's form with this header and n bytes of zeros. */
static skv_npz *open_made(const char *header, size_t n)
{
    const uint8_t magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (uint8_t)strlen(header), 0};
    const uint8_t zeros[64] = {0};
    test_bytes file, npy = {0};
    test_zip zip = {0};
    skv_npz *f = NULL;

    bytes_add(&npy, magic, sizeof magic);
    bytes_add(&npy, header, strlen(header));
    bytes_add(&npy, zeros, n);
    zip_add(&zip, "mu.npy", npy.data, npy.n);
    zip_finish(&file, &zip);
    bytes_save(&file, temp_path("made.npz"));
    if (skv_npz_open(&f, temp_path("made.npz")) != SKV_OK)
        fail_msg("%s", skv_message());
    free(npy.data);
    free(file.data);
    return f;
}

static void a_header_that_numpy_would_not_write_is_refused(void **state)
{
    static const struct {
        const char *header;
        size_t bytes;
        const char *why; /* NULL: it is read */
    } cases[] = {
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n", 24, NULL},
        {"{\"shape\":(3,),\"fortran_order\":True,\"descr\":\">f4\"}", 12, NULL},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n", 23, "has 23 bytes"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n", 25, "has 25 bytes"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), } x", 24, "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3,)", 24, "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False}", 24, "dictionary"},
        {"{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (3,)}", 24,
         "dictionary"},
        {"{'descr': '<f8', 'fortran_order': None, 'shape': (3,)}", 24, "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (-3,)}", 24, "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3", 24, "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,3)}", 24, "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3000000000000000003,)}", 24,
         "dictionary"},
        {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,)}", 24, "dictionary"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (3,)}", 6, "type \"<f2\""},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", 24, "type \"|O\""},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': ()}", 24, "the shape ()"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (4,)}", 24, "the shape (4)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        skv_npz *f = open_made(cases[i].header, cases[i].bytes);

        if (cases[i].why)
            refused(f, "mu", 1, three, cases[i].why);
        else
            holds(f, "mu", 1, three, 0);
        skv_npz_close(f);
    }
}

/* Every length of the member, and of the archive itself. */
static void what_is_cut_is_refused(void **state)
{
    const char *header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n";
    char *whole = NULL;
    size_t n = 0;
    skv_npz *f = NULL;

    (void)state;
    for (size_t bytes = 0; bytes < 24; bytes++) {
        f = open_made(header, bytes);
        refused(f, "mu", 1, three, "made.npz: mu has");
        skv_npz_close(f);
    }
    f = open_made(header, 24);
    skv_npz_close(f);
    assert_int_equal(skv_file_read(&whole, &n, temp_path("made.npz"), 4096), SKV_OK);
    for (size_t bytes = 0; bytes < n; bytes += 7) {
        assert_int_equal(skv_file_write(temp_path("cut.npz"), whole, bytes), SKV_OK);
        assert_int_equal(skv_npz_open(&f, temp_path("cut.npz")), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "cut.npz"));
    }
    free(whole);
    assert_int_equal(skv_npz_open(&f, temp_path("none.npz")), SKV_E_NOTFOUND);
}

static void arrays_are_written_as_they_are_read(void **state)
{
    const double mu[3] = {0, 0.25, 0.5};
    double sigma[9];
    const skv_npz_array arrays[] = {{"mu", 1, {3}, mu}, {"sigma", 2, {3, 3}, sigma}};
    char *first = NULL, *second = NULL;
    size_t n = 0, m = 0;
    skv_npz *f = NULL;

    (void)state;
    for (int i = 0; i < 9; i++)
        sigma[i] = i * 0.125;
    assert_int_equal(skv_npz_write(temp_path("out.npz"), arrays, 2), SKV_OK);
    assert_int_equal(skv_npz_open(&f, temp_path("out.npz")), SKV_OK);
    holds(f, "mu", 1, three, 0.25);
    holds(f, "sigma", 2, square, 0.125);
    skv_npz_close(f);
    assert_int_equal(skv_file_read(&first, &n, temp_path("out.npz"), 4096), SKV_OK);
    assert_int_equal(skv_npz_write(temp_path("out.npz"), arrays, 2), SKV_OK);
    assert_int_equal(skv_file_read(&second, &m, temp_path("out.npz"), 4096), SKV_OK);
    assert_true(n == m && memcmp(first, second, n) == 0);
    assert_int_equal(temp_count(), 1);
    free(first);
    free(second);
    assert_int_equal(skv_npz_write(temp_path("none/out.npz"), arrays, 2), SKV_E_KIND);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(arrays_that_numpy_wrote_are_read),
        CASE(other_arrays_are_called_what_they_are),
        CASE(a_header_that_numpy_would_not_write_is_refused),
        CASE(what_is_cut_is_refused),
        CASE(arrays_are_written_as_they_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
