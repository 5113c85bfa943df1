/* write_pages FOLDER: reports for the browser test, from runs of its own making:
 * FOLDER/<case>.html. The numbers that report_page.py looks for are those written here. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "eval/report/report.h"
#include "temp_folder.h"
#include "write_run.h"

#define MAX_PAGE ((size_t)32 << 20)

static const char *folder;

/* half-50 keeps 7 of 14 tokens, third-21 keeps 3; row 3 failed. */
static const test_run three_paths = {
    .n_paths = 3,
    .prompt = {"a red fox", "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>",
               "a blue lake\x01\xe2\x80\xae", "a prompt that fails"},
    .error = {NULL, NULL, NULL, "<b>not finite</b>: picture"},
    .path = {{"full", "full", "1111222233334444", -1},
             {"half-50", "half", "aaaa", 7},
             {"third-21", "third", "bbbb", 3}}};

static const test_metrics of_three = {.networks = "files",
                                      .n_rows = 4,
                                      .n_results = 2,
                                      .result = {{.path = "half-50",
                                                  .digest = "aaaa",
                                                  .psnr = {21.5, 24.25, INFINITY, NAN},
                                                  .psnr_mean = INFINITY,
                                                  .psnr_mean_finite = 22.875,
                                                  .fid = 12.34,
                                                  .n_pairs = 3,
                                                  .n_identical = 1},
                                                 {.path = "third-21",
                                                  .digest = "bbbb",
                                                  .psnr = {18.5, 15.25, 17, NAN},
                                                  .psnr_mean = 16.916667,
                                                  .psnr_mean_finite = 16.916667,
                                                  .fid = 45.6,
                                                  .n_pairs = 3}}};

static void keep(const char *name)
{
    char *page = NULL, path[4096];
    size_t bytes = 0;

    if (skv_report_write(temp_folder()) != SKV_OK)
        fail_msg("%s", skv_message());
    assert_int_equal(skv_file_read(&page, &bytes, temp_path("report.html"), MAX_PAGE), SKV_OK);
    snprintf(path, sizeof path, "%s/%s.html", folder, name);
    assert_int_equal(skv_file_write(path, page, bytes), SKV_OK);
    free(page);
}

static void measured(void **state)
{
    (void)state;
    write_run(&three_paths);
    write_metrics(&of_three);
    keep("measured");
}

static void partial(void **state)
{
    test_run run = three_paths;

    (void)state;
    run.partial = "2 of 4 rows; path full lacks 2";
    write_run(&run);
    keep("partial");
}

static void without_metrics(void **state)
{
    (void)state;
    write_run(&three_paths);
    keep("without_metrics");
}

/* Made-up networks, and numbers that one path alone still has. */
static void formula(void **state)
{
    test_metrics m = of_three;

    (void)state;
    m.networks = "formula";
    m.result[1].digest = "of an older path";
    write_run(&three_paths);
    write_metrics(&m);
    keep("formula");
}

/* Heads of one path differ, those of another would make the page too large. */
static void by_head(void **state)
{
    test_run run = three_paths;

    (void)state;
    run.path[1].heads = 4;
    run.path[1].spread = 3;
    run.path[2].heads = 100000;
    write_run(&run);
    keep("by_head");
}

/* One path holds what another one does, in codes. */
static void in_codes(void **state)
{
    test_run run = three_paths;

    (void)state;
    run.path[2] = run.path[1];
    run.path[2].name = "half-50-fp8";
    run.path[2].digest = "of codes";
    run.path[2].kv_dtype = "fp8";
    write_run(&run);
    write_metrics(&of_three);
    keep("in_codes");
}

static void of_another_run(void **state)
{
    test_metrics m = of_three;

    (void)state;
    m.config_digest = "of another run";
    write_run(&three_paths);
    write_metrics(&m);
    keep("of_another_run");
}

