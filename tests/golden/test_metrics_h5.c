/* What needs no network, against metrics.h5: PSNR, SSIM, the resize, FID and KID of stored
 * features, Fréchet distances of stored moments. Tolerances: those of the reference's own table,
 * 1e3 times and more above what an independent form in double came to. */
#include "metrics_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/metrics/frechet.h"
#include "eval/metrics/kid.h"
#include "eval/metrics/metric.h"
#include "eval/metrics/moments.h"
#include "eval/metrics/resize.h"
#include "eval/metrics/ssim.h"

/* A set of features: its vectors, or what they sum up to. */
#define VECTORS(x, count) ((skv_feature_set){.n = (count), .n_kept = (count), .kept = (x)})
#define SUMS(m, c)        ((skv_feature_set){.mean = (m), .covariance = (c)})

#define DIMS 2048

static double psnr_of(const metrics_pair *p)
{
    const skv_metric_pair pair = {
        .side = 1, .height = p->height, .width = p->width, .reference = p->a, .compared = p->b};
    double psnr = -1;

    assert_int_equal(skv_metric_find("psnr")->compare(&psnr, NULL, &pair), SKV_OK);
    return psnr;
}

static void psnr_and_ssim_are_the_references(void **state)
{
    static const char *const pairs[] = {METRICS_PAIRS};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        metrics_pair p = metrics_read_pair(pairs[i]);
        double ssim, cropped;

        metrics_near(psnr_of(&p), metrics_number("%s/psnr", pairs[i]), 1e-9, "%s, PSNR", pairs[i]);
        assert_int_equal(skv_ssim(&ssim, &cropped, p.a, p.b, p.height, p.width), SKV_OK);
        metrics_near(ssim, metrics_number("%s/ssim", pairs[i]), 1e-9, "%s, SSIM", pairs[i]);
        metrics_near(cropped, metrics_number("%s/ssim_cropped", pairs[i]), 1e-9,
                     "%s, SSIM without its border", pairs[i]);
        free(p.a);
        free(p.b);
    }
}

static void equal_pictures_are_exactly_equal(void **state)
{
    metrics_pair p = metrics_read_pair("extra/identical");
    double ssim;

    (void)state;
    assert_true(isinf(psnr_of(&p)));
    assert_int_equal(skv_ssim(&ssim, NULL, p.a, p.b, p.height, p.width), SKV_OK);
    assert_true(ssim == 1.0);
    free(p.a);
    free(p.b);
}

static void resizing_is_pillows_bit_for_bit(void **state)
{
    static const char *const cases[] = {"up", "down"};
    float *got = malloc(299 * 299 * 3 * sizeof *got);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        hsize_t shape[4];
        unsigned char *from = metrics_array(H5T_NATIVE_UCHAR, shape, "resize/%s/src", cases[i]);
        float *want = metrics_array(H5T_NATIVE_FLOAT, NULL, "resize/%s/out", cases[i]);

        assert_int_equal(skv_resize_bicubic(got, from, (int)shape[0], (int)shape[1], 299, 299),
                         SKV_OK);
        assert_memory_equal(got, want, 299 * 299 * 3 * sizeof *got);
        free(from);
        free(want);
    }
    free(got);
}

static void coefficients_of_1024_to_299_are_pillows(void **state)
{
    int *bounds = metrics_array(H5T_NATIVE_INT, NULL, "resize/coef_1024/bounds");
    double *weights = metrics_array(H5T_NATIVE_DOUBLE, NULL, "resize/coef_1024/weights");
    skv_resize_axis axis;

    (void)state;
    assert_int_equal(skv_resize_axis_make(&axis, 1024, 299), SKV_OK);
    assert_int_equal(axis.most, 15);
    for (int o = 0; o < 299; o++) {
        assert_int_equal(axis.first[o], bounds[2 * o]);
        assert_int_equal(axis.count[o], bounds[2 * o + 1]);
    }
    assert_memory_equal(axis.weight, weights, 299 * 15 * sizeof *weights);
    free(axis.weight);
    free(bounds);
    free(weights);
}

static void fid_of_stored_features_is_the_exact_one(void **state)
{
    float *x = metrics_array(H5T_NATIVE_FLOAT, NULL, "fid/feat1");
    float *y = metrics_array(H5T_NATIVE_FLOAT, NULL, "fid/feat2");
    skv_frechet f;

    (void)state;
    assert_int_equal(skv_frechet_distance(&f, DIMS, &VECTORS(x, 40), &VECTORS(y, 40)), SKV_OK);
    metrics_near(f.distance, metrics_number("fid/fid"), 1e-8, "FID");
    metrics_near(f.mean_term, metrics_number("fid/mean_term"), 1e-8, "mean term");
    metrics_near(f.trace1, metrics_number("fid/trace1"), 1e-8, "first trace");
    metrics_near(f.trace2, metrics_number("fid/trace2"), 1e-8, "second trace");
    metrics_near(f.trace_sqrt, metrics_number("fid/trace_sqrt"), 1e-8, "trace of the root");
    free(x);
    free(y);
}

