/* The contract of every policy in the list, a new one's unasked. Random keys and queries, exact
 * answers only: nothing here knows what a policy ought to choose. */
#include "cache/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/kv.h"
#include "cmocka_all.h"
#include "core/rng.h"
#include "failing_alloc.h"
#include "write_orders.h"

#define ROWS      3
#define CONFIGS   SKV_TEST_DATA "/../../configs/budgets/"
#define MAX_TRIES 6 /* cuts looked at of each path */

static const struct {
    double ratio, percent;
    const char *resolution;
} settings[] = {{1, 12, "0.06M"}, {0.333, 10, "0.25M"}, {1.25, 30, "0.25M"}};

typedef struct {
    skv_backend *be;
    skv_dims dims;
    skv_schedule schedule;
    const skv_policy *policy;
    skv_policy_state *state;
    skv_kv_plan *plan;
    skv_arena scratch;
    const char *orders; /* HeatKV's file */
} fixture;

static skv_status configure(fixture *f, double percent, const char *budget_file,
                            const json_t *options)
{
    static const int drafters[] = {0};

    return skv_policy_open(&f->state, f->policy,
                           &(skv_policy_setup){.dims = &f->dims,
                                               .schedule = &f->schedule,
                                               .base = skv_policy_base(percent, &f->schedule),
                                               .budget_file = budget_file,
                                               .orders_file = write_orders(&f->dims, &f->schedule),
                                               .drafters = drafters,
                                               .n_drafters = 1,
                                               .options = options});
}

static void open_path(fixture *f, const skv_policy *policy, size_t setting)
{
    size_t bytes;
    void *p;

    f->policy = policy;
    assert_int_equal(skv_backend_open_cpu(&f->be, 2), SKV_OK);
    assert_int_equal(skv_dims_named(&f->dims, "tiny_f16"), SKV_OK);
    assert_int_equal(
        skv_schedule_make(&f->schedule, settings[setting].ratio, settings[setting].resolution),
        SKV_OK);
    assert_int_equal(configure(f, settings[setting].percent, NULL, NULL), SKV_OK);
    assert_int_equal(skv_kv_plan_make(&f->plan, policy, f->state, &f->dims, &f->schedule, ROWS,
                                      (skv_kv_types){f->be->kv, SKV_KV_WORK}),
                     SKV_OK);
    bytes = f->policy->scratch_bytes(f->state, ROWS,
                                     (int64_t)f->dims.heads * skv_schedule_history(&f->schedule));
    assert_int_equal(skv_backend_alloc(f->be, &p, bytes + 1, "scratch"), SKV_OK);
    skv_arena_init(&f->scratch, "scratch", p, bytes);
}

static void close_path(fixture *f)
{
    skv_kv_plan_destroy(f->plan);
    skv_policy_close(f->policy, f->state);
    skv_backend_free(f->be, f->scratch.base);
    skv_backend_destroy(f->be);
}

/* Uniform in (-1,1), a function of the place. */
static float *random_values(int64_t n, int stream)
{
    float *v = malloc((size_t)n * sizeof *v);

    assert_non_null(v);
    for (int64_t i = 0; i < n; i++)
        v[i] = 2 * skv_uniform(7, (uint32_t)stream, (uint32_t)i, 0) - 1;
    return v;
}

/* Keys and queries of ROWS rows, and how many tokens each head has and keeps. */
typedef struct {
    float *k, *v, *q, *sum;    /* (R,H,room,D) twice, (R,L,H,D), (R,H,room) */
    int layer, si, room, kept; /* kept: positions of a row */
    int32_t len[SKV_MAX_HEADS], n_keep[SKV_MAX_HEADS];
} sample;

static void count_sample(const fixture *f, sample *s)
{
    s->kept = 0;
    for (int h = 0; h < f->dims.heads; h++)
        s->kept += s->n_keep[h];
}

