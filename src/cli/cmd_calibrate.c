/* skv calibrate: what each layer needs, measured on the full cache. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/print_text.h"
#include "cli/sample_print.h"
#include "core/text.h"
#include "eval/report/calibration_page.h"
#include "job/calibrate.h"

/* "scales 9-12: layers 0, 23; scale 13: layer 0": scales of one set together, counted from 1 as
 * budget files do. */
static void print_set(const skv_stability *s, int layers)
{
    for (int si = s->first, end; si < s->n_scales; si = end) {
        const uint64_t set = s->set.layers[si - 1];
        int n = 0;

        for (end = si + 1; end < s->n_scales && s->set.layers[end - 1] == set;)
            end++;
        printf(si > s->first ? "; scale" : " scale");
        if (end - si > 1)
            printf("s %d-%d:", si + 1, end);
        else
            printf(" %d:", si + 1);
        for (int l = 0; l < layers; l++)
            n += set >> l & 1;
        printf(n == 0 ? " none" : " layer%s", skv_s(n));
        n = 0;
        for (int l = 0; l < layers; l++)
            if (set >> l & 1)
                printf("%s%d", n++ > 0 ? ", " : " ", l);
    }
    putchar('\n');
}

static void print_budget(const skv_calibrated *b, const skv_calibrate_outcome *o)
{
    const skv_stability *s = &b->stability;
    char text[512], name[64];
    int n;

    if (!b->budget) {
        printf("%g %%: no budget file: %s\n", b->percent, b->why_not);
        return;
    }
    n = skv_drafters_count(&s->set, s->first, s->n_scales);
    skv_calibrated_name(name, sizeof name, b->percent);
    printf("%g %%: %d tokens a layer, %d drafter pair%s;", b->percent, b->base, n, skv_s(n));
    print_set(s, s->asi.layers);
    skv_stability_say(text, sizeof text, s, &o->calibration->what);
    printf("  stability: %s\n", text);
    for (int k = 0; k < o->n_compared; k++)
        if (b->with_compared[k] >= 0)
            printf("  overlap %.2f with %s\n", b->with_compared[k], o->compared[k].name);
    printf("  %s/%s\n", o->options->run.out, name);
}

static const char *const rows[] = {"conditional", "unconditional", "both"};

static void print_expectation(const skv_expectation *e, const skv_measures *m)
{
    printf("K' %s, %s, %s rows, ", m->top[e->asi.top].name, skv_index_names[e->asi.index],
           rows[e->asi.rows]);
    if (e->count > 0)
        printf("rule %s of %d", skv_draft_rule_names[e->rule], e->count);
    else
        printf("rule %s by the gap", skv_draft_rule_names[e->rule]);
}

/* All choices that give exactly the released drafters, or the nearest one. */
static void print_expectations(const skv_calibrate_outcome *o)
{
    const skv_expectation *best = NULL;
    int exact = 0;

    for (int i = 0; i < o->n_expectations; i++) {
        const skv_expectation *e = &o->expectation[i];

        if (!best || e->overlap > best->overlap)
            best = e;
        if (e->overlap < 1)
            continue;
        printf("released drafters, exactly: ");
        print_expectation(e, &o->calibration->what);
        putchar('\n');
        exact++;
    }
    if (exact > 0 || !best)
        return;
    printf("released drafters: no choice gives them; nearest, with overlap %.2f: ", best->overlap);
    print_expectation(best, &o->calibration->what);
    putchar('\n');
}

/* ---------------------------------------------------------------------------- JSON */

static json_t *set_as_data(const skv_stability *s)
{
    skv_json_maker list = skv_json_array();

    for (int si = s->first; si < s->n_scales; si++) {
        skv_json_maker one = skv_json_object(), layers = skv_json_array();

        for (int l = 0; l < s->asi.layers; l++)
            if (s->set.layers[si - 1] >> l & 1)
                skv_json_append(&layers, json_integer(l));
        skv_json_put(&one, "scale", json_integer(si + 1)); /* as budget files count */
        skv_json_put(&one, "layers", skv_json_take(&layers));
        skv_json_append(&list, skv_json_take(&one));
    }
    return skv_json_take(&list);
}

/* An overlap that there is none of is -1. */
static json_t *overlap(double v)
{
    return v >= 0 ? json_real(v) : json_null();
}

static json_t *stability_as_data(const skv_stability *s, const skv_measures *m)
{
    skv_json_maker o = skv_json_object(), tops = skv_json_object();

    for (int t = 0; t < m->n_tops; t++)
        skv_json_put(&tops, m->top[t].name, json_real(s->by_top[t]));
    skv_json_put(&o, "overlap", json_real(s->overlap));
    skv_json_put(&o, "same_set", json_real(s->same));
    skv_json_put(&o, "resamples", json_integer(SKV_RESAMPLES));
    skv_json_put(&o, "prompts", json_integer(s->size[s->n_sizes - 1]));
    skv_json_put(&o, "by_top", skv_json_take(&tops));
    skv_json_put(&o, "unconditional_rows", overlap(s->uncond));
    skv_json_put(&o, "both_rows", overlap(s->both));
    skv_json_put(&o, "one_seed", overlap(s->seeds));
    return skv_json_take(&o);
}

static json_t *file_as_data(const char *folder, const char *name)
{
    char file[4096];

    snprintf(file, sizeof file, "%s/%s", folder, name);
    return skv_json_foreign(file);
}

