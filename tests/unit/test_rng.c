#include "core/rng.h"

#include "cmocka_all.h"

/* Known answers of the generator's authors (Random123, kat_vectors: philox4x32 10). */
static void philox_gives_the_published_answers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t out[4];

        skv_philox(out, known[i].counter, known[i].key);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void uniform_is_a_function_of_three_numbers(void **state)
{
    const uint32_t key[2] = {0x9abcdef0, 0x12345678};
    const uint32_t counter[4] = {5, 77, 3, 0};
    uint32_t word[4];

    (void)state;
    skv_philox(word, counter, key);
    for (uint32_t b = 0; b < 4; b++) {
        float u = skv_uniform(0x123456789abcdef0, 3, 77, 20 + b);

        assert_true(u >= 0.0f && u < 1.0f);
        assert_true(u == (float)(word[b] >> 8) / 16777216.0f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(uniform_is_a_function_of_three_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