static sample make_sample(const fixture *f, int layer, int si)
{
    const int tokens = skv_schedule_tokens(&f->schedule, si);
    sample s = {.layer = layer, .si = si};

    for (int h = 0; h < f->dims.heads; h++) {
        s.n_keep[h] = skv_kv_plan_length(f->plan, layer, h, si);
        s.len[h] = tokens + (si > 0 ? skv_kv_plan_length(f->plan, layer, h, si - 1) : 0);
        s.room = s.len[h] > s.room ? s.len[h] : s.room;
    }
    count_sample(f, &s);
    s.k = random_values((int64_t)ROWS * f->dims.width * s.room, 3 * si);
    s.sum = random_values((int64_t)ROWS * f->dims.heads * s.room, 3 * si);
    s.v = random_values((int64_t)ROWS * f->dims.width * s.room, 3 * si + 1);
    s.q = random_values((int64_t)ROWS * f->dims.width * tokens, 3 * si + 2);
    return s;
}

/* Runs select on n rows, the first of them `row`; keep (n,Σ_h n_keep). */
static void run_select(fixture *f, const sample *s, int row, int n, int32_t *keep)
{
    int64_t heads = f->dims.heads, d = f->dims.head_dim, c = f->dims.width;
    int64_t tokens = skv_schedule_tokens(&f->schedule, s->si);
    int32_t window[SKV_MAX_WINDOW];
    int n_window = 0;
    skv_queries kind = f->policy->queries(f->state, s->si, window, &n_window);
    float *raw = calloc((size_t)n * (size_t)(n_window + 1) * (size_t)c, sizeof *raw);
    const size_t n_sums = (size_t)(n * heads * s->room);
    float *sum = malloc(n_sums * sizeof *sum); /* observe adds to it */
    int32_t base[SKV_MAX_HEADS], *origin = calloc(n_sums, sizeof *origin);
    skv_select_args a = {.layer = s->layer, .si = s->si, .base = base, .len = s->len};

    assert_true(raw && sum && origin);
    for (size_t i = 0; i < n_sums; i++) /* of any earlier scale */
        origin[i] = f->schedule.start[s->si] * (int32_t)(i % (size_t)s->room) / s->room;
    memcpy(sum, s->sum + row * heads * s->room, n_sums * sizeof *sum);
    for (int h = 0; h < heads; h++)
        base[h] = s->len[h] - (int32_t)tokens;
    a.sum = SKV_TENSOR(sum, SKV_F32, SKV_HOST, n, heads, s->room);
    a.origin = SKV_TENSOR(origin, SKV_I32, SKV_HOST, n, heads, s->room);
    a.k = SKV_TENSOR(s->k + row * c * s->room, SKV_F32, SKV_HOST, n, heads, s->room, d);
    a.v = SKV_TENSOR(s->v + row * c * s->room, SKV_F32, SKV_HOST, n, heads, s->room, d);
    if (kind == SKV_QUERIES_TRUE)
        a.q = SKV_TENSOR(s->q + row * c * tokens, SKV_F32, SKV_HOST, n, tokens, heads, d);
    for (int r = 0; r < n && kind == SKV_QUERIES_RAW; r++)
        for (int i = 0; i < n_window; i++) {
            assert_true(window[i] >= 0 && window[i] < tokens);
            memcpy(raw + (r * n_window + i) * c, s->q + ((row + r) * tokens + window[i]) * c,
                   (size_t)c * sizeof *raw);
        }
    if (kind == SKV_QUERIES_RAW)
        a.q_raw = SKV_TENSOR(raw, SKV_F32, SKV_HOST, n, n_window, heads, d);
    a.scratch = &f->scratch;
    if (f->policy->observe)
        assert_int_equal(f->policy->observe(f->state, f->be, &a), SKV_OK);
    skv_arena_reset(&f->scratch, 0);
    a.n_keep = s->n_keep;
    a.keep = SKV_TENSOR(keep, SKV_I32, SKV_HOST, n, s->kept);
    if (f->policy->select(f->state, f->be, &a) != SKV_OK)
        fail_msg("%s: %s", f->policy->name, skv_message());
    assert_int_equal(skv_backend_sync(f->be), SKV_OK);
    skv_arena_reset(&f->scratch, 0);
    free(raw);
    free(sum);
    free(origin);
}

static int32_t *unset_positions(int64_t n)
{
    int32_t *keep = malloc((size_t)n * sizeof *keep);

    assert_non_null(keep);
    memset(keep, 0xff, (size_t)n * sizeof *keep); /* -1: a place not written is out of range */
    return keep;
}

