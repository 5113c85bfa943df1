/* What skv doctor says of the algorithms that are known for a GPU. */
#include "job/doctor_tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "sample/tune_cache.h"
#include "temp_folder.h"

static skv_findings f;
static skv_host_facts gpu;

static int make(void **state)
{
    f = (skv_findings){0};
    gpu = (skv_host_facts){.gpu = "GPU-1", .device = "NVIDIA H200, bf16"};
    return temp_folder_make(state) != 0 || setenv("SKV_CACHE", temp_folder(), 1) != 0;
}

static int clear(void **state)
{
    skv_findings_clear(&f);
    return temp_folder_remove(state);
}

/* The one finding is a trap or not, and has these words. */
static void found(bool trap, const char *words)
{
    skv_doctor_tuning(&f, &gpu);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.finding[0].trap, trap);
    assert_non_null(strstr(f.finding[0].text, words));
}

static void nothing_is_known_before_the_first_run(void **state)
{
    (void)state;
    found(false, "no algorithms are known");
    assert_non_null(strstr(f.finding[0].text, temp_folder()));
}

static void what_runs_have_left_is_counted(void **state)
{
    char *folder = NULL, path[4096];

    (void)state;
    assert_int_equal(skv_tune_cache_folder(&folder, gpu.device), SKV_OK);
    assert_int_equal(skv_folder_make(folder), SKV_OK);
    snprintf(path, sizeof path, "%s/some.json", folder);
    assert_int_equal(skv_file_write(path, "{}", 2), SKV_OK);
    snprintf(path, sizeof path, "%s/some.trying", folder);
    assert_int_equal(skv_file_write(path, "", 0), SKV_OK);
    free(folder);
    found(false, "1 file in");
}

static void a_host_without_a_place_for_it_is_a_trap(void **state)
{
    (void)state;
    unsetenv("SKV_CACHE");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    found(true, "measures algorithms anew");
}

static void a_cpu_has_no_choice(void **state)
{
    (void)state;
    gpu.gpu[0] = '\0';
    skv_doctor_tuning(&f, &gpu);
    assert_int_equal(f.n, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, make, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_known_before_the_first_run), CASE(what_runs_have_left_is_counted),
        CASE(a_cpu_has_no_choice), CASE(a_host_without_a_place_for_it_is_a_trap), /* leaves none */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
