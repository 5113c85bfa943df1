#include "calibrate/drafter_choice.h"

#include "cmocka_all.h"

#define LAYERS 4
#define SCALES 4

/* Ranked from scale 2 on; scale 1 has the lowest scores of all. */
static const skv_asi asi = {.layers = LAYERS,
                            .scales = SCALES,
                            .z = {{0}, {-9, -9, -9, -9}, {-2, 0, 1, 1}, {-2, -1, 1, 2}}};

static skv_drafters choose(skv_draft_rule rule, int count)
{
    skv_drafters set;

    assert_int_equal(skv_drafters_choose(&set, &asi, &(skv_draft_choice){rule, count, 2}), SKV_OK);
    assert_int_equal(set.layers[0], 0); /* scale 1 is not ranked */
    return set;
}

static void a_pair_counts_for_the_cut_before_its_scale(void **state)
{
    const skv_drafters set = choose(SKV_DRAFT_COUNT, 3);

    (void)state;
    assert_int_equal(set.layers[1], 1);
    assert_int_equal(set.layers[2], 3);
}

static void of_equal_scores_the_smaller_scale_and_layer_come_first(void **state)
{
    const skv_drafters one = choose(SKV_DRAFT_COUNT, 1), five = choose(SKV_DRAFT_COUNT, 5);

    (void)state;
    assert_int_equal(one.layers[1], 1); /* -2 at both scales */
    assert_int_equal(one.layers[2], 0);
    assert_int_equal(five.layers[1], 7); /* of three pairs with 1, scale 2's layer 2 */
    assert_int_equal(five.layers[2], 3);
}

static void the_gap_is_sought_in_the_lower_half(void **state)
{
    const skv_drafters set = choose(SKV_DRAFT_GAP, 0);

    (void)state; /* -2 -2 | -1 0 1 1 1 2: the first of equal gaps */
    assert_int_equal(set.layers[1], 1);
    assert_int_equal(set.layers[2], 1);
}

static void whole_layers_are_drafters_at_every_scale(void **state)
{
    const skv_drafters two = choose(SKV_DRAFT_LAYERS, 2), gap = choose(SKV_DRAFT_LAYERS, 0);

    (void)state;
    assert_int_equal(two.layers[1], 3);
    assert_int_equal(two.layers[2], 3);
    assert_int_equal(gap.layers[1], 1); /* means -2 | -0.5, 1, 1.5 */
    assert_int_equal(gap.layers[2], 1);
}

static void more_than_there_are_is_refused(void **state)
{
    skv_drafters set;

    (void)state;
    assert_int_equal(skv_drafters_choose(&set, &asi, &(skv_draft_choice){SKV_DRAFT_COUNT, 9, 2}),
                     SKV_E_ARG);
    assert_string_equal(skv_message(),
                        "--drafter-count 9: there are 8 pairs of a layer and a scale");
    assert_int_equal(skv_drafters_choose(&set, &asi, &(skv_draft_choice){SKV_DRAFT_LAYERS, 5, 2}),
                     SKV_E_ARG);
}

static void overlap_is_what_both_have_of_what_either_has(void **state)
{
    const skv_drafters a = choose(SKV_DRAFT_COUNT, 3), b = choose(SKV_DRAFT_LAYERS, 2);
    const skv_drafters none = {{0}};

    (void)state;
    assert_int_equal(skv_drafters_count(&b, 2, SCALES), 4);
    assert_true(skv_drafters_overlap(&a, &b, 2, SCALES) == 0.75);
    assert_true(skv_drafters_overlap(&a, &none, 2, SCALES) == 0);
    assert_true(skv_drafters_overlap(&none, &none, 2, SCALES) == 1);
}

/* Where the released tables have their first rows: 265, 650 and 1300 tokens begin with "Scale 8",
 * 9 and 10 of the square 1M schedule. */
static void the_first_scale_on_a_cut_cache_is_that_of_the_first_row(void **state)
{
    skv_schedule s;

    (void)state;
    assert_int_equal(skv_schedule_make(&s, 1, "1M"), SKV_OK);
    assert_int_equal(skv_first_on_cut(&s, 265) + 1, 8);
    assert_int_equal(skv_first_on_cut(&s, 650) + 1, 9);
    assert_int_equal(skv_first_on_cut(&s, 1300) + 1, 10);
    assert_int_equal(skv_first_on_cut(&s, 6425), s.n_scales);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_counts_for_the_cut_before_its_scale),
        cmocka_unit_test(of_equal_scores_the_smaller_scale_and_layer_come_first),
        cmocka_unit_test(the_gap_is_sought_in_the_lower_half),
        cmocka_unit_test(whole_layers_are_drafters_at_every_scale),
        cmocka_unit_test(more_than_there_are_is_refused),
        cmocka_unit_test(overlap_is_what_both_have_of_what_either_has),
        cmocka_unit_test(the_first_scale_on_a_cut_cache_is_that_of_the_first_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
