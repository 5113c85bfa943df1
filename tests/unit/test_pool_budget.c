/* --budget: bytes as a user writes them, and the most tokens that fit, held against trying all. */
#include "sample/pool_budget.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "write_orders.h"

static void sizes_are_read(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
    } good[] = {{"1", 1},
                {"1000", 1000},
                {"3KiB", 3072},
                {"512MiB", (size_t)512 << 20},
                {"8GiB", (size_t)8 << 30}};
    static const char *const bad[] = {"",
                                      "0",
                                      "-1",
                                      "1.5GiB",
                                      "512 MiB",
                                      "512MB",
                                      "512mib",
                                      "MiB",
                                      " 1",
                                      "+1",
                                      "1MiBx",
                                      "0x10",
                                      "99999999999999999999",
                                      "17179869184GiB"};
    size_t bytes;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(skv_pool_parse(&bytes, good[i].text), SKV_OK);
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (skv_pool_parse(&bytes, bad[i]) != SKV_E_ARG)
            fail_msg("--budget \"%s\" was taken", bad[i]);
}

/* The pool at every budget, 0 where the policy refuses it. */
static size_t *all_pools(const skv_pool_of *of, int most)
{
    size_t *bytes = calloc((size_t)most + 1, sizeof *bytes);

    assert_non_null(bytes);
    for (int base = 1; base <= most; base++) {
        skv_policy_setup setup = *of->setup;
        skv_policy_state *s = NULL;
        skv_kv_plan *plan = NULL;

        setup.base = base;
        if (skv_policy_open(&s, of->policy, &setup) != SKV_OK)
            continue;
        assert_int_equal(
            skv_kv_plan_make(&plan, of->policy, s, setup.dims, setup.schedule, of->rows, of->types),
            SKV_OK);
        bytes[base] = skv_kv_plan_pool_bytes(plan);
        skv_kv_plan_destroy(plan);
        skv_policy_close(of->policy, s);
    }
    return bytes;
}

static void assert_best(const skv_pool_of *of, const size_t *all, int most, size_t limit)
{
    size_t bytes = 0, least = SIZE_MAX;
    char text[64];
    int base = 0, want = 0;
    const skv_status st = skv_pool_fit(&base, &bytes, of, limit);

    for (int b = 1; b <= most; b++) {
        want = all[b] > 0 && all[b] <= limit ? b : want;
        least = all[b] > 0 && all[b] < least ? all[b] : least;
    }
    if (want > 0) {
        assert_int_equal(st, SKV_OK);
        assert_int_equal(base, want);
        assert_int_equal(bytes, all[want]);
        return;
    }
    assert_int_equal(st, SKV_E_ARG);
    snprintf(text, sizeof text, "it takes %zu at least", least);
    if (!strstr(skv_message(), text))
        fail_msg("%s: %s, want %s", of->policy->name, skv_message(), text);
}

/* Limits between the least pool and the full cache's, and some beyond both. */
static void check_policy(const skv_policy *policy, const char *model, const char *resolution,
                         int step)
{
    const int drafter = 0;
    skv_schedule schedule;
    skv_dims dims;
    skv_policy_setup setup = {
        .dims = &dims, .schedule = &schedule, .drafters = &drafter, .n_drafters = 1};
    const skv_pool_of of = {
        .policy = policy, .setup = &setup, .rows = 4, .types = {SKV_BF16, SKV_KV_WORK}};
    size_t *all;
    int most;

    assert_int_equal(skv_dims_named(&dims, model), SKV_OK);
    assert_int_equal(skv_schedule_make(&schedule, 1, resolution), SKV_OK);
    setup.orders_file = write_orders(&dims, &schedule);
    most = (int)skv_schedule_history(&schedule);
    all = all_pools(&of, most);
    for (int b = 1; b <= most; b += step)
        for (int less = 0; less < 2; less++)
            assert_best(&of, all, most, all[b] - (size_t)(all[b] > 0 && less));
    assert_best(&of, all, most, 1);
    assert_best(&of, all, most, SIZE_MAX);
    free(all);
}

static void the_most_tokens_that_fit_are_found(void **state)
{
    (void)state;
    for (const skv_policy *const *p = skv_policies; *p; p++)
        if (strcmp((*p)->name, "full") != 0)
            check_policy(*p, "tiny_f16", "0.06M", 7);
}

/* Whose drafters and refiners share a budget by whole numbers: more tokens may take less. */
static void budgets_of_the_large_model_are_exact(void **state)
{
    const skv_policy *scalekv;

    (void)state;
    assert_int_equal(skv_policy_find(&scalekv, "scalekv"), SKV_OK);
    check_policy(scalekv, "2b", "1M", 800);
}

/* What is wrong with a policy at any budget is no matter of bytes. */
static void a_policy_that_takes_no_budget_says_why(void **state)
{
    skv_schedule schedule;
    skv_dims dims;
    skv_policy_setup setup = {.dims = &dims, .schedule = &schedule};
    skv_pool_of of = {.setup = &setup, .rows = 4, .types = {SKV_BF16, SKV_KV_WORK}};
    size_t bytes;
    int base;

    (void)state;
    assert_int_equal(skv_dims_named(&dims, "tiny_f16"), SKV_OK);
    assert_int_equal(skv_schedule_make(&schedule, 1, "0.06M"), SKV_OK);
    assert_int_equal(skv_policy_find(&of.policy, "heatkv"), SKV_OK);
    assert_int_not_equal(skv_pool_fit(&base, &bytes, &of, SIZE_MAX), SKV_OK);
    assert_non_null(strstr(skv_message(), "orders"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes_are_read),
                                       cmocka_unit_test(the_most_tokens_that_fit_are_found),
                                       cmocka_unit_test(budgets_of_the_large_model_are_exact),
                                       cmocka_unit_test(a_policy_that_takes_no_budget_says_why)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
