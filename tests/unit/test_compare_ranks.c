/* How ranks that do not agree are named. */
#include "job/compare_ranks.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

static char text[SKV_DIFFERENCE_BYTES];

static void ranks_that_say_the_same_do_not_differ(void **state)
{
    const skv_rank_says says[] = {{"a", "x"}, {"b", "x"}, {"b", "x"}};

    (void)state;
    strcpy(text, "untouched");
    for (int n = 1; n <= 3; n++)
        assert_false(skv_ranks_differ(text, "--seed", says, n));
    assert_string_equal(text, "untouched");
}

static void neighbours_of_one_host_are_one_span(void **state)
{
    const skv_rank_says says[] = {{"a", "0"}, {"b", "5"}, {"b", "5"}, {"b", "5"}};

    (void)state;
    assert_true(skv_ranks_differ(text, "--seed", says, 4));
    assert_string_equal(text, "ranks do not agree on --seed: rank 0 (a): 0; ranks 1-3 (b): 5");
}

static void a_value_is_said_once_however_its_ranks_lie(void **state)
{
    const skv_rank_says says[] = {{"a", "x"}, {"a", "y"}, {"a", "x"}, {"b", "x"}};

    (void)state;
    assert_true(skv_ranks_differ(text, "the device", says, 4));
    assert_string_equal(text, "ranks do not agree on the device: rank 0 (a), rank 2 (a), rank 3 "
                              "(b): x; rank 1 (a): y");
}

static void many_ranks_and_values_are_counted_not_listed(void **state)
{
    skv_rank_says says[64];
    char value[64][16];

    (void)state;
    for (int r = 0; r < 64; r++) {
        snprintf(value[r], sizeof value[r], "%d", r % 2 ? r : 0);
        says[r] = (skv_rank_says){"a", value[r]};
    }
    assert_true(skv_ranks_differ(text, "--seed", says, 64));
    assert_string_equal(text, "ranks do not agree on --seed: rank 0 (a), rank 2 (a), rank 4 (a), "
                              "rank 6 (a) and 28 more: 0; rank 1 (a): 1; rank 3 (a): 3; rank 5 "
                              "(a): 5; others say 29 other things");
}

static void long_values_do_not_hide_the_ranks_that_follow(void **state)
{
    char value[4096], host[300];
    skv_rank_says says[] = {{host, value}, {"b", "y"}};

    (void)state;
    memset(value, 'x', sizeof value);
    value[sizeof value - 1] = '\0';
    memset(host, 'h', sizeof host);
    host[sizeof host - 1] = '\0';
    assert_true(skv_ranks_differ(text, "--note", says, 2));
    assert_true(strlen(text) < sizeof text);
    assert_non_null(strstr(text, "; rank 1 (b): y"));
}

static void facts_are_copied_in_order(void **state)
{
    skv_facts f = {0};
    char word[16];

    (void)state;
    for (int i = 0; i < 200; i++) {
        snprintf(word, sizeof word, "%d", i);
        assert_int_equal(skv_facts_add(&f, word, "v"), SKV_OK);
    }
    assert_int_equal(f.n, 200);
    assert_string_equal(f.fact[0].what, "0");
    assert_string_equal(f.fact[199].what, "199");
    skv_facts_clear(&f);
    assert_int_equal(f.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_that_say_the_same_do_not_differ),
        cmocka_unit_test(neighbours_of_one_host_are_one_span),
        cmocka_unit_test(a_value_is_said_once_however_its_ranks_lie),
        cmocka_unit_test(many_ranks_and_values_are_counted_not_listed),
        cmocka_unit_test(long_values_do_not_hide_the_ranks_that_follow),
        cmocka_unit_test(facts_are_copied_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
