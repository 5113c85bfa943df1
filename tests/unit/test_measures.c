#include "calibrate/measures.h"

#include <stdlib.h>

#include "cmocka_all.h"

static void tops_are_numbers_and_shares(void **state)
{
    skv_measures m = {.schedule = {.n_scales = 4, .start = {0, 1, 150, 6425, 10521}}};

    (void)state;
    assert_int_equal(skv_tops_parse(&m, "64,1%,2.5%"), SKV_OK);
    assert_int_equal(m.n_tops, 3);
    assert_string_equal(m.top[1].name, "1%");
    assert_int_equal(skv_measures_top(&m, 0, 1), 64);
    assert_int_equal(skv_measures_top(&m, 1, 0), 1); /* at least one */
    assert_int_equal(skv_measures_top(&m, 1, 2), 2); /* 1.5: half up */
    assert_int_equal(skv_measures_top(&m, 1, 3), 64);
    assert_int_equal(skv_measures_top(&m, 2, 3), 161);
}

static void bad_tops_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "0",
                                      "-1",
                                      "1.5",
                                      "101%",
                                      "64,",
                                      "64,64",
                                      "1 %",
                                      "1%%",
                                      "x",
                                      "1e300",
                                      "nan",
                                      "%",
                                      "1,2,3,4,5,6,7,8,9",
                                      "12345678901234567890"};
    skv_measures m = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (skv_tops_parse(&m, bad[i]) != SKV_E_ARG)
            fail_msg("--top \"%s\" was taken", bad[i]);
}

/* Two pictures of one layer, two heads, two scales, one K': columns mass 0, mass 1, top, share,
 * entropy, variance. */
static void pictures_are_summed_and_kept_in_brief(void **state)
{
    const skv_measures m = {
        .schedule = {.n_scales = 2}, .kinds = 1, .layers = 1, .heads = 2, .n_tops = 1};
    double figures[24] = {0}, heat[4];
    skv_calibration c;

    (void)state;
    assert_int_equal(skv_figures(&m), 24);
    assert_int_equal(skv_calibration_init(&c, &m), SKV_OK);
    for (int row = 3; row < 5; row++) {
        for (int h = 0; h < 2; h++) { /* at scale 1 */
            double *head = figures + skv_figures_at(&m, 0, 1, 0, h);

            head[0] = 0.25 + 0.25 * h;
            head[1] = 0.75 - 0.25 * h;
            head[skv_column_top(&m)] = 0.125 * row;
            head[skv_column_share(&m)] = h;
        }
        assert_int_equal(skv_calibration_add(&c, row, figures), SKV_OK);
    }
    assert_int_equal(c.n, 2);
    assert_int_equal(c.row[1], 4);
    assert_true(c.sum[skv_figures_at(&m, 0, 1, 0, 1)] == 1.0);
    assert_true(c.brief[skv_briefs_at(&m, 0, 1, 0)] == 0.625);
    assert_true(c.brief[skv_briefs(&m) + skv_briefs_at(&m, 0, 1, 0) + 1] == 0.5);
    assert_true(c.brief[skv_briefs_at(&m, 0, 1, 0) + 2] == 0.5);
    skv_calibration_heat(&c, heat);
    assert_true(heat[0] == 0.25 && heat[1] == 0.5 && heat[2] == 0 && heat[3] == 0);
    skv_calibration_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tops_are_numbers_and_shares),
        cmocka_unit_test(bad_tops_are_refused),
        cmocka_unit_test(pictures_are_summed_and_kept_in_brief),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
