/* Fréchet distances known in closed form, and the two ways to them against each other. */
#include "eval/metrics/frechet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/rng.h"
#include "eval/metrics/moments.h"

/* A set of features: its vectors, or what they sum up to. */
#define VECTORS(x, count) ((skv_feature_set){.n = (count), .n_kept = (count), .kept = (x)})
#define SUMS(m, c)        ((skv_feature_set){.mean = (m), .covariance = (c)})

#define D 24

/* Values of order 1 to 100 from some D² roundings, each 1e-16 of them: below 1e-11 with a margin;
 * roots of eigenvalues that ought to be 0 would cost 1e-8. */
#define TOLERANCE 1e-11

static void near(double got, double want)
{
    if (!(fabs(got - want) <= TOLERANCE))
        fail_msg("%.17g is not %.17g", got, want);
}

static float *make_rows(int n, int d, uint64_t seed, float scale)
{
    float *x = malloc((size_t)(n * d) * sizeof *x);

    assert_non_null(x);
    for (int i = 0; i < n * d; i++)
        x[i] = scale * skv_uniform(seed, 0, (uint32_t)(i / d), (uint32_t)(i % d));
    return x;
}

static void one_dimension_is_the_textbook_s(void **state)
{
    const double m1 = 3, m2 = -1, v1 = 4, v2 = 2.25;
    skv_frechet f;

    (void)state;
    assert_int_equal(skv_frechet_distance(&f, 1, &SUMS(&m1, &v1), &SUMS(&m2, &v2)), SKV_OK);
    near(f.mean_term, 16);
    near(f.trace_sqrt, 3);
    near(f.distance, 16 + 0.25);
}

static void matrices_that_commute_differ_by_their_roots(void **state)
{
    /* eigenvalues 9, 1 and 4, 25 along the same two axes, turned by 0.3 */
    const double c = cos(0.3), s = sin(0.3), zero[2] = {0, 0};
    const double a[4] = {9 * c * c + s * s, 8 * c * s, 8 * c * s, 9 * s * s + c * c};
    const double b[4] = {4 * c * c + 25 * s * s, -21 * c * s, -21 * c * s, 4 * s * s + 25 * c * c};
    skv_frechet f;

    (void)state;
    assert_int_equal(skv_frechet_distance(&f, 2, &SUMS(zero, a), &SUMS(zero, b)), SKV_OK);
    near(f.trace_sqrt, 3 * 2 + 1 * 5);
    near(f.distance, 1 + 16);
}

/* Covariance u·uᵀ. */
static void outer(double *out, const double *u)
{
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++)
            out[i * D + j] = u[i] * u[j];
}

static void rank_one_has_the_scalar_product_as_its_root(void **state)
{
    double u[D], v[D], a[D * D], b[D * D], dot = 0, across = 0, uu = 0;
    const double zero[D] = {0};
    skv_frechet f;

    (void)state;
    for (uint32_t i = 0; i < D; i++) {
        u[i] = (double)skv_uniform(1, 0, i, 0) - 0.5;
        v[i] = (double)skv_uniform(2, 0, i, 0) + 0.5;
        dot += u[i] * v[i];
        uu += u[i] * u[i];
    }
    outer(a, u);
    outer(b, v);
    assert_int_equal(skv_frechet_distance(&f, D, &SUMS(zero, a), &SUMS(zero, b)), SKV_OK);
    near(f.trace_sqrt, fabs(dot));
    for (int i = 0; i < D; i++) {
        v[i] -= dot / uu * u[i]; /* now orthogonal: nothing in common */
        across += v[i] * v[i];
    }
    outer(b, v);
    assert_int_equal(skv_frechet_distance(&f, D, &SUMS(zero, a), &SUMS(zero, b)), SKV_OK);
    near(f.trace_sqrt, 0);
    near(f.distance, uu + across);
}

static void no_spread_leaves_the_means_and_the_other_trace(void **state)
{
    double a[D * D] = {0}, none[D * D] = {0}, one[D], zero[D] = {0};
    skv_frechet f;

    (void)state;
    for (int i = 0; i < D; i++) {
        a[i * D + i] = i + 1;
        one[i] = 1;
    }
    assert_int_equal(skv_frechet_distance(&f, D, &SUMS(one, a), &SUMS(zero, none)), SKV_OK);
    near(f.trace_sqrt, 0);
    near(f.distance, D + D * (D + 1) / 2.0);
    assert_int_equal(skv_frechet_distance(&f, D, &SUMS(one, none), &SUMS(zero, none)), SKV_OK);
    near(f.distance, D);
}

static skv_frechet by_moments(const float *x, int n1, const float *y, int n2)
{
    static double a[D * D], b[D * D];
    skv_moments mx, my;
    skv_frechet f;

    assert_int_equal(skv_moments_create(&mx, D), SKV_OK);
    assert_int_equal(skv_moments_create(&my, D), SKV_OK);
    assert_int_equal(skv_moments_add(&mx, x, n1), SKV_OK);
    assert_int_equal(skv_moments_add(&my, y, n2), SKV_OK);
    assert_int_equal(skv_moments_covariance(a, &mx), SKV_OK);
    assert_int_equal(skv_moments_covariance(b, &my), SKV_OK);
    assert_int_equal(skv_frechet_distance(&f, D, &SUMS(mx.mean, a), &SUMS(my.mean, b)), SKV_OK);
    skv_moments_clear(&mx);
    skv_moments_clear(&my);
    return f;
}

