/* AlexNet with LPIPS, and Inception, against metrics.h5. The weights are the formula's but for
 * LPIPS's linear layers, which are read from both forms of file. Tolerances are those of the
 * reference's table; in brackets what an independent fp32 form came to. On a GPU sums run in
 * another order: the table's own allowance for LPIPS there is 1e-7. */
#include "metrics_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/metrics/frechet.h"
#include "eval/metrics/inception.h"
#include "eval/metrics/lpips.h"
#include "eval/metrics/resize.h"
#include "kernels/backend.h"
#include "temp_folder.h"
#include "test_device.h"

/* A set of features: its vectors, or what they sum up to. */
#define VECTORS(x, count) ((skv_feature_set){.n = (count), .n_kept = (count), .kept = (x)})

#define SIDE    SKV_INCEPTION_SIDE
#define INPUT   ((size_t)SIDE * SIDE * 3)
#define FEATURE 2e-5 /* [2.9e-6] */
#define TAP     5e-5 /* [5.6e-6] */
#define STAGE   1e-5 /* [1.9e-6] */

static double lpips_tolerance(void)
{
    return strcmp(test_device(), "cpu") == 0 ? 2e-8 : 1e-7; /* [4e-9] */
}

static float *download(skv_backend *be, const skv_tensor *t)
{
    float *data = malloc(skv_tensor_bytes(t));

    assert_non_null(data);
    assert_int_equal(skv_backend_download(be, data, t->data, skv_tensor_bytes(t)), SKV_OK);
    return data;
}

static void alexnets_taps_are_the_references(void **state)
{
    metrics_pair p = metrics_read_pair("pair/0");
    skv_backend *be = NULL;
    skv_lpips *l = NULL;

    (void)state;
    assert_int_equal(test_backend_open(&be, 2), SKV_OK);
    assert_int_equal(skv_lpips_open(&l, be, "formula", SKV_TEST_DATA "/tiny_lpips_lin.pth"),
                     SKV_OK);
    assert_int_equal(skv_lpips_set(l, 0, p.a, p.height, p.width), SKV_OK);
    for (int tap = 0; tap < SKV_LPIPS_TAPS; tap++) {
        hsize_t shape[4];
        float *want = metrics_array(H5T_NATIVE_FLOAT, shape, "alex/relu%d", tap + 1);
        const skv_tensor t = skv_lpips_tap(l, 0, tap);
        const int c = (int)shape[0], places = (int)(shape[1] * shape[2]);
        float *got = download(be, &t);

        assert_int_equal(t.shape[1], shape[1]);
        assert_int_equal(t.shape[2], shape[2]);
        assert_int_equal(t.shape[3], c);
        for (int i = 0; i < places; i++)
            for (int k = 0; k < c; k++)
                metrics_near(got[i * c + k], want[k * places + i], TAP, "tap %d, place %d, %d", tap,
                             i, k);
        free(want);
        free(got);
    }
    skv_lpips_close(l);
    skv_backend_destroy(be);
    free(p.a);
    free(p.b);
}

static void compare_lpips(skv_lpips *l, const char *group)
{
    metrics_pair p = metrics_read_pair(group);
    double *want = metrics_array(H5T_NATIVE_DOUBLE, NULL, "%s/lpips_layer", group);
    double total, by_tap[SKV_LPIPS_TAPS];

    assert_int_equal(skv_lpips_set(l, 0, p.a, p.height, p.width), SKV_OK);
    assert_int_equal(skv_lpips_set(l, 1, p.b, p.height, p.width), SKV_OK);
    assert_int_equal(skv_lpips_distance(&total, by_tap, l), SKV_OK);
    metrics_near(total, metrics_number("%s/lpips", group), lpips_tolerance(), "%s", group);
    for (int tap = 0; tap < SKV_LPIPS_TAPS; tap++)
        metrics_near(by_tap[tap], want[tap], lpips_tolerance(), "%s, tap %d", group, tap);
    if (strcmp(group, "extra/identical") == 0)
        assert_true(total == 0);
    free(want);
    free(p.a);
    free(p.b);
}

static void lpips_is_the_references_with_either_form_of_file(void **state)
{
    static const char *const files[] = {SKV_TEST_DATA "/tiny_lpips_lin.pth",
                                        SKV_TEST_DATA "/tiny_lpips_lin_zip.pth"};
    static const char *const pairs[] = {METRICS_PAIRS};
    skv_backend *be = NULL;

    (void)state;
    assert_int_equal(test_backend_open(&be, 2), SKV_OK);
    for (size_t f = 0; f < 2; f++) {
        skv_lpips *l = NULL;

        assert_int_equal(skv_lpips_open(&l, be, "formula", files[f]), SKV_OK);
        for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
            compare_lpips(l, pairs[i]);
        skv_lpips_close(l);
    }
    skv_backend_destroy(be);
}

