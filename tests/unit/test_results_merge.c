/* Earlier results beside new ones: what is kept, what is replaced, and what is dropped because the
 * pictures are others now. */
#include "eval/metrics/results_merge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "core/log.h"
#include "eval/metrics/metrics_file.h"
#include "failing_io.h"
#include "failing_open.h"
#include "temp_folder.h"
#include "write_run.h"

#define N TEST_RUN_ROWS

static const test_run three_paths = {.n_paths = 3,
                                     .path = {{"full", "full", "1111222233334444", -1},
                                              {"half-50", "half", "aaaabbbbccccdddd", 7},
                                              {"tiny-4", "tiny", "eeeeffff00001111", 2}}};

/* The run as written, opened for a comparison of these paths. */
static skv_pairs open_pairs(const test_run *run, const char *paths)
{
    skv_pairs p;

    write_run(run);
    if (skv_pairs_open_run(&p, temp_folder(), &(skv_pairs_wish){.paths = paths}) != SKV_OK)
        fail_msg("%s", skv_message());
    return p;
}

static void fill_path(skv_path_results *p, const skv_pairs *pairs, int side,
                      const char *const *metrics, double value)
{
    p->name = strdup(pairs->side[side]);
    p->digest = strdup(skv_pairs_path(pairs, side)->digest);
    p->n_pairs = pairs->n_usable;
    p->column = calloc(8, sizeof *p->column);
    assert_true(p->name && p->digest && p->column);
    for (const char *const *name = metrics; *name; name++) {
        const skv_metric *m = skv_metric_find(*name);
        skv_column *c = &p->column[p->n_columns++];
        const int width = m->kind == SKV_METRIC_OF_SET     ? 0
                          : m->kind == SKV_METRIC_OF_SCALE ? TEST_RUN_SCALES
                                                           : 1;

        assert_int_equal(skv_column_make(c, m, width, pairs->n), SKV_OK);
        for (int64_t i = 0; i < pairs->n * width; i++)
            c->value[i] = value;
        c->mean = value;
        if (width > 0)
            skv_column_summarise(c, pairs->n, pairs->usable);
        c->weights = m->network ? strdup("files") : NULL;
    }
}

/* A result as an evaluation makes it: these metrics, every number `value`. */
static skv_results results_of(const skv_pairs *pairs, const char *const *metrics, double value)
{
    skv_results r = {.n = pairs->n};

    r.path = calloc((size_t)pairs->n_sides, sizeof *r.path);
    assert_non_null(r.path);
    for (int side = 1; side < pairs->n_sides; side++)
        fill_path(&r.path[r.n_paths++], pairs, side, metrics, value);
    return r;
}

static const char *const all_metrics[] = {"psnr", "ssim", "lpips", "fid", "bits_equal", NULL};
static const char *const cheap_metrics[] = {"psnr", "ssim", NULL};

/* <temp folder>/metrics.h5 of everything, each number 0.25. */
static void evaluate_all(const test_run *run)
{
    skv_pairs pairs = open_pairs(run, NULL);
    skv_results r = results_of(&pairs, all_metrics, 0.25);
    const skv_metrics_file m = {&pairs, &r, "0.1", NULL};

    if (skv_metrics_write_h5(&m, temp_path("metrics.h5")) != SKV_OK)
        fail_msg("%s", skv_message());
    skv_results_clear(&r);
    skv_pairs_close(&pairs);
}

static skv_status write_everything(void)
{
    skv_pairs pairs = {0};
    skv_results r;
    skv_status st;

    SKV_TRY(skv_pairs_open_run(&pairs, temp_folder(), &(skv_pairs_wish){0}));
    r = results_of(&pairs, all_metrics, 0.25);
    st =
        skv_metrics_write_h5(&(skv_metrics_file){&pairs, &r, "0.1", NULL}, temp_path("metrics.h5"));
    skv_results_clear(&r);
    skv_pairs_close(&pairs);
    return st;
}

static void a_write_lost_without_a_word_is_seen(void **state)
{
    (void)state;
    write_run(&three_paths);
    assert_in_range(lose_each_write(write_everything, temp_path("metrics.h5")), 5, 1000);
}

/* PSNR and SSIM of these paths, 0.5, merged with what is there. */
static skv_results evaluate_again(const test_run *run, const char *paths)
{
    skv_pairs pairs = open_pairs(run, paths);
    skv_results r = results_of(&pairs, cheap_metrics, 0.5);

    if (skv_results_merge(&r, &pairs, temp_path("metrics.h5")) != SKV_OK)
        fail_msg("%s", skv_message());
    skv_pairs_close(&pairs);
    return r;
}

static double mean_of(const skv_results *r, int path, const char *metric)
{
    const skv_column *c = skv_path_column(&r->path[path], skv_metric_find(metric));

    return c ? c->mean : (double)NAN;
}

