/* Every key carries the number of its token, its row, head and layer, so that wherever a cut or a
 * move misplaces one, the next scale's begin shows it. */
#include "cache/kv.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/rng.h"
#include "kernels/ops.h"
#include "write_orders.h"

#define ROWS 3

/* What the store must hold: origins of each row, head and layer. */
typedef struct {
    int32_t *origin; /* (layers, R, H, all tokens) */
    skv_backend *be;
    skv_dims dims;
    skv_schedule schedule;
    const skv_policy *policy;
    skv_policy_state *state;
    skv_kv_dtype pool;
    skv_kv_plan *plan;
    skv_kv *kv;
    skv_arena arena, scratch;
    float *q; /* (R, tokens of the last scale, C), any numbers */
} world;

/* Ragged heads: a budget that differs by layer, head and scale, and is 0 for one head. */
static int ragged_capacity(const skv_policy_state *s, int layer, int head, int si)
{
    (void)s;
    return head == 3 ? 0 : 5 + (7 * layer + 11 * head + 13 * si * (1 + layer % 2)) % 40;
}

static skv_queries no_queries(const skv_policy_state *s, int si, int32_t *window, int *n)
{
    (void)s, (void)si, (void)window;
    *n = 0;
    return SKV_QUERIES_NONE;
}

/* The last ones: a choice that drawn positions differ from. */
static skv_status select_last(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    (void)s;
    return skv_keep_ends(be, &(skv_keep_ends_args){.keep = a->keep,
                                                   .len = a->len,
                                                   .n = a->n_keep,
                                                   .heads = (int)a->k.shape[1],
                                                   .first = 0});
}

static size_t no_scratch(const skv_policy_state *s, int rows, int64_t tokens)
{
    (void)s, (void)rows, (void)tokens;
    return 0;
}

static const skv_policy ragged = {.name = "ragged",
                                  .capacity = ragged_capacity,
                                  .queries = no_queries,
                                  .select = select_last,
                                  .scratch_bytes = no_scratch};

/* Equal heads, heads never cut and one that keeps nothing; the first two tokens and the
 * last ones stay, which run_ends checks in the store's own answer. */
#define ENDS_HEADS 8

static int ends_calls;

struct skv_policy_state {
    const world *w;
};

static int ends_capacity(const skv_policy_state *s, int layer, int head, int si)
{
    static const int capacity[ENDS_HEADS] = {20, 20, 9, SKV_KEEP_ALL, SKV_KEEP_ALL, 0, 33, 33};

    (void)s;
    return head == 6 || head == 7 ? capacity[head] + layer + si : capacity[head];
}

static skv_queries true_queries(const skv_policy_state *s, int si, int32_t *window, int *n)
{
    (void)no_queries(s, si, window, n);
    return SKV_QUERIES_TRUE;
}

/* One call for all heads of a layer, each with its own length and number. */
static skv_status ends_select(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    const skv_kv_plan *plan = s->w->plan;

    ends_calls++;
    assert_ptr_equal(a->q.data, s->w->q);
    assert_int_equal(a->q.shape[2], ENDS_HEADS);
    assert_int_equal(a->k.shape[1], ENDS_HEADS);
    for (int h = 0; h < ENDS_HEADS; h++) {
        assert_int_equal(a->n_keep[h], skv_kv_plan_length(plan, a->layer, h, a->si));
        assert_true(a->n_keep[h] == a->len[h] ||
                    a->n_keep[h] == ends_capacity(s, a->layer, h, a->si));
    }
    return skv_keep_ends(
        be, &(skv_keep_ends_args){
                .keep = a->keep, .len = a->len, .n = a->n_keep, .heads = ENDS_HEADS, .first = 2});
}

static const skv_policy ends = {.name = "ends",
                                .capacity = ends_capacity,
                                .queries = true_queries,
                                .select = ends_select,
                                .scratch_bytes = no_scratch};

