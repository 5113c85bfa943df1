/* The contract of every policy in the list, a new one's unasked. Random keys and queries, exact
 * answers only: nothing here knows what a policy ought to choose. */
#include "cache/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/kv.h"
#include "cmocka_all.h"
#include "core/rng.h"

#define ROWS      3
#define CONFIGS   SKV_TEST_DATA "/../../configs/budgets/"
#define MAX_TRIES 6 /* cuts looked at of each path */

/* Allocations of our code and of jansson that may still succeed; -1: all. */
static int allocations_left = -1;

static bool may_allocate(void)
{
    if (allocations_left < 0)
        return true;
    return allocations_left-- > 0;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    if (may_allocate())
        return __real_calloc(n, size);
    allocations_left = 0;
    return NULL;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    if (may_allocate())
        return __real_malloc(n);
    allocations_left = 0;
    return NULL;
}

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
} fixture;

static skv_status configure(fixture *f, double percent, const char *budget_file,
                            const json_t *options)
{
    static const int drafters[] = {0};

    return f->policy->configure(&f->state,
                                &(skv_policy_setup){.dims = &f->dims,
                                                    .schedule = &f->schedule,
                                                    .base = skv_policy_base(percent, &f->schedule),
                                                    .budget_file = budget_file,
                                                    .drafters = drafters,
                                                    .n_drafters = 1,
                                                    .options = options});
}

static void open_path(fixture *f, const skv_policy *policy, size_t setting)
{
    void *p;

    f->policy = policy;
    assert_int_equal(skv_backend_open_cpu(&f->be, 2), SKV_OK);
    assert_int_equal(skv_dims_named(&f->dims, "tiny_f16"), SKV_OK);
    assert_int_equal(
        skv_schedule_make(&f->schedule, settings[setting].ratio, settings[setting].resolution),
        SKV_OK);
    assert_int_equal(configure(f, settings[setting].percent, NULL, NULL), SKV_OK);
    assert_int_equal(
        skv_kv_plan_make(&f->plan, policy, f->state, &f->dims, &f->schedule, ROWS, f->be->kv),
        SKV_OK);
    assert_int_equal(skv_backend_alloc(f->be, &p, skv_kv_plan_select_bytes(f->plan) + 1, "scratch"),
                     SKV_OK);
    skv_arena_init(&f->scratch, "scratch", p, skv_kv_plan_select_bytes(f->plan));
}

static void close_path(fixture *f)
{
    skv_kv_plan_destroy(f->plan);
    f->policy->destroy(f->state);
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

/* Keys and queries of ROWS rows. */
typedef struct {
    float *k, *q; /* (R,H,len,D), (R,L,H,D) */
    int layer, si, len, n_keep;
} sample;

static sample make_sample(const fixture *f, int layer, int si)
{
    sample s = {.layer = layer, .si = si, .len = skv_schedule_tokens(&f->schedule, si)};

    s.n_keep = skv_kv_plan_length(f->plan, layer, 0, si);
    s.len += si > 0 ? skv_kv_plan_length(f->plan, layer, 0, si - 1) : 0;
    s.k = random_values((int64_t)ROWS * f->dims.width * s.len, 2 * si);
    s.q = random_values((int64_t)ROWS * f->dims.width * skv_schedule_tokens(&f->schedule, si),
                        2 * si + 1);
    return s;
}

/* Runs select on n rows, the first of them `row`; keep (n,H,n_keep). */
static void run_select(fixture *f, const sample *s, int row, int n, int32_t *keep)
{
    int64_t heads = f->dims.heads, d = f->dims.head_dim, c = f->dims.width;
    int64_t tokens = skv_schedule_tokens(&f->schedule, s->si);
    int32_t window[SKV_MAX_WINDOW];
    int n_window = 0;
    skv_queries kind = f->policy->queries(f->state, s->si, window, &n_window);
    float *raw = calloc((size_t)n * (size_t)(n_window + 1) * (size_t)c, sizeof *raw);
    skv_select_args a = {.layer = s->layer, .si = s->si, .len = s->len, .n_keep = s->n_keep};

    assert_non_null(raw);
    a.k = SKV_TENSOR(s->k + row * c * s->len, SKV_F32, SKV_HOST, n, heads, s->len, d);
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
    a.keep = SKV_TENSOR(keep, SKV_I32, SKV_HOST, n, heads, s->n_keep);
    a.scratch = &f->scratch;
    assert_int_equal(f->policy->select(f->state, f->be, &a), SKV_OK);
    assert_int_equal(skv_backend_sync(f->be), SKV_OK);
    assert_int_equal(f->scratch.used, 0);
    free(raw);
}

static void assert_ascending_in_range(const int32_t *keep, int64_t lists, int n, int len)
{
    for (int64_t i = 0; i < lists; i++)
        for (int j = 0; j < n; j++) {
            int32_t p = keep[i * n + j];

            assert_true(p >= 0 && p < len);
            assert_true(j == 0 || p > keep[i * n + j - 1]);
        }
}

static void check_cut(fixture *f, int layer, int si)
{
    sample s = make_sample(f, layer, si);
    int64_t lists = (int64_t)ROWS * f->dims.heads, per_row = (int64_t)f->dims.heads * s.n_keep;
    size_t bytes = (size_t)(lists * s.n_keep) * sizeof(int32_t);
    int32_t *all = malloc(bytes), *again = malloc(bytes);

    assert_true(all && again);
    memset(all, 0xff, bytes); /* -1: a place not written is out of range */
    run_select(f, &s, 0, ROWS, all);
    assert_ascending_in_range(all, lists, s.n_keep, s.len);
    run_select(f, &s, 0, ROWS, again);
    assert_memory_equal(all, again, bytes);
    for (int row = 0; row < ROWS; row++) {
        run_select(f, &s, row, 1, again);
        assert_memory_equal(all + row * per_row, again, (size_t)per_row * sizeof(int32_t));
    }
    free(all);
    free(again);
    free(s.k);
    free(s.q);
}

static void kept_positions_are_a_function_of_the_row_ascending_and_in_range(void **state)
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
            assert_true(f.scratch.high <= skv_kv_plan_select_bytes(f.plan));
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
        {"scalekv", "{\"window\": 15}"},          {"scalekv", "{\"window\": 289}"},
        {"scalekv", "{\"window\": 0}"},           {"scalekv", "{\"kernel\": 4}"},
        {"scalekv-paper", "{\"kernel\": -1}"},    {"scalekv-paper", "{\"window\": 17}"},
        {"streaming", "{\"sinks\": -1}"},         {"snapkv", "{\"pooling\": \"median\"}"},
        {"snapkv", "{\"window\": 257}"},          {"snapkv", "{\"kernel\": \"five\"}"},
        {"pyramidkv", "{\"mode\": \"exactly\"}"}, {"pyramidkv", "{\"beta\": 0}"},
        {"pyramidkv", "{\"pooling\": \"none\"}"}, {"pyramidkv", "{\"kernel\": 257}"},
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

/* A policy either takes no table, or refuses this one: 32 layers, and the model has 4. */
static void tables_for_other_layers_are_refused_by_name(void **state)
{
    const char *path = CONFIGS "2b_10%_budget.json";
    int refused = 0;

    (void)state;
    for (int i = 0; skv_policies[i]; i++) {
        fixture f;
        skv_policy_state *kept;
        json_t *report;

        open_path(&f, skv_policies[i], 0);
        kept = f.state;
        if (configure(&f, 10, path, NULL) == SKV_OK) {
            assert_int_equal(f.policy->report(f.state, &report), SKV_OK);
            assert_null(json_object_get(report, "budget"));
            json_decref(report);
            f.policy->destroy(f.state);
            f.state = kept;
        } else {
            assert_non_null(strstr(skv_message(), path));
            refused++;
        }
        close_path(&f);
    }
    assert_int_equal(refused, 2);
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
        policy->configure(
            &s, &(skv_policy_setup){.dims = &f.dims, .schedule = &f.schedule, .base = 50}),
        SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "--drafters"));
    assert_null(s);
    close_path(&f);
}

