#include "calibrate/held_tokens.h"

#include "cmocka_all.h"

/* Maps of 1, 3 and 4 tokens, then the last one: 1 + 3 + 4 + 9. */
static const skv_schedule schedule = {.n_scales = 4, .start = {0, 1, 4, 8, 17}};

static double column[17]; /* token t counts 2^t: a sum says which tokens are in it */

static double tokens(const skv_held *h, int layer, int si, int row, int head)
{
    return skv_held_sum(h, layer, si, row, head, column);
}

static skv_held *make(void)
{
    skv_held *h = NULL;

    for (int t = 0; t < 17; t++)
        column[t] = (double)(1 << t);
    assert_int_equal(skv_held_create(&h, &schedule, 2, 2, 2), SKV_OK);
    return h;
}

static void what_is_never_cut_holds_everything(void **state)
{
    skv_held *h = make();

    (void)state;
    skv_held_end(h);
    for (int si = 0; si < 4; si++)
        assert_true(tokens(h, 1, si, 1, 1) == (double)(1 << schedule.start[si + 1]) - 1);
    skv_held_destroy(h);
}

/* Places in a cache that has been cut name other tokens than in the sequence; heads and rows differ
 * in what they keep, and layers in when. */
static void places_follow_earlier_cuts(void **state)
{
    static const int32_t n_first[2] = {2, 1}, n_second[2] = {3, 0};
    static const int32_t first[] = {0, 3, 2, 1, 2, 0};  /* tokens 0 3 | 2, then 1 2 | 0 */
    static const int32_t second[] = {1, 2, 5, 0, 1, 4}; /* of 0 3 4-7: 3 4 7; of 1 2 4-7: 1 2 6 */
    skv_held *h = make();

    (void)state;
    for (int again = 0; again < 2; again++) { /* a group after another */
        skv_held_begin(h);
        assert_int_equal(skv_held_cut(h, 1, 1, 2, first, n_first), SKV_OK);
        assert_int_equal(skv_held_cut(h, 1, 2, 2, second, n_second), SKV_OK);
        skv_held_end(h);
        assert_true(tokens(h, 1, 1, 0, 0) == 0xf);
        assert_true(tokens(h, 1, 2, 0, 0) == 0xf0 + 1 + 8);
        assert_true(tokens(h, 1, 2, 0, 1) == 0xf0 + 4);
        assert_true(tokens(h, 1, 2, 1, 0) == 0xf0 + 2 + 4);
        assert_true(tokens(h, 1, 3, 0, 0) == 0x1ff00 + 8 + 16 + 128);
        assert_true(tokens(h, 1, 3, 1, 0) == 0x1ff00 + 2 + 4 + 64);
        assert_true(tokens(h, 1, 3, 1, 1) == 0x1ff00);
        assert_true(tokens(h, 0, 3, 1, 1) == 0x1ffff); /* the layer that nothing cut */
    }
    skv_held_destroy(h);
}

static void places_beyond_the_cache_are_refused(void **state)
{
    static const int32_t n[2] = {1, 1}, beyond[] = {0, 4, 0, 0}, falling[] = {2, 1};
    static const int32_t two[2] = {2, 0};
    skv_held *h = make();

    (void)state;
    assert_int_equal(skv_held_cut(h, 0, 1, 2, beyond, n), SKV_E_SHAPE);
    skv_held_begin(h);
    assert_int_equal(skv_held_cut(h, 0, 1, 1, falling, two), SKV_E_SHAPE);
    skv_held_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_never_cut_holds_everything),
                                       cmocka_unit_test(places_follow_earlier_cuts),
                                       cmocka_unit_test(places_beyond_the_cache_are_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
