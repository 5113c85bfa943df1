/* Files of statistics: what is no mean and covariance is refused by name. */
#include "eval/metrics/statistics_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "io/npz.h"
#include "temp_folder.h"

#define D 3

static const double mean[D] = {1, 2, 3};
static const double covariance[D * D] = {4, 1, 0, 1, 2, -1, 0, -1, 1};

static void write_arrays(const char *name, const double *mu, const double *sigma, int side)
{
    const skv_npz_array arrays[] = {{name, 1, {D}, mu}, {"sigma", 2, {side, side}, sigma}};

    assert_int_equal(skv_npz_write(temp_path("s.npz"), arrays, 2), SKV_OK);
}

static void refused(skv_status want, const char *why)
{
    skv_kept_features f;

    assert_int_equal(skv_statistics_read(&f, temp_path("s.npz"), D), want);
    if (!strstr(skv_message(), "s.npz") || !strstr(skv_message(), why))
        fail_msg("\"%s\", want \"%s\"", skv_message(), why);
    skv_kept_features_clear(&f);
}

static void mean_and_covariance_are_read(void **state)
{
    skv_kept_features f;

    (void)state;
    write_arrays("mu", mean, covariance, D);
    assert_int_equal(skv_statistics_read(&f, temp_path("s.npz"), D), SKV_OK);
    assert_true(f.n == 0 && f.n_kept == 0 && !f.kept);
    assert_memory_equal(f.mean, mean, sizeof mean);
    assert_memory_equal(f.covariance, covariance, sizeof covariance);
    skv_kept_features_clear(&f);
}

static void what_is_no_covariance_is_refused(void **state)
{
    static const struct {
        int at;
        double value;
        const char *why;
    } cases[] = {{1, 1.1, "it has 1 at (1,0) and 1.1 at (0,1)"},
                 {4, -2, "feature 1 has mean 2 and variance -2"},
                 {8, NAN, "feature 2"},
                 {6, INFINITY, "no covariance"},
                 {3, NAN, "no covariance"}};
    double sigma[D * D];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(sigma, covariance, sizeof sigma);
        sigma[cases[i].at] = cases[i].value;
        write_arrays("mu", mean, sigma, D);
        refused(SKV_E_FORMAT, cases[i].why);
    }
    memcpy(sigma, mean, sizeof mean);
    sigma[1] = NAN;
    write_arrays("mu", sigma, covariance, D);
    refused(SKV_E_FORMAT, "feature 1 has mean");
    write_arrays("mean", mean, covariance, D);
    refused(SKV_E_NOTFOUND, "no array mu; it has: mean.npy, sigma.npy");
    write_arrays("mu", mean, covariance, 2);
    refused(SKV_E_SHAPE, "sigma has the shape (2,2), want (3,3)");
}

/* Vectors and what they sum up to leave the same statistics. */
static void vectors_are_written_as_what_they_sum_up_to(void **state)
{
    static const float x[4 * D] = {1, 2, 3, 3, 2, 1, 0, 5, 4, 4, 3, 2};
    const skv_feature_set set = {.n = 4, .n_kept = 4, .kept = x};
    skv_kept_features f;

    (void)state;
    assert_int_equal(skv_statistics_write(temp_path("s.npz"), D, &set), SKV_OK);
    assert_int_equal(skv_statistics_read(&f, temp_path("s.npz"), D), SKV_OK);
    assert_true(f.mean[0] == 2 && f.mean[1] == 3 && f.mean[2] == 2.5);
    assert_true(fabs(f.covariance[0] - 10.0 / 3) < 1e-15 &&
                fabs(f.covariance[1] + 4.0 / 3) < 1e-15);
    skv_kept_features_clear(&f);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(mean_and_covariance_are_read),
        CASE(what_is_no_covariance_is_refused),
        CASE(vectors_are_written_as_what_they_sum_up_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