static void a_reference_picture_stays_in_its_slot(void **state)
{
    metrics_pair p = metrics_read_pair("pair/1"), small = metrics_read_pair("pair/0");
    skv_backend *be = NULL;
    skv_lpips *l = NULL;
    double first, again, total;

    (void)state;
    assert_int_equal(test_backend_open(&be, 2), SKV_OK);
    assert_int_equal(skv_lpips_open(&l, be, "formula", "formula"), SKV_OK);
    assert_int_equal(skv_lpips_set(l, 0, p.a, p.height, p.width), SKV_OK);
    assert_int_equal(skv_lpips_set(l, 1, p.b, p.height, p.width), SKV_OK);
    assert_int_equal(skv_lpips_distance(&first, NULL, l), SKV_OK);
    assert_int_equal(skv_lpips_set(l, 1, p.a, p.height, p.width), SKV_OK);
    assert_int_equal(skv_lpips_distance(&again, NULL, l), SKV_OK);
    assert_true(first > 0 && again == 0);
    assert_int_equal(skv_lpips_set(l, 1, small.a, small.height, small.width), SKV_OK);
    assert_int_equal(skv_lpips_distance(&total, NULL, l), SKV_E_SHAPE);
    skv_lpips_close(l);
    skv_backend_destroy(be);
    free(p.a);
    free(p.b);
    free(small.a);
    free(small.b);
}

/* ------------------------------------------------------------------ Inception */

static skv_backend *watched;

/* Spatial means of every stage. */
static skv_status watch(void *ctx, const char *stage, const skv_tensor *y)
{
    double *want = metrics_array(H5T_NATIVE_DOUBLE, NULL, "inception/stage_mean/%s", stage);
    float *got = download(watched, y);
    const int places = (int)(y->shape[1] * y->shape[2]), c = (int)y->shape[3];

    for (int k = 0; k < c; k++) {
        double sum = 0;

        for (int i = 0; i < places; i++)
            sum += got[i * c + k];
        metrics_near(sum / places, want[k], STAGE, "%s, channel %d", stage, k);
    }
    (*(int *)ctx)++;
    free(want);
    free(got);
    return SKV_OK;
}

static void compare_features(skv_inception *net, const unsigned char *rgb, int height, int width,
                             const char *path)
{
    float *x = malloc(INPUT * sizeof *x), *want = metrics_array(H5T_NATIVE_FLOAT, NULL, "%s", path);
    float got[SKV_FEATURES];

    assert_int_equal(skv_resize_bicubic(x, rgb, height, width, SIDE, SIDE), SKV_OK);
    assert_int_equal(skv_inception_features(net, x, 1, got), SKV_OK);
    for (int i = 0; i < SKV_FEATURES; i++)
        metrics_near(got[i], want[i], FEATURE, "%s[%d]", path, i);
    free(x);
    free(want);
}

static void every_stage_of_inception_is_the_references(void **state)
{
    metrics_pair p = metrics_read_pair("pair/0");
    skv_inception *net = NULL;
    int stages = 0;

    (void)state;
    assert_int_equal(test_backend_open(&watched, 2), SKV_OK);
    assert_int_equal(skv_inception_open(&net, watched, "formula", 1), SKV_OK);
    skv_inception_watch(net, watch, &stages);
    compare_features(net, p.a, p.height, p.width, "pair/0/feat_a");
    assert_int_equal(stages, 18);
    skv_inception_close(net);
    skv_backend_destroy(watched);
    free(p.a);
    free(p.b);
}

static void features_are_the_references(void **state)
{
    static const char *const extra[] = {"width299", "large"};
    skv_backend *be = NULL;
    skv_inception *net = NULL;
    char path[64];

    (void)state;
    assert_int_equal(test_backend_open(&be, 2), SKV_OK);
    assert_int_equal(skv_inception_open(&net, be, "formula", 1), SKV_OK);
    for (int i = 0; i < 6; i++) {
        metrics_pair p;

        snprintf(path, sizeof path, "pair/%d", i);
        p = metrics_read_pair(path);
        snprintf(path, sizeof path, "pair/%d/feat_a", i);
        compare_features(net, p.a, p.height, p.width, path);
        snprintf(path, sizeof path, "pair/%d/feat_b", i);
        compare_features(net, p.b, p.height, p.width, path);
        free(p.a);
        free(p.b);
    }
    for (int i = 0; i < 2; i++) {
        hsize_t shape[4];
        unsigned char *rgb = metrics_array(H5T_NATIVE_UCHAR, shape, "extra/%s/image", extra[i]);

        snprintf(path, sizeof path, "extra/%s/feat", extra[i]);
        compare_features(net, rgb, (int)shape[0], (int)shape[1], path);
        free(rgb);
    }
    skv_inception_close(net);
    skv_backend_destroy(be);
}