static void assert_ascending_in_range(const fixture *f, const sample *s, const int32_t *keep)
{
    for (int r = 0; r < ROWS; r++)
        for (int h = 0; h < f->dims.heads; h++)
            for (int j = 0; j < s->n_keep[h]; j++, keep++) {
                assert_true(*keep >= 0 && *keep < s->len[h]);
                assert_true(j == 0 || *keep > keep[-1]);
            }
}

/* Twice the same, and row by row. Returns the positions (free()). */
static int32_t *check_sample(fixture *f, const sample *s)
{
    const size_t row_bytes = (size_t)s->kept * sizeof(int32_t);
    int32_t *all = unset_positions((int64_t)ROWS * s->kept);
    int32_t *again = unset_positions((int64_t)ROWS * s->kept);

    run_select(f, s, 0, ROWS, all);
    assert_ascending_in_range(f, s, all);
    run_select(f, s, 0, ROWS, again);
    assert_memory_equal(all, again, ROWS * row_bytes);
    for (int row = 0; row < ROWS; row++) {
        run_select(f, s, row, 1, again);
        assert_memory_equal(all + row * s->kept, again, row_bytes);
    }
    free(again);
    return all;
}

/* Heads of other lengths than the policy plans, one of them never cut: each keeps what it would
 * keep if all heads were as it is, unless heads choose together. */
static void check_ragged(fixture *f, const sample *planned)
{
    const int tokens = skv_schedule_tokens(&f->schedule, planned->si), heads = f->dims.heads;
    sample s = *planned;
    int32_t *all;
    int at = 0;

    for (int h = 0; h < heads; h++) {
        s.len[h] = s.len[h] - 7 * h > tokens ? s.len[h] - 7 * h : tokens;
        s.n_keep[h] = s.n_keep[h] - 5 * h > 1 ? s.n_keep[h] - 5 * h : 1;
        if (h == heads - 1 || s.n_keep[h] > s.len[h])
            s.n_keep[h] = s.len[h];
    }
    count_sample(f, &s);
    all = check_sample(f, &s);
    for (int h = 0; h < heads && !f->policy->heads_together; at += s.n_keep[h++]) {
        sample even = s;
        int32_t *alike;

        for (int g = 0; g < heads; g++) {
            even.len[g] = s.len[h];
            even.n_keep[g] = s.n_keep[h];
        }
        count_sample(f, &even);
        alike = unset_positions((int64_t)ROWS * even.kept);
        run_select(f, &even, 0, ROWS, alike);
        for (int row = 0; row < ROWS; row++)
            assert_memory_equal(all + row * s.kept + at, alike + row * even.kept + h * s.n_keep[h],
                                (size_t)s.n_keep[h] * sizeof(int32_t));
        free(alike);
    }
    free(all);
}

static void check_cut(fixture *f, int layer, int si)
{
    sample s = make_sample(f, layer, si);

    f->scratch.high = 0;
    free(check_sample(f, &s));
    assert_true(f->scratch.high <= skv_kv_plan_select_bytes(f->plan));
    check_ragged(f, &s);
    free(s.k);
    free(s.v);
    free(s.q);
    free(s.sum);
}

static void kept_positions_are_a_function_of_row_and_head_ascending_and_in_range(void **state)
{
    (void)state;
    for (int i = 0; skv_policies[i]; i++)
        for (size_t j = 0; j < sizeof settings / sizeof settings[0]; j++) {
            fixture f;
            int tries = 0;

            open_path(&f, skv_policies[i], j);
            for (int si = 0; si < f.schedule.n_scales - 1; si++)
                for (int layer = 0; layer < f.dims.depth && tries < MAX_TRIES; layer += 3)
                    if (skv_kv_plan_cuts_at(f.plan, layer, si)) {
                        check_cut(&f, layer, si);
                        tries++;
                    }
            assert_true(tries > 0 || strcmp(f.policy->name, "full") == 0);
            close_path(&f);
        }
}