/* Scores of two benchmarks, of another run's pictures, and of texts that are no markup. */
static void with_scores(void **state)
{
    static const char text[] =
        "{\"scores\": ["
        "{\"evaluator\": \"geneval\", \"benchmark\": \"GenEval\", \"path\": \"full\", \"digest\": "
        "\"1111222233334444\", \"rows\": 4, \"units\": \"1\", \"digits\": 4, \"score\": 0.7307, "
        "\"published\": 0.73, \"pictures\": 4, \"of\": 4, \"first_missing\": null, \"fault\": "
        "null, "
        "\"categories\": [{\"name\": \"colors\", \"fine\": false, \"score\": 0.5, \"results\": "
        "2}]},"
        "{\"evaluator\": \"geneval\", \"benchmark\": \"GenEval\", \"path\": \"half-50\", "
        "\"digest\": "
        "\"aaaa\", \"rows\": 4, \"units\": \"1\", \"digits\": 4, \"score\": 0.7253, "
        "\"published\": null, \"pictures\": 3, \"of\": 4, \"first_missing\": \"x\", \"fault\": "
        "null, "
        "\"categories\": [{\"name\": \"colors\", \"fine\": false, \"score\": null, \"results\": "
        "2}]},"
        "{\"evaluator\": \"geneval\", \"benchmark\": \"GenEval\", \"path\": \"third-21\", "
        "\"digest\": "
        "\"of older pictures\", \"rows\": 4},"
        "{\"evaluator\": \"dpg\", \"benchmark\": \"<b>DPG</b>\", \"path\": \"full\", \"digest\": "
        "\"1111222233334444\", \"rows\": 4, \"units\": \"%\", \"digits\": 2, \"score\": 83, "
        "\"published\": null, \"pictures\": 4, \"of\": 4, \"first_missing\": null, \"fault\": "
        "\"its <i>categories</i> are mixed up\", \"categories\": ["
        "{\"name\": \"<i>entity</i>\", \"fine\": false, \"score\": 90.125, \"results\": null},"
        "{\"name\": \"entity - whole\", \"fine\": true, \"score\": 91, \"results\": null}]}]}";

    (void)state;
    write_run(&three_paths);
    assert_int_equal(skv_file_write(temp_path("metrics.json"), text, sizeof text - 1), SKV_OK);
    keep("with_scores");
}

/* Recall of two paths; the third one's is of older pictures. */
static void with_recall(void **state)
{
    static const char text[] =
        "{\"recall\": {\"pictures\": 3, \"rows\": [0, 1, 2], \"queries\": 64, \"config_digest\": "
        "\"c\", "
        "\"paths\": ["
        "{\"name\": \"full\", \"digest\": \"1111222233334444\", \"mean\": 1, "
        "\"by_scale_and_layer\": [[1, 1], [1, 1], [1, 1], [1, 1]]},"
        "{\"name\": \"half-50\", \"digest\": \"aaaa\", \"mean\": 0.8125, "
        "\"by_picture\": [0.75, 0.8125, 0.875], "
        "\"by_scale_and_layer\": [[1, 1], [1, 1], [0.75, 1], [0.5, 0.625]]},"
        "{\"name\": \"third-21\", \"digest\": \"of older pictures\", \"mean\": 0.1, "
        "\"by_scale_and_layer\": []}]}}";

    (void)state;
    write_run(&three_paths);
    write_metrics(&of_three);
    assert_int_equal(skv_file_write(temp_path("metrics.json"), text, sizeof text - 1), SKV_OK);
    keep("with_recall");
}

/* half-50 has ScaleKV's tokens and less PSNR on every row; third-21 has fewer tokens. */
static void frontier(void **state)
{
    test_run run = three_paths;
    test_metrics m = of_three;

    (void)state;
    run.n_paths = 4;
    run.path[3] = (test_run_path){"scalekv-50", "scalekv", "cccc", 7, 0, 0, NULL};
    m.n_results = 3;
    m.result[0].psnr[2] = 23;
    m.result[0].psnr_mean = 22.9;
    m.result[2] = (test_result){.path = "scalekv-50",
                                .digest = "cccc",
                                .psnr = {23.5, 26.25, 25, NAN},
                                .psnr_mean = 24.9,
                                .psnr_mean_finite = 24.9,
                                .fid = 10,
                                .n_pairs = 3};
    write_run(&run);
    write_metrics(&m);
    keep("frontier");
}

static void one_path(void **state)
{
    test_run run = three_paths;

    (void)state;
    run.starts = "[{\"started\": \"2026-11-30T14:05:00Z\", \"command\": \"skv sample <b>\", "
                 "\"ranks\": 3, \"hosts\": {\"node1\": 2, \"node2\": 1}}, {\"hosts\": 7}]";
    run.n_paths = 1;
    run.no_pictures = true;
    write_run(&run);
    keep("one_path");
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest pages[] = {CASE(measured),    CASE(without_metrics), CASE(formula),
                                       CASE(by_head),     CASE(of_another_run),  CASE(one_path),
                                       CASE(with_scores), CASE(with_recall),     CASE(frontier),
                                       CASE(in_codes),    CASE(partial)};

    if (argc != 2)
        return 2;
    folder = argv[1];
    return cmocka_run_group_tests(pages, NULL, NULL);
}
