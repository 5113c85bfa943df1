/* SSIM against its definition: an 11×11 window at every pixel, nothing separated, nothing kept. */
#include "eval/metrics/ssim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/rng.h"

#define RADIUS 5

/* Rounding of 121 products near 1e-16 over c2 = 9e-4, where the variances are 0: 1e-13 a pixel,
 * and a margin of 10. */
#define TOLERANCE 1e-12

typedef struct {
    int height, width;
} size;

static unsigned char *make_picture(size s, uint64_t seed, int range)
{
    const int n = 3 * s.height * s.width;
    unsigned char *x = malloc((size_t)n);

    assert_non_null(x);
    for (int i = 0; i < n; i++)
        x[i] = (unsigned char)(skv_uniform(seed, 0, (uint32_t)i, 0) * (float)range);
    return x;
}

static int mirror(int i, int n)
{
    if (i < 0)
        return -i;
    return i < n ? i : 2 * n - 2 - i;
}

static double at_pixel(const unsigned char *a, const unsigned char *b, size s, const int at[3])
{
    double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0, total = 0;
    const double c1 = 1e-4, c2 = 9e-4;

    for (int dy = -RADIUS; dy <= RADIUS; dy++)
        for (int dx = -RADIUS; dx <= RADIUS; dx++) {
            const double w = exp(-(dy * dy + dx * dx) / 4.5);
            const int y = mirror(at[0] + dy, s.height), x = mirror(at[1] + dx, s.width);
            const int i = 3 * (y * s.width + x) + at[2];
            const double p = a[i] / 255.0, q = b[i] / 255.0;

            total += w;
            ma += w * p;
            mb += w * q;
            aa += w * p * p;
            bb += w * q * q;
            ab += w * p * q;
        }
    ma /= total;
    mb /= total;
    aa = fmax(aa / total - ma * ma, 0);
    bb = fmax(bb / total - mb * mb, 0);
    ab = ab / total - ma * mb;
    return (2 * ma * mb + c1) * (2 * ab + c2) / ((ma * ma + mb * mb + c1) * (aa + bb + c2));
}

/* Mean of the map less `border` pixels on each side. */
static double definition(const unsigned char *a, const unsigned char *b, size s, int border)
{
    double sum = 0;
    int count = 0;

    for (int y = border; y < s.height - border; y++)
        for (int x = border; x < s.width - border; x++)
            for (int c = 0; c < 3; c++, count++)
                sum += at_pixel(a, b, s, (const int[3]){y, x, c});
    return sum / count;
}

static void compare(size s, int range_a, int range_b)
{
    unsigned char *a = make_picture(s, 1, range_a), *b = make_picture(s, 2, range_b);
    double mean, cropped;

    assert_int_equal(skv_ssim(&mean, &cropped, a, b, s.height, s.width), SKV_OK);
    assert_true(fabs(mean - definition(a, b, s, 0)) < TOLERANCE);
    if (s.height > 2 * RADIUS && s.width > 2 * RADIUS)
        assert_true(fabs(cropped - definition(a, b, s, RADIUS)) < TOLERANCE);
    else
        assert_true(isnan(cropped));
    free(a);
    free(b);
}

static void every_size_from_6_up_is_the_definition(void **state)
{
    static const size sizes[] = {{6, 6}, {6, 40}, {40, 7}, {10, 11}, {11, 11}, {12, 25}, {33, 16}};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        compare(sizes[i], 256, 256);
}

static void pictures_without_contrast_are_the_definition(void **state)
{
    (void)state;
    compare((size){20, 20}, 3, 3);   /* nearly black: variances far below c2 */
    compare((size){20, 20}, 256, 1); /* against black: one variance is 0 */
}

static void the_order_of_the_two_changes_no_bit(void **state)
{
    const size s = {21, 34};
    unsigned char *a = make_picture(s, 3, 256), *b = make_picture(s, 4, 200);
    double ab[2], ba[2];

    (void)state;
    assert_int_equal(skv_ssim(&ab[0], &ab[1], a, b, s.height, s.width), SKV_OK);
    assert_int_equal(skv_ssim(&ba[0], &ba[1], b, a, s.height, s.width), SKV_OK);
    assert_memory_equal(ab, ba, sizeof ab);
    free(a);
    free(b);
}

static void one_byte_of_difference_is_seen(void **state)
{
    const size s = {30, 30};
    unsigned char *a = make_picture(s, 5, 250), *b = make_picture(s, 5, 250);
    double mean, cropped;

    (void)state;
    assert_int_equal(skv_ssim(&mean, &cropped, a, b, s.height, s.width), SKV_OK);
    assert_true(mean == 1.0 && cropped == 1.0);
    b[0]++; /* a corner: no window of the cropped map's reaches it */
    assert_int_equal(skv_ssim(&mean, &cropped, a, b, s.height, s.width), SKV_OK);
    assert_true(mean < 1.0 && mean > 0.9999);
    assert_true(fabs(mean - definition(a, b, s, 0)) < TOLERANCE);
    assert_true(fabs(cropped - definition(a, b, s, RADIUS)) < TOLERANCE);
    free(a);
    free(b);
}

static void five_pixels_are_too_few(void **state)
{
    unsigned char *a = make_picture((size){5, 40}, 6, 256);
    double mean;

    (void)state;
    assert_int_equal(skv_ssim(&mean, NULL, a, a, 5, 40), SKV_E_SHAPE);
    assert_non_null(strstr(skv_message(), "40x5"));
    assert_int_equal(skv_ssim(&mean, NULL, a, a, 40, 5), SKV_E_SHAPE);
    assert_non_null(strstr(skv_message(), "5x40"));
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_from_6_up_is_the_definition),
        cmocka_unit_test(pictures_without_contrast_are_the_definition),
        cmocka_unit_test(the_order_of_the_two_changes_no_bit),
        cmocka_unit_test(one_byte_of_difference_is_seen),
        cmocka_unit_test(five_pixels_are_too_few),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