/* Pictures of a batch do not see each other; which tile of a product a place falls into may differ,
 * hence the features' own tolerance. */
static void pictures_of_a_batch_have_their_own_features(void **state)
{
    enum { N = 3, ROOM = 4 };
    static const char *const side[] = {"a", "b"};
    float *x = malloc(N * INPUT * sizeof *x), *got = malloc(N * SKV_FEATURES * sizeof *got);
    skv_backend *be = NULL;
    skv_inception *net = NULL;

    (void)state;
    assert_true(x && got);
    assert_int_equal(test_backend_open(&be, 2), SKV_OK);
    assert_int_equal(skv_inception_open(&net, be, "formula", ROOM), SKV_OK);
    for (int i = 0; i < N; i++) {
        hsize_t shape[4];
        unsigned char *rgb =
            metrics_array(H5T_NATIVE_UCHAR, shape, "pair/%d/%s", i + 2, side[i % 2]);

        assert_int_equal(skv_resize_bicubic(x + (size_t)i * INPUT, rgb, (int)shape[0],
                                            (int)shape[1], SIDE, SIDE),
                         SKV_OK);
        free(rgb);
    }
    assert_int_equal(skv_inception_features(net, x, N, got), SKV_OK);
    for (int i = 0; i < N; i++) {
        float *want = metrics_array(H5T_NATIVE_FLOAT, NULL, "pair/%d/feat_%s", i + 2, side[i % 2]);

        for (int k = 0; k < SKV_FEATURES; k++)
            metrics_near(got[i * SKV_FEATURES + k], want[k], FEATURE, "picture %d[%d]", i, k);
        free(want);
    }
    assert_int_equal(skv_inception_features(net, x, ROOM + 1, got), SKV_E_ARG);
    skv_inception_close(net);
    skv_backend_destroy(be);
    free(x);
    free(got);
}

/* ------------------------------------------------------------------- refusals */

static void pictures_below_31_pixels_a_side_are_refused(void **state)
{
    static const unsigned char rgb[31 * 31 * 3];
    skv_backend *be = NULL;
    skv_lpips *l = NULL;
    double total = -1;

    (void)state;
    assert_int_equal(test_backend_open(&be, 1), SKV_OK);
    assert_int_equal(skv_lpips_open(&l, be, "formula", "formula"), SKV_OK);
    assert_int_equal(skv_lpips_set(l, 0, rgb, 31, 30), SKV_E_SHAPE);
    assert_non_null(strstr(skv_message(), "at least 31 pixels"));
    assert_int_equal(skv_lpips_set(l, 0, rgb, 30, 31), SKV_E_SHAPE);
    assert_int_equal(skv_lpips_distance(&total, NULL, l), SKV_E_SHAPE);
    assert_int_equal(skv_lpips_set(l, 0, rgb, 31, 31), SKV_OK);
    assert_int_equal(skv_lpips_set(l, 1, rgb, 31, 31), SKV_OK);
    assert_int_equal(skv_lpips_distance(&total, NULL, l), SKV_OK);
    assert_true(total == 0);
    skv_lpips_close(l);
    skv_backend_destroy(be);
}

#define LIN_BYTES 5480 /* of tiny_lpips_lin.pth; a legacy stream has no checksums */

static void read_lin(unsigned char *data)
{
    FILE *f = fopen(SKV_TEST_DATA "/tiny_lpips_lin.pth", "rb");

    assert_non_null(f);
    assert_int_equal(fread(data, 1, LIN_BYTES, f), LIN_BYTES);
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
}

/* Opens LPIPS with these bytes as its linear layers; the message must hold the file and `says`. */
static void refuse_lin(skv_status want, const char *says, const unsigned char *data)
{
    const char *path = temp_path("lin.pth");
    FILE *f = fopen(path, "wb");
    skv_backend *be = NULL;
    skv_lpips *l = NULL;

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, LIN_BYTES, f), LIN_BYTES);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(test_backend_open(&be, 1), SKV_OK);
    assert_int_equal(skv_lpips_open(&l, be, "formula", path), want);
    assert_null(l);
    assert_non_null(strstr(skv_message(), "lin.pth"));
    assert_non_null(strstr(skv_message(), says));
    skv_backend_destroy(be);
}

static void weights_that_are_not_numbers_are_refused(void **state)
{
    static const unsigned char not_a_number[4] = {0, 0, 0xC0, 0x7F};
    static const unsigned char infinite[4] = {0, 0, 0x80, 0xFF};
    unsigned char data[LIN_BYTES];

    (void)state;
    read_lin(data);
    memcpy(data + LIN_BYTES - 4, not_a_number, 4); /* the last number of the last tensor */
    refuse_lin(SKV_E_FORMAT, ".model.1.weight holds a number that is not finite", data);
    memcpy(data + LIN_BYTES - 4, infinite, 4);
    refuse_lin(SKV_E_FORMAT, ".model.1.weight holds a number that is not finite", data);
}

