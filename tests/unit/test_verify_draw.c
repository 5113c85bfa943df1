/* Which differences between drawn and recorded bits rounding may explain. */
#include "cli/verify_draw.h"

#include <math.h>
#include <string.h>

#include "cmocka_all.h"

#define TOKENS 4
#define BITS   8
#define N      (TOKENS * BITS)

typedef struct {
    skv_recording recording;
    skv_drawn drawn;
    uint8_t recorded[N], bits[N];
    float guided[2 * N];
} world;

/* log(q1/q0) of a bit of scale 1: with this difference of logits it is a tie. */
static float tie_of(const world *w, int i)
{
    const skv_generator g = {w->drawn.of.seed, 4};
    const int64_t threads = skv_torch_threads(&w->drawn.of.gpu, 2 * N);

    return logf(skv_torch_exponential(&g, threads, 2 * (int64_t)i + 1) /
                skv_torch_exponential(&g, threads, 2 * (int64_t)i));
}

/* Every bit is decided by 0.1, and top-p drops none. */
static void open_world(world *w)
{
    *w = (world){.recording = {.schedule = {.n_scales = 2, .h = {1, 2}, .w = {1, 2}},
                               .guidance = {.top_p = 0.9999}},
                 .drawn.of = {.wanted = true, .seed = 3, .gpu = {132, 2048}}};
    assert_int_equal(skv_schedule_tokens(&w->recording.schedule, 1), TOKENS);
    w->recording.scale[1] =
        (skv_recorded_scale){.tokens = TOKENS, .bits = BITS, .bit = w->recorded};
    for (int i = 0; i < N; i++) {
        w->recorded[i] = w->bits[i] = (uint8_t)(i % 3 == 0);
        w->guided[2 * i + 1] = tie_of(w, i) + (w->bits[i] ? 0.1f : -0.1f);
    }
}

static bool add(world *w)
{
    bool changed = false;

    skv_drawn_add(&w->drawn, &changed, &w->recording, 1, w->bits, w->guided);
    return changed;
}

static void equal_bits_are_counted_and_stay(void **state)
{
    world w;

    (void)state;
    open_world(&w);
    assert_false(add(&w));
    assert_int_equal(w.drawn.same[1], N);
    assert_int_equal(w.drawn.near + w.drawn.wrong, 0);
    assert_true(skv_drawn_share(&w.drawn) == 1);
}

static void a_near_tie_becomes_the_recorded_bit(void **state)
{
    world w;

    (void)state;
    open_world(&w);
    w.bits[5] ^= 1;
    w.guided[2 * 5 + 1] = tie_of(&w, 5) + 1.5e-4f;
    assert_true(add(&w));
    assert_int_equal(w.drawn.near, 1);
    assert_int_equal(w.drawn.wrong, 0);
    assert_int_equal(w.drawn.same[1], N - 1);
    assert_memory_equal(w.bits, w.recorded, N);
}

static void so_does_one_at_the_threshold_of_top_p(void **state)
{
    world w;

    (void)state;
    open_world(&w);
    w.recording.guidance.top_p = 0.97;
    w.bits[7] ^= 1;
    w.guided[2 * 7 + 1] = (float)log(0.97 / 0.03) - 1.5e-4f;
    assert_true(add(&w));
    assert_int_equal(w.drawn.near, 1);
    assert_int_equal(w.drawn.wrong, 0);
}

static void any_other_difference_is_wrong_and_stays(void **state)
{
    world w;

    (void)state;
    open_world(&w);
    w.bits[5] ^= 1;
    w.guided[2 * 5 + 1] = tie_of(&w, 5) + 3e-4f;
    w.bits[9] ^= 1;
    assert_false(add(&w));
    assert_int_equal(w.drawn.near, 0);
    assert_int_equal(w.drawn.wrong, 2);
    assert_int_not_equal(w.bits[9], w.recorded[9]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_bits_are_counted_and_stay),
        cmocka_unit_test(a_near_tie_becomes_the_recorded_bit),
        cmocka_unit_test(so_does_one_at_the_threshold_of_top_p),
        cmocka_unit_test(any_other_difference_is_wrong_and_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
