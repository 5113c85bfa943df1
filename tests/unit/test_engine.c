/* The engine on a tiny model of formula weights: memory promises, and what its results hang on. */
#include "sample/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/formula.h"
#include "kernels/ops.h"
#include "sample/text_features.h"
#include "sample/tune.h"

#include "cmocka_all.h"
#include "test_device.h"
#include "write_orders.h"

#define N_PROMPTS 2
#define N_TEXT    7

typedef struct {
    skv_sources sources;
    skv_paths paths;
    skv_engine_setup setup;
    skv_engine *engine;
    size_t picture, map; /* numbers of one */
    bool no_pictures;    /* they stay zeros */
} world;

/* The policies of the paths with capacities that differ by head. */
#define MAX_PATHS 16

static struct {
    const skv_policy *even[MAX_PATHS];
    const skv_policy_state *state[MAX_PATHS];
    skv_policy policy[MAX_PATHS];
    int n;
} ragged;

static int ragged_capacity(const skv_policy_state *s, int layer, int head, int si)
{
    int i = 0, n;

    while (i < ragged.n && ragged.state[i] != s)
        i++;
    n = ragged.even[i]->capacity(s, layer, head, si);
    if (n == SKV_KEEP_ALL)
        return n;
    n += 6 * ((head + layer) % 3) - 2 * (head % 2);
    return n > 0 ? n : 0;
}

static void make_ragged(skv_paths *paths)
{
    assert_true(paths->n <= MAX_PATHS);
    ragged.n = paths->n;
    for (int i = 0; i < paths->n; i++) {
        ragged.even[i] = paths->path[i].policy;
        ragged.state[i] = paths->path[i].state;
        ragged.policy[i] = *ragged.even[i];
        ragged.policy[i].capacity = ragged_capacity;
        paths->path[i].policy = &ragged.policy[i];
    }
}

/* "full,scalekv-20,...": every policy of the list. */
static const char *all_paths(void)
{
    static char list[512];
    size_t used = 0;

    for (int i = 0; skv_policies[i]; i++) {
        const char *name = skv_policies[i]->name;

        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s%s", i ? "," : "", name,
                                 strcmp(name, "full") == 0 ? "" : "-20");
        assert_true(used < sizeof list);
    }
    return list;
}

static void open_engine(world *w, const char *model, const char *paths, bool by_head)
{
    int64_t drafter = 0;
    skv_settings s = {.paths = (char *)(uintptr_t)paths, .drafters = {&drafter, 1}};

    memset(w, 0, sizeof *w);
    assert_int_equal(skv_sources_open(&w->sources, model, model, NULL), SKV_OK);
    assert_int_equal(skv_schedule_make(&w->setup.schedule, 1.0, "0.06M"), SKV_OK);
    s.orders = (char *)(uintptr_t)write_orders(&w->sources.dims, &w->setup.schedule);
    assert_int_equal(
        skv_paths_resolve(&w->paths, &s, &w->sources.dims, &w->setup.schedule, SKV_F32), SKV_OK);
    if (by_head)
        make_ragged(&w->paths);
    assert_int_equal(test_backend_open(&w->setup.be, 2), SKV_OK);
    w->setup.sources = &w->sources;
    w->setup.guided = true;
    w->setup.guidance.top_p = 0.97;
    w->setup.guidance.gpu = (skv_torch_gpu){132, 2048};
    for (int si = 0; si < SKV_MAX_SCALES; si++) {
        w->setup.guidance.cfg[si] = 3;
        w->setup.guidance.tau[si] = 1;
    }
    w->setup.paths = w->paths.path;
    w->setup.n_paths = w->paths.n;
    w->setup.max_prompts = N_PROMPTS;
    w->setup.max_text_tokens = N_PROMPTS * N_TEXT;
    w->setup.max_uncond = N_TEXT;
    assert_int_equal(skv_engine_create(&w->engine, &w->setup), SKV_OK);
    w->picture = (size_t)skv_picture_height(&w->setup.schedule) *
                 (size_t)skv_picture_width(&w->setup.schedule) * 3;
    w->map = w->picture / (3 * SKV_TOKEN_STRIDE * SKV_TOKEN_STRIDE) *
             (size_t)(w->sources.dims.patch * w->sources.dims.patch * w->sources.dims.bits);
}

