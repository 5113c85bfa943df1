/* The generator's rule by hand, and how a GPU's size enters it. test_torch_random_h5 holds it
 * against what torch drew. */
#include "core/torch_random.h"

#include "core/rng.h"

#include "cmocka_all.h"

static skv_torch_gpu gpu_of(const char *text)
{
    skv_torch_gpu gpu;

    assert_int_equal(skv_torch_gpu_parse(&gpu, text), SKV_OK);
    return gpu;
}

static void a_gpu_is_a_name_or_two_numbers(void **state)
{
    static const char *const same[][2] = {
        {"h100", "132:2048"}, {"h200", "132:2048"}, {"a100", "108:2048"}, {"h100-pcie", "114:2048"},
        {"4090", "128:1536"}, {"l40s", "142:1536"}, {"7:256", "7:256"}};

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const skv_torch_gpu gpu = gpu_of(same[i][0]);
        char text[24];

        skv_torch_gpu_text(text, &gpu);
        assert_string_equal(text, same[i][1]);
    }
}

static void threads_are_whole_blocks_up_to_what_the_gpu_holds(void **state)
{
    const skv_torch_gpu h100 = gpu_of("h100"), small = gpu_of("2:600"); /* 4 blocks */

    (void)state;
    assert_int_equal(skv_torch_threads(&h100, 1), 256);
    assert_int_equal(skv_torch_threads(&h100, 257), 512);
    assert_int_equal(skv_torch_threads(&h100, 262144), 262144);
    assert_int_equal(skv_torch_threads(&h100, 458752), 270336);
    assert_int_equal(skv_torch_threads(&small, 5000), 1024);
    assert_int_equal(skv_torch_step(&h100, 458752), 4);
    assert_int_equal(skv_torch_step(&small, 4096), 4);
    assert_int_equal(skv_torch_step(&small, 4097), 8);
}

/* Thread 3 of 512: its first Philox call gives numbers 3, 515, 1027, 1539, the next one 2051. */
static void a_number_is_a_word_of_its_threads_call(void **state)
{
    const skv_generator g = {0xfedcba9876543210u, 0x400000000u};
    const uint32_t key[2] = {0x76543210u, 0xfedcba98u};
    uint32_t first[4], second[4];

    (void)state;
    skv_philox(first, (uint32_t[4]){0, 1, 3, 0}, key);
    skv_philox(second, (uint32_t[4]){1, 1, 3, 0}, key);
    for (int lane = 0; lane < 4; lane++)
        assert_true(skv_torch_uniform(&g, 512, 3 + 512 * lane) ==
                    (float)first[lane] * 0x1p-32f + 0x1p-33f);
    assert_true(skv_torch_uniform(&g, 512, 3 + 4 * 512) == (float)second[0] * 0x1p-32f + 0x1p-33f);
}

static void an_a100_differs_where_its_threads_end(void **state)
{
    const skv_torch_gpu h100 = gpu_of("h100"), a100 = gpu_of("a100");
    const int64_t all = 262144, less = 221184;
    const skv_generator g = {1, 0};

    (void)state;
    assert_int_equal(skv_torch_threads(&h100, less), skv_torch_threads(&a100, less));
    assert_true(skv_torch_exponential(&g, skv_torch_threads(&h100, all), less - 1) ==
                skv_torch_exponential(&g, skv_torch_threads(&a100, all), less - 1));
    assert_true(skv_torch_exponential(&g, skv_torch_threads(&h100, all), less) !=
                skv_torch_exponential(&g, skv_torch_threads(&a100, all), less));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gpu_is_a_name_or_two_numbers),
        cmocka_unit_test(threads_are_whole_blocks_up_to_what_the_gpu_holds),
        cmocka_unit_test(a_number_is_a_word_of_its_threads_call),
        cmocka_unit_test(an_a100_differs_where_its_threads_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