static void assert_keeps_ends(const world *w, const skv_kv_view *view, const int32_t *keep,
                              int layer, int si)
{
    for (int r = 0; r < ROWS; r++)
        for (int h = 0; h < w->dims.heads; h++) {
            int n = skv_kv_plan_length(w->plan, layer, h, si);

            for (int i = 0; i < n; i++)
                assert_int_equal(*keep++, i < 2 ? i : view->len[h] - n + i);
        }
}

static void take_arena(skv_backend *be, skv_arena *a, size_t bytes)
{
    void *p;

    assert_int_equal(skv_backend_alloc(be, &p, bytes + 1, "arena"), SKV_OK);
    skv_arena_init(a, "arena", p, bytes);
}

static void open_with(world *w, const skv_policy *policy, const char *resolution, double percent,
                      skv_kv_dtype pool)
{
    static const int drafters[] = {0, 2};
    size_t tokens;

    *w = (world){.policy = policy, .pool = pool};
    assert_int_equal(skv_dims_named(&w->dims, "tiny_f16"), SKV_OK);
    if (policy == &ends) {
        static skv_policy_state own;

        own.w = w;
        w->state = &own;
        w->dims.heads = ENDS_HEADS;
        w->dims.head_dim = w->dims.width / ENDS_HEADS;
    }
    assert_int_equal(skv_schedule_make(&w->schedule, 1.333, resolution), SKV_OK);
    assert_int_equal(skv_backend_open_cpu(&w->be, 1), SKV_OK);
    if (policy->state_bytes > 0)
        assert_int_equal(
            skv_policy_open(&w->state, policy,
                            &(skv_policy_setup){.dims = &w->dims,
                                                .schedule = &w->schedule,
                                                .base = skv_policy_base(percent, &w->schedule),
                                                .orders_file = write_orders(&w->dims, &w->schedule),
                                                .drafters = drafters,
                                                .n_drafters = 2}),
            SKV_OK);
    assert_int_equal(skv_kv_plan_make(&w->plan, policy, w->state, &w->dims, &w->schedule, ROWS,
                                      (skv_kv_types){w->be->kv, pool}),
                     SKV_OK);
    take_arena(w->be, &w->arena, skv_kv_plan_total_bytes(w->plan));
    take_arena(w->be, &w->scratch, skv_kv_plan_select_bytes(w->plan));
    assert_int_equal(skv_kv_create(&w->kv, w->be, w->plan, policy, w->state, &w->arena), SKV_OK);
    tokens = (size_t)w->schedule.start[w->schedule.n_scales];
    w->origin = calloc(tokens * ROWS * (size_t)(w->dims.heads * w->dims.depth), sizeof(int32_t));
    w->q = calloc(tokens * ROWS * (size_t)w->dims.width, sizeof(float));
    assert_true(w->origin && w->q);
    for (size_t i = 0; i < tokens * ROWS * (size_t)w->dims.width; i++)
        w->q[i] = skv_uniform(3, 0, (uint32_t)i, 0) - 0.5f;
}

static void open_world(world *w, const skv_policy *policy, const char *resolution, double percent)
{
    open_with(w, policy, resolution, percent, SKV_KV_WORK);
}

static void close_world(world *w)
{
    skv_kv_destroy(w->kv);
    skv_kv_plan_destroy(w->plan);
    if (w->policy->state_bytes > 0)
        skv_policy_close(w->policy, w->state);
    skv_backend_free(w->be, w->arena.base);
    skv_backend_free(w->be, w->scratch.base);
    skv_backend_destroy(w->be);
    free(w->origin);
    free(w->q);
}

static int32_t *origins(const world *w, int layer, int row, int head)
{
    int64_t i = ((int64_t)layer * ROWS + row) * w->dims.heads + head;

    return w->origin + i * w->schedule.start[w->schedule.n_scales];
}

/* Largest number of a code: V's channels reach it in each map, so that its scale is 1. */
static float limit(const world *w)
{
    return w->pool == SKV_KV_FP8 ? 256 : 127;
}

