/* Who reads weights, and whether NCCL can send them, on clusters of all shapes. */
#include "mpi/spread_plan.h"

#include "cmocka_all.h"

#define HOST(h, g)                                                                                 \
    {                                                                                              \
        .takes = 1, .host = h, .gpu = 100 * (h) + (g), .slot = 100 * (h) + (g)                     \
    }
#define IDLE(h, g)                                                                                 \
    {                                                                                              \
        .takes = 0, .host = h                                                                      \
    }

static void ranks_with_a_gpu_each_have_one_reader_and_nccl(void **state)
{
    const skv_spread_rank rank[] = {HOST(1, 1), HOST(1, 2), HOST(2, 1), HOST(2, 2)};
    const skv_spread_plan p = skv_spread__plan(rank, 4, 3);

    (void)state;
    assert_true(p.by_nccl && p.neighbours);
    assert_int_equal(p.n_takers, 4);
    assert_int_equal(p.first, 0);
    assert_int_equal(p.number, 3);
    assert_int_equal(p.n_hosts, 2);
    assert_int_equal(p.host_first, 2);
}

static void ranks_without_work_are_left_out(void **state)
{
    const skv_spread_rank rank[] = {IDLE(1, 1), HOST(1, 2), IDLE(2, 1), HOST(2, 2), IDLE(3, 1)};

    (void)state;
    for (int me = 0; me < 5; me++) {
        const int first[] = {1, 1, 3, 3, -1}, number[] = {-1, 0, -1, 1, -1};
        const skv_spread_plan p = skv_spread__plan(rank, 5, me);

        assert_true(p.by_nccl && !p.neighbours);
        assert_int_equal(p.n_takers, 2);
        assert_int_equal(p.first, 1);
        assert_int_equal(p.number, number[me]);
        assert_int_equal(p.n_hosts, 2);
        assert_int_equal(p.host_first, first[me]);
    }
}

static void nccl_wants_a_whole_gpu_for_each_rank(void **state)
{
    const skv_spread_rank shared[] = {HOST(1, 1), HOST(1, 1)};
    const skv_spread_rank mig[] = {{1, 1, 11, 5}, {1, 1, 12, 5}}; /* two instances of one GPU */
    const skv_spread_rank cpu[] = {{1, 1, 0, 0}, {1, 2, 0, 0}};
    const skv_spread_rank idle[] = {HOST(1, 1), {0, 1, 101, 101}, HOST(2, 1)};

    (void)state;
    assert_false(skv_spread__plan(shared, 2, 0).by_nccl);
    assert_false(skv_spread__plan(mig, 2, 0).by_nccl);
    assert_false(skv_spread__plan(cpu, 2, 0).by_nccl);
    assert_true(skv_spread__plan(idle, 3, 0).by_nccl); /* the one that shares has no work */
    assert_false(skv_spread__plan(shared, 1, 0).by_nccl);
}

static void nobody_with_work_is_no_case_for_anything(void **state)
{
    const skv_spread_rank rank[] = {IDLE(1, 1), IDLE(1, 2)};
    const skv_spread_plan p = skv_spread__plan(rank, 2, 1);

    (void)state;
    assert_int_equal(p.n_takers + p.n_hosts, 0);
    assert_int_equal(p.first, -1);
    assert_int_equal(p.host_first, -1);
    assert_false(p.by_nccl || p.neighbours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_with_a_gpu_each_have_one_reader_and_nccl),
        cmocka_unit_test(ranks_without_work_are_left_out),
        cmocka_unit_test(nccl_wants_a_whole_gpu_for_each_rank),
        cmocka_unit_test(nobody_with_work_is_no_case_for_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
