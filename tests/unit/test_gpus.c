/* The table of GPUs: its names as help has them, and how a GPU to plan for is read. */
#include "core/gpus.h"

#include <string.h>

#include "cmocka_all.h"

static void help_has_the_names_of_the_table(void **state)
{
    char names[256] = "";

    (void)state;
    for (int i = 0; skv_gpu_row(i); i++) {
        if (i > 0)
            strcat(names, ", ");
        strcat(names, skv_gpu_row(i)->name);
        assert_ptr_equal(skv_gpu_find(skv_gpu_row(i)->name), skv_gpu_row(i));
    }
    assert_string_equal(names, SKV_GPU_NAMES);
    assert_null(skv_gpu_find("h20"));
}

static void a_gpu_to_plan_for_is_a_name_or_has_bytes(void **state)
{
    skv_planned_gpu gpu;

    (void)state;
    assert_int_equal(skv_gpu_planned(&gpu, "h200"), SKV_OK);
    assert_int_equal(gpu.bytes, (size_t)143073 << 20);
    assert_true(gpu.tflops == 989);
    assert_int_equal(skv_gpu_planned(&gpu, "h200:1000"), SKV_OK);
    assert_int_equal(gpu.bytes, 1000);
    assert_true(gpu.tflops == 989);
    assert_int_equal(skv_gpu_planned(&gpu, "ours:17179869184"), SKV_OK);
    assert_string_equal(gpu.name, "ours");
    assert_int_equal(gpu.bytes, (size_t)16 << 30);
    assert_true(gpu.tflops == 0);
}

static void anything_else_is_refused_with_the_names(void **state)
{
    static const char *const bad[] = {"",
                                      "h20",
                                      ":5",
                                      "h200:",
                                      "h200:0",
                                      "h200:-1",
                                      "h200: 5",
                                      "h200:5G",
                                      "h200:99999999999999999999",
                                      "h200:2000000000000000",
                                      "a name that is longer than what a line has room for:5"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        skv_planned_gpu gpu;

        assert_int_equal(skv_gpu_planned(&gpu, bad[i]), SKV_E_ARG);
        assert_non_null(strstr(skv_message(), SKV_GPU_NAMES));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_has_the_names_of_the_table),
        cmocka_unit_test(a_gpu_to_plan_for_is_a_name_or_has_bytes),
        cmocka_unit_test(anything_else_is_refused_with_the_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
