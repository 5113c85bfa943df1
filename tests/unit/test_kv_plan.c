#include "cache/kv.h"

#include <string.h>

#include "cmocka_all.h"
#include "write_orders.h"

/* A configured policy on a schedule, and its plan. */
typedef struct {
    skv_dims dims;
    skv_schedule schedule;
    const skv_policy *policy;
    skv_policy_state *state;
    skv_kv_plan *plan;
    int base, rows;
} fixture;

static void open_plan(fixture *f, const char *policy, const char *model, double ratio,
                      const char *resolution, double percent)
{
    const int drafters[] = {0};
    skv_policy_setup setup = {.dims = &f->dims, .schedule = &f->schedule};

    f->rows = 4;
    assert_int_equal(skv_dims_named(&f->dims, model), SKV_OK);
    assert_int_equal(skv_schedule_make(&f->schedule, ratio, resolution), SKV_OK);
    assert_int_equal(skv_policy_find(&f->policy, policy), SKV_OK);
    setup.base = f->base = skv_policy_base(percent, &f->schedule);
    setup.orders_file = write_orders(&f->dims, &f->schedule);
    if (strcmp(model, "2b") != 0 && strcmp(model, "8b") != 0) {
        setup.drafters = drafters;
        setup.n_drafters = 1;
    }
    assert_int_equal(skv_policy_open(&f->state, f->policy, &setup), SKV_OK);
    assert_int_equal(skv_kv_plan_make(&f->plan, f->policy, f->state, &f->dims, &f->schedule,
                                      f->rows, (skv_kv_types){SKV_BF16, SKV_KV_WORK}),
                     SKV_OK);
}

static void close_plan(fixture *f)
{
    skv_kv_plan_destroy(f->plan);
    skv_policy_close(f->policy, f->state);
}

/* K and V bytes of one token: all rows and heads. */
static size_t token_bytes(const fixture *f)
{
    return (size_t)f->rows * (size_t)f->dims.width * 2 * 2;
}

static void the_full_cache_of_2b_has_room_for_all_scales_but_the_last(void **state)
{
    fixture f;
    size_t scratch;

    (void)state;
    open_plan(&f, "full", "2b", 1, "1M", 100);
    assert_false(skv_kv_plan_cuts(f.plan));
    assert_int_equal(skv_kv_plan_pool_bytes(f.plan), 32 * 6425 * token_bytes(&f));
    scratch = 10521 * token_bytes(&f) + 10521 * 4 * (size_t)f.rows * 16;
    assert_int_equal(skv_kv_plan_scratch_bytes(f.plan), scratch);
    assert_int_equal(skv_kv_plan_length(f.plan, 31, 15, 11), 6425);
    assert_int_equal(skv_kv_plan_capacity(f.plan, 31, 15, 11), SKV_KEEP_ALL);
    assert_int_equal(skv_kv_plan_bytes(f.plan, 0, 1), 5 * token_bytes(&f));
    assert_int_equal(skv_kv_plan_total_bytes(f.plan), skv_kv_plan_pool_bytes(f.plan) +
                                                          skv_kv_plan_scratch_bytes(f.plan) +
                                                          skv_kv_plan_meta_bytes(f.plan));
    close_plan(&f);
}

static void lengths_grow_by_a_map_and_end_at_the_capacity(void **state)
{
    (void)state;
    for (int i = 0; skv_policies[i]; i++) {
        fixture f;

        open_plan(&f, skv_policies[i]->name, "tiny_f16", 1.5, "0.60M", 10);
        for (int layer = 0; layer < f.dims.depth; layer++)
            for (int head = 0; head < f.dims.heads; head++)
                for (int si = 0, len = 0; si < f.schedule.n_scales - 1; si++) {
                    int cap = f.policy->capacity(f.state, layer, head, si);

                    len += skv_schedule_tokens(&f.schedule, si);
                    len = len < cap ? len : cap;
                    assert_int_equal(skv_kv_plan_length(f.plan, layer, head, si), len);
                    assert_int_equal(skv_kv_plan_capacity(f.plan, layer, head, si), cap);
                }
        close_plan(&f);
    }
}

static void a_budget_never_reached_is_planned_as_the_full_cache(void **state)
{
    fixture f, full;

    (void)state;
    open_plan(&full, "full", "2b", 1, "0.25M", 100);
    for (int i = 1; skv_policies[i]; i++) {
        open_plan(&f, skv_policies[i]->name, "2b", 1, "0.25M", 110);
        assert_false(skv_kv_plan_cuts(f.plan));
        assert_int_equal(skv_kv_plan_total_bytes(f.plan), skv_kv_plan_total_bytes(full.plan));
        close_plan(&f);
    }
    close_plan(&full);
}

/* Σ of all layers' bytes after the cuts of scale si. */
static size_t held_after(const fixture *f, int si)
{
    size_t sum = 0;

    for (int layer = 0; layer < f->dims.depth; layer++)
        sum += skv_kv_plan_bytes(f->plan, layer, si);
    return sum;
}

static void scalekv_holds_exactly_its_average_after_every_cut(void **state)
{
    fixture f;

    (void)state;
    open_plan(&f, "scalekv", "8b", 1, "1M", 10);
    for (int si = 7; si < 12; si++)
        assert_int_equal(held_after(&f, si), 40 * 650 * token_bytes(&f));
    close_plan(&f);
}

/* Peak of the ring in averages: 1.16 at 2B, 1.25 at 8B. Drafters grow from cut to cut and stand
 * first, so the ring is fullest when the last of the leading ones has been written. */