/* Number d of a token's name, exact in fp32; for codes by digits of 4 bits, exact in each code. */
static float mark(const world *w, int32_t origin, const int place[3], int d)
{
    const int part = d % 4 == 0 ? origin : place[d % 4 - 1];

    return w->pool == SKV_KV_WORK ? (float)(part + 3 * d) : (float)(part >> 4 * (d / 4 % 3) & 15);
}

static float key(const world *w, int32_t origin, const int place[3], int d)
{
    const float x = mark(w, origin, place, d);

    return w->pool == SKV_KV_WORK ? x : x * (1 / limit(w));
}

static float value(const world *w, int32_t origin, const int place[3], int d)
{
    bool first = false;

    for (int si = 0; si < w->schedule.n_scales; si++)
        first = first || origin == w->schedule.start[si];
    return w->pool != SKV_KV_WORK && first ? -limit(w) : -mark(w, origin, place, d) - 1;
}

static float *place(const skv_tensor *t, int64_t r, int64_t h, int64_t i)
{
    return (float *)t->data + r * t->stride[0] + h * t->stride[1] + i * t->stride[2];
}

/* What was kept is at the front, unharmed; then the current map is written behind it. */
static void check_and_store(const world *w, const skv_kv_view *view, int layer, int si)
{
    int tokens = skv_schedule_tokens(&w->schedule, si);

    for (int r = 0; r < ROWS; r++)
        for (int h = 0; h < w->dims.heads; h++) {
            int32_t *origin = origins(w, layer, r, h);
            int base = si > 0 ? skv_kv_plan_length(w->plan, layer, h, si - 1) : 0;

            assert_int_equal(view->base[h], base);
            assert_int_equal(view->len[h], base + tokens);
            assert_true(view->k.shape[2] >= base + tokens);
            for (int i = 0; i < base + tokens; i++)
                for (int d = 0; d < w->dims.head_dim; d++) {
                    float *k = place(&view->k, r, h, i) + d, *v = place(&view->v, r, h, i) + d;
                    const int of[3] = {layer, r, h};

                    if (i >= base) {
                        origin[i] = w->schedule.start[si] + i - base;
                        *k = key(w, origin[i], of, d);
                        *v = value(w, origin[i], of, d);
                    }
                    assert_true(*k == key(w, origin[i], of, d));
                    assert_true(*v == value(w, origin[i], of, d));
                }
        }
}

/* Ascending positions, drawn at random: (R, Σn) as kv_end wants them. */
static void draw_kept(const world *w, const skv_kv_view *view, int layer, int si, int32_t *keep)
{
    for (int r = 0; r < ROWS; r++)
        for (int h = 0; h < w->dims.heads; h++) {
            int n = skv_kv_plan_length(w->plan, layer, h, si);

            for (int i = 0, left = n; left > 0; i++) {
                float u = skv_uniform(11, (uint32_t)(layer * 16 + si), (uint32_t)i,
                                      (uint32_t)(r * 64 + h));

                if (u * (float)(view->len[h] - i) < (float)left) {
                    *keep++ = i;
                    left--;
                }
            }
        }
}

/* The store's choice, applied to our own record. */
static void follow(world *w, const int32_t *keep, int layer, int si)
{
    for (int r = 0; r < ROWS; r++)
        for (int h = 0; h < w->dims.heads; h++) {
            int32_t *origin = origins(w, layer, r, h);
            int n = skv_kv_plan_length(w->plan, layer, h, si);

            for (int i = 0; i < n; i++) /* ascending, so nothing is overwritten too early */
                origin[i] = origin[*keep++];
        }
}

