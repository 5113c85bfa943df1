/* Rows and groups keep their numbers as a run grows. */
#include "run/segments.h"

#include <string.h>

#include "cmocka_all.h"

/* 3 prompts, then 5, then 2 samples of each, in groups of 2. */
static skv_segments grown(void)
{
    skv_segments s = skv_segments_none(2);

    assert_int_equal(skv_segments_grow(&s, 3, 1), SKV_OK);
    assert_int_equal(skv_segments_grow(&s, 5, 1), SKV_OK);
    assert_int_equal(skv_segments_grow(&s, 5, 2), SKV_OK);
    return s;
}

static void rows_come_in_the_order_of_growth(void **state)
{
    static const int64_t of_row[10][2] = {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0},
                                          {0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}};
    const skv_segments s = grown();
    int64_t prompt, sample;

    (void)state;
    assert_int_equal(s.n, 3);
    assert_int_equal(s.n_rows, 10);
    for (int64_t row = 0; row < 10; row++) {
        skv_segments_of_row(&s, row, &prompt, &sample);
        assert_int_equal(prompt, of_row[row][0]);
        assert_int_equal(sample, of_row[row][1]);
        assert_int_equal(skv_segments_row(&s, prompt, sample), row);
    }
    assert_int_equal(skv_segments_row(&s, 5, 0), -1);
    assert_int_equal(skv_segments_row(&s, 0, 2), -1);
}

static void no_group_lies_in_two_segments(void **state)
{
    static const int64_t want[6][2] = {{0, 2}, {2, 1}, {3, 2}, {5, 2}, {7, 2}, {9, 1}};
    const skv_segments s = grown();

    (void)state;
    assert_int_equal(s.n_groups, 6);
    for (int64_t g = 0; g < 6; g++) {
        int64_t first;
        int n;

        skv_segments_group(&s, g, &first, &n);
        assert_int_equal(first, want[g][0]);
        assert_int_equal(n, want[g][1]);
        for (int i = 0; i < n; i++)
            assert_int_equal(skv_segments_group_of(&s, first + i), g);
    }
}

static void prompts_come_before_samples_where_both_grow(void **state)
{
    skv_segments s = skv_segments_none(4);

    (void)state;
    assert_int_equal(skv_segments_grow(&s, 2, 2), SKV_OK);
    assert_int_equal(skv_segments_grow(&s, 2, 2), SKV_OK);
    assert_int_equal(s.n, 1);
    assert_int_equal(skv_segments_grow(&s, 3, 4), SKV_OK);
    assert_int_equal(s.n, 3);
    assert_int_equal(s.n_rows, 12);
    assert_int_equal(skv_segments_row(&s, 1, 1), 3);
    assert_int_equal(skv_segments_row(&s, 2, 0), 4);
    assert_int_equal(skv_segments_row(&s, 0, 2), 6);
    assert_int_equal(skv_segments_row(&s, 2, 3), 11);
}

static void a_run_does_not_shrink(void **state)
{
    skv_segments s = grown();

    (void)state;
    assert_int_equal(skv_segments_grow(&s, 4, 2), SKV_E_ARG);
    assert_int_equal(skv_segments_grow(&s, 5, 1), SKV_E_ARG);
    assert_int_equal(skv_segments_grow(&s, (int64_t)1 << 40, 2), SKV_E_ARG);
    assert_int_equal(s.n_rows, 10);
}

static void more_segments_than_there_is_room_for_are_refused(void **state)
{
    skv_segments s = skv_segments_none(1);

    (void)state;
    for (int n = 1; n <= SKV_MAX_SEGMENTS; n++)
        assert_int_equal(skv_segments_grow(&s, n, 1), SKV_OK);
    assert_int_equal(skv_segments_grow(&s, SKV_MAX_SEGMENTS + 1, 1), SKV_E_ARG);
    assert_int_equal(s.n_rows, SKV_MAX_SEGMENTS);
}

static skv_status read_text(skv_segments *s, const char *text)
{
    json_t *list = json_loads(text, 0, NULL);
    const skv_status st = skv_segments_read(s, list, 2, "file");

    json_decref(list);
    return st;
}

static void what_is_written_is_read(void **state)
{
    const skv_segments s = grown();
    json_t *list = skv_segments_json(&s);
    skv_segments back;

    (void)state;
    assert_int_equal(skv_segments_read(&back, list, 2, "file"), SKV_OK);
    assert_memory_equal(&back, &s, sizeof s);
    json_decref(list);
}

static void lists_that_no_run_has_are_refused(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "[{}]",
        "[7]",
        "[{\"prompts\":0,\"samples\":1}]",
        "[{\"prompts\":3,\"samples\":0}]",
        "[{\"prompts\":-3,\"samples\":1}]",
        "[{\"prompts\":3,\"samples\":1},{\"prompts\":2,\"samples\":1}]",
        "[{\"prompts\":3,\"samples\":1},{\"prompts\":3,\"samples\":1}]",
        "[{\"prompts\":3,\"samples\":1},{\"prompts\":4,\"samples\":2}]",
        "[{\"prompts\":9223372036854775807,\"samples\":9223372036854775807}]"};
    skv_segments s;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(read_text(&s, bad[i]), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "file"));
    }
    assert_int_equal(read_text(&s, "[{\"prompts\":3,\"samples\":2}]"), SKV_OK);
    assert_int_equal(s.n_rows, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_in_the_order_of_growth),
        cmocka_unit_test(no_group_lies_in_two_segments),
        cmocka_unit_test(prompts_come_before_samples_where_both_grow),
        cmocka_unit_test(a_run_does_not_shrink),
        cmocka_unit_test(more_segments_than_there_is_room_for_are_refused),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(lists_that_no_run_has_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
