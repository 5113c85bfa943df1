#include "model/bits.h"

#include "cmocka_all.h"

static void a_picture_has_the_published_number_of_bytes(void **state)
{
    skv_schedule s;

    (void)state;
    assert_int_equal(skv_schedule_make(&s, 1.0, "1M"), SKV_OK);
    assert_int_equal(skv_bits_offset(&s, 32, s.n_scales), 42084);
    assert_int_equal(skv_bits_offset(&s, 56, s.n_scales), 73647);
}

static void every_scale_starts_on_a_byte(void **state)
{
    skv_schedule s;

    (void)state;
    assert_int_equal(skv_schedule_make(&s, 1.0, "0.06M"), SKV_OK);
    assert_int_equal(skv_bits_offset(&s, 14, 1), 2); /* 14 bits of the one token */
    assert_int_equal(skv_bits_offset(&s, 14, 2), 2 + 7);
}

static void a_picture_takes_four_numbers_a_thread_and_scale(void **state)
{
    const skv_torch_gpu h100 = {132, 2048}, small = {2, 256};
    skv_schedule s;

    (void)state;
    assert_int_equal(skv_schedule_make(&s, 1.0, "1M"), SKV_OK);
    assert_int_equal(skv_bits_drawn(&s, &h100, 32, 0), 0);
    assert_int_equal(skv_bits_drawn(&s, &h100, 32, 12), 48);
    assert_int_equal(skv_bits_drawn(&s, &h100, 56, 13), 52);
    assert_int_equal(skv_bits_drawn(&s, &small, 32, 5), 3 * 4 + 2 * 8); /* 2·6·6·32 > 4·512 */
}

static void packing_is_least_significant_bit_first_and_reversible(void **state)
{
    uint8_t bits[21], back[21], packed[3];

    (void)state;
    for (int i = 0; i < 21; i++)
        bits[i] = (uint8_t)(i % 3 == 0);
    skv_bits_pack(packed, bits, 21);
    assert_int_equal(packed[0], 0x49); /* bits 0, 3, 6 */
    assert_int_equal(packed[2] >> 5, 0);
    skv_bits_unpack(back, packed, 21);
    assert_memory_equal(back, bits, 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_has_the_published_number_of_bytes),
        cmocka_unit_test(every_scale_starts_on_a_byte),
        cmocka_unit_test(a_picture_takes_four_numbers_a_thread_and_scale),
        cmocka_unit_test(packing_is_least_significant_bit_first_and_reversible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