static void open_world(world *w, const char *model, const char *paths)
{
    open_engine(w, model, paths, false);
}

static void close_world(world *w)
{
    skv_engine_destroy(w->engine);
    skv_paths_clear(&w->paths);
    skv_sources_close(&w->sources);
    skv_backend_destroy(w->setup.be);
}

/* A group of two prompts, of which text `first` comes first: 0 of N_TEXT tokens, 1 of fewer. The
 * last number of text `bad` is not finite, -1: of none. */
static void condition_bad(world *w, int first, int bad, float value)
{
    static const int n[N_PROMPTS] = {N_TEXT, N_TEXT - 4};
    const int width = w->sources.dims.text_width;
    skv_text_span spans[2 * N_PROMPTS];
    float *host = malloc((size_t)(N_PROMPTS * N_TEXT * width) * sizeof *host);

    assert_non_null(host);
    skv_formula_text(host, (int64_t)N_PROMPTS * N_TEXT * width);
    if (bad >= 0)
        host[(bad * N_TEXT + n[bad]) * width - 1] = value;
    assert_int_equal(skv_text_features(w->engine, w->setup.be, host, N_PROMPTS * N_TEXT), SKV_OK);
    free(host);
    for (int b = 0; b < N_PROMPTS; b++) {
        const int i = (b + first) % N_PROMPTS;

        spans[b] = (skv_text_span){.start = i * N_TEXT, .n = n[i]};
        spans[N_PROMPTS + b] = (skv_text_span){.uncond = true, .n = n[i]};
    }
    assert_int_equal(skv_engine_condition(w->engine, spans, 2 * N_PROMPTS), SKV_OK);
}

static void condition_from(world *w, int first)
{
    condition_bad(w, first, -1, 0);
}

static void condition(world *w)
{
    condition_from(w, 0);
}

typedef struct {
    uint8_t *bits, *image;
    float *map;
    int32_t fault[N_PROMPTS];
} taken;

static taken run_seeds(world *w, int path, const skv_seed seed[N_PROMPTS], size_t *pool_peak)
{
    taken t = {malloc(N_PROMPTS * skv_engine_bits_bytes(&w->setup)),
               calloc(N_PROMPTS, w->picture),
               malloc(N_PROMPTS * w->map * sizeof(float)),
               {-9, -9}};
    skv_path_result r = {
        .bits = t.bits, .image = w->no_pictures ? NULL : t.image, .map = t.map, .fault = t.fault};

    assert_non_null(t.bits);
    assert_non_null(t.image);
    assert_non_null(t.map);
    assert_int_equal(skv_engine_path(w->engine, &w->paths.path[path], N_PROMPTS, seed, NULL, &r),
                     SKV_OK);
    assert_int_equal(r.scale_allocs, 0);
    assert_int_equal(r.scale_waits, 0);
    assert_int_equal(r.pool_planned, r.pool_peak); /* what group files note */
    *pool_peak = r.pool_peak;
    return t;
}

static taken run_path(world *w, int path, size_t *pool_peak)
{
    return run_seeds(w, path, (skv_seed[]){{11, 0}, {12, 0}}, pool_peak);
}

static void assert_same(const world *w, const taken *a, const taken *b)
{
    assert_memory_equal(a->bits, b->bits, N_PROMPTS * skv_engine_bits_bytes(&w->setup));
    assert_memory_equal(a->image, b->image, N_PROMPTS * w->picture);
}

static void release(taken *t)
{
    free(t->bits);
    free(t->image);
    free(t->map);
}