static void newer_numbers_replace_their_own_metric_alone(void **state)
{
    skv_results r;

    (void)state;
    evaluate_all(&three_paths);
    r = evaluate_again(&three_paths, NULL);
    assert_int_equal(r.n_paths, 2);
    for (int i = 0; i < 2; i++) {
        const skv_column *bits = skv_path_column(&r.path[i], skv_metric_find("bits_equal"));

        assert_int_equal(r.path[i].n_columns, 5);
        assert_true(mean_of(&r, i, "psnr") == 0.5 && mean_of(&r, i, "ssim") == 0.5);
        assert_true(mean_of(&r, i, "lpips") == 0.25 && mean_of(&r, i, "fid") == 0.25);
        assert_true(bits && bits->width == TEST_RUN_SCALES && bits->scale_mean[3] == 0.25);
        assert_string_equal(skv_path_column(&r.path[i], skv_metric_find("fid"))->weights, "files");
    }
    skv_results_clear(&r);
}

static void paths_that_were_not_compared_now_keep_their_place(void **state)
{
    skv_results r;

    (void)state;
    evaluate_all(&three_paths);
    r = evaluate_again(&three_paths, "tiny-4");
    assert_int_equal(r.n_paths, 2);
    assert_string_equal(r.path[0].name, "half-50");
    assert_true(mean_of(&r, 0, "psnr") == 0.25 && mean_of(&r, 0, "fid") == 0.25);
    assert_string_equal(r.path[1].name, "tiny-4");
    assert_true(mean_of(&r, 1, "psnr") == 0.5 && mean_of(&r, 1, "fid") == 0.25);
    skv_results_clear(&r);
}

/* Everything earlier is gone: only what was computed now is left. */
static void expect_dropped(const test_run *run)
{
    skv_results r = evaluate_again(run, "tiny-4");

    assert_int_equal(r.n_paths, 1);
    assert_int_equal(r.path[0].n_columns, 2);
    assert_true(isnan(mean_of(&r, 0, "lpips")));
    skv_results_clear(&r);
}

static void results_of_other_pictures_are_dropped(void **state)
{
    test_run run = three_paths;
    skv_results r;

    (void)state;
    evaluate_all(&three_paths);
    run.path[1].digest = "0123456789abcdef"; /* half-50 was made anew, tiny-4 was not */
    r = evaluate_again(&run, "tiny-4");
    assert_int_equal(r.n_paths, 1);
    assert_true(mean_of(&r, 0, "lpips") == 0.25);
    skv_results_clear(&r);

    run = three_paths;
    run.path[0].digest = "0123456789abcdef"; /* the reference */
    expect_dropped(&run);
    run = three_paths;
    run.error[2] = "not finite: picture"; /* another set of pairs */
    expect_dropped(&run);
}

/* FID of every path, the reference too, against a set of this digest. */
static skv_results against_of(const skv_pairs *pairs, const char *digest, double value)
{
    static const char *const metrics[] = {"fid_against", NULL};
    skv_results r = {.n = pairs->n, .n_against = 7};

    r.against = strdup("photos");
    r.against_digest = strdup(digest);
    r.path = calloc((size_t)pairs->n_sides, sizeof *r.path);
    assert_true(r.against && r.against_digest && r.path);
    for (int side = 0; side < pairs->n_sides; side++)
        fill_path(&r.path[r.n_paths++], pairs, side, metrics, value);
    return r;
}

/* <temp folder>/metrics.h5 of what is there and FID against the set "one", 0.75. */
static void add_against(void)
{
    skv_pairs pairs = open_pairs(&three_paths, NULL);
    skv_results r = against_of(&pairs, "one", 0.75);
    const skv_metrics_file m = {&pairs, &r, "0.1", NULL};

    assert_int_equal(skv_results_merge(&r, &pairs, temp_path("metrics.h5")), SKV_OK);
    if (skv_metrics_write_h5(&m, temp_path("metrics.h5")) != SKV_OK)
        fail_msg("%s", skv_message());
    skv_results_clear(&r);
    skv_pairs_close(&pairs);
}

static void numbers_against_other_pictures_stand_beside_the_reference_s(void **state)
{
    skv_results r;

    (void)state;
    evaluate_all(&three_paths);
    add_against();
    r = evaluate_again(&three_paths, "tiny-4");
    assert_int_equal(r.n_paths, 3);
    assert_string_equal(r.path[0].name, "full");
    assert_string_equal(r.against, "photos");
    assert_string_equal(r.against_digest, "one");
    assert_int_equal(r.n_against, 7);
    for (int i = 0; i < 3; i++)
        assert_true(mean_of(&r, i, "fid_against") == 0.75);
    assert_true(isnan(mean_of(&r, 0, "psnr")) && mean_of(&r, 1, "psnr") == 0.25);
    assert_true(mean_of(&r, 2, "psnr") == 0.5 && mean_of(&r, 2, "lpips") == 0.25);
    skv_results_clear(&r);
}

/* Another set replaces one, and leaves what is against the reference; another reference leaves what
 * is against the set. */
