/* Intervals of the report, in cases where the bootstrap's outcome is known. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "read_page.h"
#include "temp_folder.h"
#include "write_run.h"

static const test_run run = {.n_paths = 4,
                             .path = {{"full", "full", "1111222233334444", -1},
                                      {"scalekv-50", "scalekv", "a", 7},
                                      {"half-50", "half", "b", 7},
                                      {"third-21", "third", "c", 3}}};

/* scalekv-50 has the first numbers, half-50 the second, third-21 as half-50. */
static void write_psnr(const double *scalekv, const double *half)
{
    test_metrics m = {.networks = "none", .n_rows = TEST_RUN_ROWS, .n_results = 3};

    m.result[0] = (test_result){.path = "scalekv-50", .digest = "a", .fid = NAN, .n_pairs = 4};
    m.result[1] = (test_result){.path = "half-50", .digest = "b", .fid = NAN, .n_pairs = 4};
    m.result[2] = (test_result){.path = "third-21", .digest = "c", .fid = NAN, .n_pairs = 4};
    for (int i = 0; i < TEST_RUN_ROWS; i++) {
        m.result[0].psnr[i] = scalekv[i];
        m.result[1].psnr[i] = m.result[2].psnr[i] = half[i];
    }
    write_metrics(&m);
}

static void assert_interval(json_t *d, const char *where, double mean, double low, double high)
{
    json_t *interval = at(d, where);
    const double want[3] = {mean, low, high};

    for (size_t i = 0; i < 3; i++) {
        const double v = json_number_value(json_array_get(interval, i));

        if (!(fabs(v - want[i]) < 1e-9))
            fail_msg("%s, number %zu is %g, not %g", where, i, v, want[i]);
    }
}

/* Of four prompts one has 1, the others 0: a resample's mean is k/4 with k binomial (4, 1/4), which
 * is 0 in 32 % of them, at most 1/2 in 95 % and at most 3/4 in 99.6 %. */
static void an_interval_is_that_of_resampled_prompts(void **state)
{
    json_t *d;

    (void)state;
    write_run(&run);
    write_psnr((const double[]){10, 10, 10, 10}, (const double[]){10, 11, 10, 10});
    d = report();
    assert_interval(d, "paths/2/result/values/0/interval", 10.25, 10, 10.75);
    assert_interval(d, "paths/1/result/values/0/interval", 10, 10, 10);
    json_decref(d);
}

/* Pairs of rows: where both paths move together the difference is sure, whatever the prompts do.
 * Infinite numbers, of equal pictures, are in no pair. */
static void a_difference_to_scalekv_is_one_of_pairs(void **state)
{
    json_t *d;

    (void)state;
    write_run(&run);
    write_psnr((const double[]){10, 20, 35, INFINITY}, (const double[]){8, 18, 33, 40});
    d = report();
    assert_number(d, "paths/2/result/scalekv", 1);
    assert_interval(d, "paths/2/result/values/0/less", -2, -2, -2);
    assert_number(d, "paths/1/result/scalekv", -1); /* itself */
    assert_unknown(d, "paths/1/result/values/0/less");
    assert_number(d, "paths/3/result/scalekv", -1); /* of another budget */
    assert_unknown(d, "paths/3/result/values/0/less");
    json_decref(d);
}

/* Recall's pictures are some of the run's: they are paired by row, too, and the resamples are those
 * of all prompts. */
static void recall_has_the_same_intervals(void **state)
{
    static const char table[] = "[[1, 1], [1, 1], [1, 1], [1, 1]]";
    char text[1024];
    json_t *d;

    (void)state;
    write_run(&run);
    write_psnr((const double[]){10, 10, 10, 10}, (const double[]){10, 11, 10, 10});
    snprintf(text, sizeof text,
             "{\"recall\": {\"pictures\": 4, \"rows\": [0, 1, 2, 3], \"paths\": ["
             "{\"name\": \"scalekv-50\", \"digest\": \"a\", \"mean\": 0.75, \"by_picture\": "
             "[0.5, 0.75, 1, 0.75], \"by_scale_and_layer\": %s},"
             "{\"name\": \"half-50\", \"digest\": \"b\", \"mean\": 0.5, \"by_picture\": "
             "[0.25, 0.75, 0.75, 0.5], \"by_scale_and_layer\": %s}]}}",
             table, table);
    assert_int_equal(skv_file_write(temp_path("metrics.json"), text, strlen(text)), SKV_OK);
    d = report();
    assert_interval(d, "recall/paths/2/less", -0.1875, -0.25, -0.0625);
    assert_unknown(d, "recall/paths/1/less");
    assert_number(d, "recall/paths/1/interval/0", 0.75);
    json_decref(d);
}

/* Bits have a number for each scale of a row: the mean of 1, 0.9 and 0.8, the fourth is unknown. */
static void numbers_by_scale_count_by_their_mean(void **state)
{
    json_t *d;

    (void)state;
    write_run(&run);
    write_psnr((const double[]){10, 20, 35, 1}, (const double[]){8, 18, 33, 40});
    d = report();
    assert_text(d, "metrics/2/name", "bits_equal");
    assert_interval(d, "paths/2/result/values/2/interval", 0.9, 0.9, 0.9);
    assert_interval(d, "paths/2/result/values/2/less", 0, 0, 0);
    json_decref(d);
}

static void one_prompt_has_no_interval(void **state)
{
    test_run samples = run;
    json_t *d;

    (void)state;
    samples.samples = 4; /* all rows are one prompt's */
    write_run(&samples);
    write_psnr((const double[]){10, 20, 35, 1}, (const double[]){8, 18, 33, 40});
    d = report();
    assert_unknown(d, "paths/1/result/values/0/interval");
    assert_unknown(d, "paths/2/result/values/0/less");
    json_decref(d);
    samples.samples = 2; /* two prompts: the means are those of either or of both */
    write_run(&samples);
    d = report();
    assert_interval(d, "paths/1/result/values/0/interval", 16.5, 15, 18);
    json_decref(d);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(an_interval_is_that_of_resampled_prompts),
        CASE(a_difference_to_scalekv_is_one_of_pairs),
        CASE(numbers_by_scale_count_by_their_mean),
        CASE(recall_has_the_same_intervals),
        CASE(one_prompt_has_no_interval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
