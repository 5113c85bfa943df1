/* Features in this user's cache: found again as they were, and computed again where they cannot be
 * read. */
#include "eval/metrics/kept_features.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "eval/metrics/feature_pool.h"
#include "io/h5.h"
#include "temp_folder.h"

#define D 3

static const float vectors[2 * D] = {1, 2, 3, 4, 5, 6};
static const double mean[D] = {1, 2, 3}, covariance[D * D] = {4, 1, 0, 1, 2, -1, 0, -1, 1};
static const skv_feature_set exact = {.n = 2, .n_kept = 2, .kept = vectors};
static const skv_feature_set summed = {
    .n = 9, .n_kept = 2, .kept = vectors, .mean = mean, .covariance = covariance};

static int set_up(void **state)
{
    const int failed = temp_folder_make(state);

    return failed ? failed : setenv("SKV_CACHE", temp_path("cache"), 1);
}

static bool find(skv_kept_features *out, const char *key, int d)
{
    bool found = true;

    if (skv_kept_features_find(out, &found, key, d) != SKV_OK)
        fail_msg("%s", skv_message());
    return found;
}

static void what_was_kept_is_found(void **state)
{
    skv_kept_features f;

    (void)state;
    assert_false(find(&f, "a", D));
    assert_int_equal(skv_kept_features_keep("a", D, &exact), SKV_OK);
    assert_int_equal(skv_kept_features_keep("b", D, &summed), SKV_OK);
    assert_true(find(&f, "a", D));
    assert_true(f.n == 2 && f.n_kept == 2 && !f.mean && !f.covariance);
    assert_memory_equal(f.kept, vectors, sizeof vectors);
    skv_kept_features_clear(&f);
    assert_true(find(&f, "b", D));
    assert_true(f.n == 9 && f.n_kept == 2);
    assert_memory_equal(f.mean, mean, sizeof mean);
    assert_memory_equal(f.covariance, covariance, sizeof covariance);
    skv_kept_features_clear(&f);
    assert_false(find(&f, "c", D));
}

static void what_cannot_be_read_is_not_found(void **state)
{
    skv_feature_set half = summed;
    skv_kept_features f;

    (void)state;
    assert_int_equal(skv_kept_features_keep("a", D, &exact), SKV_OK);
    assert_false(find(&f, "a", D + 1));
    assert_null(f.kept);
    assert_int_equal(skv_file_write(temp_path("cache/features/a.h5"), "no HDF5", 7), SKV_OK);
    assert_false(find(&f, "a", D));
    half.mean = half.covariance = NULL; /* two of nine vectors, and no sums */
    assert_int_equal(skv_kept_features_keep("a", D, &half), SKV_OK);
    assert_false(find(&f, "a", D));
}

/* Of more vectors than features a pool has sums, too, and all that it has goes over. */
static void a_pool_hands_its_features_over(void **state)
{
    static const float x[5 * D] = {1, 2, 3, 3, 2, 1, 0, 5, 4, 4, 3, 2, 2, 3, 0};
    skv_feature_pool *pool = NULL;
    skv_kept_features f;
    skv_feature_set set;

    (void)state;
    assert_int_equal(skv_feature_pool_create(&pool, D, 1, 5), SKV_OK);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(skv_feature_pool_add(pool, x + i * D, D), SKV_OK);
    assert_int_equal(skv_feature_pool_end_round(pool), SKV_OK);
    assert_int_equal(skv_feature_pool_finish(pool), SKV_OK);
    skv_feature_pool_take(&f, pool);
    skv_feature_pool_destroy(pool);
    set = skv_kept_features_set(&f);
    assert_true(set.n == 5 && set.n_kept == 5);
    assert_memory_equal(set.kept, x, sizeof x);
    assert_true(set.mean[0] == 2 && set.mean[1] == 3 && set.mean[2] == 2);
    assert_true(set.covariance[0] == 2.5 && set.covariance[8] == 2.5);
    assert_true(set.covariance[1] == -1 && set.covariance[3] == -1);
    assert_int_equal(skv_kept_features_keep("pool", D, &set), SKV_OK);
    skv_kept_features_clear(&f);
    assert_true(find(&f, "pool", D));
    assert_true(f.n == 5 && f.n_kept == 5 && f.covariance[0] == 2.5);
    skv_kept_features_clear(&f);
}

static void nowhere_to_keep_is_no_failure(void **state)
{
    skv_kept_features f;

    (void)state;
    assert_int_equal(skv_file_write(temp_path("cache"), "a file", 6), SKV_OK);
    assert_int_equal(skv_kept_features_keep("a", D, &exact), SKV_OK);
    assert_false(find(&f, "a", D));
    assert_int_equal(unsetenv("SKV_CACHE"), 0);
    assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
    assert_int_equal(unsetenv("HOME"), 0);
    assert_int_equal(skv_kept_features_keep("a", D, &exact), SKV_OK);
    assert_false(find(&f, "a", D));
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(what_was_kept_is_found),
        CASE(what_cannot_be_read_is_not_found),
        CASE(a_pool_hands_its_features_over),
        CASE(nowhere_to_keep_is_no_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
