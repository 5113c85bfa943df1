#include "calibrate/budgets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/build.h"
#include "core/json.h"
#include "core/mem.h"

#define WINDOW     16 /* ScaleKV's, which a layer keeps whole */
#define HEAT_SINKS 3  /* first scales, which HeatKV never drops */

void skv_calibrated_name(char *buf, size_t bytes, double percent)
{
    snprintf(buf, bytes, "budget-%g.json", percent);
}

/* Why there is no table; false: there is one. */
static bool cannot_hold(skv_calibrated *c, const skv_budgets_setup *setup)
{
    const skv_schedule *s = &setup->calibration->what.schedule;
    const int layers = setup->dims->depth, scales = s->n_scales - c->first;
    const int pairs = setup->rule == SKV_DRAFT_LAYERS ? layers : layers * scales;

    if (c->base < c->floor)
        snprintf(c->why_not, sizeof c->why_not,
                 "%d tokens a layer of %d are fewer than the %d that a layer keeps at least",
                 c->base, skv_schedule_history(s), c->floor);
    else if (c->first == s->n_scales)
        snprintf(c->why_not, sizeof c->why_not,
                 "%d tokens a layer hold all %d: nothing would be cut", c->base,
                 skv_schedule_history(s));
    else if (setup->count > pairs)
        snprintf(c->why_not, sizeof c->why_not, "%d drafters of %d %s", setup->count, pairs,
                 setup->rule == SKV_DRAFT_LAYERS ? "layers" : "pairs of a layer and a cut scale");
    return c->why_not[0] != '\0';
}

static void compare(skv_calibrated *c, const skv_budgets_setup *setup, int i)
{
    const int n_scales = setup->calibration->what.schedule.n_scales;

    for (int k = 0; k < setup->n_compared; k++) {
        const skv_compared *other = &setup->compared[k];
        const int first = other->first[i] > c->first ? other->first[i] : c->first;

        c->with_compared[k] =
            other->first[i] == 0
                ? -1
                : skv_drafters_overlap(&c->stability.set, &other->set[i], first, n_scales);
    }
}

skv_status skv_calibrated_make(skv_calibrated *out, const skv_budgets_setup *setup, double percent,
                               int i)
{
    const skv_schedule *s = &setup->calibration->what.schedule;
    const int base = skv_policy_base(percent, s), first = skv_first_on_cut(s, base);
    const skv_stability_setup look = {.calibration = setup->calibration,
                                      .samples = setup->samples,
                                      .seed = setup->seed,
                                      .asi = setup->asi,
                                      .draft = {setup->rule, setup->count, first}};
    skv_budget_rule rule = {.dims = setup->dims, .schedule = s, .base = base};

    memset(out, 0, sizeof *out);
    out->percent = percent;
    out->base = base;
    out->floor = rule.floor = skv_budget_floor(base, WINDOW);
    out->first = first;
    if (cannot_hold(out, setup))
        return SKV_OK;
    SKV_TRY(skv_stability_find(&out->stability, &look));
    compare(out, setup, i);
    rule.drafters = out->stability.set;
    return skv_budget_build(&out->budget, &rule);
}

void skv_calibrated_clear(skv_calibrated *c)
{
    skv_budget_destroy(c->budget);
    c->budget = NULL;
}

static const char *rows_name(skv_which_rows rows)
{
    static const char *const names[] = {"conditional", "unconditional", "both"};

    return names[rows];
}

static json_t *provenance(const skv_calibrated *c, const skv_budgets_setup *setup)
{
    const skv_measures *m = &setup->calibration->what;
    skv_json_maker p = skv_json_object();

    skv_json_put(&p, "made_by", json_string("skv calibrate"));
    skv_json_put(&p, "version", json_string(SKV_VERSION));
    skv_json_put(&p, "model", json_string(setup->dims->name));
    skv_json_put(&p, "ratio", json_real(m->schedule.ratio));
    skv_json_put(&p, "resolution", json_string(m->schedule.resolution));
    skv_json_put(&p, "percent", json_real(c->percent));
    skv_json_put(&p, "tokens", json_integer(c->base));
    skv_json_put(&p, "floor", json_integer(c->floor));
    skv_json_put(&p, "pictures", json_integer(setup->calibration->n));
    skv_json_put(&p, "index", json_string(skv_index_names[setup->asi.index]));
    skv_json_put(&p, "top", json_string(m->top[setup->asi.top].name));
    skv_json_put(&p, "rows", json_string(rows_name(setup->asi.rows)));
    skv_json_put(&p, "drafter_rule", json_string(skv_draft_rule_names[setup->rule]));
    skv_json_put(&p, "drafter_count", json_integer(setup->count));
    skv_json_put(&p, "overlap", json_real(c->stability.overlap));
    skv_json_put(&p, "identity", json_string(setup->identity));
    return skv_json_take(&p);
}

