/* The report from small files: the JSON inside the page is right, says what was left out, and no
 * text of a file becomes markup. What the page makes of it is tested in a browser (tests/report).
 */
#include "eval/report/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "read_page.h"
#include "temp_folder.h"
#include "write_run.h"

#define PATH_DIGEST "aaaabbbbccccdddd"

static const test_run two_paths = {
    .n_paths = 2,
    .path = {{"full", "full", "1111222233334444", -1}, {"half-50", "half", PATH_DIGEST, 7}}};

static const test_metrics four_pairs = {.networks = "files",
                                        .n_rows = 4,
                                        .n_results = 1,
                                        .result = {{.path = "half-50",
                                                    .digest = PATH_DIGEST,
                                                    .psnr = {21.5, 24.25, 18.75, 20},
                                                    .psnr_mean = 21.125,
                                                    .psnr_mean_finite = 21.125,
                                                    .fid = 12.34,
                                                    .n_pairs = 4}}};

static int count(const char *text, const char *what)
{
    int n = 0;

    for (const char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

/* Of the metrics of write_run.c. */
#define PSNR  "result/values/0"
#define LPIPS "result/values/1"
#define FID   "result/values/2"
#define BITS  "result/values/3"

static void numbers_of_both_files_are_in_the_page(void **state)
{
    json_t *d;

    (void)state;
    write_run(&two_paths);
    write_metrics(&four_pairs);
    d = report();
    assert_text(d, "metrics_file", "read");
    assert_text(d, "metrics/0/name", "psnr");
    assert_size(d, "metrics", 5); /* in the order they say, the means by scale with their metric */
    assert_text(d, "metrics/0/units", "dB");
    assert_text(d, "metrics/1/better", "lower");
    assert_text(d, "metrics/2/title", "FID");
    assert_text(d, "metrics/3/kind", "scale");
    assert_true(json_is_true(at(d, "metrics/3/percent")));
    assert_text(d, "metrics/4/name", "new_one");
    assert_true(json_is_false(at(d, "metrics/1/formula")));
    assert_text(d, "paths/1/name", "half-50");
    assert_text(d, "paths/1/settings/policy", "half");
    assert_number(d, "paths/0/length/2/1", 14);
    assert_number(d, "paths/1/length/2/1", 7);
    assert_number(d, "paths/1/capacity/0/0", 7);
    assert_number(d, "paths/1/bytes/2/1", 7.0 * 1048576);
    assert_number(d, "paths/1/kept/2", 7);
    assert_number(d, "paths/1/pool_bytes", 77.0 * 1048576);
    assert_unknown(d, "paths/0/result");
    assert_number(d, "paths/1/" PSNR "/all", 21.125);
    assert_number(d, "paths/1/" PSNR "/rows/2", 18.75);
    assert_number(d, "paths/1/" LPIPS "/rows/3", 0.05);
    assert_number(d, "paths/1/" FID "/all", 12.34);
    assert_unknown(d, "paths/1/" FID "/rows");
    assert_number(d, "paths/1/" BITS "/scales/1", 0.9);
    assert_unknown(d, "paths/1/" BITS "/scales/3");
    assert_unknown(d, "paths/1/" BITS "/rows");
    assert_text(d, "rows/3/seed", "7003");
    assert_number(d, "picture_size/0", 8);
    json_decref(d);
}

/* Missing rows are no failed ones, and their group's seconds are not known. */
static void a_partial_run_says_so(void **state)
{
    test_run run = two_paths;
    json_t *d;

    (void)state;
    write_run(&run);
    d = report();
    assert_unknown(d, "partial");
    assert_number(d, "n_missing", 0);
    json_decref(d);
    run.partial = "2 of 4 rows; path full lacks 2";
    write_run(&run);
    d = report();
    assert_text(d, "partial", run.partial);
    assert_number(d, "n_missing", 2);
    assert_number(d, "n_failed", 0);
    assert_size(d, "rows", 2);
    assert_number(d, "paths/0/times/pictures", 2);
    assert_number(d, "paths/0/times/seconds/0", 50);
    assert_true(json_is_true(at(d, "paths/0/times/all_first")));
    json_decref(d);
}

static void numbers_by_head_are_there_where_heads_differ(void **state)
{
    test_run run = two_paths;
    json_t *d;

    (void)state;
    run.path[1].heads = 4;
    run.path[1].spread = 3;
    write_run(&run);
    d = report();
    assert_number(d, "paths/0/by_head/heads", 0);
    assert_null(json_object_get(at(d, "paths/0/by_head"), "length"));
    assert_number(d, "paths/1/by_head/heads", 4);
    assert_size(d, "paths/1/by_head/length", 3);
    assert_number(d, "paths/1/by_head/length/2/0/3", 7);
    assert_number(d, "paths/1/by_head/length/2/1/0", 10);
    assert_number(d, "paths/1/by_head/length/2/1/3", 4);
    assert_number(d, "paths/1/by_head/capacity/0/1/1", 10);
    json_decref(d);
}

/* Two tables of 3 x 2 x 70,000 numbers are 840,000: the second one is too many. */
static void numbers_by_head_are_bounded(void **state)
{
    test_run run = two_paths;
    json_t *d;

    (void)state;
    run.path[1].heads = 70000;
    write_run(&run);
    d = report();
    assert_size(d, "paths/1/by_head/length", 3);
    assert_text(d, "paths/1/by_head/capacity", "left out");
    json_decref(d);
}

static void a_first_group_that_warms_up_is_not_timed(void **state)
{
    json_t *d;

    (void)state;
    write_run(&two_paths);
    d = report();
    assert_text(d, "paths/1/times/phases", "text,transformer,vae");
    assert_number(d, "paths/1/times/seconds/1", 0.3);
    assert_number(d, "paths/1/times/pictures", 2);
    assert_true(json_is_false(at(d, "paths/1/times/all_first")));
    json_decref(d);
}

static void best_median_and_worst_are_chosen_by_psnr(void **state)
{
    static const double rows[] = {1, 0, 2};
    char where[64];
    json_t *d;

    (void)state;
    write_run(&two_paths);
    write_metrics(&four_pairs);
    d = report();
    assert_size(d, "picks", 1);
    assert_number(d, "picks/0/path", 1);
    assert_size(d, "picks/0/rows", 3);
    for (int i = 0; i < 3; i++) {
        snprintf(where, sizeof where, "picks/0/rows/%d", i);
        assert_number(d, where, rows[i]);
        snprintf(where, sizeof where, "common/%d", i);
        assert_number(d, where, rows[i]);
    }
    json_decref(d);
}

/* Three rows, each with the reference's picture and the path's, and one difference a row. */
static void pictures_are_data_urls_and_each_is_there_once(void **state)
{
    static const char png[] = "data:image/png;base64,iVBORw0KGgo";
    int differences = 0;
    json_t *d, *shot;
    size_t i;

    (void)state;
    write_run(&two_paths);
    write_metrics(&four_pairs);
    d = report();
    assert_size(d, "pictures", 6);
    json_array_foreach(at(d, "pictures"), i, shot)
    {
        const char *difference = json_string_value(json_object_get(shot, "difference"));

        assert_memory_equal(json_string_value(json_object_get(shot, "picture")), png,
                            sizeof png - 1);
        assert_number(shot, "width", 8);
        assert_number(shot, "height", 6);
        if (!difference)
            continue;
        assert_memory_equal(difference, png, sizeof png - 1);
        assert_number(shot, "path", 1);
        differences++;
    }
    assert_int_equal(differences, 3);
    json_decref(d);
}

static void texts_of_files_never_become_markup(void **state)
{
    test_run run = two_paths;
    test_metrics m = four_pairs;
    char *text;
    json_t *d;

    (void)state;
    run.prompt[1] = "<!--<script>alert(\"x\")</script>'&<img src=x onerror=y>";
    run.prompt[2] = "\x01\xe2\x80\xaehidden\x7f"; /* turns the direction of what follows */
    run.error[0] = "</td></script><script>bad()</script>";
    run.path[1].policy = "</script><script>p()<i>"; /* names are refused */
    m.result[0].psnr[0] = NAN;
    write_run(&run);
    write_metrics(&m);
    text = page();
    assert_int_equal(count(text, "<script"), 2); /* the data and the page's own */
    assert_int_equal(count(text, "</script"), 2);
    assert_int_equal(count(text, "<img src"), 0);
    assert_int_equal(count(text, "\x01"), 0);
    for (const char *p = strstr(text, DATA_TAG); *p && *p != '\n'; p++)
        assert_true(*p > 0); /* ASCII: nothing turns around in an editor either */
    d = data_of(text);
    assert_text(d, "rows/1/prompt", run.prompt[1]);
    assert_text(d, "rows/2/prompt", run.prompt[2]);
    assert_text(d, "rows/0/error", run.error[0]);
    assert_text(d, "paths/1/settings/policy", run.path[1].policy);
    json_decref(d);
    free(text);
}

static void a_long_prompt_is_cut_between_characters(void **state)
{
    const size_t n = (size_t)1 << 20;
    test_run run = two_paths;
    char *prompt = malloc(n + 1);
    const char *cut;
    json_t *d;

    (void)state;
    assert_non_null(prompt);
    prompt[0] = 'a';
    for (size_t i = 1; i + 1 < n; i += 2)
        memcpy(prompt + i, "\xc3\xa9", 2);
    prompt[n - 1] = '\0';
    run.prompt[1] = prompt;
    write_run(&run);
    d = report();
    cut = json_string_value(at(d, "rows/1/prompt"));
    assert_in_range(strlen(cut), 300, 410);
    assert_string_equal(cut + strlen(cut) - 5, "\xc3\xa9\xe2\x80\xa6");
    json_decref(d);
    free(prompt);
}

static void without_metrics_it_says_so(void **state)
{
    json_t *d;

    (void)state;
    write_run(&two_paths);
    d = report();
    assert_text(d, "metrics_file", "none");
    assert_size(d, "metrics", 0);
    assert_unknown(d, "paths/1/result");
    assert_size(d, "picks", 0);
    assert_size(d, "common", 3); /* the first, the middle one, the last */
    assert_number(d, "common/1", 1);
    assert_number(d, "common/2", 3);
    json_decref(d);
}

static void old_metrics_are_left_out_and_named(void **state)
{
    test_metrics m = four_pairs;
    char *text;
    json_t *d;

    (void)state;
    write_run(&two_paths);
    m.config_digest = "of another run";
    write_metrics(&m);
    text = page();
    d = data_of(text);
    assert_text(d, "metrics_file", "old");
    assert_unknown(d, "paths/1/result");
    assert_null(strstr(text, "12.34"));
    json_decref(d);
    free(text);
    m.config_digest = NULL;
    m.reference_digest = "of an older reference";
    write_metrics(&m);
    d = report();
    assert_text(d, "metrics_file", "old");
    assert_unknown(d, "paths/1/result");
    json_decref(d);
    m.reference_digest = NULL;
    m.result[0].digest = "of an older path";
    write_metrics(&m);
    text = page();
    d = data_of(text);
    assert_text(d, "metrics_file", "read");
    assert_unknown(d, "paths/1/result");
    assert_null(strstr(text, "12.34"));
    json_decref(d);
    free(text);
}

static void infinite_and_missing_values_are_texts_and_nulls(void **state)
{
    test_metrics m = four_pairs;
    json_t *d;

    (void)state;
    m.result[0].psnr[0] = m.result[0].psnr[3] = INFINITY;
    m.result[0].psnr[2] = NAN;
    m.result[0].psnr_mean = INFINITY;
    m.result[0].psnr_mean_finite = 24.25;
    m.result[0].fid = NAN;
    m.result[0].n_pairs = 3;
    m.result[0].n_identical = 2;
    write_run(&two_paths);
    write_metrics(&m);
    d = report();
    assert_text(d, "paths/1/" PSNR "/all", "inf");
    assert_number(d, "paths/1/" PSNR "/differing", 24.25);
    assert_text(d, "paths/1/" PSNR "/rows/0", "inf");
    assert_unknown(d, "paths/1/" PSNR "/rows/2");
    assert_text(d, "metrics/2/name", "bits_equal"); /* FID is not there */
    assert_number(d, "paths/1/result/identical", 2);
    json_decref(d);

    for (int i = 0; i < TEST_RUN_ROWS; i++)
        m.result[0].psnr[i] = INFINITY;
    m.result[0].psnr_mean_finite = NAN;
    write_metrics(&m);
    d = report();
    assert_true(json_is_true(at(d, "picks/0/alike")));
    assert_size(d, "picks/0/rows", 1);
    json_decref(d);

    for (int i = 0; i < TEST_RUN_ROWS; i++)
        m.result[0].psnr[i] = NAN;
    m.result[0].psnr_mean = NAN;
    write_metrics(&m);
    d = report();
    assert_size(d, "picks", 0);
    json_decref(d);
}

static void failed_pictures_have_their_reasons_and_are_never_picked(void **state)
{
    test_run run = two_paths;
    test_metrics m = four_pairs;
    json_t *d, *row;
    size_t i;

    (void)state;
    run.error[1] = "the prompt is not UTF-8";
    m.result[0].psnr[1] = 99; /* a row that failed does not count, whatever metrics.h5 says */
    write_run(&run);
    write_metrics(&m);
    d = report();
    assert_number(d, "n_failed", 1);
    assert_text(d, "rows/1/error", "the prompt is not UTF-8");
    assert_unknown(d, "rows/0/error");
    json_array_foreach(at(d, "picks/0/rows"), i, row)
    {
        assert_int_not_equal(json_integer_value(row), 1);
    }
    json_decref(d);
}

static void pictures_that_were_not_stored_are_not_in_the_page(void **state)
{
    test_run run = two_paths;
    json_t *d;

    (void)state;
    run.no_pictures = true;
    write_run(&run);
    write_metrics(&four_pairs);
    d = report();
    assert_size(d, "picks/0/rows", 3);
    assert_size(d, "pictures", 0);
    json_decref(d);
}

static void the_page_may_ask_for_nothing(void **state)
{
    static const char policy[] = "content=\"default-src 'none'; style-src 'unsafe-inline';\n  "
                                 "script-src 'unsafe-inline'; img-src data:;";
    char *text;

    (void)state;
    write_run(&two_paths);
    write_metrics(&four_pairs);
    text = page();
    assert_int_equal(count(text, policy), 1);
    assert_int_equal(count(text, "://"), 1); /* the name of SVG, which nobody fetches */
    assert_int_equal(count(text, "{{"), 0);  /* every part of the page is in its place */
    assert_int_equal(count(text, "<noscript>"), 1);
    free(text);
}

static void equal_files_give_equal_bytes(void **state)
{
    char *first = NULL, *second = NULL;
    size_t n = 0, m = 0;

    (void)state;
    write_run(&two_paths);
    write_metrics(&four_pairs);
    assert_int_equal(skv_report_write(temp_folder()), SKV_OK);
    assert_int_equal(skv_file_read(&first, &n, temp_path("report.html"), MAX_PAGE), SKV_OK);
    write_run(&two_paths);
    write_metrics(&four_pairs);
    assert_int_equal(skv_report_write(temp_folder()), SKV_OK);
    assert_int_equal(skv_file_read(&second, &m, temp_path("report.html"), MAX_PAGE), SKV_OK);
    assert_int_equal(n, m);
    assert_memory_equal(first, second, n);
    free(first);
    free(second);
}

static void damaged_metrics_leave_the_old_page(void **state)
{
    test_metrics m = four_pairs;
    char *text = NULL;
    size_t bytes = 0;

    (void)state;
    write_run(&two_paths);
    assert_int_equal(skv_file_write(temp_path("report.html"), "old", 3), SKV_OK);
    m.n_rows = TEST_RUN_ROWS + 1;
    write_metrics(&m);
    assert_int_not_equal(skv_report_write(temp_folder()), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("metrics.h5"), "no HDF5", 7), SKV_OK);
    assert_int_not_equal(skv_report_write(temp_folder()), SKV_OK);
    assert_int_equal(skv_file_read(&text, &bytes, temp_path("report.html"), MAX_PAGE), SKV_OK);
    assert_string_equal(text, "old");
    free(text);
}

static void without_a_run_there_is_no_page(void **state)
{
    (void)state;
    assert_int_equal(skv_report_write(temp_folder()), SKV_E_ARG);
    assert_int_equal(temp_count(), 0);
}

/* metrics.json with one score of a path of these digest and rows, and `more` in it. */
static void write_score(const char *digest, int rows, const char *more)
{
    char text[1024];

    snprintf(
        text, sizeof text,
        "{\"scores\": [{\"evaluator\": \"geneval\", \"benchmark\": \"<Gen>Eval\", \"path\": "
        "\"half-50\", \"digest\": \"%s\", \"rows\": %d, \"units\": \"1\", \"score\": 0.725, "
        "\"published\": null, \"pictures\": 3, \"of\": 4, \"first_missing\": \"00003\", \"fault\": "
        "null, \"categories\": [{\"name\": \"colors\", \"fine\": false, \"score\": 0.5, "
        "\"results\": 2}], \"unknown\": [1]%s}]}",
        digest, rows, more);
    assert_int_equal(skv_file_write(temp_path("metrics.json"), text, strlen(text)), SKV_OK);
}

static void scores_of_the_runs_pictures_are_in_the_page(void **state)
{
    json_t *d;

    (void)state;
    write_run(&two_paths);
    d = report(); /* no metrics.json */
    assert_size(d, "scores", 0);
    json_decref(d);
    write_score(PATH_DIGEST, 4, ", \"digits\": 4");
    d = report();
    assert_size(d, "scores", 1);
    assert_number(d, "scores/0/path", 1);
    assert_text(d, "scores/0/benchmark", "<Gen>Eval");
    assert_number(d, "scores/0/score", 0.725);
    assert_unknown(d, "scores/0/published");
    assert_text(d, "scores/0/categories/0/name", "colors");
    assert_null(json_object_get(at(d, "scores/0"), "unknown"));
    assert_int_equal(json_integer_value(at(d, "n_old_scores")), 0);
    json_decref(d);
}

static void scores_of_other_pictures_are_left_out(void **state)
{
    static const char *const digests[] = {"of older pictures", PATH_DIGEST};

    (void)state;
    write_run(&two_paths);
    for (int i = 0; i < 2; i++) {
        json_t *d;

        write_score(digests[i], 4 - i, "");
        d = report();
        assert_size(d, "scores", 0);
        assert_int_equal(json_integer_value(at(d, "n_old_scores")), 1);
        json_decref(d);
    }
}

static void a_score_that_is_none_is_refused(void **state)
{
    static const char *const wrong[] = {"", ", \"digits\": 7", ", \"digits\": -1",
                                        ", \"digits\": \"4\""};

    (void)state;
    write_run(&two_paths);
    for (int i = 0; i < 4; i++) {
        write_score(PATH_DIGEST, 4, wrong[i]);
        assert_int_equal(skv_report_write(temp_folder()), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "metrics.json: \"digits\" of a score is "));
    }
    assert_int_equal(skv_file_write(temp_path("metrics.json"), "{\"scores\": {}}", 14), SKV_OK);
    assert_int_equal(skv_report_write(temp_folder()), SKV_E_FORMAT);
}

