/* Two folders of JPEGs of several sizes, held against each other as sets: FID and KID by
 * clean-fid's rule, as the independent form tests/ref/clean_fid.py has them; and features that are
 * kept. */
#include "eval/metrics/against.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "core/log.h"
#include "eval/metrics/frechet.h"
#include "eval/metrics/inception.h"
#include "eval/metrics/kid.h"
#include "eval/metrics/statistics_file.h"
#include "temp_folder.h"
#include "test_device.h"

#define PICTURES SKV_TEST_DATA "/against/"
#define FID      10.616554470143967 /* clean_fid.py tests/data/against/a tests/data/against/b */
#define KID      -1.9000106615175885
/* Features differ by 2e-6 of their size; 1e-3 is what was promised. */
#define TOLERANCE 1e-5

static skv_comm *comm;
static skv_backend *be;
static skv_inception *net;

static int open_all(void **state)
{
    (void)state;
    assert_int_equal(skv_comm_open(&comm, &(skv_comm_wish){0}), SKV_OK);
    assert_int_equal(test_backend_open(&be, 2), SKV_OK);
    assert_int_equal(skv_inception_open(&net, be, "formula", 1), SKV_OK);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    skv_inception_close(net);
    skv_backend_destroy(be);
    skv_comm_close(comm);
    return 0;
}

/* The cache is the test's own. */
static int set_up(void **state)
{
    const int failed = temp_folder_make(state);

    return failed ? failed : setenv("SKV_CACHE", temp_path("cache"), 1);
}

static skv_status try_open(skv_against *out, const char *path)
{
    return skv_against_open(out, &(skv_against_wish){.path = path,
                                                     .comm = comm,
                                                     .threads = 2,
                                                     .network = &skv_network_inception,
                                                     .state = net,
                                                     .weights = "formula",
                                                     .device = skv_backend_describe(be)});
}

static skv_against open_set(const char *path)
{
    skv_against a;

    if (try_open(&a, path) != SKV_OK)
        fail_msg("%s", skv_message());
    return a;
}

static void near(double got, double want)
{
    if (!(fabs(got - want) <= TOLERANCE * fabs(want)))
        fail_msg("%.17g, want %.17g", got, want);
}

static double fid_of(const skv_against *a, const skv_against *b)
{
    const skv_feature_set x = skv_kept_features_set(&a->features),
                          y = skv_kept_features_set(&b->features);
    skv_frechet f;

    assert_int_equal(skv_frechet_distance(&f, SKV_FEATURES, &x, &y), SKV_OK);
    return f.distance;
}

static void fid_and_kid_against_jpegs_are_clean_fid_s(void **state)
{
    skv_against a = open_set(PICTURES "a"), b = open_set(PICTURES "b");
    double kid;

    (void)state;
    assert_true(a.features.n == 6 && b.features.n == 6 && a.features.n_kept == 6);
    near(fid_of(&a, &b), FID);
    assert_int_equal(
        skv_kid(
            &kid,
            &(skv_kid_sets){
                .d = SKV_FEATURES, .x1 = a.features.kept, .x2 = b.features.kept, .n1 = 6, .n2 = 6},
            0, 2),
        SKV_OK);
    near(kid, KID);
    skv_against_clear(&a);
    skv_against_clear(&b);
}

static void statistics_give_the_fid_of_their_pictures(void **state)
{
    skv_against a = open_set(PICTURES "a"), b = open_set(PICTURES "b"), s;
    const skv_feature_set set = skv_kept_features_set(&b.features);

    (void)state;
    assert_int_equal(skv_statistics_write(temp_path("b.npz"), SKV_FEATURES, &set), SKV_OK);
    s = open_set(temp_path("b.npz"));
    assert_false(skv_against_is_folder(&s));
    assert_true(s.features.n == 0 && s.features.n_kept == 0);
    near(fid_of(&a, &s), FID);
    skv_against_clear(&a);
    skv_against_clear(&b);
    skv_against_clear(&s);
}

/* name of the temp folder's `set` <- a picture of tests/data */
static void put_picture(const char *name, const char *from)
{
    char path[4096];
    char *data = NULL;
    size_t n = 0;

    snprintf(path, sizeof path, "%s%s", PICTURES, from);
    assert_int_equal(skv_file_read(&data, &n, path, 1 << 20), SKV_OK);
    snprintf(path, sizeof path, "set/%s", name);
    assert_int_equal(skv_file_write(temp_path(path), data, n), SKV_OK);
    free(data);
}

static int kept_files(void)
{
    skv_names names = {0};
    int n;

    if (skv_folder_names(&names, temp_path("cache/features"), 0) != SKV_OK)
        return 0;
    n = (int)names.n;
    skv_names_clear(&names);
    return n;
}

static void spoil_kept_file(const char *digest)
{
    char name[128];

    snprintf(name, sizeof name, "cache/features/%s.h5", digest);
    assert_int_equal(skv_file_write(temp_path(name), "no HDF5", 7), SKV_OK);
}

/* The same pictures under other names are the same set; one byte of one makes another. A file of
 * the cache that cannot be read is computed again. */
static void features_are_kept_until_the_pictures_change(void **state)
{
    skv_against first, again, other;
    const size_t bytes = 2 * SKV_FEATURES * sizeof(float);

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("set")), SKV_OK);
    put_picture("1.jpg", "a/a.jpg");
    put_picture("2.jpg", "a/f.jpg");
    first = open_set(temp_path("set"));
    assert_int_equal(kept_files(), 1);
    assert_int_equal(rename(temp_path("set/2.jpg"), temp_path("set/3.JPEG")), 0);
    again = open_set(temp_path("set"));
    assert_int_equal(kept_files(), 1);
    assert_string_equal(first.digest, again.digest);
    assert_memory_equal(first.features.kept, again.features.kept, bytes);
    skv_against_clear(&again);
    spoil_kept_file(first.digest);
    again = open_set(temp_path("set"));
    assert_memory_equal(first.features.kept, again.features.kept, bytes);
    skv_against_clear(&again);
    put_picture("3.JPEG", "a/e.jpg");
    other = open_set(temp_path("set"));
    assert_string_not_equal(first.digest, other.digest);
    assert_memory_not_equal(first.features.kept, other.features.kept, bytes);
    assert_int_equal(kept_files(), 2);
    skv_against_clear(&first);
    skv_against_clear(&other);
}

static void what_is_no_set_is_refused_by_name(void **state)
{
    skv_against a;

    (void)state;
    assert_int_equal(try_open(&a, temp_path("none")), SKV_E_NOTFOUND);
    skv_against_clear(&a);
    assert_int_equal(skv_folder_make(temp_path("set")), SKV_OK);
    assert_int_equal(try_open(&a, temp_path("set")), SKV_E_NOTFOUND);
    skv_against_clear(&a);
    put_picture("1.jpg", "a/a.jpg");
    assert_int_equal(try_open(&a, temp_path("set")), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "set holds one picture"));
    skv_against_clear(&a);
    assert_int_equal(skv_file_write(temp_path("set/2.png"), "\xff\xd8\xff", 3), SKV_OK);
    assert_int_equal(try_open(&a, temp_path("set")), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "set/2.png"));
    skv_against_clear(&a);
    assert_int_equal(kept_files(), 0);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(fid_and_kid_against_jpegs_are_clean_fid_s),
        CASE(statistics_give_the_fid_of_their_pictures),
        CASE(features_are_kept_until_the_pictures_change),
        CASE(what_is_no_set_is_refused_by_name),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