static void nothing_is_allocated_or_waited_for_between_the_scales(void **state)
{
    world w;
    int64_t before;
    size_t peak;
    taken t;

    (void)state;
    open_world(&w, "formula:tiny_f16", "full,scalekv-10");
    before = w.setup.be->n_allocs;
    assert_true(before > 0);
    condition(&w);
    for (int i = 0; i < w.paths.n; i++) {
        t = run_path(&w, i, &peak);
        release(&t);
    }
    assert_int_equal(w.setup.be->n_allocs, before);
    close_world(&w);
}

/* What the scales of a path are planned to take. */
static size_t pass_scratch(const world *w, int path, int n_prompts)
{
    const skv_path *p = &w->paths.path[path];
    skv_pass_size size = {.dims = &w->sources.dims,
                          .be = w->setup.be,
                          .schedule = &w->setup.schedule,
                          .n_prompts = n_prompts,
                          .guided = true,
                          .policy = p->policy,
                          .policy_state = p->state};
    size_t results, scratch;
    skv_kv_plan *plan;

    assert_int_equal(skv_engine_kv_plan(&plan, &w->setup, p, n_prompts), SKV_OK);
    size.kv_plan = plan;
    assert_int_equal(skv_pass_plan(&results, &scratch, &size), SKV_OK);
    skv_kv_plan_destroy(plan);
    return scratch;
}

static void the_pools_peak_and_the_scratch_equal_the_plan_on_every_path(void **state)
{
    world w;

    (void)state;
    open_world(&w, "formula:tiny_f14", all_paths());
    condition(&w);
    for (int i = 0; i < w.paths.n; i++) {
        skv_path_result r = {0}; /* bits alone, so that no phase but the scales takes scratch */
        skv_kv_plan *plan;

        assert_int_equal(skv_engine_kv_plan(&plan, &w.setup, &w.paths.path[i], N_PROMPTS), SKV_OK);
        skv_engine_scratch(w.engine)->high = 0;
        assert_int_equal(skv_engine_path(w.engine, &w.paths.path[i], N_PROMPTS,
                                         (skv_seed[]){{11, 0}, {12, 0}}, NULL, &r),
                         SKV_OK);
        assert_true(r.pool_peak > 0);
        assert_int_equal(r.pool_peak, skv_kv_plan_pool_bytes(plan));
        assert_int_equal(skv_engine_scratch(w.engine)->high, pass_scratch(&w, i, N_PROMPTS));
        skv_kv_plan_destroy(plan);
    }
    close_world(&w);
}

/* Conditioning, scales and VAE: the hungriest of them takes what is planned, to the byte. */
static void a_group_takes_the_scratch_that_is_planned(void **state)
{
    skv_memory_plan plan;
    world w;
    size_t peak;
    taken t;

    (void)state;
    open_world(&w, "formula:tiny_f16", "scalekv-10");
    assert_int_equal(skv_engine_plan(&plan, &w.setup), SKV_OK);
    condition(&w);
    t = run_path(&w, 0, &peak);
    assert_int_equal(skv_engine_scratch(w.engine)->high, plan.scratch);
    release(&t);
    close_world(&w);
}

/* Nothing is chosen where nothing is cut: no queries of a window, no scores. */
static void a_path_that_never_cuts_plans_no_scratch_for_choosing(void **state)
{
    world w;

    (void)state;
    open_world(&w, "formula:tiny_f16", "full,scalekv-10,scalekv-100");
    assert_true(pass_scratch(&w, 0, 8) < pass_scratch(&w, 1, 8));
    assert_int_equal(pass_scratch(&w, 0, 8), pass_scratch(&w, 2, 8));
    close_world(&w);
}

static void more_bytes_than_can_be_counted_are_refused(void **state)
{
    skv_memory_plan plan;
    world w;

    (void)state;
    open_world(&w, "formula:tiny_f16", "full");
    w.setup.text_scratch = SIZE_MAX - 1;
    assert_int_equal(skv_engine_plan(&plan, &w.setup), SKV_E_MEM);
    close_world(&w);
}

