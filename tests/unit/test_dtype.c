#include "core/dtype.h"

#include <math.h>
#include <string.h>

#include "cmocka_all.h"

static void every_half_and_bf16_survives_the_round_trip(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 0x10000; i++) {
        uint16_t h = (uint16_t)i, back;
        float f;

        skv_to_f32(&f, &h, SKV_F16, 1);
        skv_from_f32(&back, SKV_F16, &f, 1);
        assert_true(isnan(f) || back == h);
        skv_to_f32(&f, &h, SKV_BF16, 1);
        skv_from_f32(&back, SKV_BF16, &f, 1);
        assert_true(isnan(f) || back == h);
    }
}

static void rounding_is_to_nearest_even(void **state)
{
    static const struct {
        float in;
        uint16_t half, bf16;
    } known[] = {
        {0.0f, 0x0000, 0x0000},
        {-0.0f, 0x8000, 0x8000},
        {1.0f, 0x3c00, 0x3f80},
        {65504.0f, 0x7bff, 0x4780},
        {65519.0f, 0x7bff, 0x4780},
        {65520.0f, 0x7c00, 0x4780},
        {0x1p-24f, 0x0001, 0x3380},
        {0x1p-25f, 0x0000, 0x3300},
        {0x1.8p-24f, 0x0002, 0x33c0},
        {1.0f + 0x1p-11f, 0x3c00, 0x3f80},
        {1.0f + 0x1.8p-10f, 0x3c02, 0x3f80},
        {1.0f + 0x1p-8f, 0x3c04, 0x3f80},
        {1.0f + 0x1.8p-7f, 0x3c0c, 0x3f82},
        {INFINITY, 0x7c00, 0x7f80},
        {3.4e38f, 0x7c00, 0x7f80},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint16_t h;

        skv_from_f32(&h, SKV_F16, &known[i].in, 1);
        assert_int_equal(h, known[i].half);
        skv_from_f32(&h, SKV_BF16, &known[i].in, 1);
        assert_int_equal(h, known[i].bf16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_and_bf16_survives_the_round_trip),
        cmocka_unit_test(rounding_is_to_nearest_even),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
