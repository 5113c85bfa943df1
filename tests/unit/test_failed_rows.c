/* Failed rows by reason. */
#include "job/failed_rows.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

static char text[640];

static void add(skv_failed_rows *f, const char *error, int64_t n)
{
    assert_int_equal(skv_failed_rows_add(f, error, n), SKV_OK);
}

static void a_reason_is_counted_wherever_its_row_was_read(void **state)
{
    skv_failed_rows f = {0};

    (void)state;
    add(&f, "a b/P.txt: line 3: the line is empty", 1);
    add(&f, "not finite: text", 1);
    add(&f, "a b/P.txt: line 70: the line is empty", 2);
    skv_failed_rows_text(text, sizeof text, &f);
    assert_string_equal(text, "3 \"the line is empty\", 1 \"not finite: text\"");
    assert_int_equal(f.n, 4);
    skv_failed_rows_clear(&f);
}

static void what_looks_like_a_place_only_in_part_stays(void **state)
{
    static const char *const errors[] = {
        "not finite: logits of scale 7", "x: line 7",   "x: line: y",  "x: 7: y",
        "path full: not finite: text",   "x: line 7 y", "x:line 7: y", ""};

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        skv_failed_rows f = {0};
        char want[128];

        snprintf(want, sizeof want, "1 \"%s\"", errors[i]);
        add(&f, errors[i], 1);
        skv_failed_rows_text(text, sizeof text, &f);
        assert_string_equal(text, want);
        skv_failed_rows_clear(&f);
    }
}

static void the_most_frequent_come_first_and_the_rest_is_a_number(void **state)
{
    skv_failed_rows f = {0};
    char reason[16];

    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(reason, sizeof reason, "r%d", i);
        add(&f, reason, i == 20 ? 9 : i == 30 ? 8 : 1);
    }
    skv_failed_rows_text(text, sizeof text, &f);
    assert_string_equal(text, "9 \"r20\", 8 \"r30\", 1 \"r0\", 1 \"r1\", 36 for other reasons");
    skv_failed_rows_clear(&f);
}

static void a_long_reason_or_little_room_is_cut(void **state)
{
    skv_failed_rows f = {0};
    char reason[1000], little[16];

    (void)state;
    memset(reason, 'x', sizeof reason);
    reason[sizeof reason - 1] = '\0';
    add(&f, reason, 1);
    add(&f, "y", 1);
    skv_failed_rows_text(text, sizeof text, &f);
    assert_non_null(strstr(text, "1 \"y\""));
    skv_failed_rows_text(little, sizeof little, &f);
    assert_int_equal(strlen(little), sizeof little - 1);
    skv_failed_rows_clear(&f);
    skv_failed_rows_text(text, sizeof text, &f);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reason_is_counted_wherever_its_row_was_read),
        cmocka_unit_test(what_looks_like_a_place_only_in_part_stays),
        cmocka_unit_test(the_most_frequent_come_first_and_the_rest_is_a_number),
        cmocka_unit_test(a_long_reason_or_little_room_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
