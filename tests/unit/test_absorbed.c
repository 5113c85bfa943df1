/* The order of absorbed_attention's work: rows with texts of one padded length make one product, as
 * far as they are equally far from one another, and texts go as many at once as the scratch holds.
 */
#include <string.h>

#include "kernels/absorbed.h"

#include "cmocka_all.h"

#define TOKENS 1024 /* texts are padded to multiples of 16 */
#define HEADS  4
#define DIM    16

static skv_absorbed_attention_args rows(const int32_t *count, int n, int at_once, int longest)
{
    return (skv_absorbed_attention_args){
        .x = SKV_TENSOR(NULL, SKV_F32, SKV_HOST, n, TOKENS, HEADS * DIM),
        .kv = SKV_TENSOR(NULL, SKV_F32, SKV_HOST, 100, 2, HEADS, DIM),
        .count = count,
        .at_once = at_once,
        .longest = longest};
}

/* A run's first row, rows, distance, padded text and place. */
static void assert_run(const skv_absorbed_run *r, int first, int n, int apart, int text, int at)
{
    assert_int_equal(r->first, first);
    assert_int_equal(r->n, n);
    if (n > 1)
        assert_int_equal(r->apart, apart);
    assert_int_equal(r->text, text);
    assert_int_equal(r->at, at);
}

static skv_absorbed_run runs[SKV_ABSORBED_ROWS];
static bool served[SKV_ABSORBED_ROWS];

/* The next batch; its tokens are checked. */
static int next(const skv_absorbed_attention_args *a, int64_t tokens)
{
    const skv_backend be = {.act = SKV_F32, .kv = SKV_F32, .limits = &skv_limits_cpu};
    const skv_absorbed_layout l = skv_absorbed__layout(&be, a);
    int64_t text;
    const int n = skv_absorbed__runs(runs, served, &text, a, &l);

    assert_int_equal(text, tokens);
    assert_true(text <= l.text);
    return n;
}

static void a_prompts_two_rows_go_together(void **state)
{
    static const int32_t count[8] = {3, 30, 0, 60, 3, 30, 0, 60};
    const skv_absorbed_attention_args a = rows(count, 8, 8, 64);

    (void)state;
    memset(served, 0, sizeof served);
    assert_int_equal(next(&a, 2 * (16 + 32 + 64)), 3);
    assert_run(&runs[0], 0, 2, 4, 16, 0);
    assert_run(&runs[1], 1, 2, 4, 32, 32);
    assert_run(&runs[2], 3, 2, 4, 64, 96);
    assert_false(served[2]);
    assert_int_equal(next(&a, 0), 0);
}

static void lengths_within_a_step_are_alike(void **state)
{
    static const int32_t count[6] = {17, 32, 20, 33, 18, 48};
    const skv_absorbed_attention_args a = rows(count, 6, 6, 48);

    (void)state;
    memset(served, 0, sizeof served);
    assert_int_equal(next(&a, 3 * 32 + 48 + 32 + 48), 3);
    assert_run(&runs[0], 0, 3, 1, 32, 0);
    assert_run(&runs[1], 3, 2, 2, 48, 96);
    assert_run(&runs[2], 4, 1, 0, 32, 192);
}

static void no_more_at_once_than_the_scratch_holds(void **state)
{
    static const int32_t count[5] = {32, 32, 32, 32, 32};
    const skv_absorbed_attention_args two = rows(count, 5, 2, 32), one = rows(count, 5, 1, 64);

    (void)state;
    memset(served, 0, sizeof served);
    for (int r = 0; r < 4; r += 2) {
        assert_int_equal(next(&two, 64), 1);
        assert_run(&runs[0], r, 2, 1, 32, 0);
    }
    assert_int_equal(next(&two, 32), 1);
    assert_run(&runs[0], 4, 1, 0, 32, 0);
    memset(served, 0, sizeof served);
    assert_int_equal(next(&one, 64), 2); /* two texts fit, but a map at once */
    assert_run(&runs[0], 0, 1, 0, 32, 0);
    assert_run(&runs[1], 1, 1, 0, 32, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompts_two_rows_go_together),
        cmocka_unit_test(lengths_within_a_step_are_alike),
        cmocka_unit_test(no_more_at_once_than_the_scratch_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