static void the_ring_peaks_little_above_the_average(void **state)
{
    static const struct {
        const char *model;
        double peak;
    } known[] = {{"2b", 1.16}, {"8b", 1.25}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        fixture f;
        double average, peak;

        open_plan(&f, "scalekv", known[i].model, 1, "1M", 10);
        average = (double)f.dims.depth * f.base * (double)token_bytes(&f);
        peak = (double)skv_kv_plan_pool_bytes(f.plan) / average;
        print_message("%s: ring peak %.4f averages\n", known[i].model, peak);
        assert_true(peak > known[i].peak - 0.005 && peak < known[i].peak + 0.005);
        close_plan(&f);
    }
}

static void the_pool_holds_every_moment_and_no_more(void **state)
{
    (void)state;
    for (int i = 1; skv_policies[i]; i++) {
        fixture f;
        size_t most = 0;

        open_plan(&f, skv_policies[i]->name, "tiny_f14", 0.75, "1M", 7);
        assert_true(skv_kv_plan_cuts(f.plan));
        /* Moments: layers up to `layer` have been cut at si, the others not yet. */
        for (int si = 0; si < f.schedule.n_scales - 1; si++)
            for (int layer = 0; layer < f.dims.depth; layer++) {
                size_t now = 0;

                for (int l = 0; l < f.dims.depth; l++)
                    if (l <= layer || si > 0)
                        now += skv_kv_plan_bytes(f.plan, l, l <= layer ? si : si - 1);
                most = now > most ? now : most;
            }
        assert_int_equal(skv_kv_plan_pool_bytes(f.plan), most);
        close_plan(&f);
    }
}

/* The layer at work is in the scratch; all others are in the pool. */
static void heatkv_stays_within_its_budget_at_every_moment(void **state)
{
    static const double percents[] = {4, 10, 20};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        fixture f;
        size_t budget;

        open_plan(&f, "heatkv", "2b", 1, "1M", percents[i]);
        budget = (size_t)f.dims.depth * (size_t)f.base * token_bytes(&f);
        assert_true(skv_kv_plan_pool_bytes(f.plan) <= budget);
        assert_true(skv_kv_plan_pool_bytes(f.plan) > budget - budget / 20);
        close_plan(&f);
    }
}

/* 2B, 10 %, batch 8: half of bf16's bytes and 2 % for the scales, exactly. */
static void codes_take_a_byte_and_a_table_of_scales(void **state)
{
    const size_t map = 16 * 2048 * 4; /* scales of a map's channels in one layer */
    fixture f;
    size_t pool, after;

    (void)state;
    open_plan(&f, "scalekv", "2b", 1, "1M", 10);
    for (int type = SKV_KV_FP8; type < SKV_KV_N_DTYPES; type++) {
        skv_kv_plan *work, *codes;

        assert_int_equal(skv_kv_plan_make(&work, f.policy, f.state, &f.dims, &f.schedule, 16,
                                          (skv_kv_types){SKV_BF16, SKV_KV_WORK}),
                         SKV_OK);
        assert_int_equal(skv_kv_plan_make(&codes, f.policy, f.state, &f.dims, &f.schedule, 16,
                                          (skv_kv_types){SKV_BF16, (skv_kv_dtype)type}),
                         SKV_OK);
        pool = skv_kv_plan_pool_bytes(codes);
        after = skv_kv_plan_bytes(codes, 3, 8);
        assert_int_equal(pool, skv_kv_plan_pool_bytes(work) / 2 + (size_t)32 * 12 * map);
        assert_int_equal(after, skv_kv_plan_bytes(work, 3, 8) / 2 + 9 * map);
        assert_int_equal(skv_kv_plan_scratch_bytes(codes), skv_kv_plan_scratch_bytes(work));
        assert_int_equal(skv_kv_plan_meta_bytes(codes), skv_kv_plan_meta_bytes(work));
        assert_true((double)pool < 0.55 * (double)skv_kv_plan_pool_bytes(work));
        print_message("%.1f %% of the pool saved\n",
                      100 - 100.0 * (double)pool / (double)skv_kv_plan_pool_bytes(work));
        skv_kv_plan_destroy(work);
        skv_kv_plan_destroy(codes);
    }
    close_plan(&f);
}

static void rows_out_of_range_are_refused(void **state)
{
    fixture f;
    skv_kv_plan *plan = NULL;

    (void)state;
    open_plan(&f, "full", "tiny_f16", 1, "1M", 100);
    assert_int_equal(skv_kv_plan_make(&plan, f.policy, f.state, &f.dims, &f.schedule, 0,
                                      (skv_kv_types){SKV_BF16, SKV_KV_WORK}),
                     SKV_E_ARG);
    assert_int_equal(skv_kv_plan_make(&plan, f.policy, f.state, &f.dims, &f.schedule, 1 << 30,
                                      (skv_kv_types){SKV_BF16, SKV_KV_WORK}),
                     SKV_E_ARG);
    assert_null(plan);
    close_plan(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_full_cache_of_2b_has_room_for_all_scales_but_the_last),
        cmocka_unit_test(lengths_grow_by_a_map_and_end_at_the_capacity),
        cmocka_unit_test(a_budget_never_reached_is_planned_as_the_full_cache),
        cmocka_unit_test(scalekv_holds_exactly_its_average_after_every_cut),
        cmocka_unit_test(the_ring_peaks_little_above_the_average),
        cmocka_unit_test(the_pool_holds_every_moment_and_no_more),
        cmocka_unit_test(heatkv_stays_within_its_budget_at_every_moment),
        cmocka_unit_test(codes_take_a_byte_and_a_table_of_scales),
        cmocka_unit_test(rows_out_of_range_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