static void each_kind_of_numbers_goes_alone(void **state)
{
    test_run run = three_paths;
    skv_pairs pairs;
    skv_results r;

    (void)state;
    evaluate_all(&three_paths);
    add_against();
    pairs = open_pairs(&three_paths, "half-50");
    r = against_of(&pairs, "two", 0.5);
    assert_int_equal(skv_results_merge(&r, &pairs, temp_path("metrics.h5")), SKV_OK);
    assert_string_equal(r.against_digest, "two");
    assert_true(mean_of(&r, 0, "fid_against") == 0.5 && mean_of(&r, 1, "fid_against") == 0.5);
    assert_true(mean_of(&r, 1, "psnr") == 0.25 && mean_of(&r, 2, "psnr") == 0.25);
    assert_true(isnan(mean_of(&r, 2, "fid_against")));
    skv_results_clear(&r);
    skv_pairs_close(&pairs);

    run.path[0].digest = "0123456789abcdef"; /* the reference was made anew */
    r = evaluate_again(&run, "tiny-4");
    assert_int_equal(r.n_paths, 2);
    assert_true(mean_of(&r, 0, "fid_against") == 0.75 && isnan(mean_of(&r, 0, "psnr")));
    assert_true(mean_of(&r, 1, "fid_against") == 0.75 && mean_of(&r, 1, "psnr") == 0.5);
    assert_true(isnan(mean_of(&r, 1, "lpips")));
    skv_results_clear(&r);
}

static void a_file_that_cannot_be_read_is_replaced(void **state)
{
    (void)state;
    assert_int_equal(skv_file_write(temp_path("metrics.h5"), "no HDF5", 7), SKV_OK);
    expect_dropped(&three_paths);
}

static void a_file_that_cannot_be_opened_at_the_moment_stays(void **state)
{
    skv_pairs pairs;
    skv_results r;

    (void)state;
    evaluate_all(&three_paths);
    pairs = open_pairs(&three_paths, NULL);
    r = results_of(&pairs, cheap_metrics, 0.5);
    failing_open("metrics.h5");
    assert_int_equal(skv_results_merge(&r, &pairs, temp_path("metrics.h5")), SKV_E_IO);
    assert_int_equal(skv_results_merge(&r, &pairs, temp_path("metrics.h5")), SKV_OK);
    skv_results_clear(&r);
    skv_pairs_close(&pairs);
}

static void numbers_of_a_metric_that_is_gone_are_named(void **state)
{
    const skv_h5_layout ids = {.type = SKV_H5_TEXT, .n_dims = 1, .shape = {1}};
    const skv_h5_layout row = {.type = SKV_H5_F64, .n_dims = 1, .shape = {1}};
    const char *id = "id-a";
    const double one = 1;
    skv_old_metrics old;
    skv_h5 *f = NULL;

    (void)state;
    assert_int_equal(skv_h5_create(&f, temp_path("metrics.h5")), SKV_OK);
    assert_int_equal(skv_h5_write(f, "/metrics/id", &ids, &id), SKV_OK);
    assert_int_equal(skv_h5_write(f, "/metrics/half-50/psnr", &row, &one), SKV_OK);
    assert_int_equal(skv_h5_write(f, "/metrics/half-50/sharpness", &row, &one), SKV_OK);
    assert_int_equal(skv_h5_set_int(f, "/metrics/half-50", "n_pairs", 1), SKV_OK);
    assert_int_equal(skv_h5_set_int(f, "/metrics/half-50", "n_identical", 0), SKV_OK);
    assert_int_equal(skv_h5_set_text(f, "/", "networks", "none"), SKV_OK);
    assert_int_equal(skv_h5_set_text(f, "/", "reference", "full"), SKV_OK);
    assert_int_equal(skv_h5_set_text(f, "/", "config_digest", "0123456789abcdef"), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    if (skv_metrics_read_h5(&old, temp_path("metrics.h5")) != SKV_OK)
        fail_msg("%s", skv_message());
    assert_string_equal(old.unknown, "sharpness");
    assert_int_equal(old.results.n_paths, 1);
    assert_int_equal(old.results.path[0].n_columns, 1);
    assert_null(old.reference_digest);
    skv_old_metrics_clear(&old);
}

static void nothing_there_is_nothing_kept(void **state)
{
    (void)state;
    expect_dropped(&three_paths);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(newer_numbers_replace_their_own_metric_alone),
        CASE(paths_that_were_not_compared_now_keep_their_place),
        CASE(results_of_other_pictures_are_dropped),
        CASE(numbers_against_other_pictures_stand_beside_the_reference_s),
        CASE(each_kind_of_numbers_goes_alone),
        CASE(a_file_that_cannot_be_read_is_replaced),
        CASE(a_file_that_cannot_be_opened_at_the_moment_stays),
        CASE(numbers_of_a_metric_that_is_gone_are_named),
        CASE(nothing_there_is_nothing_kept),
        CASE(a_write_lost_without_a_word_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