/* Whether a path's heads hold different numbers of tokens after some cut. */
static bool heads_differ(const world *w, const skv_kv_plan *plan)
{
    bool differ = false;

    for (int si = 0; si < w->setup.schedule.n_scales - 1; si++)
        for (int h = 1; h < w->sources.dims.heads; h++)
            differ =
                differ || skv_kv_plan_length(plan, 0, h, si) != skv_kv_plan_length(plan, 0, 0, si);
    return differ;
}

static void heads_of_different_lengths_go_through_every_pass(void **state)
{
    world w;

    (void)state;
    open_engine(&w, "formula:tiny_f16", all_paths(), true);
    condition(&w);
    for (int i = 0; i < w.paths.n; i++) {
        skv_kv_plan *plan;
        size_t peak;
        taken t = run_path(&w, i, &peak), again = run_path(&w, i, &peak);

        assert_same(&w, &t, &again);
        assert_int_equal(skv_engine_kv_plan(&plan, &w.setup, &w.paths.path[i], N_PROMPTS), SKV_OK);
        assert_int_equal(peak, skv_kv_plan_pool_bytes(plan));
        assert_true(heads_differ(&w, plan) == skv_kv_plan_cuts(plan));
        skv_kv_plan_destroy(plan);
        release(&t);
        release(&again);
    }
    close_world(&w);
}

static void a_path_does_not_depend_on_the_paths_before_it(void **state)
{
    world w;
    size_t peak;
    taken alone, after;

    (void)state;
    open_world(&w, "formula:tiny_f16", "scalekv-10,full");
    condition(&w);
    alone = run_path(&w, 0, &peak);
    after = run_path(&w, 1, &peak);
    assert_memory_not_equal(alone.bits, after.bits, N_PROMPTS * skv_engine_bits_bytes(&w.setup));
    release(&after);
    after = run_path(&w, 0, &peak);
    assert_same(&w, &alone, &after);
    release(&alone);
    release(&after);
    close_world(&w);
}

/* A GPU captures a scale's operations and starts them together, anew after another path's and over
 * the last time's after its own, but one by one while algorithms are measured. */
static void what_is_captured_computes_the_same(void **state)
{
    world w;
    size_t peak;
    taken t[4];

    (void)state;
    open_world(&w, "formula:tiny_f16", "scalekv-10,full");
    condition(&w);
    t[0] = run_path(&w, 1, &peak);
    for (int i = 1; i < 4; i++) {
        w.setup.be->tuning.measuring = i == 3; /* all shapes have their algorithms by now */
        t[i] = run_path(&w, 0, &peak);
        assert_same(&w, &t[i], &t[1]);
    }
    for (int i = 0; i < 4; i++)
        release(&t[i]);
    close_world(&w);
}

/* On every policy, with either text bad: the other prompt computes as if both were finite, and so
 * does the next group, in memory that has held what is not. */
static void what_is_not_finite_stays_in_its_row(void **state)
{
    const float bad[] = {NAN, INFINITY};
    world w;
    size_t bits, peak;

    (void)state;
    open_world(&w, "formula:tiny_f16", "full,scalekv-20,scalekv-paper-20,snapkv-20,pyramidkv-20");
    bits = skv_engine_bits_bytes(&w.setup);
    for (int i = 0; i < w.paths.n; i++) {
        const size_t victim = (size_t)i % 2, other = 1 - victim;
        taken calm, spoiled, again;

        w.no_pictures = i > 0;
        condition(&w);
        calm = run_path(&w, i, &peak);
        condition_bad(&w, 0, (int)victim, bad[i / 2 % 2]);
        spoiled = run_path(&w, i, &peak);
        condition(&w);
        again = run_path(&w, i, &peak);
        assert_int_equal(calm.fault[0], 0);
        assert_int_equal(calm.fault[1], 0);
        assert_int_equal(spoiled.fault[victim], SKV_FAULT_TEXT);
        assert_int_equal(spoiled.fault[other], 0);
        assert_memory_equal(spoiled.bits + other * bits, calm.bits + other * bits, bits);
        assert_memory_equal(spoiled.image + other * w.picture, calm.image + other * w.picture,
                            w.picture);
        assert_same(&w, &again, &calm);
        assert_int_equal(again.fault[victim], 0);
        release(&calm);
        release(&spoiled);
        release(&again);
    }
    close_world(&w);
}

