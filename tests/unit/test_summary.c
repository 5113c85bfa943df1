/* An evaluation's summary: rows in their places, failed rows passed over, and FID by moments for
 * many pictures as it is from the features themselves. */
#include "eval/metrics/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/rng.h"
#include "eval/metrics/frechet.h"

#define ROWS  2060 /* usable ones are more than features: FID goes by moments */
#define RANK  3
#define ROUND 1024

static skv_pairs pairs_of(int64_t n, uint8_t *usable)
{
    static const char *const side[2] = {"full", "other"};
    skv_pairs p = {.n = n, .usable = usable, .n_sides = 2, .side = side};

    for (int64_t i = 0; i < n; i++)
        p.n_usable += usable[i];
    return p;
}

/* Vectors of few directions, so that singular covariances are tried and the test is quick. */
static void make_feature(float *out, int64_t row, int side)
{
    for (int i = 0; i < SKV_FEATURES; i++) {
        out[i] = 0.1F * (float)side;
        for (int k = 0; k < RANK; k++)
            out[i] += skv_uniform(7, (uint32_t)k, (uint32_t)row, (uint32_t)side) *
                      skv_uniform(8, (uint32_t)k, (uint32_t)i, 0);
    }
}

static void add_row(skv_summary *s, int64_t row, const double record[3])
{
    float *feature = malloc(2 * SKV_FEATURES * sizeof *feature);

    assert_non_null(feature);
    make_feature(feature, row, 0);
    make_feature(feature + SKV_FEATURES, row, 1);
    assert_int_equal(skv_summary_add(s, row, 1, record, feature), SKV_OK);
    free(feature);
}

static void failed_rows_and_identical_pairs_do_not_count_as_numbers(void **state)
{
    uint8_t usable[4] = {1, 0, 1, 1};
    const double records[4][3] = {
        {20, 0.5, 0.25}, {NAN, NAN, NAN}, {30, 0.75, 0.5}, {INFINITY, 1, 0}};
    const skv_pairs p = pairs_of(4, usable);
    skv_summary *s = NULL;
    skv_eval_result r;

    (void)state;
    assert_int_equal(skv_summary_create(&s, &p, true, false, 2), SKV_OK);
    for (int i = 0; i < 4; i++)
        add_row(s, i, records[i]);
    assert_int_equal(skv_summary_end_round(s), SKV_OK);
    assert_int_equal(skv_summary_finish(&r, s), SKV_OK);
    assert_int_equal(r.side[1].n_pairs, 3);
    assert_int_equal(r.side[1].n_identical, 1);
    assert_true(isinf(r.side[1].psnr_mean));
    assert_true(r.side[1].psnr_mean_finite == 25);
    assert_true(r.side[1].ssim_mean == 0.75 && r.side[1].lpips_mean == 0.25);
    assert_true(isnan(r.side[1].fid) && isnan(r.side[1].kid));
    assert_true(isnan(r.side[1].psnr[1]) && r.side[1].psnr[2] == 30);
    skv_eval_result_clear(&r);
    skv_summary_destroy(s);
}

#define DIMS (RANK + 1) /* all vectors lie in the span of RANK directions and (1,1,...) */

/* An orthonormal basis of that span. */
static void make_basis(double basis[DIMS][SKV_FEATURES])
{
    for (int k = 0; k < DIMS; k++) {
        double norm = 0;

        for (int i = 0; i < SKV_FEATURES; i++)
            basis[k][i] = k < RANK ? (double)skv_uniform(8, (uint32_t)k, (uint32_t)i, 0) : 1;
        for (int j = 0; j < k; j++) {
            double dot = 0;

            for (int i = 0; i < SKV_FEATURES; i++)
                dot += basis[j][i] * basis[k][i];
            for (int i = 0; i < SKV_FEATURES; i++)
                basis[k][i] -= dot * basis[j][i];
        }
        for (int i = 0; i < SKV_FEATURES; i++)
            norm += basis[k][i] * basis[k][i];
        for (int i = 0; i < SKV_FEATURES; i++)
            basis[k][i] /= sqrt(norm);
    }
}

/* The distance in that span, where covariances are 4×4 and plain sums do. */
static double small_distance(const uint8_t *usable)
{
    static double basis[DIMS][SKV_FEATURES];
    static double x[2][ROWS][DIMS];
    double mean[2][DIMS] = {{0}}, cov[2][DIMS * DIMS] = {{0}};
    float feature[SKV_FEATURES];
    skv_frechet f;
    int n = 0;

    make_basis(basis);
    for (int row = 0; row < ROWS; row++) {
        if (!usable[row])
            continue;
        for (int side = 0; side < 2; side++) {
            make_feature(feature, row, side);
            for (int k = 0; k < DIMS; k++) {
                x[side][n][k] = 0;
                for (int i = 0; i < SKV_FEATURES; i++)
                    x[side][n][k] += basis[k][i] * (double)feature[i];
                mean[side][k] += x[side][n][k];
            }
        }
        n++;
    }
    for (int side = 0; side < 2; side++) {
        for (int k = 0; k < DIMS; k++)
            mean[side][k] /= n;
        for (int row = 0; row < n; row++)
            for (int k = 0; k < DIMS * DIMS; k++)
                cov[side][k] += (x[side][row][k / DIMS] - mean[side][k / DIMS]) *
                                (x[side][row][k % DIMS] - mean[side][k % DIMS]) / (n - 1);
    }
    assert_int_equal(skv_frechet_moments(&f, DIMS, mean[0], cov[0], mean[1], cov[1]), SKV_OK);
    return f.distance;
}

static void fid_of_many_pictures_goes_by_moments_of_rounds(void **state)
{
    const double record[3] = {30, 0.5, 0.5};
    uint8_t usable[ROWS];
    skv_pairs p;
    skv_summary *s = NULL;
    skv_eval_result r;
    double want;

    (void)state;
    memset(usable, 1, sizeof usable);
    usable[5] = 0;
    p = pairs_of(ROWS, usable);
    assert_int_equal(skv_summary_create(&s, &p, false, true, 2), SKV_OK);
    for (int64_t i = 0; i < ROWS; i++) {
        add_row(s, i, record);
        if (i % ROUND == ROUND - 1)
            assert_int_equal(skv_summary_end_round(s), SKV_OK);
    }
    assert_int_equal(skv_summary_end_round(s), SKV_OK);
    assert_int_equal(skv_summary_finish(&r, s), SKV_OK);
    want = small_distance(usable);
    assert_true(want > 1);
    /* features are rounded to fp32, half a unit of 6e-8 of numbers near 1 in 2,048 dimensions */
    assert_true(fabs(r.side[1].fid - want) < 1e-5);
    assert_true(isfinite(r.side[1].kid));
    skv_eval_result_clear(&r);
    skv_summary_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_rows_and_identical_pairs_do_not_count_as_numbers),
        cmocka_unit_test(fid_of_many_pictures_goes_by_moments_of_rounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
