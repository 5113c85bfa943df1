/* skv calibrate: what each layer needs, measured on the full cache. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
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

static void print_expectation(const skv_expectation *e, const skv_measures *m)
{
    static const char *const rows[] = {"conditional", "unconditional", "both"};

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

static skv_status print_outcome(void *ctx, const skv_calibrate_outcome *o)
{
    const char *out = o->options->run.out;

    (void)ctx;
    SKV_TRY(skv_calibration_page(out));
    for (int i = 0; i < o->n_budgets; i++)
        print_budget(&o->budget[i], o);
    print_expectations(o);
    printf("%lld picture%s measured: %s/calibration.h5, %s/calibration.html\n",
           (long long)o->calibration->n, skv_s(o->calibration->n), out, out);
    return SKV_OK;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    skv_calibrate_options o = {0};
    skv_progress progress = {0};
    skv_calibrate_setup setup = {.comm = comm,
                                 .options = &o,
                                 .report = {.ctx = &progress, .planned = skv_print_plan},
                                 .done = print_outcome};
    skv_calibrate_result result = {0};
    skv_status st;

    SKV_TRY_GOTO(skv_calibrate_defaults(&o), done);
    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_calibrate, comm, argc, argv, NULL), done);
    SKV_TRY_GOTO(skv_comm_agree(comm, skv_calibrate_check(&setup.choice, &o)), done);
    SKV_TRY_GOTO(skv_calibrate_run(&result, &setup), done);
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
    .summary =
        "measure what each layer attends to; budgets for ScaleKV, orders for HeatKV and HACK",
    .options = skv_calibrate_table,
    .distributed = true,
    .run_option = "out",
    .reads_hdf5 = true,
    .run = run};