static const skv_ops *real_ops;

/* From scale 3 on the first prompt computed has a logit that is not finite. */
static skv_status spoil_logits(skv_backend *be, const skv_draw_bits_args *a)
{
    const float value = -INFINITY;

    if (a->scale >= 3)
        SKV_TRY(skv_backend_upload(be, a->logits.data, &value, sizeof value));
    return real_ops->draw_bits(be, a);
}

static void the_first_scale_whose_logits_are_not_finite_is_told(void **state)
{
    skv_path_result r = {0};
    int32_t fault[N_PROMPTS] = {0};
    skv_ops ops;
    world w;

    (void)state;
    open_world(&w, "formula:tiny_f16", "full");
    condition(&w);
    real_ops = w.setup.be->ops;
    ops = *real_ops;
    ops.draw_bits = spoil_logits;
    ops.capture = NULL; /* a capture has no uploads */
    ops.launch = NULL;
    w.setup.be->ops = &ops;
    r.fault = fault;
    assert_int_equal(skv_engine_path(w.engine, w.paths.path, N_PROMPTS,
                                     (skv_seed[]){{11, 0}, {12, 0}}, NULL, &r),
                     SKV_OK);
    assert_int_equal(fault[0], 0);
    assert_int_equal(fault[1], 1 + 3); /* the shorter text is computed first */
    w.setup.be->ops = real_ops;
    close_world(&w);
}

static skv_status refuse(skv_backend *be, const skv_draw_bits_args *a)
{
    (void)be;
    (void)a;
    return skv_fail(SKV_E_UNSUPPORTED, "refused");
}

static void a_path_after_a_failed_one_computes_the_same(void **state)
{
    world w;
    size_t peak;
    taken before, after;
    skv_path_result r = {0};
    skv_ops ops;
    const skv_ops *all;

    (void)state;
    open_world(&w, "formula:tiny_f16", "scalekv-10");
    condition(&w);
    before = run_path(&w, 0, &peak);
    all = w.setup.be->ops;
    ops = *all;
    ops.draw_bits = refuse;
    w.setup.be->ops = &ops;
    assert_int_equal(skv_engine_path(w.engine, w.paths.path, N_PROMPTS,
                                     (skv_seed[]){{11, 0}, {12, 0}}, NULL, &r),
                     SKV_E_UNSUPPORTED);
    assert_string_equal(skv_message(), "refused");
    w.setup.be->ops = all;
    after = run_path(&w, 0, &peak);
    assert_same(&w, &before, &after);
    release(&before);
    release(&after);
    close_world(&w);
}

static void results_come_in_the_order_of_the_prompts(void **state)
{
    world w;
    size_t peak, bits, map;
    taken a, b;

    (void)state;
    open_world(&w, "formula:tiny_f14", "full");
    bits = skv_engine_bits_bytes(&w.setup);
    map = w.map * sizeof(float);
    condition_from(&w, 0);
    a = run_seeds(&w, 0, (skv_seed[]){{11, 0}, {12, 0}}, &peak);
    condition_from(&w, 1);
    b = run_seeds(&w, 0, (skv_seed[]){{12, 0}, {11, 0}}, &peak);
    for (size_t i = 0; i < N_PROMPTS; i++) {
        const size_t other = 1 - i;

        assert_memory_equal(a.bits + i * bits, b.bits + other * bits, bits);
        assert_memory_equal(a.image + i * w.picture, b.image + other * w.picture, w.picture);
        assert_memory_equal(a.map + i * w.map, b.map + other * w.map, map);
    }
    assert_memory_not_equal(a.bits, a.bits + bits, bits);
    assert_memory_not_equal(a.map, a.map + w.map, map);
    release(&a);
    release(&b);
    close_world(&w);
}

