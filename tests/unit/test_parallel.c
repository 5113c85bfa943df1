/* Loops over threads: every step once, each thread with a number of its own, the lowest failure
 * with its own thread's message. */
#include "core/parallel.h"

#include <string.h>

#include "cmocka_all.h"

#define N 500

static skv_status count(void *ctx, int64_t i)
{
    int *seen = ctx;

    seen[i]++;
    return SKV_OK;
}

static void every_index_is_visited_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads++) {
        int seen[N] = {0};

        assert_int_equal(skv_parallel(threads, N, count, seen), SKV_OK);
        for (int i = 0; i < N; i++)
            assert_int_equal(seen[i], 1);
    }
    assert_int_equal(skv_parallel(4, 0, count, NULL), SKV_OK);
}

static skv_status fail_from(void *ctx, int64_t i)
{
    const int64_t *first = ctx;

    return i >= *first ? skv_fail(SKV_E_IO, "picture %d is cut", (int)i) : SKV_OK;
}

static void the_lowest_failure_is_told_in_its_own_words(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads++) {
        int64_t first = 100;

        assert_int_equal(skv_parallel(threads, N, fail_from, &first), SKV_E_IO);
        /* indices are handed out in order, so the first failing one always ran */
        assert_string_equal(skv_message(), "picture 100 is cut");
    }
}

typedef struct {
    int seen[N];
    int64_t sum[8]; /* a thread's own: a shared number would be found by ThreadSanitizer */
} tally;

static void add(void *ctx, int64_t i, int thread)
{
    tally *t = ctx;

    t->seen[i]++;
    t->sum[thread] += i;
}

static void a_pool_runs_loop_after_loop(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads++) {
        skv_pool *pool = NULL;
        tally t = {{0}, {0}};
        int64_t sum = 0;

        assert_int_equal(skv_pool_create(&pool, threads), SKV_OK);
        assert_int_equal(skv_pool_threads(pool), threads);
        for (int loop = 0; loop < 50; loop++)
            skv_pool_run(pool, loop % 3 == 0 ? N : loop % 3, add, &t);
        for (int i = 0; i < threads; i++)
            sum += t.sum[i];
        for (int i = threads; i < 8; i++)
            assert_int_equal(t.sum[i], 0);
        assert_int_equal(sum, 17 * (int64_t)N * (N - 1) / 2 + 16);
        assert_int_equal(t.seen[0], 50);
        assert_int_equal(t.seen[1], 17 + 16);
        for (int i = 2; i < N; i++)
            assert_int_equal(t.seen[i], 17);
        skv_pool_destroy(pool);
    }
    skv_pool_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_runs_loop_after_loop),
        cmocka_unit_test(every_index_is_visited_once),
        cmocka_unit_test(the_lowest_failure_is_told_in_its_own_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
