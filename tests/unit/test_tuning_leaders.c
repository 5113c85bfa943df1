/* Which rank chooses algorithms for which. */
#include "job/tuning_leaders.h"

#include <string.h>

#include "cmocka_all.h"

#define N 6

static void each_kind_of_device_has_its_first_rank_with_work(void **state)
{
    const int64_t kind[N] = {1, -2, 1, -2, 3, 1};
    const int64_t share[N + 1] = {0, 0, 2, 4, 5, 5, 6}; /* ranks 0 and 4 have no work */
    const int32_t want[N] = {2, 1, 2, 1, -1, 2};
    int32_t leader[N];

    (void)state;
    skv_tuning_leaders(leader, kind, share, N);
    assert_memory_equal(leader, want, sizeof want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_device_has_its_first_rank_with_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