/* What attention reads are the tokens of the view at the chosen positions, or all of them. */
static void check_read(const world *w, const skv_kv_view *view, const skv_kv_read *read, int layer,
                       int si)
{
    const int32_t *keep = read->keep.data;

    for (int r = 0; r < ROWS; r++)
        for (int h = 0; h < w->dims.heads; h++) {
            assert_int_equal(read->len[h], skv_kv_plan_attended(w->plan, layer, h, si));
            for (int i = 0; i < read->len[h]; i++) {
                const int at = read->keep.data ? *keep++ : i;
                const size_t bytes = (size_t)w->dims.head_dim * sizeof(float);

                assert_true(at >= i && at < view->len[h]);
                assert_memory_equal(place(&read->k, r, h, i), place(&view->k, r, h, at), bytes);
                assert_memory_equal(place(&read->v, r, h, i), place(&view->v, r, h, at), bytes);
            }
        }
}

static void step(world *w, int layer, int si, bool force, int32_t *forced)
{
    int64_t heads = w->dims.heads, d = w->dims.head_dim, sum = 0;
    int64_t tokens = skv_schedule_tokens(&w->schedule, si);
    bool cut = skv_kv_plan_cuts_at(w->plan, layer, si);
    skv_tensor q = SKV_TENSOR(w->q, SKV_F32, SKV_HOST, ROWS, tokens, heads, d), q_raw, keep, given;
    int32_t window[SKV_MAX_WINDOW];
    int n = 0;
    skv_kv_view view;
    skv_kv_read read;

    (void)w->policy->queries(w->state, si, window, &n);
    q_raw = SKV_TENSOR(w->q, SKV_F32, SKV_HOST, ROWS, n > 0 ? n : 1, heads, d);
    assert_int_equal(skv_kv_begin(w->kv, layer, si, &view), SKV_OK);
    check_and_store(w, &view, layer, si);
    if (si < w->schedule.n_scales - 1)
        for (int h = 0; h < heads; h++)
            sum += skv_kv_plan_length(w->plan, layer, h, si);
    assert_int_equal(skv_kv_attend(w->kv, &q, &w->scratch, &read), SKV_OK);
    check_read(w, &view, &read, layer, si);
    if (force && cut)
        draw_kept(w, &view, layer, si, forced);
    given = SKV_TENSOR(force && cut ? forced : NULL, SKV_I32, SKV_HOST, ROWS, sum);
    assert_int_equal(skv_kv_end(w->kv, layer, si, &q_raw, &q, &w->scratch,
                                layer % 2 && !given.data ? NULL : &given, &keep),
                     SKV_OK);
    assert_true((keep.data != NULL) == cut);
    if (!cut)
        return;
    assert_true(keep.shape[0] == ROWS && keep.shape[1] == sum);
    if (w->policy == &ends)
        assert_keeps_ends(w, &view, keep.data, layer, si);
    follow(w, force ? forced : keep.data, layer, si);
}

static void run_group(world *w, bool force)
{
    size_t room =
        (size_t)ROWS * (size_t)w->dims.heads * (size_t)w->schedule.start[w->schedule.n_scales];
    int32_t *forced = malloc(room * sizeof *forced);
    int64_t allocs = w->be->n_allocs;
    int last = w->schedule.n_scales - 1;

    assert_non_null(forced);
    for (int si = 0; si <= last; si++) {
        size_t held = 0;

        for (int layer = 0; layer < w->dims.depth; layer++) {
            step(w, layer, si, force, forced);
            held += si < last ? skv_kv_plan_bytes(w->plan, layer, si) : 0;
        }
        if (si < last)
            assert_int_equal(skv_kv_held_bytes(w->kv), held);
    }
    assert_int_equal(w->be->n_allocs, allocs);
    assert_int_equal(skv_kv_peak_bytes(w->kv), skv_kv_plan_pool_bytes(w->plan));
    free(forced);
}

