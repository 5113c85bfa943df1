#include "model/rope.h"

#include <math.h>
#include <stdlib.h>

#include "cmocka_all.h"

static void positions_round_halves_to_even(void **state)
{
    (void)state;
    /* 2 rows on 5 cells: 1·2.5 = 2.5 -> 2; 2 on 3: 1.5 -> 2; 4 on 6: 1·1.5 -> 2, 3·1.5 = 4.5 -> 4
     */
    assert_int_equal(skv_rope_position(1, 2, 5), 2);
    assert_int_equal(skv_rope_position(1, 2, 3), 2);
    assert_int_equal(skv_rope_position(1, 4, 6), 2);
    assert_int_equal(skv_rope_position(3, 4, 6), 4);
}

static void the_last_scale_lies_on_the_grid_itself(void **state)
{
    (void)state;
    for (int i = 0; i < 111; i++)
        assert_int_equal(skv_rope_position(i, 111, 111), i);
}

static void angles_follow_the_formula(void **state)
{
    const int dim = 32, half = dim / 2;
    skv_schedule s;
    float *table;

    (void)state;
    assert_int_equal(skv_schedule_make(&s, 2.0, "1M"), SKV_OK);
    table = malloc((size_t)skv_schedule_tokens(&s, 5) * (size_t)dim * sizeof *table);
    assert_non_null(table);
    skv_rope_fill(table, &s, 5, dim);
    for (int r = 0; r < s.h[5]; r++)
        for (int c = 0; c < s.w[5]; c++)
            for (int i = 0; i < half; i++) {
                const float *pair = table + (size_t)(r * s.w[5] + c) * (size_t)dim + 2 * i;
                int y = i < half / 2;
                int p = y ? skv_rope_position(r, s.h[5], 90) : skv_rope_position(c, s.w[5], 45);
                double angle = p * pow(10000.0, -2.0 * (i % (half / 2)) / half);

                /* fp32 angles to 90 carry 4e-6 */
                assert_true(fabs(pair[0] - cos(angle)) < 1e-5);
                assert_true(fabs(pair[1] - sin(angle)) < 1e-5);
            }
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_round_halves_to_even),
        cmocka_unit_test(the_last_scale_lies_on_the_grid_itself),
        cmocka_unit_test(angles_follow_the_formula),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
