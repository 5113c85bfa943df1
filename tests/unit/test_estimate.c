/* Estimated seconds beside those that an H200 took. */
#include "sample/estimate.h"

#include "core/clock.h"

#include "cmocka_all.h"

typedef struct {
    const char *model, *policy;
    double percent;
    int rows;
    double seconds; /* skv bench on an H200, 1024², guidance 3, with the VAE */
} measured;

static double estimate(const measured *m)
{
    skv_sources sources = {0};
    skv_engine_setup s = {.sources = &sources,
                          .guided = true,
                          .max_prompts = m->rows,
                          .max_text_tokens = 25 * m->rows};
    skv_path path = {0};
    skv_policy_setup policy = {.dims = &sources.dims, .schedule = &s.schedule};
    double seconds = 0;

    assert_int_equal(skv_backend_open_planned(&s.be, "h200", (size_t)1 << 37, SKV_BF16), SKV_OK);
    assert_int_equal(skv_dims_named(&sources.dims, m->model), SKV_OK);
    assert_int_equal(skv_schedule_make(&s.schedule, 1, "1M"), SKV_OK);
    assert_int_equal(skv_policy_find(&path.policy, m->policy), SKV_OK);
    policy.base = skv_policy_base(m->percent, &s.schedule);
    assert_int_equal(skv_policy_open(&path.state, path.policy, &policy), SKV_OK);
    assert_int_equal(skv_estimate_group(&seconds, &s, &path), SKV_OK);
    skv_policy_close(path.policy, path.state);
    skv_backend_destroy(s.be);
    return seconds;
}

/* Two runs of one build differ by half a percent, two H200s by four. */
static void seconds_are_those_of_an_h200(void **state)
{
    static const measured known[] = {
        {"2b", "scalekv", 10, 8, 1.411},  {"2b", "full", 100, 8, 1.658},
        {"2b", "scalekv", 10, 1, 0.2016}, {"2b", "full", 100, 1, 0.2295},
        {"8b", "scalekv", 10, 4, 2.168},  {"8b", "full", 100, 4, 2.446},
        {"8b", "scalekv", 10, 1, 0.588},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const double seconds = estimate(&known[i]);

        print_message("%s %s, %d rows: %.4f s, measured %.4f s\n", known[i].model, known[i].policy,
                      known[i].rows, seconds, known[i].seconds);
        assert_true(seconds > 0.97 * known[i].seconds && seconds < 1.03 * known[i].seconds);
    }
}

static void durations_are_read_at_a_glance(void **state)
{
    char text[SKV_DURATION_BYTES];

    (void)state;
    skv_duration_text(text, 12.4);
    assert_string_equal(text, "12 s");
    skv_duration_text(text, 90);
    assert_string_equal(text, "2 min");
    skv_duration_text(text, 7199);
    assert_string_equal(text, "2 h 00 min");
    skv_duration_text(text, 360059);
    assert_string_equal(text, "100 h 01 min");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_are_those_of_an_h200),
        cmocka_unit_test(durations_are_read_at_a_glance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
