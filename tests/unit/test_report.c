/* The report's page from small files: what it says, what it leaves out, and what it never prints.
 */
#include "eval/report/report.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"
#include "write_run.h"

#define MAX_PAGE    ((size_t)32 << 20)
#define PATH_DIGEST "aaaabbbbccccdddd"

static const test_run two_paths = {
    .n_paths = 2,
    .path = {{"full", "full", "1111222233334444", -1}, {"half-50", "half", PATH_DIGEST, 7}}};

static const test_metrics four_pairs = {.networks = "files",
                                        .path = "half-50",
                                        .digest = PATH_DIGEST,
                                        .psnr = {21.5, 24.25, 18.75, 20},
                                        .psnr_mean = 21.125,
                                        .psnr_mean_finite = 21.125,
                                        .fid = 12.34,
                                        .n_pairs = 4,
                                        .n_rows = 4};

/* The page without its pictures; free(). */
static char *page(void)
{
    char *text = NULL, *to;
    size_t bytes = 0;

    if (skv_report_write(temp_folder()) != SKV_OK)
        fail_msg("%s", skv_message());
    assert_int_equal(skv_file_read(&text, &bytes, temp_path("report.html"), MAX_PAGE), SKV_OK);
    assert_int_equal(strlen(text), bytes);
    to = text;
    for (const char *from = text; *from; from++) {
        *to++ = *from;
        if (strncmp(from, ";base64,", 8) == 0)
            from += strcspn(from, "\")") - 1;
    }
    *to = '\0';
    return text;
}

