/* Stability and expectation, on figures made up so that chosen layers have the lowest scores. */
#include "calibrate/stability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate/expectation.h"

#include "cmocka_all.h"

/* Gives every head of the pairs in `low` little attention on the current map. */
static void add_picture(skv_calibration *c, int64_t row, const skv_drafters *low)
{
    const skv_measures *m = &c->what;
    double *figures = calloc(skv_figures(m), sizeof *figures);

    assert_non_null(figures);
    for (int si = 1; si < m->schedule.n_scales; si++)
        for (int l = 0; l < m->layers; l++)
            for (int h = 0; h < m->heads; h++) {
                double *head = figures + skv_figures_at(m, 0, si, l, h);
                const bool is_low = low->layers[si - 1] >> l & 1;

                head[si] = is_low ? 0.1 : 0.5 + 0.001 * l;
                for (int t = 0; t < m->n_tops; t++)
                    head[skv_column_top(m) + t] = head[skv_column_share(m) + t] = 0.5;
            }
    assert_int_equal(skv_calibration_add(c, row, figures), SKV_OK);
    free(figures);
}

static void open_2b(skv_calibration *c, skv_dims *dims, skv_drafters *known)
{
    skv_measures m = {.kinds = 1};

    assert_int_equal(skv_dims_named(dims, "2b"), SKV_OK);
    assert_int_equal(skv_schedule_make(&m.schedule, 1, "1M"), SKV_OK);
    assert_int_equal(skv_tops_parse(&m, "16,1%"), SKV_OK);
    m.layers = dims->depth;
    m.heads = 2;
    assert_int_equal(skv_calibration_init(c, &m), SKV_OK);
    assert_int_equal(skv_drafters_known(known, dims), SKV_OK);
}

static skv_stability_setup by_gap(const skv_calibration *c, int64_t samples)
{
    return (skv_stability_setup){
        .calibration = c, .samples = samples, .draft = {SKV_DRAFT_GAP, 0, 8}};
}

static void pictures_that_agree_give_a_set_that_is_stable(void **state)
{
    skv_calibration c;
    skv_dims dims;
    skv_drafters known;
    skv_stability s;
    skv_stability_setup setup;
    char text[512];

    (void)state;
    open_2b(&c, &dims, &known);
    for (int64_t row = 0; row < 6; row++)
        add_picture(&c, row, &known);
    setup = by_gap(&c, 2);
    assert_int_equal(skv_stability_find(&s, &setup), SKV_OK);
    assert_int_equal(skv_drafters_count(&s.set, 8, 13), 9);
    assert_true(skv_drafters_overlap(&s.set, &known, 8, 13) == 1);
    assert_true(fabs(s.same - 1) < 1e-9 && fabs(s.overlap - 1) < 1e-9);
    assert_true(fabs(s.chosen[8][23] - 1) < 1e-9 && s.chosen[12][23] == 0);
    assert_int_equal(s.n_sizes, 3); /* 1, 2 and all 3 prompts */
    assert_int_equal(s.size[2], 3);
    assert_true(s.by_top[1] == 1 && s.uncond == -1 && s.seeds == 1);
    skv_stability_say(text, sizeof text, &s, &c.what);
    assert_string_equal(text, "overlap 1.00 over 200 resamples of 3 prompts (100 % the same set); "
                              "K' 1.00 (16), 1.00 (1%); one seed of several 1.00");
    skv_calibration_clear(&c);
}

/* One prompt of two points elsewhere: resamples without it, or of it alone, give other sets. */
static void a_prompt_that_disagrees_shows(void **state)
{
    const skv_drafters other = {{0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2}};
    skv_calibration c;
    skv_dims dims;
    skv_drafters known;
    skv_stability s;
    skv_stability_setup setup;

    (void)state;
    open_2b(&c, &dims, &known);
    add_picture(&c, 0, &known);
    add_picture(&c, 5, &other);
    setup = by_gap(&c, 1);
    assert_int_equal(skv_stability_find(&s, &setup), SKV_OK);
    assert_true(s.same > 0.3 && s.same < 0.7); /* half of the resamples have both prompts */
    assert_true(s.overlap > s.by_size[0]);
    assert_true(s.seeds == -1);
    skv_calibration_clear(&c);
}

static void expect_finds_the_choices_that_give_the_released_set(void **state)
{
    static skv_expectation e[SKV_MAX_EXPECTATIONS];
    skv_calibration c;
    skv_dims dims;
    skv_drafters known;
    int n, exact = 0;

    (void)state;
    open_2b(&c, &dims, &known);
    add_picture(&c, 0, &known);
    assert_int_equal(skv_expect_released(e, &n, &c, &dims), SKV_OK);
    assert_int_equal(n, 2 * 3 * 4); /* K', index, rule; one kind of rows */
    for (int i = 0; i < n; i++) {
        const bool right = e[i].asi.index != SKV_INDEX_HTK && e[i].rule != SKV_DRAFT_LAYERS;

        assert_true((e[i].overlap == 1) == right); /* HTK is equal everywhere */
        exact += right;
    }
    assert_int_equal(exact, 8);
    assert_int_equal(skv_dims_named(&dims, "tiny_f16"), SKV_OK);
    assert_int_equal(skv_expect_released(e, &n, &c, &dims), SKV_E_NOTFOUND);
    skv_calibration_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_that_agree_give_a_set_that_is_stable),
        cmocka_unit_test(a_prompt_that_disagrees_shows),
        cmocka_unit_test(expect_finds_the_choices_that_give_the_released_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
