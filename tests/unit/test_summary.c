/* An evaluation's summary: rows in their places, failed rows passed over, and FID by moments for
 * many pictures as it is from the features themselves. A network of few features stands for
 * Inception: nothing in the summary depends on how many there are. */
#include "eval/metrics/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/rng.h"
#include "eval/metrics/frechet.h"

/* A set of features: its vectors, or what they sum up to. */
#define VECTORS(x, count) ((skv_feature_set){.n = (count), .n_kept = (count), .kept = (x)})

#define FEATURES 12
#define ROWS     50 /* usable ones are more than features: FID goes by moments */
#define ROUND    16

static const skv_metric_network network = {.name = "few", .n_features = FEATURES};

static skv_pairs pairs_of(int64_t n, uint8_t *usable)
{
    static const char *const side[2] = {"full", "other"};
    skv_pairs p = {.n = n, .usable = usable, .n_sides = 2, .side = side};

    for (int64_t i = 0; i < n; i++)
        p.n_usable += usable[i];
    return p;
}

/* The record's first number says whether the pictures are the same bytes. */
static void failed_rows_and_identical_pairs_do_not_count_as_numbers(void **state)
{
    skv_slot slots[] = {{.metric = skv_metric_find("psnr"), .at = 1, .width = 1},
                        {.metric = skv_metric_find("ssim"), .at = 2, .width = 1},
                        {.metric = skv_metric_find("bits_equal"), .at = 3, .width = 2}};
    const skv_record_plan plan = {.n_slots = 3, .slot = slots, .numbers = 5};
    const double records[4][5] = {{0, 20, 0.5, 1, 0.5},
                                  {NAN, NAN, NAN, NAN, NAN},
                                  {0, 30, 0.75, 1, 0.25},
                                  {1, INFINITY, 1, 1, 0.75}};
    uint8_t usable[4] = {1, 0, 1, 1};
    const skv_pairs p = pairs_of(4, usable);
    const skv_path_results *r;
    skv_summary *s = NULL;
    skv_results out;

    (void)state;
    assert_int_equal(skv_summary_create(&s, &p, &plan, "none", NULL), SKV_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(skv_summary_add(s, i, 1, records[i], NULL), SKV_OK);
    assert_int_equal(skv_summary_end_round(s), SKV_OK);
    assert_int_equal(skv_summary_finish(&out, s, 1), SKV_OK);
    r = &out.path[0];
    assert_int_equal(out.n_paths, 1);
    assert_string_equal(r->name, "other");
    assert_int_equal(r->n_pairs, 3);
    assert_int_equal(r->n_identical, 1);
    assert_int_equal(r->n_columns, 3);
    assert_true(isinf(r->column[0].mean) && r->column[0].mean_finite == 25);
    assert_true(isnan(r->column[0].value[1]) && r->column[0].value[2] == 30);
    assert_true(r->column[1].mean == 0.75 && !r->column[1].weights);
    assert_true(r->column[2].scale_mean[0] == 1 && r->column[2].scale_mean[1] == 0.5);
    assert_true(r->column[2].mean == 0.75 && isnan(r->column[2].value[2]));
    assert_null(skv_path_column(r, skv_metric_find("fid")));
    skv_results_clear(&out);
    skv_summary_destroy(s);
}

static void make_features(float out[2][FEATURES], int64_t row)
{
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < FEATURES; i++)
            out[side][i] = skv_uniform(7, (uint32_t)i, (uint32_t)row, (uint32_t)side) +
                           0.1F * (float)(side * i);
}

/* Both sides' usable features, (n, FEATURES) each. */
static int64_t all_features(float *a, float *b, const uint8_t *usable, int64_t rows)
{
    float both[2][FEATURES];
    int64_t n = 0;

    for (int64_t row = 0; row < rows; row++) {
        if (!usable[row])
            continue;
        make_features(both, row);
        memcpy(a + n * FEATURES, both[0], sizeof both[0]);
        memcpy(b + n++ * FEATURES, both[1], sizeof both[1]);
    }
    return n;
}

/* FID and KID of the first `rows` rows, one of which failed. */
static void compare_sets(int64_t rows)
{
    skv_metric fid = *skv_metric_find("fid"), kid = *skv_metric_find("kid");
    skv_slot slots[] = {{.metric = &fid, .network = &fid}, {.metric = &kid, .network = &kid}};
    skv_feature_slot feature = {.network = &network};
    const skv_record_plan plan = {.n_slots = 2,
                                  .n_networks = 1,
                                  .slot = slots,
                                  .feature = &feature,
                                  .numbers = 1,
                                  .features = FEATURES};
    static float a[ROWS * FEATURES], b[ROWS * FEATURES];
    float both[2][FEATURES];
    uint8_t usable[ROWS];
    const double record = 0;
    skv_summary *s = NULL;
    skv_results out;
    skv_pairs p;
    skv_frechet want;
    int64_t n;

    memset(usable, 1, sizeof usable);
    usable[5] = 0;
    p = pairs_of(rows, usable);
    assert_int_equal(skv_summary_create(&s, &p, &plan, "files", NULL), SKV_OK);
    for (int64_t i = 0; i < rows; i++) {
        make_features(both, i);
        assert_int_equal(skv_summary_add(s, i, 1, &record, both[0]), SKV_OK);
        if (i % ROUND == ROUND - 1)
            assert_int_equal(skv_summary_end_round(s), SKV_OK);
    }
    assert_int_equal(skv_summary_end_round(s), SKV_OK);
    assert_int_equal(skv_summary_finish(&out, s, 2), SKV_OK);
    n = all_features(a, b, usable, rows);
    assert_int_equal(skv_frechet_distance(&want, FEATURES, &VECTORS(a, n), &VECTORS(b, n)), SKV_OK);
    assert_true(want.distance > 0.1);
    assert_true(fabs(out.path[0].column[0].mean - want.distance) < 1e-10);
    assert_true(isfinite(out.path[0].column[1].mean));
    assert_string_equal(out.path[0].column[0].weights, "files");
    skv_results_clear(&out);
    skv_summary_destroy(s);
}

