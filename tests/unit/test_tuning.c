/* The table of choices, the text of a choice, and the rules of measuring. */
#include "kernels/tuning.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

static void an_entry_replaces_the_older_one_of_its_key(void **state)
{
    skv_tuning t = {.measuring = false};
    char key[32], choice[32];

    (void)state;
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "shape %d", i % 100);
        snprintf(choice, sizeof choice, "id=%d", i);
        assert_int_equal(skv_tuning_set(&t, key, choice), SKV_OK);
    }
    assert_int_equal(t.n, 100);
    assert_string_equal(skv_tuning_find(&t, "shape 0"), "id=100");
    assert_string_equal(skv_tuning_find(&t, "shape 99"), "id=199");
    assert_null(skv_tuning_find(&t, "shape 100"));
    skv_tuning_clear(&t);
    assert_null(skv_tuning_find(&t, "shape 0"));
}

static void what_is_too_long_is_refused(void **state)
{
    skv_tuning t = {.measuring = false};
    char key[SKV_TUNING_KEY + 1], choice[SKV_TUNING_CHOICE + 1];

    (void)state;
    memset(key, 'x', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    memset(choice, 'x', sizeof choice - 1);
    choice[sizeof choice - 1] = '\0';
    assert_int_equal(skv_tuning_set(&t, key, "id=1"), SKV_E_ARG);
    assert_int_equal(skv_tuning_set(&t, "a", choice), SKV_E_ARG);
    assert_int_equal(skv_tuning_skip(&t, key, "id=1"), SKV_E_ARG);
    assert_int_equal(t.n + t.n_skipped, 0);
    key[SKV_TUNING_KEY - 1] = choice[SKV_TUNING_CHOICE - 1] = '\0';
    assert_int_equal(skv_tuning_set(&t, key, choice), SKV_OK);
    assert_string_equal(skv_tuning_find(&t, key), choice);
    skv_tuning_clear(&t);
}

static void what_was_measured_and_met_is_told_apart(void **state)
{
    skv_tuning t = {.measuring = false};

    (void)state;
    assert_int_equal(skv_tuning_set(&t, "read, not met", "id=1"), SKV_OK);
    assert_int_equal(skv_tuning_set(&t, "read and met", "id=2"), SKV_OK);
    t.measuring = true;
    assert_int_equal(skv_tuning_set(&t, "measured", "id=3"), SKV_OK);
    assert_non_null(skv_tuning_find(&t, "read and met"));
    assert_int_equal(skv_tuning_measured(&t), 1);
    skv_tuning_drop_unused(&t);
    assert_int_equal(t.n, 2);
    assert_null(skv_tuning_find(&t, "read, not met"));
    assert_string_equal(skv_tuning_find(&t, "read and met"), "id=2");
    assert_string_equal(skv_tuning_find(&t, "measured"), "id=3");
    skv_tuning_clear(&t);
}

static void told(void *ctx, const char *key, const char *choice)
{
    snprintf(ctx, 64, "%s by %s", key, choice);
}

static void what_is_skipped_is_not_tried(void **state)
{
    char last[64] = "";
    skv_tuning t = {.trying = told, .trying_ctx = last};

    (void)state;
    assert_int_equal(skv_tuning_skip(&t, "a", "id=2"), SKV_OK);
    assert_true(skv_tuning_try(&t, "a", "id=1"));
    assert_string_equal(last, "a by id=1");
    assert_false(skv_tuning_try(&t, "a", "id=2"));
    assert_string_equal(last, "a by id=1");
    assert_true(skv_tuning_try(&t, "b", "id=2"));
    assert_string_equal(last, "b by id=2");
    skv_tuning_clear(&t);
    assert_true(skv_tuning_try(&t, "a", "id=2"));
}

static void a_choice_gives_back_its_numbers(void **state)
{
    char choice[SKV_TUNING_CHOICE] = "";
    int64_t v = 7;

    (void)state;
    assert_int_equal(skv_choice_add(choice, "id", 66), SKV_OK);
    assert_int_equal(skv_choice_add(choice, "k2", INT64_MIN), SKV_OK);
    assert_int_equal(skv_choice_add(choice, "k21", INT64_MAX), SKV_OK);
    assert_string_equal(choice, "id=66 k2=-9223372036854775808 k21=9223372036854775807");
    assert_true(skv_choice_get(&v, choice, "id") && v == 66);
    assert_true(skv_choice_get(&v, choice, "k2") && v == INT64_MIN);
    assert_true(skv_choice_get(&v, choice, "k21") && v == INT64_MAX);
    assert_false(skv_choice_get(&v, choice, "k"));
    assert_false(skv_choice_get(&v, choice, "1"));
    assert_false(skv_choice_get(&v, "", "id"));
    assert_false(skv_choice_get(&v, "id=", "id"));
    assert_false(skv_choice_get(&v, "id=12x", "id"));
}

static void a_choice_that_is_full_stays_as_it_is(void **state)
{
    char choice[SKV_TUNING_CHOICE] = "", before[SKV_TUNING_CHOICE];
    int n = 0;

    (void)state;
    do
        strcpy(before, choice);
    while (skv_choice_add(choice, "number", n++) == SKV_OK);
    assert_string_equal(choice, before);
    assert_true(n > 30 && strlen(choice) < SKV_TUNING_CHOICE);
}

static void the_fastest_that_counts_is_found(void **state)
{
    const float ms[] = {-1, 3, 0.5f, -1, 0.5f, 2};

    (void)state;
    assert_int_equal(skv_tuning_fastest(ms, 6), 2);
    assert_int_equal(skv_tuning_fastest(ms, 2), 1);
    assert_int_equal(skv_tuning_fastest(ms, 1), -1);
    assert_int_equal(skv_tuning_fastest(ms, 0), -1);
}

static void a_candidate_is_given_up_at_one_and_a_half_times_the_best(void **state)
{
    (void)state;
    assert_false(skv_tuning_is_slow(1000, -1));
    assert_false(skv_tuning_is_slow(1.5f, 1));
    assert_true(skv_tuning_is_slow(1.51f, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_replaces_the_older_one_of_its_key),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(what_was_measured_and_met_is_told_apart),
        cmocka_unit_test(what_is_skipped_is_not_tried),
        cmocka_unit_test(a_choice_gives_back_its_numbers),
        cmocka_unit_test(a_choice_that_is_full_stays_as_it_is),
        cmocka_unit_test(the_fastest_that_counts_is_found),
        cmocka_unit_test(a_candidate_is_given_up_at_one_and_a_half_times_the_best),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
