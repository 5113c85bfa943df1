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

/* The value of an E4M3 code, from its definition. */
static double e4m3_value(int code)
{
    const int exponent = (code >> 3) & 15, mantissa = code & 7;
    const double magnitude =
        exponent == 0 ? ldexp(mantissa, -9) : ldexp(8 + mantissa, exponent - 10);

    return code & 0x80 ? -magnitude : magnitude;
}

static uint8_t byte_of(float f, skv_dtype type)
{
    uint8_t code;

    skv_from_f32(&code, type, &f, 1);
    return code;
}

static void every_e4m3_code_is_its_value_and_midpoints_go_to_the_even_one(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const uint8_t code = (uint8_t)c;
        const double value = e4m3_value(c), next = e4m3_value(c + 1);
        float f;

        skv_to_f32(&f, &code, SKV_E4M3, 1);
        if ((c & 0x7f) == 0x7f) {
            assert_true(isnan(f));
            assert_int_equal(byte_of(f, SKV_E4M3), c);
            continue;
        }
        assert_true((double)f == value && (signbit(f) != 0) == (c >= 0x80));
        assert_int_equal(byte_of(f, SKV_E4M3), c);
        if ((c & 0x7f) == 0x7e)
            continue; /* the largest: beyond it there is nothing */
        assert_int_equal(byte_of((float)((value + next) / 2), SKV_E4M3), c % 2 ? c + 1 : c);
        assert_int_equal(byte_of((float)(value * 0.51 + next * 0.49), SKV_E4M3), c);
        assert_int_equal(byte_of((float)(value * 0.49 + next * 0.51), SKV_E4M3), c + 1);
    }
}

static void a_byte_is_saturated(void **state)
{
    static const struct {
        float in;
        int e4m3, i8;
    } known[] = {
        {448, 0x7e, 127},        {464, 0x7e, 127},      {1e30f, 0x7e, 127}, {INFINITY, 0x7e, 127},
        {-INFINITY, 0xfe, -127}, {-127.4f, 0xf0, -127}, {-128, 0xf0, -127}, {126.5f, 0x70, 126},
        {125.5f, 0x70, 126},     {0.5f, 0x30, 0},       {1.5f, 0x3c, 2},    {-2.5f, 0xc2, -2},
        {-0.49f, 0xb0, 0},       {0x1p-10f, 0, 0},      {0x1.8p-9f, 2, 0},  {0x1.8p-10f, 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        float back;
        const uint8_t code = byte_of(known[i].in, SKV_I8);

        assert_int_equal(byte_of(known[i].in, SKV_E4M3), known[i].e4m3);
        assert_int_equal((int8_t)code, known[i].i8);
        skv_to_f32(&back, &code, SKV_I8, 1);
        assert_true(back == (float)known[i].i8);
    }
    assert_int_equal(byte_of(NAN, SKV_I8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_and_bf16_survives_the_round_trip),
        cmocka_unit_test(rounding_is_to_nearest_even),
        cmocka_unit_test(every_e4m3_code_is_its_value_and_midpoints_go_to_the_even_one),
        cmocka_unit_test(a_byte_is_saturated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