static void starts_of_the_run_are_in_the_page(void **state)
{
    test_run run = two_paths;
    json_t *d;

    (void)state;
    write_run(&run);
    d = report(); /* of an earlier version */
    assert_unknown(d, "starts");
    json_decref(d);
    run.starts = "[{\"command\": \"skv sample </script>\"}, {\"ranks\": 2}]";
    write_run(&run);
    d = report();
    assert_size(d, "starts", 2);
    assert_text(d, "starts/0/command", "skv sample </script>");
    json_decref(d);
    run.starts = "[\"yesterday\"]";
    write_run(&run);
    assert_int_equal(skv_report_write(temp_folder()), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "run.h5, /provenance: \"starts\" is not a list"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(numbers_of_both_files_are_in_the_page),
        CASE(a_partial_run_says_so),
        CASE(numbers_by_head_are_there_where_heads_differ),
        CASE(numbers_by_head_are_bounded),
        CASE(a_first_group_that_warms_up_is_not_timed),
        CASE(best_median_and_worst_are_chosen_by_psnr),
        CASE(pictures_are_data_urls_and_each_is_there_once),
        CASE(texts_of_files_never_become_markup),
        CASE(a_long_prompt_is_cut_between_characters),
        CASE(without_metrics_it_says_so),
        CASE(old_metrics_are_left_out_and_named),
        CASE(infinite_and_missing_values_are_texts_and_nulls),
        CASE(failed_pictures_have_their_reasons_and_are_never_picked),
        CASE(pictures_that_were_not_stored_are_not_in_the_page),
        CASE(the_page_may_ask_for_nothing),
        CASE(equal_files_give_equal_bytes),
        CASE(damaged_metrics_leave_the_old_page),
        CASE(without_a_run_there_is_no_page),
        CASE(scores_of_the_runs_pictures_are_in_the_page),
        CASE(scores_of_other_pictures_are_left_out),
        CASE(a_score_that_is_none_is_refused),
        CASE(starts_of_the_run_are_in_the_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
