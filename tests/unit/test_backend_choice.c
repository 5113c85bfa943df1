/* Which device is taken, for every answer that a driver can give. */
#include "job/backend_choice.h"

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

static void ranks_go_round_the_gpus_and_know_how_many_share_one(void **state)
{
    skv_device_wish w = wish("auto", "auto");

    (void)state;
    for (int size = 1; size <= 9; size++)
        for (int n = 1; n <= 4; n++) {
            int on[4] = {0};

            w.local_size = size;
            for (w.local_rank = 0; w.local_rank < size; w.local_rank++)
                on[good(&w, SKV_OK, n).gpu]++;
            for (w.local_rank = 0; w.local_rank < size; w.local_rank++) {
                const skv_device_choice c = good(&w, SKV_OK, n);

                assert_int_equal(c.gpu, w.local_rank % n);
                assert_int_equal(c.n_sharing, on[c.gpu]);
            }
        }
    w = wish("cpu", "auto");
    w.local_size = 3;
    assert_int_equal(good(&w, SKV_E_UNSUPPORTED, 0).n_sharing, 3);
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
        cmocka_unit_test(ranks_go_round_the_gpus_and_know_how_many_share_one),
        cmocka_unit_test(bf16_is_for_gpus_and_other_words_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
