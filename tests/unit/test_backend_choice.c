/* Which device is taken, for every answer that a driver can give. */
#include "job/backend_choice.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

static skv_device_wish wish(const char *device, const char *dtype)
{
    return (skv_device_wish){.device = device, .dtype = dtype, .local_size = 1};
}

static skv_device_choice good(const skv_device_wish *w, skv_status counted, int n)
{
    skv_device_choice c;

    assert_int_equal(skv_device_decide(&c, w, counted, n), SKV_OK);
    return c;
}

static void auto_takes_the_gpu_that_is_there_in_bf16(void **state)
{
    const skv_device_wish w = wish("auto", "auto");
    skv_device_choice c = good(&w, SKV_OK, 1);

    (void)state;
    assert_true(c.cuda);
    assert_int_equal(c.type, SKV_BF16);
    assert_int_equal(c.n_sharing, 1);
    assert_false(c.no_driver);
}

static void auto_warns_of_a_missing_driver_only_in_a_build_with_cuda(void **state)
{
    const skv_device_wish w = wish("auto", "auto");
    skv_device_choice with = good(&w, SKV_E_NOTFOUND, 0), without = good(&w, SKV_E_UNSUPPORTED, 0);

    (void)state;
    assert_false(with.cuda);
    assert_true(with.no_driver);
    assert_false(without.cuda);
    assert_false(without.no_driver);
    assert_int_equal(without.type, SKV_F32);
}

static void a_driver_without_gpus_is_an_error_that_names_the_variable(void **state)
{
    const char *const devices[] = {"auto", "cuda"};
    skv_device_choice c;

    (void)state;
    for (int i = 0; i < 2; i++) {
        const skv_device_wish w = wish(devices[i], "auto");

        assert_int_equal(skv_device_decide(&c, &w, SKV_OK, 0), SKV_E_CUDA);
        assert_non_null(strstr(skv_message(), "CUDA_VISIBLE_DEVICES"));
        assert_non_null(strstr(skv_message(), devices[i]));
    }
}

static void a_broken_driver_is_never_hidden_by_the_cpu(void **state)
{
    const skv_device_wish w = wish("auto", "auto"), cpu = wish("cpu", "auto");
    const skv_status broken = skv_fail(SKV_E_CUDA, "the driver is too old");
    skv_device_choice c;

    (void)state;
    assert_int_equal(skv_device_decide(&c, &w, broken, 0), SKV_E_CUDA);
    assert_non_null(strstr(skv_message(), "the driver is too old"));
    assert_false(good(&cpu, SKV_E_UNSUPPORTED, 0).cuda);
}

static void cuda_is_refused_where_there_is_none(void **state)
{
    const skv_device_wish w = wish("cuda", "auto");
    skv_device_choice c;

    (void)state;
    assert_int_equal(skv_device_decide(&c, &w, SKV_E_UNSUPPORTED, 0), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "CPU build"));
    assert_int_equal(skv_device_decide(&c, &w, SKV_E_NOTFOUND, 0), SKV_E_CUDA);
    assert_non_null(strstr(skv_message(), "driver"));
}

static void ranks_go_round_the_gpus_that_they_see(void **state)
{
    skv_device_wish w = wish("auto", "auto");

    (void)state;
    for (w.local_size = 1; w.local_size <= 9; w.local_size++)
        for (int n = 1; n <= 4; n++)
            for (w.local_rank = 0; w.local_rank < w.local_size; w.local_rank++)
                assert_int_equal(good(&w, SKV_OK, n).gpu, w.local_rank % n);
}

/* n_sharing of each rank, with GPUs of these names. */
static void expect_sharing(const char *const *gpu, const int *want, int n)
{
    const skv_device_wish w = wish("auto", "auto");
    skv_device_choice c[8];
    int64_t number[8];

    for (int r = 0; r < n; r++) {
        c[r] = good(&w, SKV_OK, 1);
        snprintf(c[r].identity, sizeof c[r].identity, "%s", gpu[r]);
        number[r] = skv_device_number(&c[r]);
    }
    for (int r = 0; r < n; r++) {
        skv_device_count_sharing(&c[r], number, n);
        assert_int_equal(c[r].n_sharing, want[r]);
    }
}

static void ranks_that_see_one_gpu_each_share_it_only_where_it_is_the_same(void **state)
{
    (void)state;
    expect_sharing((const char *const[]){"GPU-a", "GPU-b", "GPU-c", "GPU-d"},
                   (const int[]){1, 1, 1, 1}, 4);
    expect_sharing((const char *const[]){"GPU-a", "GPU-b", "GPU-a", "GPU-a"},
                   (const int[]){3, 1, 3, 3}, 4);
}

static void ranks_on_the_cpu_share_their_host(void **state)
{
    skv_device_wish w = wish("cpu", "auto");
    skv_device_choice c;

    (void)state;
    w.local_size = 3;
    c = good(&w, SKV_E_UNSUPPORTED, 0);
    skv_device_count_sharing(&c, (const int64_t[]){skv_device_number(&c), 5, 6, 7}, 4);
    assert_int_equal(c.n_sharing, 3);
}

static void bf16_is_for_gpus_and_other_words_are_refused(void **state)
{
    const skv_device_wish bf16 = wish("auto", "bf16"), fp32 = wish("auto", "fp32");
    const skv_device_wish fp8 = wish("auto", "fp8"), tpu = wish("tpu", "auto");
    skv_device_choice c;

    (void)state;
    assert_int_equal(good(&bf16, SKV_OK, 1).type, SKV_BF16);
    assert_int_equal(good(&fp32, SKV_OK, 1).type, SKV_F32);
    assert_int_equal(good(&fp32, SKV_E_NOTFOUND, 0).type, SKV_F32);
    assert_int_equal(skv_device_decide(&c, &bf16, SKV_E_NOTFOUND, 0), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "--dtype bf16"));
    assert_int_equal(skv_device_decide(&c, &fp8, SKV_OK, 1), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "fp8"));
    assert_int_equal(skv_device_decide(&c, &tpu, SKV_OK, 1), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "tpu"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_takes_the_gpu_that_is_there_in_bf16),
        cmocka_unit_test(auto_warns_of_a_missing_driver_only_in_a_build_with_cuda),
        cmocka_unit_test(a_driver_without_gpus_is_an_error_that_names_the_variable),
        cmocka_unit_test(a_broken_driver_is_never_hidden_by_the_cpu),
        cmocka_unit_test(cuda_is_refused_where_there_is_none),
        cmocka_unit_test(ranks_go_round_the_gpus_that_they_see),
        cmocka_unit_test(ranks_that_see_one_gpu_each_share_it_only_where_it_is_the_same),
        cmocka_unit_test(ranks_on_the_cpu_share_their_host),
        cmocka_unit_test(bf16_is_for_gpus_and_other_words_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