static void fid_of_few_pictures_is_that_of_their_features(void **state)
{
    (void)state;
    compare_sets(FEATURES + 1);
}

static void fid_of_many_pictures_goes_by_moments_of_rounds(void **state)
{
    (void)state;
    compare_sets(ROWS);
}

/* Against a set from elsewhere every side has numbers, the reference too, which has no others;
 * where there is no reference they are all that there is. */
static void every_side_is_held_against_a_set_from_elsewhere(void **state)
{
    static float x[2][3 * FEATURES], other[5 * FEATURES];
    skv_metric fid = *skv_metric_find("fid"), far = *skv_metric_find("fid_against"),
               kid = *skv_metric_find("kid_against");
    skv_slot slots[] = {{.metric = &fid, .network = &fid},
                        {.metric = &far, .network = &far},
                        {.metric = &kid, .network = &kid}};
    skv_feature_slot feature = {.network = &network};
    skv_record_plan plan = {.n_slots = 3,
                            .n_networks = 1,
                            .slot = slots,
                            .feature = &feature,
                            .numbers = 1,
                            .features = FEATURES};
    const skv_against against = {
        .name = "photos", .features = {.n = 5, .n_kept = 5, .kept = other}, .digest = "0123"};
    float both[2][FEATURES];
    uint8_t usable[3] = {1, 1, 1};
    const double record = 1;
    skv_pairs p = pairs_of(3, usable);

    (void)state;
    for (int64_t i = 0; i < 5; i++) {
        make_features(both, 100 + i);
        memcpy(other + i * FEATURES, both[1], sizeof both[1]);
    }
    for (int no_reference = 0; no_reference < 2; no_reference++) {
        skv_summary *s = NULL;
        skv_results out;

        p.no_reference = no_reference;
        plan.slot = slots + no_reference; /* without FID */
        plan.n_slots = 3 - no_reference;
        assert_int_equal(skv_summary_create(&s, &p, &plan, "files", &against), SKV_OK);
        for (int64_t i = 0; i < 3; i++) {
            make_features(both, i);
            for (int side = 0; side < 2; side++)
                memcpy(x[side] + i * FEATURES, both[side], sizeof both[side]);
            assert_int_equal(skv_summary_add(s, i, 1, &record, both[0]), SKV_OK);
        }
        assert_int_equal(skv_summary_finish(&out, s, 1), SKV_OK);
        assert_string_equal(out.against, "photos");
        assert_int_equal(out.n_against, 5);
        assert_int_equal(out.n_paths, 2);
        for (int side = 0; side < 2; side++) {
            const skv_path_results *r = &out.path[side];
            skv_frechet want;

            assert_int_equal(
                skv_frechet_distance(&want, FEATURES, &VECTORS(other, 5), &VECTORS(x[side], 3)),
                SKV_OK);
            assert_int_equal(r->n_columns, side == 0 || no_reference ? 2 : 3);
            assert_int_equal(r->n_identical, side == 0 || no_reference ? 0 : 3);
            assert_true(skv_path_is_compared(r) == (side == 1 && !no_reference));
            assert_true(r->column[r->n_columns - 2].mean == want.distance);
            assert_true(isfinite(r->column[r->n_columns - 1].mean));
        }
        skv_results_clear(&out);
        skv_summary_destroy(s);
    }
}

static void one_pair_is_no_set(void **state)
{
    skv_slot slot = {.metric = skv_metric_find("fid")};
    skv_feature_slot feature = {.network = &network};
    const skv_record_plan plan = {.n_slots = 1,
                                  .n_networks = 1,
                                  .slot = &slot,
                                  .feature = &feature,
                                  .numbers = 1,
                                  .features = FEATURES};
    uint8_t usable[2] = {1, 0};
    const skv_pairs p = pairs_of(2, usable);
    const double record[2] = {0, NAN};
    float both[4][FEATURES];
    skv_summary *s = NULL;
    skv_results out;

    (void)state;
    make_features(both, 0);
    make_features(both + 2, 1);
    assert_int_equal(skv_summary_create(&s, &p, &plan, "files", NULL), SKV_OK);
    assert_int_equal(skv_summary_add(s, 0, 2, record, both[0]), SKV_OK);
    assert_int_equal(skv_summary_finish(&out, s, 1), SKV_OK);
    assert_true(isnan(out.path[0].column[0].mean));
    skv_results_clear(&out);
    skv_summary_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_rows_and_identical_pairs_do_not_count_as_numbers),
        cmocka_unit_test(fid_of_few_pictures_is_that_of_their_features),
        cmocka_unit_test(fid_of_many_pictures_goes_by_moments_of_rounds),
        cmocka_unit_test(every_side_is_held_against_a_set_from_elsewhere),
        cmocka_unit_test(one_pair_is_no_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
