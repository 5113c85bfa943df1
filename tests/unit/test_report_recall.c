/* Recall of metrics.json in the report. */
#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "eval/report/report.h"
#include "read_page.h"
#include "temp_folder.h"
#include "write_run.h"

static const test_run run = {
    .n_paths = 2,
    .path = {{"full", "full", "1111222233334444", -1}, {"half-50", "half", "aaaa", 7}}};

static const char good[] = "[[1, 1], [1, 0.5], [0.25, 1], [1, 0.75]]";

static void write_pictures(const char *rows, const char *by_picture)
{
    char text[512];

    snprintf(text, sizeof text,
             "{\"recall\": {\"pictures\": 3, \"rows\": %s, \"paths\": [{\"name\": \"half-50\", "
             "\"digest\": \"aaaa\", \"mean\": 0.75, \"by_picture\": %s, "
             "\"by_scale_and_layer\": %s}]}}",
             rows, by_picture, good);
    assert_int_equal(skv_file_write(temp_path("metrics.json"), text, strlen(text)), SKV_OK);
}

static void write_recall(const char *digest, const char *mean, const char *table)
{
    char text[512];

    snprintf(text, sizeof text,
             "{\"recall\": {\"pictures\": 3, \"paths\": [{\"name\": \"half-50\", \"digest\": "
             "\"%s\", \"mean\": %s, \"by_scale_and_layer\": %s}]}}",
             digest, mean, table);
    assert_int_equal(skv_file_write(temp_path("metrics.json"), text, strlen(text)), SKV_OK);
}

static void recall_of_the_runs_paths_is_in_the_page(void **state)
{
    json_t *d;

    (void)state;
    write_run(&run);
    write_recall("aaaa", "0.75", good);
    d = report();
    assert_number(d, "recall/pictures", 3);
    assert_unknown(d, "recall/paths/0");
    assert_number(d, "recall/paths/1/mean", 0.75);
    assert_number(d, "recall/paths/1/table/2/0", 0.25);
    json_decref(d);
}

/* Of the pictures that were looked at, by the report's one bootstrap: their mean, bounds between
 * the least and the largest; of one prompt none. */
static void recall_has_an_interval_over_its_pictures(void **state)
{
    json_t *d;

    (void)state;
    write_run(&run);
    write_pictures("[0, 2, 3]", "[0.5, 0.75, 1]");
    d = report();
    assert_number(d, "recall/paths/1/interval/0", 0.75);
    assert_number(d, "recall/paths/1/interval/1", 0.5);
    assert_number(d, "recall/paths/1/interval/2", 1);
    assert_unknown(d, "recall/paths/1/less");
    json_decref(d);
    write_pictures("[2]", "[0.75]");
    d = report();
    assert_unknown(d, "recall/paths/1/interval");
    json_decref(d);
}

static void pictures_that_are_not_the_runs_are_refused(void **state)
{
    static const char *const rows[] = {"[0, 1, 1000000]", "[0, -1, 2]", "[0, 1]", "[0, 1.5, 2]"};

    (void)state;
    write_run(&run);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_pictures(rows[i], "[0.5, 0.75, 1]");
        assert_int_equal(skv_report_write(temp_folder()), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "metrics.json"));
    }
}

static void recall_of_other_pictures_is_left_out(void **state)
{
    json_t *d;

    (void)state;
    write_run(&run);
    write_recall("of older pictures", "0.75", good);
    d = report();
    assert_null(json_object_get(d, "recall"));
    json_decref(d);
}

static void recall_that_is_none_is_refused(void **state)
{
    static const char *const tables[] = {"null",
                                         "[]",
                                         "[[1, 1], [1, 1], [1, 1]]",
                                         "[[1, 1], [1, 1], [1, 1], [1]]",
                                         "[[1, 1], [1, 1], [1, 1], [1, \"1\"]]",
                                         "{\"0\": [1, 1]}"};
    static const char *const others[] = {"{\"recall\": 1}", "{\"recall\": {\"paths\": []}}",
                                         "{\"recall\": {\"pictures\": 1, \"paths\": {}}}"};

    (void)state;
    write_run(&run);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        write_recall("aaaa", "0.75", tables[i]);
        assert_int_equal(skv_report_write(temp_folder()), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "no table of 4 scales and 2 layers"));
    }
    write_recall("aaaa", "null", good);
    assert_int_equal(skv_report_write(temp_folder()), SKV_E_FORMAT);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(skv_file_write(temp_path("metrics.json"), others[i], strlen(others[i])),
                         SKV_OK);
        assert_int_equal(skv_report_write(temp_folder()), SKV_E_FORMAT);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {CASE(recall_of_the_runs_paths_is_in_the_page),
                                       CASE(recall_has_an_interval_over_its_pictures),
                                       CASE(pictures_that_are_not_the_runs_are_refused),
                                       CASE(recall_of_other_pictures_is_left_out),
                                       CASE(recall_that_is_none_is_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
