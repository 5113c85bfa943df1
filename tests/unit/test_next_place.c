/* The order in which ranks take groups. */
#include "job/next_place.h"

#include <stdbool.h>
#include <string.h>

#include "cmocka_all.h"

#define N_MAX   60
#define N_RANKS 7

static void a_rank_takes_its_share_first_and_then_others_from_the_back(void **state)
{
    static const int64_t share[] = {0, 3, 3, 6};
    static const int64_t order[] = {3, 4, 5, 2, 1, 0, -1};
    uint8_t places[6] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        const int64_t p = skv_next_place(places, share, 2, 3);

        assert_int_equal(p, order[i]);
        if (p >= 0)
            places[p] = SKV_PLACE_MINE;
    }
}

static void what_is_taken_or_done_is_passed_over(void **state)
{
    static const int64_t share[] = {0, 2, 4};
    const uint8_t places[] = {SKV_PLACE_DONE, SKV_PLACE_TAKEN, SKV_PLACE_LEFT, SKV_PLACE_MINE};

    (void)state;
    assert_int_equal(skv_next_place(places, share, 0, 2), 2);
}

/* Uneven shares: rank r has about r of (1 + .. + size) parts, some have none. */
static void cut(int64_t *share, int64_t n, int size)
{
    for (int r = 0; r <= size; r++)
        share[r] = n * r * (r + 1) / ((int64_t)size * (size + 1));
}

/* Ranks of different speeds, each with its own and late knowledge of what others took: a claim
 * decides (`claimed`). speed: a rank takes a turn every speed[r] steps. */
static void run_ranks(int64_t n, int size, const int *speed)
{
    uint8_t places[N_RANKS][N_MAX] = {{0}};
    bool claimed[N_MAX] = {0};
    int64_t share[N_RANKS + 1], n_claimed = 0;
    int n_out = 0;

    cut(share, n, size);
    for (int step = 0; n_out < size && step < 100000; step++) {
        n_out = 0;
        for (int r = 0; r < size; r++) {
            const int64_t p = skv_next_place(places[r], share, r, size);

            n_out += p < 0;
            if (p < 0 || step % speed[r] != 0)
                continue;
            places[r][p] = claimed[p] ? SKV_PLACE_TAKEN : SKV_PLACE_MINE;
            n_claimed += !claimed[p];
            claimed[p] = true;
        }
    }
    assert_int_equal(n_out, size);
    assert_int_equal(n_claimed, n);
}

static void every_group_is_taken_once_whatever_the_speeds(void **state)
{
    static const int equal[N_RANKS] = {1, 1, 1, 1, 1, 1, 1},
                     uneven[N_RANKS] = {1, 12, 2, 1, 5, 3, 1};

    (void)state;
    for (int size = 1; size <= N_RANKS; size++)
        for (int64_t n = 0; n <= N_MAX; n++) {
            run_ranks(n, size, equal);
            run_ranks(n, size, uneven);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rank_takes_its_share_first_and_then_others_from_the_back),
        cmocka_unit_test(what_is_taken_or_done_is_passed_over),
        cmocka_unit_test(every_group_is_taken_once_whatever_the_speeds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