static void unknown_options_are_refused_by_name(void **state)
{
    (void)state;
    for (int i = 0; skv_policies[i]; i++) {
        fixture f;
        skv_policy_state *kept;
        json_t *options = json_pack("{s:i}", "no-such-option", 3);

        open_path(&f, skv_policies[i], 0);
        kept = f.state;
        assert_int_not_equal(configure(&f, 10, NULL, options), SKV_OK);
        assert_non_null(strstr(skv_message(), "no-such-option"));
        assert_non_null(strstr(skv_message(), skv_policies[i]->name));
        assert_ptr_equal(f.state, kept);
        close_path(&f);
        json_decref(options);
    }
}

static void options_out_of_range_are_refused(void **state)
{
    static const struct {
        const char *policy, *options;
    } bad[] = {
        {"scalekv", "{\"window\": 15}"},
        {"scalekv", "{\"window\": 289}"},
        {"scalekv", "{\"window\": 0}"},
        {"scalekv", "{\"kernel\": 4}"},
        {"scalekv-paper", "{\"kernel\": -1}"},
        {"scalekv-paper", "{\"window\": 17}"},
        {"streaming", "{\"sinks\": -1}"},
        {"snapkv", "{\"pooling\": \"median\"}"},
        {"snapkv", "{\"window\": 257}"},
        {"snapkv", "{\"kernel\": \"five\"}"},
        {"pyramidkv", "{\"mode\": \"exactly\"}"},
        {"pyramidkv", "{\"beta\": 0}"},
        {"pyramidkv", "{\"pooling\": \"none\"}"},
        {"pyramidkv", "{\"kernel\": 257}"},
        {"random", "{\"seed\": -1}"},
        {"heatkv", "{\"sinks\": 0}"},
        {"heatkv", "{\"sinks\": 4}"},
        {"heatkv", "{\"strict\": \"rather\"}"},
        {"amskv", "{\"condensed\": 0}"},
        {"amskv", "{\"condensed\": 50}"},
        {"amskv", "{\"more\": -1}"},
        {"amskv", "{\"demanding\": [4]}"},
        {"hack", "{\"attention\": 0}"},
        {"hack", "{\"attention\": 101}"},
        {"hack", "{\"contextual\": 1.5}"},
        {"hack", "{\"ratio\": 0.5}"},
        {"hack", "{\"sinks\": 50}"},
        {"hack", "{\"observers\": 257}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fixture f;
        skv_policy_state *kept;
        const skv_policy *policy;
        json_t *options = json_loads(bad[i].options, 0, NULL);

        assert_int_equal(skv_policy_find(&policy, bad[i].policy), SKV_OK);
        open_path(&f, policy, 0);
        kept = f.state;
        if (configure(&f, 10, NULL, options) == SKV_OK)
            fail_msg("%s took %s", bad[i].policy, bad[i].options);
        assert_ptr_equal(f.state, kept);
        close_path(&f);
        json_decref(options);
    }
}

/* A policy either takes no table, and then its report has none, or refuses this one: 32 layers, and
 * the model has 4. */
static void tables_for_other_layers_are_refused_by_name(void **state)
{
    const char *path = CONFIGS "2b_10%_budget.json";

    (void)state;
    for (int i = 0; skv_policies[i]; i++) {
        fixture f;
        skv_policy_state *kept;
        json_t *report;
        bool has_table;

        open_path(&f, skv_policies[i], 0);
        kept = f.state;
        assert_int_equal(skv_policy_report(&report, f.policy, kept), SKV_OK);
        has_table = json_object_get(report, "budget") != NULL;
        json_decref(report);
        if (configure(&f, 10, path, NULL) == SKV_OK) {
            assert_false(has_table);
            skv_policy_close(f.policy, f.state);
            f.state = kept;
        } else {
            assert_true(has_table);
            assert_non_null(strstr(skv_message(), path));
        }
        close_path(&f);
    }
}

static void a_model_without_known_drafters_wants_them_named(void **state)
{
    fixture f;
    skv_policy_state *s = NULL;
    const skv_policy *policy;

    (void)state;
    assert_int_equal(skv_policy_find(&policy, "scalekv"), SKV_OK);
    open_path(&f, policy, 0);
    assert_int_equal(
        skv_policy_open(&s, policy,
                        &(skv_policy_setup){.dims = &f.dims, .schedule = &f.schedule, .base = 50}),
        SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "--drafters"));
    assert_null(s);
    close_path(&f);
}

