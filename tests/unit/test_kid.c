/* KID for what the recorded outputs do not cover: subsets, sets of two sizes, threads. */
#include "eval/metrics/kid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/rng.h"

#define D 8

static float *make_set(int64_t n, uint64_t seed, float shift)
{
    float *x = malloc((size_t)n * D * sizeof *x);

    assert_non_null(x);
    for (int64_t i = 0; i < n * D; i++)
        x[i] = skv_uniform(seed, 0, (uint32_t)(i / D), (uint32_t)(i % D)) + shift;
    return x;
}

static double kernel(const float *x, const float *y)
{
    double dot = 0;

    for (int i = 0; i < D; i++)
        dot += (double)x[i] * (double)y[i];
    return pow(dot / D + 1, 3);
}

/* The unbiased estimate over whole sets of m each, by its definition. */
static double whole(const float *x, const float *y, int64_t m)
{
    double within = 0, across = 0;

    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < m; j++) {
            if (i != j)
                within += kernel(x + i * D, x + j * D) + kernel(y + i * D, y + j * D);
            across += kernel(x + i * D, y + j * D);
        }
    return (within / (double)(m - 1) - 2 * across / (double)m) / (double)m;
}

static double kid_of(const float *x, int64_t n1, const float *y, int64_t n2, int threads)
{
    const skv_kid_sets sets = {.d = D, .x1 = x, .x2 = y, .n1 = n1, .n2 = n2};
    double kid;

    assert_int_equal(skv_kid(&kid, &sets, 0, threads), SKV_OK);
    return kid;
}

static void whole_sets_are_the_definition(void **state)
{
    float *x = make_set(50, 1, 0), *y = make_set(50, 2, 0.5F);

    (void)state;
    /* 2,500 terms near 4, in another order */
    assert_true(fabs(kid_of(x, 50, y, 50, 1) - whole(x, y, 50)) < 1e-11);
    assert_true(kid_of(x, 50, y, 50, 1) > 0.1);
    assert_true(kid_of(x, 50, x, 50, 1) < 0); /* the estimate is unbiased, not positive */
    free(x);
    free(y);
}

static void subsets_estimate_the_whole_and_no_thread_shows(void **state)
{
    float *x = make_set(1500, 1, 0), *y = make_set(1200, 2, 0.5F);
    const double all = whole(x, y, 1200), one = kid_of(x, 1500, y, 1200, 1);

    (void)state;
    assert_true(one == kid_of(x, 1500, y, 1200, 3));
    assert_true(fabs(one - all) < 0.05 * all); /* means of 100 subsets of 1,000 */
    assert_true(one != all);
    free(x);
    free(y);
}

/* KID of 1,000 vectors a side, `ones` of the first all 1 and the rest 0, the second all 2. */
static double of_ones(double ones)
{
    const double m = SKV_KID_SUBSET, share = ones / m;
    const double within = m * (m - 1) - ones * (ones - 1) + 8 * ones * (ones - 1);

    return within / (m * (m - 1)) + 125 - 2 * (1 - share + 27 * share);
}

static void every_subset_is_drawn_anew_and_from_the_whole_set(void **state)
{
    const double expected = 1000 / 3.0, step = of_ones(334) - of_ones(333);
    float *x = calloc(1500 * D, sizeof *x), *y = malloc(1000 * D * sizeof *y);
    double last = 0;

    (void)state;
    for (int i = 1000 * D; i < 1500 * D; i++)
        x[i] = 1; /* at the end, where the first 1,000 alone would miss them */
    for (int i = 0; i < 1000 * D; i++)
        y[i] = 2;
    for (uint64_t seed = 0; seed < 5; seed++) {
        const skv_kid_sets sets = {.d = D, .x1 = x, .x2 = y, .n1 = 1500, .n2 = 1000};
        double kid;

        assert_int_equal(skv_kid(&kid, &sets, seed, 2), SKV_OK);
        /* ones among 1,000 of 1,500: hypergeometric, deviation 8.6; of the mean of 100 subsets
         * 0.86, and four times that. One subset a hundred times would pass all 5 seeds in 0.3 %. */
        assert_true(fabs((kid - of_ones(expected)) / step) < 4 * 0.86);
        assert_true(kid != last);
        last = kid;
    }
    free(x);
    free(y);
}

static void one_vector_is_too_few(void **state)
{
    float *x = make_set(2, 1, 0);
    const skv_kid_sets sets = {.d = D, .x1 = x, .x2 = x, .n1 = 1, .n2 = 2};
    double kid;

    (void)state;
    assert_int_equal(skv_kid(&kid, &sets, 0, 1), SKV_E_ARG);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_sets_are_the_definition),
        cmocka_unit_test(subsets_estimate_the_whole_and_no_thread_shows),
        cmocka_unit_test(every_subset_is_drawn_anew_and_from_the_whole_set),
        cmocka_unit_test(one_vector_is_too_few),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
