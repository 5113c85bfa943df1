#include "mpi/partition.h"

#include "cmocka_all.h"

#include <stdlib.h>

#define N_MAX 200

static int64_t share(const int32_t *cost, int64_t n, int rank, int size, int64_t *next)
{
    int64_t first, count, sum = 0;

    skv_partition(&first, &count, cost, n, rank, size);
    if (count > 0)
        assert_int_equal(first, *next);
    assert_true(count >= 0);
    for (int64_t k = first; k < first + count; k++)
        sum += cost ? cost[k] : 1;
    *next += count;
    return sum;
}

static void equal_costs_differ_by_at_most_one_and_cover_all(void **state)
{
    (void)state;
    for (int64_t n = 0; n <= N_MAX; n++)
        for (int size = 1; size <= 17; size++) {
            int64_t next = 0;

            for (int rank = 0; rank < size; rank++) {
                int64_t sum = share(NULL, n, rank, size, &next);

                assert_true(sum == n / size || sum == (n + size - 1) / size);
            }
            assert_int_equal(next, n);
        }
}

static void uneven_costs_stay_within_the_dearest_group(void **state)
{
    (void)state;
    for (int64_t n = 1; n <= N_MAX; n++)
        for (int size = 1; size <= 9; size++) {
            int32_t cost[N_MAX], dearest = 0;
            int64_t next = 0, total = 0;

            for (int64_t k = 0; k < n; k++) {
                cost[k] = (int32_t)(1 + (k * k * 7 + size) % 11);
                total += cost[k];
                dearest = cost[k] > dearest ? cost[k] : dearest;
            }
            for (int rank = 0; rank < size; rank++) {
                int64_t sum = share(cost, n, rank, size, &next);

                assert_true(llabs(sum * size - total) <= (int64_t)dearest * size);
            }
            assert_int_equal(next, n);
        }
}

static void a_list_of_equal_costs_is_cut_like_one_without(void **state)
{
    int32_t cost[50];

    (void)state;
    for (int k = 0; k < 50; k++)
        cost[k] = 3;
    for (int rank = 0; rank < 7; rank++) {
        int64_t a[2], b[2];

        skv_partition(&a[0], &a[1], cost, 50, rank, 7);
        skv_partition(&b[0], &b[1], NULL, 50, rank, 7);
        assert_int_equal(a[0], b[0]);
        assert_int_equal(a[1], b[1]);
    }
}

static void more_ranks_than_groups_leave_some_without_work(void **state)
{
    int64_t first, count, total = 0;

    (void)state;
    for (int rank = 0; rank < 64; rank++) {
        skv_partition(&first, &count, NULL, 3, rank, 64);
        assert_true(count == 0 || count == 1);
        total += count;
    }
    assert_int_equal(total, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_costs_differ_by_at_most_one_and_cover_all),
        cmocka_unit_test(uneven_costs_stay_within_the_dearest_group),
        cmocka_unit_test(a_list_of_equal_costs_is_cut_like_one_without),
        cmocka_unit_test(more_ranks_than_groups_leave_some_without_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