static void a_tensor_of_another_shape_is_named_with_the_wanted_one(void **state)
{
    unsigned char data[LIN_BYTES];
    int renamed = 0;

    (void)state;
    read_lin(data);
    for (size_t i = 0; i + 5 < LIN_BYTES; i++) /* lin0 and lin1 change names */
        if (memcmp(data + i, "lin", 3) == 0 && (data[i + 3] == '0' || data[i + 3] == '1')) {
            data[i + 3] ^= 1;
            renamed++;
        }
    assert_int_equal(renamed, 2);
    refuse_lin(SKV_E_SHAPE, "lin0.model.1.weight has another shape than (1,64,1,1)", data);
}

static void missing_and_wrong_files_are_named(void **state)
{
    skv_backend *be = NULL;
    skv_lpips *l = NULL;
    skv_inception *net = NULL;

    (void)state;
    assert_int_equal(test_backend_open(&be, 1), SKV_OK);
    assert_int_equal(skv_lpips_open(&l, be, "/nowhere/alexnet.pth", "formula"), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "/nowhere/alexnet.pth"));
    assert_non_null(strstr(skv_message(), "alexnet-owt-7be5be79.pth"));
    assert_int_equal(skv_lpips_open(&l, be, "formula", "/nowhere/alex.pth"), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "/nowhere/alex.pth"));
    assert_non_null(strstr(skv_message(), "v0.1/alex.pth"));
    assert_int_equal(skv_inception_open(&net, be, "/nowhere/fid.pth", 1), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "pt_inception-2015-12-05-6726825d.pth"));
    assert_int_equal(skv_inception_open(&net, be, SKV_TEST_DATA "/tiny_lpips_lin.pth", 1),
                     SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "is LPIPS's linear layers for AlexNet, want"));
    skv_backend_destroy(be);
}

static float *own_features(skv_inception *net, const char *set, int *n)
{
    hsize_t shape[4];
    unsigned char *rgb = metrics_array(H5T_NATIVE_UCHAR, shape, "%s", set);
    const int height = (int)shape[1], width = (int)shape[2];
    float *x = malloc(INPUT * sizeof *x), *out;

    *n = (int)shape[0];
    out = malloc((size_t)*n * SKV_FEATURES * sizeof *out);
    assert_true(x && out);
    for (int i = 0; i < *n; i++) {
        assert_int_equal(skv_resize_bicubic(x, rgb + (size_t)i * (size_t)(height * width * 3),
                                            height, width, SIDE, SIDE),
                         SKV_OK);
        assert_int_equal(skv_inception_features(net, x, 1, out + (size_t)i * SKV_FEATURES), SKV_OK);
    }
    free(x);
    free(rgb);
    return out;
}

static void fid_of_own_features_is_the_references(void **state)
{
    skv_backend *be = NULL;
    skv_inception *net = NULL;
    float *a, *b;
    skv_frechet f;
    int na, nb;

    (void)state;
    assert_int_equal(test_backend_open(&be, 2), SKV_OK);
    assert_int_equal(skv_inception_open(&net, be, "formula", 1), SKV_OK);
    a = own_features(net, "fid/set1", &na);
    b = own_features(net, "fid/set2", &nb);
    assert_int_equal(skv_frechet_distance(&f, SKV_FEATURES, &VECTORS(a, na), &VECTORS(b, nb)),
                     SKV_OK);
    metrics_near(f.distance, metrics_number("fid/fid"), 1e-5, "FID of own features"); /* [4e-7] */
    free(a);
    free(b);
    skv_inception_close(net);
    skv_backend_destroy(be);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alexnets_taps_are_the_references),
        cmocka_unit_test(lpips_is_the_references_with_either_form_of_file),
        cmocka_unit_test(a_reference_picture_stays_in_its_slot),
        cmocka_unit_test(every_stage_of_inception_is_the_references),
        cmocka_unit_test(features_are_the_references),
        cmocka_unit_test(pictures_of_a_batch_have_their_own_features),
        cmocka_unit_test(pictures_below_31_pixels_a_side_are_refused),
        cmocka_unit_test_setup_teardown(weights_that_are_not_numbers_are_refused, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_tensor_of_another_shape_is_named_with_the_wanted_one,
                                        temp_folder_make, temp_folder_remove),
        cmocka_unit_test(fid_of_own_features_is_the_references),
        cmocka_unit_test(missing_and_wrong_files_are_named),
    };

    return cmocka_run_group_tests(tests, metrics_open, metrics_close);
}