/* One try at everything a path needs, with a released table where one is taken. */
static skv_status make_path(const fixture *f, const char *budget_file, skv_policy_state **state,
                            json_t **report, skv_kv_plan **plan)
{
    SKV_TRY(skv_policy_open(state, f->policy,
                            &(skv_policy_setup){.dims = &f->dims,
                                                .schedule = &f->schedule,
                                                .base = 650,
                                                .budget_file = budget_file,
                                                .orders_file = f->orders}));
    SKV_TRY(skv_policy_report(report, f->policy, *state));
    return skv_kv_plan_make(plan, f->policy, *state, &f->dims, &f->schedule, ROWS,
                            (skv_kv_types){SKV_BF16, SKV_KV_WORK});
}

/* All of a policy that takes few, some 500 of one that takes many. Leaks are the sanitizer build's
 * to find. */
static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    for (int i = 0; skv_policies[i]; i++) {
        fixture f = {.policy = skv_policies[i]};
        long all = LONG_MAX;

        assert_int_equal(skv_dims_named(&f.dims, "2b"), SKV_OK);
        assert_int_equal(skv_schedule_make(&f.schedule, 1, "1M"), SKV_OK);
        f.orders = write_orders(&f.dims, &f.schedule);
        for (long n = -1; n < all;
             n += n < 0 ? 1 : 1 + all / 500) { /* -1: none fails, to count them */
            json_t *report = NULL;
            skv_status st;

            f.state = NULL;
            f.plan = NULL;
            failing_alloc(n);
            st = make_path(&f, CONFIGS "2b_10%_budget.json", &f.state, &report, &f.plan);
            all = n < 0 ? failing_alloc_count() : all;
            failing_alloc(-1);
            assert_true((st == SKV_OK) == (n < 0));
            assert_true((st == SKV_OK) == (f.plan != NULL));
            skv_kv_plan_destroy(f.plan);
            skv_policy_close(f.policy, f.state);
            json_decref(report);
        }
    }
}

static void reports_name_the_options_as_resolved(void **state)
{
    (void)state;
    for (int i = 0; skv_policies[i]; i++) {
        fixture f;
        json_t *report = NULL, *options;

        open_path(&f, skv_policies[i], 0);
        assert_int_equal(skv_policy_report(&report, f.policy, f.state), SKV_OK);
        options = json_object_get(report, "options");
        assert_true(json_is_object(options));
        for (const skv_option *o = f.policy->options; o && o->key; o++)
            assert_non_null(json_object_get(options, o->key));
        json_decref(report);
        close_path(&f);
    }
}

/* What `skv sample --help` prints of a policy. */
static void every_policy_and_option_has_a_sentence_and_a_default(void **state)
{
    (void)state;
    for (int i = 0; skv_policies[i]; i++) {
        const skv_policy *p = skv_policies[i];

        assert_true(p->help && strlen(p->help) > 10);
        for (const skv_option *o = p->options; o && o->key; o++) {
            assert_true(o->help && strlen(o->help) > 0);
            assert_true(o->fallback && strlen(o->fallback) > 0);
            assert_true(o->offset < p->state_bytes);
        }
    }
}

static void names_are_found_and_the_nearest_is_offered(void **state)
{
    const skv_policy *p = NULL;

    (void)state;
    for (int i = 0; skv_policies[i]; i++) {
        assert_int_equal(skv_policy_find(&p, skv_policies[i]->name), SKV_OK);
        assert_ptr_equal(p, skv_policies[i]);
        assert_true(p->name[strspn(p->name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0');
    }
    assert_int_equal(skv_policy_find(&p, "scalkv"), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "did you mean scalekv?"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_positions_are_a_function_of_row_and_head_ascending_and_in_range),
        cmocka_unit_test(unknown_options_are_refused_by_name),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(tables_for_other_layers_are_refused_by_name),
        cmocka_unit_test(a_model_without_known_drafters_wants_them_named),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(reports_name_the_options_as_resolved),
        cmocka_unit_test(every_policy_and_option_has_a_sentence_and_a_default),
        cmocka_unit_test(names_are_found_and_the_nearest_is_offered),
    };

    failing_alloc_json();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
