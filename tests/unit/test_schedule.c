#include "arch/schedule.h"

#include <string.h>

#include "cmocka_all.h"

static void square_1m_has_the_published_token_counts(void **state)
{
    skv_schedule s;

    (void)state;
    assert_int_equal(skv_schedule_make(&s, 1.0, "1M"), SKV_OK);
    assert_int_equal(s.n_scales, 13);
    assert_int_equal(s.start[13], 10521); /* spec: 10,521 tokens, 6,425 before the last scale */
    assert_int_equal(skv_schedule_history(&s), 6425);
    assert_int_equal(s.rope_h, 64);
}

static void resolutions_are_prefixes_on_the_same_rope_grid(void **state)
{
    static const struct {
        const char *name;
        int n;
    } known[] = {{"0.06M", 7}, {"0.25M", 10}, {"0.60M", 12}, {"1M", 13}};
    skv_schedule full, s;

    (void)state;
    assert_int_equal(skv_schedule_make(&full, 1.75, "1M"), SKV_OK);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_int_equal(skv_schedule_make(&s, 1.75, known[i].name), SKV_OK);
        assert_int_equal(s.n_scales, known[i].n);
        assert_int_equal(s.rope_h, full.rope_h);
        for (int si = 0; si < s.n_scales; si++)
            assert_true(s.h[si] == full.h[si] && s.w[si] == full.w[si]);
    }
}

static void ratios_below_one_are_the_transposes(void **state)
{
    static const double ratios[] = {1.25, 1.333, 1.5, 1.75, 2, 2.5, 3};
    skv_schedule tall, wide;

    (void)state;
    for (size_t i = 0; i < sizeof ratios / sizeof ratios[0]; i++) {
        assert_int_equal(skv_schedule_make(&tall, ratios[i], "1M"), SKV_OK);
        assert_int_equal(skv_schedule_make(&wide, 1.0 / ratios[i], "1M"), SKV_OK);
        for (int si = 0; si < 13; si++) {
            assert_int_equal(tall.h[si], wide.w[si]);
            assert_int_equal(tall.w[si], wide.h[si]);
        }
        assert_int_equal(tall.rope_h, wide.rope_w);
    }
    assert_int_equal(skv_schedule_make(&wide, 0.666, "1M"), SKV_OK);
    assert_int_equal(wide.h[4], 6);
    assert_int_equal(wide.w[4], 9);
    assert_int_equal(skv_schedule_make(&tall, 4.0 / 3.0, "1M"), SKV_OK);
    assert_int_equal(tall.h[4], 12);
}

static void unknown_ratios_and_resolutions_are_refused_by_value(void **state)
{
    skv_schedule s;

    (void)state;
    assert_int_equal(skv_schedule_make(&s, 1.4, "1M"), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "1.4"));
    assert_int_equal(skv_schedule_make(&s, 1.0, "2M"), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "2M"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(square_1m_has_the_published_token_counts),
        cmocka_unit_test(resolutions_are_prefixes_on_the_same_rope_grid),
        cmocka_unit_test(ratios_below_one_are_the_transposes),
        cmocka_unit_test(unknown_ratios_and_resolutions_are_refused_by_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