static json_t *compared_as_data(const skv_calibrated *b, const skv_calibrate_outcome *o)
{
    skv_json_maker list = skv_json_array();

    for (int k = 0; k < o->n_compared; k++) {
        skv_json_maker one = skv_json_object();

        skv_json_put(&one, "with", skv_json_foreign(o->compared[k].name));
        skv_json_put(&one, "overlap", overlap(b->with_compared[k]));
        skv_json_append(&list, skv_json_take(&one));
    }
    return skv_json_take(&list);
}

static json_t *budget_as_data(const skv_calibrated *b, const skv_calibrate_outcome *o)
{
    skv_json_maker one = skv_json_object();
    const skv_stability *s = &b->stability;
    char name[64];

    skv_calibrated_name(name, sizeof name, b->percent);
    skv_json_put(&one, "percent", json_real(b->percent));
    skv_json_put(&one, "tokens", json_integer(b->base));
    skv_json_put(&one, "why_not", b->budget ? json_null() : json_string(b->why_not));
    if (b->budget) {
        const int n = skv_drafters_count(&s->set, s->first, s->n_scales);

        skv_json_put(&one, "drafter_pairs", json_integer(n));
        skv_json_put(&one, "drafters", set_as_data(s));
        skv_json_put(&one, "stability", stability_as_data(s, &o->calibration->what));
        skv_json_put(&one, "compared", compared_as_data(b, o));
        skv_json_put(&one, "file", file_as_data(o->options->run.out, name));
    }
    return skv_json_take(&one);
}

static json_t *expectations_as_data(const skv_calibrate_outcome *o)
{
    skv_json_maker list = skv_json_array();

    for (int i = 0; i < o->n_expectations; i++) {
        const skv_expectation *e = &o->expectation[i];
        skv_json_maker one = skv_json_object();

        skv_json_put(&one, "top", json_string(o->calibration->what.top[e->asi.top].name));
        skv_json_put(&one, "index", json_string(skv_index_names[e->asi.index]));
        skv_json_put(&one, "rows", json_string(rows[e->asi.rows]));
        skv_json_put(&one, "drafter_rule", json_string(skv_draft_rule_names[e->rule]));
        skv_json_put(&one, "drafter_count", json_integer(e->count));
        skv_json_put(&one, "overlap", json_real(e->overlap));
        skv_json_append(&list, skv_json_take(&one));
    }
    return skv_json_take(&list);
}

static skv_status write_json(const skv_calibrate_outcome *o)
{
    static const char *const names[] = {"calibration.h5", "calibration.html", "orders.json",
                                        "heads.json"};
    skv_json_maker root = skv_json_object(), budgets = skv_json_array(), files = skv_json_array();
    const char *out = o->options->run.out;

    for (int i = 0; i < o->n_budgets; i++)
        skv_json_append(&budgets, budget_as_data(&o->budget[i], o));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        skv_json_append(&files, file_as_data(out, names[i]));
    skv_json_put(&root, "folder", skv_json_foreign(out));
    skv_json_put(&root, "pictures", json_integer(o->calibration->n));
    skv_json_put(&root, "failed_rows", json_integer(o->n_failed));
    skv_json_put(&root, "budgets", skv_json_take(&budgets));
    skv_json_put(&root, "released_drafters", expectations_as_data(o));
    skv_json_put(&root, "files", skv_json_take(&files));
    return skv_print_made(&root, o->options->run.json);
}

/* ------------------------------------------------------------------------- command */

static skv_status print_outcome(void *ctx, const skv_calibrate_outcome *o)
{
    const char *out = o->options->run.out;
    skv_progress *p = ctx;

    p->has_table = true;
    SKV_TRY(skv_calibration_page(out));
    for (int i = 0; i < o->n_budgets; i++)
        print_budget(&o->budget[i], o);
    print_expectations(o);
    printf("%lld picture%s measured: %s/calibration.h5, %s/calibration.html\n",
           (long long)o->calibration->n, skv_s(o->calibration->n), out, out);
    return o->options->run.json ? write_json(o) : SKV_OK;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    skv_calibrate_options o = {0};
    skv_progress progress = {0};
    skv_calibrate_setup setup = {.comm = comm,
                                 .options = &o,
                                 .report = {.ctx = &progress, .planned = skv_print_plan},
                                 .done = print_outcome,
                                 .ctx = &progress};
    skv_calibrate_result result = {0};
    skv_status st;

    SKV_TRY_GOTO(skv_calibrate_defaults(&o), done);
    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_calibrate, comm, argc, argv, NULL), done);
    SKV_TRY_GOTO(skv_comm_agree(comm, skv_calibrate_check(&setup.choice, &o)), done);
    st = skv_print_end(&progress, skv_calibrate_run(&result, &setup));
    SKV_TRY_GOTO(st, done);
    if (result.n_failed > 0)
        *exit_code = SKV_EXIT_PARTIAL;
    if (!result.as_expected)
        *exit_code = SKV_EXIT_FAILED;
done:
    skv_calibrate_clear(&o);
    return st;
}

const skv_command skv_cmd_calibrate = {
    .name = "calibrate",
    .usage = "--config FILE --out DIR [--option value ...]",
    .summary = "measure attention: budgets for ScaleKV, orders for HeatKV and HACK",
    .options = skv_calibrate_table,
    .distributed = true,
    .run_option = "out",
    .reads_hdf5 = true,
    .run = run};