/* One side by its vectors, the other by what it sums up to. */
static skv_frechet mixed(const float *x, int n1, const float *y, int n2)
{
    static double b[D * D];
    skv_moments my;
    skv_frechet f;

    assert_int_equal(skv_moments_create(&my, D), SKV_OK);
    assert_int_equal(skv_moments_add(&my, y, n2), SKV_OK);
    assert_int_equal(skv_moments_covariance(b, &my), SKV_OK);
    assert_int_equal(skv_frechet_distance(&f, D, &VECTORS(x, n1), &SUMS(my.mean, b)), SKV_OK);
    skv_moments_clear(&my);
    return f;
}

static void features_and_moments_are_two_ways_to_one_distance(void **state)
{
    static const int sizes[][2] = {{2, 2}, {2, 50}, {10, 7}, {7, 100}, {D, D + 1}, {100, 80}};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const int n1 = sizes[i][0], n2 = sizes[i][1];
        float *x = make_rows(n1, D, 1, 1), *y = make_rows(n2, D, 2, 2);
        skv_frechet f, back, m = by_moments(x, n1, y, n2);

        assert_int_equal(skv_frechet_distance(&f, D, &VECTORS(x, n1), &VECTORS(y, n2)), SKV_OK);
        assert_int_equal(skv_frechet_distance(&back, D, &VECTORS(y, n2), &VECTORS(x, n1)), SKV_OK);
        near(f.distance, m.distance);
        near(f.distance, mixed(x, n1, y, n2).distance);
        near(f.mean_term, m.mean_term);
        near(f.trace1, m.trace1);
        near(f.trace2, m.trace2);
        near(f.trace_sqrt, m.trace_sqrt);
        near(f.distance, back.distance);
        assert_true(f.distance > 1);
        free(x);
        free(y);
    }
}

static void a_set_is_0_from_itself_and_never_below(void **state)
{
    (void)state;
    for (int n = 2; n < 60; n += 5) {
        float *x = make_rows(n, D, 3, 1);
        skv_frechet f, m = by_moments(x, n, x, n);

        assert_int_equal(skv_frechet_distance(&f, D, &VECTORS(x, n), &VECTORS(x, n)), SKV_OK);
        near(f.distance, 0);
        near(m.distance, 0);
        assert_true(f.distance >= 0 && m.distance >= 0);
        free(x);
    }
}

static void a_shift_is_the_mean_term_alone(void **state)
{
    float *x = make_rows(30, D, 4, 1), *y = malloc((size_t)30 * D * sizeof *y);
    skv_frechet f;

    (void)state;
    for (int i = 0; i < 30 * D; i++) {
        x[i] = roundf(x[i] * 1024) / 1024; /* so that adding 3 is exact */
        y[i] = x[i] + 3;
    }
    assert_int_equal(skv_frechet_distance(&f, D, &VECTORS(x, 30), &VECTORS(y, 30)), SKV_OK);
    near(f.mean_term, 9 * D);
    near(f.distance, 9 * D);
    free(x);
    free(y);
}

static void too_few_and_what_is_not_finite_are_refused(void **state)
{
    float *x = make_rows(5, D, 5, 1), *y = make_rows(5, D, 6, 1);
    const double zero[2] = {0, 0}, good[4] = {1, 0, 0, 1}, bad[4] = {1, 0, 0, NAN};
    const double far[2] = {INFINITY, 0};
    skv_frechet f;

    (void)state;
    assert_int_equal(skv_frechet_distance(&f, D, &VECTORS(x, 1), &VECTORS(y, 5)), SKV_E_ARG);
    assert_int_equal(skv_frechet_distance(&f, D, &VECTORS(x, 5), &VECTORS(y, 1)), SKV_E_ARG);
    y[4 * D] = NAN;
    assert_int_equal(skv_frechet_distance(&f, D, &VECTORS(x, 5), &VECTORS(y, 5)), SKV_E_FORMAT);
    y[4 * D] = INFINITY;
    y[3 * D] = -INFINITY;
    assert_int_equal(skv_frechet_distance(&f, D, &VECTORS(x, 5), &VECTORS(y, 5)), SKV_E_FORMAT);
    assert_int_equal(skv_frechet_distance(&f, 2, &SUMS(zero, good), &SUMS(zero, bad)),
                     SKV_E_FORMAT);
    assert_int_equal(skv_frechet_distance(&f, 2, &SUMS(zero, good), &SUMS(far, good)),
                     SKV_E_FORMAT);
    free(x);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_dimension_is_the_textbook_s),
        cmocka_unit_test(matrices_that_commute_differ_by_their_roots),
        cmocka_unit_test(rank_one_has_the_scalar_product_as_its_root),
        cmocka_unit_test(no_spread_leaves_the_means_and_the_other_trace),
        cmocka_unit_test(features_and_moments_are_two_ways_to_one_distance),
        cmocka_unit_test(a_set_is_0_from_itself_and_never_below),
        cmocka_unit_test(a_shift_is_the_mean_term_alone),
        cmocka_unit_test(too_few_and_what_is_not_finite_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
