/* Kept positions turned into tokens over several cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cli/verify_kept.h"

/* Scales of 1, 4, 9 and 16 tokens. */
static skv_schedule small(void)
{
    return (skv_schedule){
        .n_scales = 4, .h = {1, 2, 3, 4}, .w = {1, 2, 3, 4}, .start = {0, 1, 5, 14, 30}};
}

static void positions_become_tokens_cut_after_cut(void **state)
{
    const skv_schedule s = small();
    skv_kept k = {0};

    (void)state;
    /* after scale 1: of tokens 0..4 */
    assert_int_equal(skv_kept_follow(&k, &s, 1, (int32_t[]){0, 3}, 2), SKV_OK);
    assert_int_equal(k.token[1], 3);
    /* after scale 2: the cache was 0, 3, 5, 6, .. 13 */
    assert_int_equal(skv_kept_follow(&k, &s, 2, (int32_t[]){1, 2, 10}, 3), SKV_OK);
    assert_int_equal(k.token[0], 3);
    assert_int_equal(k.token[1], 5);
    assert_int_equal(k.token[2], 13);
    skv_kept_clear(&k);
}

static void scales_between_cuts_are_there_whole(void **state)
{
    const skv_schedule s = small();
    skv_kept k = {0};

    (void)state;
    assert_int_equal(skv_kept_follow(&k, &s, 1, (int32_t[]){4}, 1), SKV_OK);
    /* no cut after scale 2; after scale 3 the cache was 4, 5..13, 14..29 */
    assert_int_equal(skv_kept_follow(&k, &s, 3, (int32_t[]){0, 1, 25}, 3), SKV_OK);
    assert_int_equal(k.token[0], 4);
    assert_int_equal(k.token[1], 5);
    assert_int_equal(k.token[2], 29);
    skv_kept_clear(&k);
}

static void positions_beyond_the_cache_are_refused(void **state)
{
    const skv_schedule s = small();
    skv_kept k = {0};

    (void)state;
    assert_int_equal(skv_kept_follow(&k, &s, 1, (int32_t[]){0, 5}, 2), SKV_E_SHAPE);
    assert_int_equal(skv_kept_follow(&k, &s, 1, (int32_t[]){-1}, 1), SKV_E_SHAPE);
    assert_int_equal(skv_kept_follow(&k, &s, 1, (int32_t[]){3, 3}, 2), SKV_E_SHAPE);
    skv_kept_clear(&k);
}

/* One early token chosen otherwise: every position moves, one token differs. */
static void one_other_token_is_one_difference(void **state)
{
    const skv_schedule s = small();
    skv_kept a = {0}, b = {0};

    (void)state;
    assert_int_equal(skv_kept_follow(&a, &s, 2, (int32_t[]){0, 4, 5, 6}, 4), SKV_OK);
    assert_int_equal(skv_kept_follow(&b, &s, 2, (int32_t[]){4, 5, 6, 9}, 4), SKV_OK);
    assert_float_equal(skv_kept_overlap(&a, &b), 0.75, 0);
    assert_float_equal(skv_kept_overlap(&a, &a), 1, 0);
    skv_kept_clear(&a);
    skv_kept_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_become_tokens_cut_after_cut),
        cmocka_unit_test(scales_between_cuts_are_there_whole),
        cmocka_unit_test(positions_beyond_the_cache_are_refused),
        cmocka_unit_test(one_other_token_is_one_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
