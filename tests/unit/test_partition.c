#include "mpi/partition.h"

#include "cmocka_all.h"

#include <stdlib.h>

#define N_MAX   200
#define N_RANKS 64

static int64_t share(const int32_t *cost, int64_t n, int rank, int size, int64_t *next)
{
    int64_t first[N_RANKS + 1], sum = 0;

    skv_partition(first, cost, n, size);
    assert_int_equal(first[rank], *next);
    assert_true(first[rank + 1] >= first[rank]);
    for (int64_t k = first[rank]; k < first[rank + 1]; k++)
        sum += cost ? cost[k] : 1;
    *next = first[rank + 1];
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
    int64_t a[8], b[8];
    int32_t cost[50];

    (void)state;
    for (int k = 0; k < 50; k++)
        cost[k] = 3;
    skv_partition(a, cost, 50, 7);
    skv_partition(b, NULL, 50, 7);
    assert_memory_equal(a, b, sizeof a);
}

static void more_ranks_than_groups_leave_some_without_work(void **state)
{
    int64_t first[N_RANKS + 1];

    (void)state;
    skv_partition(first, NULL, 3, N_RANKS);
    for (int rank = 0; rank < N_RANKS; rank++)
        assert_in_range(first[rank + 1] - first[rank], 0, 1);
    assert_int_equal(first[N_RANKS], 3);
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
