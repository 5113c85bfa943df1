/* Time for one more group. */
#include "job/pace.h"

#include "cmocka_all.h"

#define HOUR 3600.0

static void without_a_limit_there_is_always_time(void **state)
{
    skv_pace p;

    (void)state;
    skv_pace_start(&p, 0, 1000000, INT64_MAX);
    skv_pace_add(&p, 1e9);
    assert_true(skv_pace_allows(&p, 1e12));
}

static void the_median_and_a_quarter_more_must_fit(void **state)
{
    const double seconds[] = {100, 1, 100, 100, 2000};
    skv_pace p;

    (void)state;
    skv_pace_start(&p, 1, 0, 0);
    assert_true(skv_pace_allows(&p, HOUR)); /* nothing known */
    assert_false(skv_pace_allows(&p, HOUR + 1));
    for (int i = 0; i < 5; i++)
        skv_pace_add(&p, seconds[i]);
    assert_true(skv_pace_allows(&p, HOUR - 125));
    assert_false(skv_pace_allows(&p, HOUR - 124));
}

static void old_groups_are_forgotten(void **state)
{
    skv_pace p;

    (void)state;
    skv_pace_start(&p, 1, 0, 0);
    for (int i = 0; i < 100; i++)
        skv_pace_add(&p, 1000);
    for (int i = 0; i < SKV_PACE_GROUPS; i++)
        skv_pace_add(&p, 4);
    assert_true(skv_pace_allows(&p, HOUR - 5));
    assert_false(skv_pace_allows(&p, HOUR - 4));
}

static void gather_keeps_time_but_never_all_of_it(void **state)
{
    skv_pace p;

    (void)state;
    skv_pace_start(&p, 1, 1000, 2000000000); /* 10 s and 10 s */
    assert_true(skv_pace_allows(&p, HOUR - 20));
    assert_false(skv_pace_allows(&p, HOUR - 19));
    skv_pace_start(&p, 1, 100000000, 0);
    assert_true(skv_pace_allows(&p, 0.75 * HOUR));
    assert_false(skv_pace_allows(&p, 0.75 * HOUR + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_there_is_always_time),
        cmocka_unit_test(the_median_and_a_quarter_more_must_fit),
        cmocka_unit_test(old_groups_are_forgotten),
        cmocka_unit_test(gather_keeps_time_but_never_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