static skv_status write_in(const char *folder, const char *name, const json_t *root)
{
    char path[4096];

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return skv_fail(SKV_E_ARG, "%s/%s: the name is too long", folder, name);
    return skv_json_write(root, path);
}

skv_status skv_calibrated_write(const skv_calibrated *c, const skv_budgets_setup *setup,
                                const char *folder)
{
    skv_json_maker root;
    json_t *table = NULL;
    char name[64];
    skv_status st;

    SKV_TRY(skv_budget_to_json(&table, c->budget));
    root = skv_json_extend(table);
    skv_json_put(&root, "provenance", provenance(c, setup));
    st = skv_json_finish(NULL, &root, "budget file");
    skv_calibrated_name(name, sizeof name, c->percent);
    if (st == SKV_OK)
        st = write_in(folder, name, table);
    json_decref(table);
    return st;
}

/* ---------------------------------------------------------------- orders of heads */

typedef struct {
    double score;
    int layer, head;
} heat;

static int by_score(const void *a, const void *b)
{
    const heat *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return x->layer != y->layer ? x->layer - y->layer : x->head - y->head;
}

/* One list: all [head, layer], lowest `score` (layers, heads) first. */
static json_t *order(const double *score, heat *room, const skv_measures *m)
{
    const int n = m->layers * m->heads;
    skv_json_maker list = skv_json_array();

    for (int i = 0; i < n; i++)
        room[i] = (heat){score[i], i / m->heads, i % m->heads};
    qsort(room, (size_t)n, sizeof *room, by_score);
    for (int i = 0; i < n; i++)
        skv_json_append(&list, json_pack("[ii]", room[i].head, room[i].layer));
    return skv_json_take(&list);
}

static skv_status write_lists(const char *folder, const char *name, skv_json_maker *lists)
{
    json_t *value;
    skv_status st;

    SKV_TRY(skv_json_finish(&value, lists, name));
    st = write_in(folder, name, value);
    json_decref(value);
    return st;
}

/* Column variance at the last scale, conditional rows (layers, heads). */
static void last_variance(const skv_calibration *c, double *out)
{
    const skv_measures *m = &c->what;

    for (int layer = 0; layer < m->layers; layer++)
        for (int head = 0; head < m->heads; head++)
            *out++ = c->sum[skv_figures_at(m, 0, m->schedule.n_scales - 1, layer, head) +
                            (size_t)skv_column_entropy(m) + 1];
}

skv_status skv_head_orders_write(const skv_calibration *c, const char *folder)
{
    const skv_measures *m = &c->what;
    const size_t n = (size_t)m->layers * (size_t)m->heads;
    skv_json_maker heat_lists = skv_json_array(), variance = skv_json_array();
    double *score = NULL;
    heat *room = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&score, n * (size_t)m->schedule.n_scales, sizeof *score, "scores"),
                 done);
    SKV_TRY_GOTO(skv_alloc(&room, n, sizeof *room, "scores"), done);
    skv_calibration_heat(c, score);
    for (int j = HEAT_SINKS; j < m->schedule.n_scales - 1; j++)
        skv_json_append(&heat_lists, order(score + (size_t)j * n, room, m));
    last_variance(c, score);
    skv_json_append(&variance, order(score, room, m));
    SKV_TRY_GOTO(write_lists(folder, "orders.json", &heat_lists), done);
    SKV_TRY_GOTO(write_lists(folder, "heads.json", &variance), done);
done:
    json_decref(skv_json_take(&heat_lists));
    json_decref(skv_json_take(&variance));
    free(score);
    free(room);
    return st;
}