/* One try at everything a path needs, with a released table where one is taken. */
static skv_status make_path(const fixture *f, const char *budget_file, skv_policy_state **state,
                            json_t **report, skv_kv_plan **plan)
{
    SKV_TRY(f->policy->configure(state, &(skv_policy_setup){.dims = &f->dims,
                                                            .schedule = &f->schedule,
                                                            .base = 650,
                                                            .budget_file = budget_file}));
    SKV_TRY(f->policy->report(*state, report));
    return skv_kv_plan_make(plan, f->policy, *state, &f->dims, &f->schedule, ROWS, SKV_BF16);
}

/* Leaks are the sanitizer build's to find. */
static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    for (int i = 0; skv_policies[i]; i++) {
        fixture f = {.policy = skv_policies[i]};
        skv_status st = SKV_E_MEM;
        int n = 0;

        assert_int_equal(skv_dims_named(&f.dims, "2b"), SKV_OK);
        assert_int_equal(skv_schedule_make(&f.schedule, 1, "1M"), SKV_OK);
        for (; st != SKV_OK; n++) {
            json_t *report = NULL;

            f.state = NULL;
            f.plan = NULL;
            allocations_left = n;
            st = make_path(&f, CONFIGS "2b_10%_budget.json", &f.state, &report, &f.plan);
            allocations_left = -1;
            assert_true((st == SKV_OK) == (f.plan != NULL));
            skv_kv_plan_destroy(f.plan);
            f.policy->destroy(f.state);
            json_decref(report);
        }
        assert_true(n > 4); /* the state, the report and the plan at least */
    }
}

static void reports_name_the_options_as_resolved(void **state)
{
    (void)state;
    for (int i = 0; skv_policies[i]; i++) {
        fixture f;
        json_t *report = NULL, *options;

        open_path(&f, skv_policies[i], 0);
        assert_int_equal(f.policy->report(f.state, &report), SKV_OK);
        options = json_object_get(report, "options");
        assert_true(json_is_object(options));
        for (const skv_option *o = f.policy->options; o && o->key; o++)
            assert_non_null(json_object_get(options, o->key));
        json_decref(report);
        close_path(&f);
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
        assert_non_null(p->help);
    }
    assert_int_equal(skv_policy_find(&p, "scalkv"), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "did you mean scalekv?"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_positions_are_a_function_of_the_row_ascending_and_in_range),
        cmocka_unit_test(unknown_options_are_refused_by_name),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(tables_for_other_layers_are_refused_by_name),
        cmocka_unit_test(a_model_without_known_drafters_wants_them_named),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(reports_name_the_options_as_resolved),
        cmocka_unit_test(names_are_found_and_the_nearest_is_offered),
    };

    json_set_alloc_funcs(__wrap_malloc, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