static void decoding_the_bits_gives_the_picture(void **state)
{
    const char *const models[] = {"formula:tiny_f16", "formula:tiny_f14"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        world w;
        size_t peak;
        uint8_t *again;
        taken t;

        open_world(&w, models[i], "full");
        again = malloc(N_PROMPTS * w.picture);
        assert_non_null(again);
        condition(&w);
        t = run_path(&w, 0, &peak);
        assert_int_equal(skv_engine_decode(w.engine, t.bits, N_PROMPTS, again, NULL), SKV_OK);
        assert_memory_equal(again, t.image, N_PROMPTS * w.picture);
        free(again);
        release(&t);
        close_world(&w);
    }
}

/* Samples of one short prompt have fewer tokens together than prompts. */
static void measuring_needs_one_token_for_all_prompts(void **state)
{
    world w;

    (void)state;
    open_world(&w, "formula:tiny_f16", "full");
    w.setup.max_text_tokens = 1;
    w.setup.max_uncond = 1;
    assert_int_equal(skv_engine_resize(w.engine, &w.setup), SKV_OK);
    assert_int_equal(skv_tune_measure(w.engine, &w.setup), SKV_OK);
    close_world(&w);
}

static void a_resized_engine_computes_as_a_new_one(void **state)
{
    skv_memory_plan large, small;
    world w, other;
    size_t peak;
    taken a, b;

    (void)state;
    open_world(&w, "formula:tiny_f16", "full,scalekv-10");
    open_world(&other, "formula:tiny_f16", "scalekv-10");
    condition(&w);
    a = run_path(&w, 0, &peak);
    release(&a);
    assert_int_equal(skv_engine_plan(&large, &w.setup), SKV_OK);
    w.setup.paths = &w.paths.path[1];
    w.setup.n_paths = 1;
    assert_int_equal(skv_engine_plan(&small, &w.setup), SKV_OK);
    assert_true(small.total < large.total);
    assert_int_equal(skv_engine_resize(w.engine, &w.setup), SKV_OK);
    condition(&w);
    condition(&other);
    a = run_path(&w, 1, &peak);
    b = run_path(&other, 0, &peak);
    assert_same(&w, &a, &b);
    release(&a);
    release(&b);
    close_world(&w);
    close_world(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_allocated_or_waited_for_between_the_scales),
        cmocka_unit_test(the_pools_peak_and_the_scratch_equal_the_plan_on_every_path),
        cmocka_unit_test(a_group_takes_the_scratch_that_is_planned),
        cmocka_unit_test(a_path_that_never_cuts_plans_no_scratch_for_choosing),
        cmocka_unit_test(more_bytes_than_can_be_counted_are_refused),
        cmocka_unit_test(heads_of_different_lengths_go_through_every_pass),
        cmocka_unit_test(a_path_does_not_depend_on_the_paths_before_it),
        cmocka_unit_test(what_is_captured_computes_the_same),
        cmocka_unit_test(what_is_not_finite_stays_in_its_row),
        cmocka_unit_test(the_first_scale_whose_logits_are_not_finite_is_told),
        cmocka_unit_test(a_path_after_a_failed_one_computes_the_same),
        cmocka_unit_test(results_come_in_the_order_of_the_prompts),
        cmocka_unit_test(decoding_the_bits_gives_the_picture),
        cmocka_unit_test(measuring_needs_one_token_for_all_prompts),
        cmocka_unit_test(a_resized_engine_computes_as_a_new_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