/* Our record after the last cut against the store's counts. */
static void check_sources(world *w)
{
    int n_scales = w->schedule.n_scales, last = n_scales - 2;
    size_t n = (size_t)(n_scales - 1) * (size_t)w->dims.depth * (size_t)n_scales;
    float *mean = malloc(n * sizeof *mean);

    assert_non_null(mean);
    assert_int_equal(skv_kv_kept_by_source(w->kv, mean), SKV_OK);
    for (int layer = 0; layer < w->dims.depth; layer++)
        for (int source = 0; source < n_scales; source++) {
            int count = 0;

            for (int r = 0; r < ROWS; r++)
                for (int h = 0; h < w->dims.heads; h++)
                    for (int i = 0; i < skv_kv_plan_length(w->plan, layer, h, last); i++) {
                        int32_t o = origins(w, layer, r, h)[i];

                        count +=
                            o >= w->schedule.start[source] && o < w->schedule.start[source + 1];
                    }
            assert_true(mean[(last * w->dims.depth + layer) * n_scales + source] ==
                        (float)((double)count / (ROWS * w->dims.heads)));
        }
    free(mean);
}

static void two_groups(const skv_policy *policy, const char *resolution, skv_kv_dtype pool)
{
    world w;

    open_with(&w, policy, resolution, 12, pool);
    assert_int_equal(w.arena.used, skv_kv_plan_total_bytes(w.plan));
    for (int group = 0; group < 2; group++) {
        assert_int_equal(skv_kv_reset(w.kv), SKV_OK);
        assert_int_equal(skv_kv_held_bytes(w.kv), 0);
        run_group(&w, false);
        check_sources(&w);
    }
    assert_int_equal(w.arena.high, skv_kv_plan_total_bytes(w.plan));
    assert_int_equal(w.scratch.high, skv_kv_plan_select_bytes(w.plan));
    close_world(&w);
}

static void every_policy_takes_its_plan_and_carries_tokens_unharmed(void **state)
{
    (void)state;
    for (int i = 0; skv_policies[i]; i++)
        two_groups(skv_policies[i], "0.25M", SKV_KV_WORK);
}

static void codes_carry_what_they_can_hold_unharmed_under_every_policy(void **state)
{
    (void)state;
    for (int i = 0; skv_policies[i]; i++)
        for (int pool = SKV_KV_FP8; pool < SKV_KV_N_DTYPES; pool++)
            two_groups(skv_policies[i], "0.06M", (skv_kv_dtype)pool);
}

static void random_cuts_of_ragged_heads_keep_every_token_with_its_origin(void **state)
{
    world w;

    (void)state;
    open_world(&w, &ragged, "0.60M", 0);
    run_group(&w, true);
    check_sources(&w);
    close_world(&w);
}

static void ragged_heads_of_a_layer_are_cut_by_one_call(void **state)
{
    int cuts = 0;
    world w;

    (void)state;
    open_world(&w, &ends, "0.25M", 0);
    ends_calls = 0;
    run_group(&w, false);
    check_sources(&w);
    for (int si = 0; si < w.schedule.n_scales - 1; si++)
        for (int layer = 0; layer < w.dims.depth; layer++)
            cuts += skv_kv_plan_cuts_at(w.plan, layer, si);
    assert_true(cuts > 0);
    assert_int_equal(ends_calls, cuts);
    close_world(&w);
}

static const skv_policy *even; /* the policy whose capacities are made ragged */

static int by_head(const skv_policy_state *s, int layer, int head, int si)
{
    int n = even->capacity(s, layer, head, si);

    if (n == SKV_KEEP_ALL)
        return n;
    n += 7 * ((head + layer) % 3) - 5 * (head % 2);
    return n > 0 ? n : 0;
}

static void every_policy_chooses_for_ragged_heads_too(void **state)
{
    (void)state;
    for (int i = 0; skv_policies[i]; i++) {
        skv_policy p = *skv_policies[i];
        bool differ = false;
        world w;

        even = skv_policies[i];
        p.capacity = by_head;
        open_world(&w, &p, "0.25M", 20);
        run_group(&w, false);
        check_sources(&w);
        for (int h = 1; h < w.dims.heads; h++)
            differ = differ || skv_kv_plan_length(w.plan, 1, h, w.schedule.n_scales - 2) !=
                                   skv_kv_plan_length(w.plan, 1, 0, w.schedule.n_scales - 2);
        assert_true(differ == skv_kv_plan_cuts(w.plan));
        assert_true(w.scratch.high <= skv_kv_plan_select_bytes(w.plan));
        close_world(&w);
    }
}