/* d×d moments of n×2048 features' first d columns, in blocks of 7. */
static void moments_of(skv_moments *m, int d, const float *x, int n)
{
    float *part = malloc((size_t)(n * d) * sizeof *part);

    for (int r = 0; r < n; r++)
        memcpy(part + r * d, x + r * DIMS, (size_t)d * sizeof *part);
    assert_int_equal(skv_moments_create(m, d), SKV_OK);
    for (int at = 0; at < n; at += 7)
        assert_int_equal(skv_moments_add(m, part + at * d, n - at < 7 ? n - at : 7), SKV_OK);
    free(part);
}

static void moments_give_the_fid_of_the_features(void **state)
{
    const struct {
        int d;
        const char *want;
    } cases[] = {{16, "fid/fid_first16"}, {DIMS, "fid/fid"}};
    float *x = metrics_array(H5T_NATIVE_FLOAT, NULL, "fid/feat1");
    float *y = metrics_array(H5T_NATIVE_FLOAT, NULL, "fid/feat2");

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const size_t n = (size_t)cases[i].d * (size_t)cases[i].d;
        double *cx = malloc(n * sizeof *cx), *cy = malloc(n * sizeof *cy);
        skv_moments mx, my;
        skv_frechet f;

        moments_of(&mx, cases[i].d, x, 40);
        moments_of(&my, cases[i].d, y, 40);
        assert_int_equal(skv_moments_covariance(cx, &mx), SKV_OK);
        assert_int_equal(skv_moments_covariance(cy, &my), SKV_OK);
        assert_int_equal(
            skv_frechet_distance(&f, cases[i].d, &SUMS(mx.mean, cx), &SUMS(my.mean, cy)), SKV_OK);
        metrics_near(f.distance, metrics_number("%s", cases[i].want), 1e-8, "FID of %d dimensions",
                     cases[i].d);
        skv_moments_clear(&mx);
        skv_moments_clear(&my);
        free(cx);
        free(cy);
    }
    free(x);
    free(y);
}

static void kid_of_stored_features_is_the_references(void **state)
{
    float *x = metrics_array(H5T_NATIVE_FLOAT, NULL, "fid/feat1");
    float *y = metrics_array(H5T_NATIVE_FLOAT, NULL, "fid/feat2");
    double kid;

    (void)state;
    assert_int_equal(
        skv_kid(&kid, &(skv_kid_sets){.d = DIMS, .x1 = x, .x2 = y, .n1 = 40, .n2 = 40}, 0, 2),
        SKV_OK);
    metrics_near(kid, metrics_number("fid/kid"), 1e-10, "KID");
    free(x);
    free(y);
}

static void frechet_cases_singular_ones_included_are_exact(void **state)
{
    static const char *const cases[] = {"d1",
                                        "d4",
                                        "d16",
                                        "identical",
                                        "rank3_vs_full_d8",
                                        "rank3_vs_rank4_d8",
                                        "zero_dims_d6",
                                        "disjoint_d6",
                                        "ill_d32",
                                        "both_zero_d3"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hsize_t d;
        double *m1 = metrics_array(H5T_NATIVE_DOUBLE, &d, "frechet/%s/mu1", cases[i]);
        double *s1 = metrics_array(H5T_NATIVE_DOUBLE, NULL, "frechet/%s/sigma1", cases[i]);
        double *m2 = metrics_array(H5T_NATIVE_DOUBLE, NULL, "frechet/%s/mu2", cases[i]);
        double *s2 = metrics_array(H5T_NATIVE_DOUBLE, NULL, "frechet/%s/sigma2", cases[i]);
        skv_frechet f;

        assert_int_equal(skv_frechet_distance(&f, (int)d, &SUMS(m1, s1), &SUMS(m2, s2)), SKV_OK);
        metrics_near(f.distance, metrics_number("frechet/%s/fid", cases[i]), 1e-8, "%s", cases[i]);
        metrics_near(f.trace_sqrt, metrics_number("frechet/%s/trace_sqrt", cases[i]), 1e-8,
                     "%s, trace of the root", cases[i]);
        free(m1);
        free(s1);
        free(m2);
        free(s2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(psnr_and_ssim_are_the_references),
        cmocka_unit_test(equal_pictures_are_exactly_equal),
        cmocka_unit_test(resizing_is_pillows_bit_for_bit),
        cmocka_unit_test(coefficients_of_1024_to_299_are_pillows),
        cmocka_unit_test(fid_of_stored_features_is_the_exact_one),
        cmocka_unit_test(moments_give_the_fid_of_the_features),
        cmocka_unit_test(kid_of_stored_features_is_the_references),
        cmocka_unit_test(frechet_cases_singular_ones_included_are_exact),
    };

    return cmocka_run_group_tests(tests, metrics_open, metrics_close);
}