static int count(const char *text, const char *what)
{
    int n = 0;

    for (const char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

static void assert_says(const char *text, const char *what)
{
    if (!strstr(text, what))
        fail_msg("the page does not say: %s", what);
}

static void assert_silent(const char *text, const char *what)
{
    if (strstr(text, what))
        fail_msg("the page says: %.120s", strstr(text, what));
}

/* nan and inf as words of their own, in any case. */
static void assert_no_bad_numbers(const char *text)
{
    for (const char *p = text; *p; p++) {
        const bool begins = p == text || !isalpha((unsigned char)p[-1]);
        const bool bad = tolower((unsigned char)p[0]) == 'n' &&
                         tolower((unsigned char)p[1]) == 'a' && tolower((unsigned char)p[2]) == 'n';
        const bool inf = tolower((unsigned char)p[0]) == 'i' &&
                         tolower((unsigned char)p[1]) == 'n' && tolower((unsigned char)p[2]) == 'f';

        if (begins && (bad || inf) && !isalpha((unsigned char)p[3]))
            fail_msg("a number is not finite: %.60s", p);
    }
}

static void numbers_of_both_files_are_in_the_page(void **state)
{
    char *text;

    (void)state;
    write_run(&two_paths);
    write_metrics(&four_pairs);
    text = page();
    assert_says(text, "half-50");
    assert_says(text, "21.1"); /* mean PSNR: tile and table */
    assert_says(text, ">12.34<");
    assert_says(text, "50.0\xc2\xa0%");                       /* 7 of 14 tokens */
    assert_says(text, "<td>28.0</td><td>28.0</td><td><span"); /* MiB: 14 tokens, 2 layers */
    assert_says(text, "<td>14.0</td><td>14.0</td><td><span");
    assert_says(text, "<td>77.0</td>");              /* pool */
    assert_says(text, "<td>4.00</td><td>0.15</td>"); /* without the group that warmed up */
    assert_no_bad_numbers(text);
    free(text);
}

static void best_median_and_worst_are_chosen_by_psnr(void **state)
{
    const char *best, *median, *worst;
    char *text;

    (void)state;
    write_run(&two_paths);
    write_metrics(&four_pairs);
    text = page();
    best = strstr(text, "<h3>Best</h3>");
    median = strstr(text, "<h3>Median</h3>");
    worst = strstr(text, "<h3>Worst</h3>");
    assert_true(best && median && worst && best < median && median < worst);
    assert_true(strstr(best, "24.25 dB") < median && strstr(best, "id-b") < median);
    assert_true(strstr(median, "21.50 dB") < worst && strstr(median, "id-a") < worst);
    assert_non_null(strstr(worst, "18.75 dB"));
    assert_non_null(strstr(worst, "7002"));
    free(text);
}

static void texts_of_files_are_escaped(void **state)
{
    test_run run = two_paths;
    test_metrics m = four_pairs;
    char *text;

    (void)state;
    run.prompt[1] = "<script>alert(\"x\")</script>'&<img src=x onerror=y>";
    run.prompt[2] = "\x01\xe2\x80\xaehidden"; /* turns the direction of what follows */
    run.error[0] = "</td><script>bad()</script>";
    run.path[1].name = m.path = "x\"><script>p()<i>";
    m.psnr[0] = NAN;
    write_run(&run);
    write_metrics(&m);
    text = page();
    assert_silent(text, "<script");
    assert_silent(text, "<img src=x");
    assert_silent(text, "\x01");
    assert_says(text, "<bdi> \xe2\x80\xaehidden</bdi>");
    assert_says(text, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;&lt;img");
    assert_says(text, "&lt;/td&gt;&lt;script&gt;bad()");
    assert_says(text, "x&quot;&gt;&lt;script&gt;p()");
    free(text);
}

static void a_long_prompt_is_cut_between_characters(void **state)
{
    const size_t n = (size_t)1 << 20;
    test_run run = two_paths;
    char *prompt = malloc(n + 1), *text, *cut;

    (void)state;
    assert_non_null(prompt);
    prompt[0] = 'a';
    for (size_t i = 1; i + 1 < n; i += 2)
        memcpy(prompt + i, "\xc3\xa9", 2);
    prompt[n - 1] = '\0';
    run.prompt[1] = prompt;
    write_run(&run);
    write_metrics(&four_pairs);
    text = page();
    assert_true(strlen(text) < 100000);
    cut = strstr(text, "\xc3\xa9\xe2\x80\xa6");
    assert_non_null(cut);
    assert_silent(text, "\xef\xbf\xbd");
    free(text);
    free(prompt);
}

static void without_metrics_it_says_so(void **state)
{
    char *text;

    (void)state;
    write_run(&two_paths);
    text = page();
    assert_says(text, "There is no metrics.h5 yet");
    assert_says(text, "half-50");
    assert_silent(text, "<th>PSNR</th>");
    assert_silent(text, "Quality against memory");
    assert_silent(text, "Best, median and worst");
    assert_says(text, "Cache length by layer and scale");
    assert_no_bad_numbers(text);
    free(text);
}

static void old_metrics_are_left_out_and_named(void **state)
{
    test_metrics m = four_pairs;
    char *text;

    (void)state;
    write_run(&two_paths);
    m.config_digest = "of another run";
    write_metrics(&m);
    text = page();
    assert_says(text, "metrics.h5 is of another run");
    assert_silent(text, "12.34");
    free(text);
    m.config_digest = NULL;
    m.digest = "of an older path";
    write_metrics(&m);
    text = page();
    assert_says(text, "made after the evaluation or not part of it: half-50");
    assert_silent(text, "12.34");
    free(text);
}

static void infinite_and_missing_values_are_words(void **state)
{
    test_metrics m = four_pairs;
    char *text;

    (void)state;
    m.psnr[0] = m.psnr[3] = INFINITY;
    m.psnr[2] = NAN;
    m.psnr_mean = INFINITY;
    m.psnr_mean_finite = 24.25;
    m.fid = NAN;
    m.n_pairs = 3;
    m.n_identical = 2;
    write_run(&two_paths);
    write_metrics(&m);
    text = page();
    assert_no_bad_numbers(text);
    assert_says(text, "24.25*</td>");
    assert_says(text, "identical to the reference");
    assert_says(text, "<dd>identical</dd>");
    assert_silent(text, "Fewer than 2049");
    free(text);

    for (int i = 0; i < TEST_RUN_ROWS; i++)
        m.psnr[i] = INFINITY;
    m.psnr_mean_finite = NAN;
    m.n_identical = m.n_pairs = 4;
    write_metrics(&m);
    text = page();
    assert_no_bad_numbers(text);
    assert_says(text, "<td class=soft>identical</td>");
    assert_says(text, "All alike");
    free(text);

    for (int i = 0; i < TEST_RUN_ROWS; i++)
        m.psnr[i] = NAN;
    m.psnr_mean = NAN;
    write_metrics(&m);
    text = page();
    assert_no_bad_numbers(text);
    assert_silent(text, "Best, median and worst");
    free(text);
}

static void failed_pictures_are_listed_and_never_shown(void **state)
{
    test_run run = two_paths;
    test_metrics m = four_pairs;
    char *text;

    (void)state;
    run.error[1] = "the prompt is no UTF-8";
    m.psnr[1] = 99; /* a row that failed does not count, whatever metrics.h5 says */
    write_run(&run);
    write_metrics(&m);
    text = page();
    assert_says(text, "1 of 4 pictures failed");
    assert_says(text, "the prompt is no UTF-8");
    assert_silent(text, "99.00");
    free(text);
}

static void networks_of_a_formula_are_said_in_large_letters(void **state)
{
    test_metrics m = four_pairs;
    char *text;

    (void)state;
    write_run(&two_paths);
    write_metrics(&m);
    text = page();
    assert_silent(text, "mean nothing here");
    free(text);
    m.networks = "formula";
    write_metrics(&m);
    text = page();
    assert_says(text, "<b>LPIPS, FID and KID mean nothing here</b>");
    free(text);
}

static void few_pairs_and_paths_that_never_cut_are_warned_of(void **state)
{
    test_run run = two_paths;
    char *text;

    (void)state;
    write_run(&run);
    write_metrics(&four_pairs);
    text = page();
    assert_says(text, "Fewer than 2049 pairs, so that FID is biased and its covariance singular: "
                      "half-50");
    assert_silent(text, "Never cut anything");
    free(text);
    run.path[1].capacity = 14;
    write_run(&run);
    text = page();
    assert_says(text, "Never cut anything, since the budget exceeds the sequence: half-50");
    free(text);
}

static void one_path_makes_a_page_without_comparisons(void **state)
{
    test_run run = two_paths;
    char *text;

    (void)state;
    run.n_paths = 1;
    write_run(&run);
    text = page();
    assert_says(text, "1 cache path,");
    assert_silent(text, "There is no metrics.h5");
    assert_silent(text, "<ul class=warn>");
    assert_no_bad_numbers(text);
    free(text);
}

static void pictures_that_were_not_stored_are_said_to_be_missing(void **state)
{
    test_run run = two_paths;
    char *text;

    (void)state;
    run.no_pictures = true;
    write_run(&run);
    write_metrics(&four_pairs);
    text = page();
    assert_says(text, "Pictures were not stored");
    assert_silent(text, "<img");
    free(text);
}

static void the_page_asks_for_nothing_else(void **state)
{
    char *text;

    (void)state;
    write_run(&two_paths);
    write_metrics(&four_pairs);
    text = page();
    assert_int_equal(count(text, "<img"), 6); /* 3 picks, path and difference */
    assert_int_equal(count(text, "src=\"data:image/png;"), count(text, "src="));
    assert_int_equal(count(text, "url(data:image/png;"), 3); /* references, once each */
    assert_int_equal(count(text, "url("), 3);
    assert_silent(text, "http");
    assert_silent(text, "<link");
    assert_silent(text, "@import");
    assert_silent(text, "<script");
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
    assert_int_equal(skv_report_write(temp_folder()), SKV_E_NOTFOUND);
    assert_int_equal(temp_count(), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(numbers_of_both_files_are_in_the_page),
        CASE(best_median_and_worst_are_chosen_by_psnr),
        CASE(texts_of_files_are_escaped),
        CASE(a_long_prompt_is_cut_between_characters),
        CASE(without_metrics_it_says_so),
        CASE(old_metrics_are_left_out_and_named),
        CASE(infinite_and_missing_values_are_words),
        CASE(failed_pictures_are_listed_and_never_shown),
        CASE(networks_of_a_formula_are_said_in_large_letters),
        CASE(few_pairs_and_paths_that_never_cut_are_warned_of),
        CASE(one_path_makes_a_page_without_comparisons),
        CASE(pictures_that_were_not_stored_are_said_to_be_missing),
        CASE(the_page_asks_for_nothing_else),
        CASE(equal_files_give_equal_bytes),
        CASE(damaged_metrics_leave_the_old_page),
        CASE(without_a_run_there_is_no_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
