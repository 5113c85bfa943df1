/* Moments in blocks: what merging gives, and what may not change a bit of it. */
#include "eval/metrics/moments.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/rng.h"

#define D 9
#define N 60

static float *make_rows(int n, float offset)
{
    float *x = malloc((size_t)(n * D) * sizeof *x);

    assert_non_null(x);
    for (int i = 0; i < n * D; i++)
        x[i] = offset + skv_uniform(7, 0, (uint32_t)(i / D), (uint32_t)(i % D));
    return x;
}

static skv_moments add_blocks(const float *x, int n, int block)
{
    skv_moments m;

    assert_int_equal(skv_moments_create(&m, D), SKV_OK);
    for (int at = 0; at < n; at += block)
        assert_int_equal(skv_moments_add(&m, x + at * D, n - at < block ? n - at : block), SKV_OK);
    assert_int_equal(m.n, n);
    return m;
}

/* Largest difference from the mean and the centred products by their definition, in two passes;
 * sums are wider, so that only the code's own rounding shows. */
static double error_of(const skv_moments *m, const float *x, int n)
{
    long double mean[D] = {0};
    double worst = 0;

    for (int r = 0; r < n; r++)
        for (int i = 0; i < D; i++)
            mean[i] += (long double)x[r * D + i] / n;
    for (int i = 0; i < D; i++)
        worst = fmax(worst, fabs(m->mean[i] - (double)mean[i]));
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++) {
            long double sum = 0;

            for (int r = 0; r < n; r++)
                sum += (x[r * D + i] - mean[i]) * (x[r * D + j] - mean[j]);
            worst = fmax(worst, fabs(m->sum[i * D + j] - (double)sum));
        }
    return worst;
}

static void any_blocks_are_the_definition(void **state)
{
    static const int blocks[] = {1, 2, 7, N - 1, N, 1000};
    float *x = make_rows(N, 0);

    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        skv_moments m = add_blocks(x, N, blocks[i]);

        /* sums up to N/12 = 5, rounded some N times: 60 · 5 · 1.1e-16 */
        assert_true(error_of(&m, x, N) < 4e-14);
        skv_moments_clear(&m);
    }
    free(x);
}

static void a_large_mean_costs_no_digits_of_the_spread(void **state)
{
    float *x = make_rows(N, 4096);
    skv_moments m = add_blocks(x, N, 7);

    (void)state;
    /* a mean of 4096 is off by some 1e-12, the sums by N times its square and no more; Σx² -
     * N·mean² would lose 1e9 · 1e-16 = 1e-7 */
    assert_true(error_of(&m, x, N) < 1e-11);
    skv_moments_clear(&m);
    free(x);
}

static void blas_threads_change_no_bit(void **state)
{
    enum { WIDE = 300, ROWS = 500 }; /* enough for BLAS to share among threads what it may */
    const size_t n = (size_t)WIDE * WIDE;
    float *x = malloc((size_t)ROWS * WIDE * sizeof *x);
    skv_moments m[2];

    (void)state;
    for (int i = 0; i < ROWS * WIDE; i++)
        x[i] = skv_uniform(8, 0, (uint32_t)(i / WIDE), (uint32_t)(i % WIDE));
    for (int threads = 1; threads <= 2; threads++) {
        skv_moments *to = &m[threads - 1];

        openblas_set_num_threads(threads);
        assert_int_equal(skv_moments_create(to, WIDE), SKV_OK);
        assert_int_equal(skv_moments_add(to, x, ROWS - 100), SKV_OK);
        assert_int_equal(skv_moments_add(to, x + (size_t)(ROWS - 100) * WIDE, 100), SKV_OK);
    }
    assert_memory_equal(m[0].mean, m[1].mean, WIDE * sizeof(double));
    assert_memory_equal(m[0].sum, m[1].sum, n * sizeof(double));
    skv_moments_clear(&m[0]);
    skv_moments_clear(&m[1]);
    free(x);
}

static void fewer_vectors_than_dimensions_are_as_good(void **state)
{
    float *x = make_rows(4, 0);
    skv_moments m = add_blocks(x, 4, 3);
    double covariance[D * D];

    (void)state;
    assert_true(error_of(&m, x, 4) < 4e-15); /* as above, of 4 */
    assert_int_equal(skv_moments_covariance(covariance, &m), SKV_OK);
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++) {
            assert_true(covariance[i * D + j] == covariance[j * D + i]);
            assert_true(covariance[i * D + j] == m.sum[i * D + j] / 3);
        }
    skv_moments_clear(&m);
    free(x);
}

static void an_empty_block_changes_nothing(void **state)
{
    float *x = make_rows(10, 0);
    skv_moments a = add_blocks(x, 10, 5), b = add_blocks(x, 10, 5);

    (void)state;
    assert_int_equal(skv_moments_add(&a, x, 0), SKV_OK);
    assert_int_equal(a.n, 10);
    assert_memory_equal(a.sum, b.sum, D * D * sizeof *a.sum);
    skv_moments_clear(&a);
    skv_moments_clear(&b);
    free(x);
}

static void a_refused_block_leaves_the_moments_alone(void **state)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    float *x = make_rows(10, 0);
    skv_moments a = add_blocks(x, 10, 5), b = add_blocks(x, 10, 5);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        x[9 * D + 8] = bad[i];
        assert_int_equal(skv_moments_add(&a, x, 10), SKV_E_FORMAT);
        assert_int_equal(a.n, 10);
        assert_memory_equal(a.mean, b.mean, D * sizeof *a.mean);
        assert_memory_equal(a.sum, b.sum, D * D * sizeof *a.sum);
    }
    assert_int_equal(skv_moments_add(&a, x, -1), SKV_E_ARG);
    skv_moments_clear(&a);
    skv_moments_clear(&b);
    free(x);
}

static void too_little_and_too_much_are_refused(void **state)
{
    float *x = make_rows(1, 0);
    skv_moments m = add_blocks(x, 1, 1), none;
    double covariance[D * D];

    (void)state;
    assert_int_equal(skv_moments_covariance(covariance, &m), SKV_E_ARG);
    assert_int_equal(skv_moments_create(&none, 0), SKV_E_ARG);
    assert_int_equal(skv_moments_create(&none, 16385), SKV_E_ARG);
    skv_moments_clear(&m);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_blocks_are_the_definition),
        cmocka_unit_test(a_large_mean_costs_no_digits_of_the_spread),
        cmocka_unit_test(blas_threads_change_no_bit),
        cmocka_unit_test(fewer_vectors_than_dimensions_are_as_good),
        cmocka_unit_test(an_empty_block_changes_nothing),
        cmocka_unit_test(a_refused_block_leaves_the_moments_alone),
        cmocka_unit_test(too_little_and_too_much_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