/* Fewer for some heads, at the last scale too. */
static int two_thirds(const skv_policy_state *s, int layer, int head, int si, int len)
{
    (void)s, (void)si;
    return (head + layer) % 3 == 0 || len < 3 ? len : len - len / 3;
}

static void attention_reads_what_the_policy_chooses_and_nothing_is_lost(void **state)
{
    static const char *const names[] = {"snapkv", "valuenorm", "full"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const skv_policy *known;
        skv_policy p;
        world w;

        assert_int_equal(skv_policy_find(&known, names[i]), SKV_OK);
        p = *known;
        p.attended = two_thirds;
        if (strcmp(names[i], "full") == 0) /* nothing is cut, and yet attention reads fewer */
            p.select = select_last;
        open_world(&w, &p, "0.25M", 12);
        assert_true(skv_kv_plan_attended(w.plan, 1, 0, w.schedule.n_scales - 1) <
                    w.schedule.start[w.schedule.n_scales]);
        run_group(&w, false);
        check_sources(&w);
        assert_int_equal(w.arena.high, skv_kv_plan_total_bytes(w.plan));
        assert_true(w.scratch.high <= skv_kv_plan_select_bytes(w.plan));
        close_world(&w);
    }
}

static void forced_positions_replace_the_policys_choice(void **state)
{
    world w;
    const skv_policy *policy;

    (void)state;
    assert_int_equal(skv_policy_find(&policy, "scalekv"), SKV_OK);
    open_world(&w, policy, "0.25M", 10);
    run_group(&w, true);
    check_sources(&w);
    close_world(&w);
}

static void forced_positions_of_another_shape_are_refused(void **state)
{
    world w;
    skv_kv_view view;
    int32_t few[ROWS] = {0};
    skv_tensor forced = SKV_TENSOR(few, SKV_I32, SKV_HOST, ROWS, 1);

    (void)state;
    open_world(&w, &ragged, "0.06M", 0);
    assert_int_equal(skv_kv_begin(w.kv, 0, 0, &view), SKV_OK);
    assert_int_equal(skv_kv_end(w.kv, 0, 0, NULL, NULL, &w.scratch, &forced, NULL), SKV_E_SHAPE);
    assert_non_null(strstr(skv_message(), "layer 0, scale 0"));
    close_world(&w);
}

static void an_arena_below_the_plan_is_refused(void **state)
{
    world w;
    skv_kv *kv = NULL;

    (void)state;
    open_world(&w, &ragged, "0.06M", 0);
    w.arena.used = 0;
    w.arena.bytes -= SKV_ALIGN;
    assert_int_equal(skv_kv_create(&kv, w.be, w.plan, &ragged, NULL, &w.arena), SKV_E_MEM);
    assert_null(kv);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy_takes_its_plan_and_carries_tokens_unharmed),
        cmocka_unit_test(codes_carry_what_they_can_hold_unharmed_under_every_policy),
        cmocka_unit_test(random_cuts_of_ragged_heads_keep_every_token_with_its_origin),
        cmocka_unit_test(ragged_heads_of_a_layer_are_cut_by_one_call),
        cmocka_unit_test(every_policy_chooses_for_ragged_heads_too),
        cmocka_unit_test(attention_reads_what_the_policy_chooses_and_nothing_is_lost),
        cmocka_unit_test(forced_positions_replace_the_policys_choice),
        cmocka_unit_test(forced_positions_of_another_shape_are_refused),
        cmocka_unit_test(an_arena_below_the_plan_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
