/* Failed rows by reason. */
#include "job/failed_rows.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "run/failed_list.h"
#include "temp_folder.h"

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

/* ------------------------------------------------------------------- before gathering */

/* What a rank notes of a group of two rows from `row` on; NULL: the row is done. */
static void note(const char *path, int64_t row, const char *first, const char *second)
{
    const int64_t rows[] = {row, row + 1};
    const int32_t status[] = {first ? SKV_E_FORMAT : 0, second ? SKV_E_FORMAT : 0};
    const char *const error[] = {first ? first : "", second ? second : ""};

    skv_failed_list_note(
        temp_folder(),
        &(skv_group_record){
            .path_name = path, .n_rows = 2, .row = rows, .status = status, .error = error});
}

static void assert_so_far(const char *want)
{
    skv_run_json json = {.paths = json_pack("{s:{}, s:{}}", "full", "scalekv-10"), .n_rows = 6};
    skv_failed_rows f;

    assert_int_equal(skv_failed_rows_so_far(&f, &json, temp_folder(), NULL), SKV_OK);
    skv_failed_rows_text(text, sizeof text, &f);
    assert_string_equal(text, want);
    skv_failed_rows_clear(&f);
    json_decref(json.paths);
}

/* As gather counts them: once, by the first path, others named. */
static void a_row_that_ranks_have_noted_counts_once(void **state)
{
    (void)state;
    assert_so_far("");
    note("full", 0, NULL, NULL);
    assert_int_equal(temp_count(), 0); /* nothing to note, no file */
    note("full", 0, "P.txt: line 1: the line is empty", NULL);
    note("scalekv-10", 0, "P.txt: line 1: the line is empty", NULL);
    note("full", 2, NULL, "P.txt: line 4: the line is empty");
    note("scalekv-10", 4, NULL, "not finite: text");
    note("scalekv-10", 6, "a row that the run does not have", NULL);
    assert_so_far("2 \"the line is empty\", 1 \"path scalekv-10: not finite: text\"");
}

static void lines_that_are_none_are_passed_over(void **state)
{
    static const char lines[] = "0 full a \x1b[31mred reason\n"
                                "\n-1 full no row\n1 ../full no path\nfull\n2\n"
                                "1 full cut by a ki";

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("failed")), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("failed/0-1-2.txt"), lines, sizeof lines - 1),
                     SKV_OK);
    assert_int_equal(skv_file_write(temp_path("failed/notes"), "3 full not ours\n", 16), SKV_OK);
    assert_so_far("1 \"a \x1b[31mred reason\"");
    note("full", 2, "two\nlines", NULL);
    assert_so_far("1 \"a \x1b[31mred reason\", 1 \"two\\nlines\"");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(a_row_that_ranks_have_noted_counts_once),
        CASE(lines_that_are_none_are_passed_over),
        cmocka_unit_test(a_reason_is_counted_wherever_its_row_was_read),
        cmocka_unit_test(what_looks_like_a_place_only_in_part_stays),
        cmocka_unit_test(the_most_frequent_come_first_and_the_rest_is_a_number),
        cmocka_unit_test(a_long_reason_or_little_room_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
