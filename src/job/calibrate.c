#include "job/calibrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "calibrate/observer.h"
#include "core/folder.h"
#include "core/mem.h"
#include "core/text.h"
#include "job/job_parts.h"
#include "job/rounds.h"

typedef struct {
    skv_job job; /* first: its phases take it */
    const skv_calibrate_setup *setup;
    skv_measures measures;
    skv_observer *observer;
    skv_sampler sampler;
    int *seen;
    double *figures; /* room for one picture */
    skv_rounds rounds;
    skv_calibration calibration; /* rank 0 */
    skv_calibrated *budget;
    skv_expectation expectation[SKV_MAX_EXPECTATIONS];
    skv_compared compared[SKV_MAX_COMPARED];
    int n_budgets, n_expectations, n_compared;
    skv_calibrate_result result;
} calibrate_job;

/* ------------------------------------------------------------------ before the first group */

/* What --compare names; rank 0. */
static skv_status read_compared(calibrate_job *c)
{
    const skv_reals *percent = &c->setup->options->percent;
    const char *p = c->setup->options->compare;
    char path[4096];

    while (p && *p) {
        const size_t n = strcspn(p, ",");

        if (c->n_compared == SKV_MAX_COMPARED || n >= sizeof path)
            return skv_fail(SKV_E_ARG, "--compare: want at most %d files", SKV_MAX_COMPARED);
        snprintf(path, sizeof path, "%.*s", (int)n, p);
        SKV_TRY(skv_option_opened("--compare",
                                  skv_compared_read(&c->compared[c->n_compared++], path,
                                                    &c->measures, percent->value, percent->n)));
        p += n + (p[n] == ',');
    }
    return SKV_OK;
}

/* What is measured of this run. */
static skv_measures measures_of(const skv_calibrate_setup *s, const skv_run_setup *r)
{
    skv_measures m = s->choice.measures;

    m.schedule = r->engine.schedule;
    m.kinds = skv_settings_guided(r->settings) ? 2 : 1;
    m.layers = r->sources.dims.depth;
    m.heads = r->sources.dims.heads;
    return m;
}

static size_t observer_row(const void *setup, const skv_run_setup *run)
{
    const skv_measures m = measures_of(setup, run);

    return skv_observer_bytes(&m);
}

static skv_status check_model(void *job)
{
    calibrate_job *c = job;
    skv_drafters known;

    c->measures = measures_of(c->setup, &c->job.run);
    if (c->setup->options->expect && skv_drafters_known(&known, &c->job.run.sources.dims) != SKV_OK)
        return skv_fail(SKV_E_ARG, "--expect released: the model is neither 2b nor 8b, for which "
                                   "drafters were released");
    return c->job.rank == 0 ? read_compared(c) : SKV_OK;
}

/* The prompts' table lies there, too, as in a run. */
static skv_status open_folder(void *job)
{
    skv_job *j = job;
    char path[4096];
    struct stat info;

    if (j->rank != 0)
        return SKV_OK;
    if (snprintf(path, sizeof path, "%s/run.json", j->settings.out) >= (int)sizeof path)
        return skv_fail(SKV_E_ARG, "--out %s: the name is too long", j->settings.out);
    if (lstat(path, &info) == 0)
        return skv_fail(SKV_E_ARG, "--out %s: is a run of skv sample, want another folder",
                        j->settings.out);
    SKV_TRY(skv_option_opened("--out", skv_folder_make(j->settings.out)));
    return skv_job__keep_rows(j);
}

static skv_status find_work(void *job)
{
    skv_job *j = job;
    const int64_t groups = j->run.rows.segments.n_groups;

    SKV_TRY(skv_todo_list_init(&j->todo, groups, j->run.paths.n, j->size));
    memset(j->todo.work, SKV_WORK_COMPUTE, skv_todo_list_bytes(&j->todo));
    j->count = j->rank < groups;
    return SKV_OK;
}

/* The figures of a finished group's rows, in their order. */
static skv_status take_figures(void *ctx, skv_result *r)
{
    calibrate_job *c = ctx;
    skv_status st = SKV_OK;
    int n = 0;

    while (n < r->rec.n_rows && c->seen[n] >= 0)
        n++;
    if (n > 0)
        st = skv_observer_fetch(c->observer, n);
    for (int row = 0; row < r->rec.n_rows && st == SKV_OK; row++) {
        const int i = skv_sampler_place(&c->sampler, r->rec.n_rows, row);

        if (i < 0 || r->rec.status[row] != SKV_OK) {
            c->rounds.n_failed++;
            continue;
        }
        skv_observer_figures(c->observer, i, c->figures);
        st = skv_rounds_note(&c->rounds, r->rec.row[row], c->figures);
    }
    skv_result_destroy(r);
    return st;
}

/* ------------------------------------------------------------------------------- groups */

static skv_status one_group(void *ctx, int64_t g)
{
    calibrate_job *c = ctx;
    const bool wanted = true;

    return skv_sampler_group(&c->sampler, g, &wanted, g < c->job.size);
}

static skv_status add_row(void *ctx, int64_t row, const double *figures)
{
    return skv_calibration_add(&((calibrate_job *)ctx)->calibration, row, figures);
}

static skv_status begin(void *job)
{
    calibrate_job *c = job;
    skv_job *j = &c->job;
    const skv_observer_setup observer = {.be = j->be,
                                         .what = &c->measures,
                                         .max_prompts = j->run.engine.max_prompts,
                                         .n_queries = c->setup->options->queries,
                                         .seed = j->settings.seed};

    c->rounds = (skv_rounds){.comm = j->comm,
                             .n_groups = j->run.rows.segments.n_groups,
                             .n_figures = skv_figures(&c->measures),
                             .done = "measured",
                             .group = one_group,
                             .add = add_row,
                             .ctx = c};
    if (j->rank == 0)
        SKV_TRY(skv_calibration_init(&c->calibration, &c->measures));
    SKV_TRY(skv_alloc(&c->figures, skv_figures(&c->measures), sizeof *c->figures, "figures"));
    if (j->count == 0)
        return SKV_OK;
    SKV_TRY(skv_alloc(&c->seen, (size_t)j->settings.group_size, sizeof *c->seen, "rows"));
    SKV_TRY(skv_observer_create(&c->observer, &observer));
    c->sampler = skv_job__sampler(j);
    c->sampler.texts = (skv_text_source){skv_text_phase_read, &j->texts};
    c->sampler.sink = take_figures;
    c->sampler.sink_ctx = c;
    c->sampler.probe = skv_observer_probe(c->observer);
    c->sampler.seen = c->seen;
    return SKV_OK;
}

static skv_status all_rounds(void *job)
{
    calibrate_job *c = job;

    SKV_TRY(skv_rounds_run(&c->rounds));
    c->result.n_failed = c->rounds.n_failed;
    return SKV_OK;
}

/* ------------------------------------------------------------------------------ results */

static skv_status make_budgets(calibrate_job *c, const skv_budgets_setup *budgets)
{
    const skv_reals *percent = &c->setup->options->percent;

    SKV_TRY(skv_alloc(&c->budget, (size_t)percent->n, sizeof *c->budget, "budgets"));
    for (; c->n_budgets < percent->n; c->n_budgets++) {
        skv_calibrated *b = &c->budget[c->n_budgets];

        SKV_TRY(skv_calibrated_make(b, budgets, percent->value[c->n_budgets], c->n_budgets));
        if (b->budget)
            SKV_TRY(skv_calibrated_write(b, budgets, c->job.settings.out));
    }
    return SKV_OK;
}

static skv_status expect(calibrate_job *c)
{
    if (!c->setup->options->expect)
        return SKV_OK;
    SKV_TRY(skv_expect_released(c->expectation, &c->n_expectations, &c->calibration,
                                &c->job.run.sources.dims));
    c->result.as_expected = false;
    for (int i = 0; i < c->n_expectations; i++)
        c->result.as_expected = c->result.as_expected || c->expectation[i].overlap == 1.0;
    return SKV_OK;
}

static skv_status write_results(void *job)
{
    calibrate_job *c = job;
    const skv_calibrate_setup *s = c->setup;
    const skv_budgets_setup budgets = {.calibration = &c->calibration,
                                       .dims = &c->job.run.sources.dims,
                                       .samples = c->job.settings.samples,
                                       .seed = c->job.settings.seed,
                                       .asi = s->choice.asi,
                                       .rule = s->choice.rule,
                                       .count = (int)s->options->drafter_count,
                                       .identity = c->job.run.identity.digest,
                                       .compared = c->compared,
                                       .n_compared = c->n_compared};

    if (c->job.rank != 0)
        return SKV_OK;
    if (c->calibration.n == 0)
        return skv_fail(SKV_E_FORMAT, "none of %lld row%s could be sampled",
                        (long long)c->rounds.n_failed, skv_s(c->rounds.n_failed));
    SKV_TRY(make_budgets(c, &budgets));
    SKV_TRY(expect(c));
    SKV_TRY(skv_calibration_write(&(skv_calibration_file){.setup = &budgets,
                                                          .budget = c->budget,
                                                          .n_budgets = c->n_budgets,
                                                          .n_queries = s->options->queries},
                                  c->job.settings.out));
    return skv_head_orders_write(&c->calibration, c->job.settings.out);
}

static skv_status report(void *job)
{
    calibrate_job *c = job;
    const skv_calibrate_outcome outcome = {.options = c->setup->options,
                                           .calibration = &c->calibration,
                                           .budget = c->budget,
                                           .expectation = c->expectation,
                                           .compared = c->compared,
                                           .n_compared = c->n_compared,
                                           .n_budgets = c->n_budgets,
                                           .n_expectations = c->n_expectations,
                                           .n_failed = c->rounds.n_failed};
    skv_status st = SKV_OK;

    if (c->job.rank == 0)
        st = c->setup->done(c->setup->ctx, &outcome);
    SKV_TRY(skv_comm_agree(c->job.comm, st));
    return skv_comm_broadcast(c->job.comm, &c->result.as_expected, sizeof c->result.as_expected, 0);
}

static const skv_phase checking[] = {{"measures", check_model, NULL, NULL}};

static const skv_phase calibrating[] = {
    {"folder", open_folder, skv_job__share_place, NULL},
    {"rows of the run", skv_job__open_rows, NULL, NULL},
    {"work", find_work, NULL, NULL},
    {"encoding texts", NULL, skv_job__encode_texts, skv_job__text_cache},
    {"encoded texts", skv_job__open_texts, NULL, skv_job__text_cache},
    {"sharing weights", NULL, skv_job__share_weights, NULL},
    {"text encoder", NULL, skv_job__load_t5, skv_job__encodes},
    {"model", NULL, skv_job__load_model, NULL},
    {"observer", begin, NULL, NULL},
    {"calibration", NULL, all_rounds, NULL},
    {"results", write_results, NULL, NULL},
    {"report", NULL, report, NULL},
};

static skv_status run(calibrate_job *c)
{
    const skv_job_setup *setup = c->job.setup;

    SKV_TRY(skv_job__plan(&c->job));
    SKV_TRY(skv_phases_run(checking, (int)(sizeof checking / sizeof *checking), c, c->job.comm,
                           &setup->failure, c->job.stop));
    if (c->job.settings.dry_run) {
        c->result.n_failed = c->job.result.n_failed;
        return SKV_OK;
    }
    return skv_phases_run(calibrating, (int)(sizeof calibrating / sizeof *calibrating), c,
                          c->job.comm, &setup->failure, c->job.stop);
}

skv_status skv_calibrate_run(skv_calibrate_result *out, const skv_calibrate_setup *setup)
{
    const skv_job_setup job = {.comm = setup->comm,
                               .table = skv_calibrate_table,
                               .options = setup->options,
                               .probe_row = observer_row,
                               .probe_ctx = setup,
                               .report = setup->report};
    calibrate_job *c = NULL;
    skv_status st = skv_alloc(&c, 1, sizeof *c, "calibration");

    SKV_TRY(skv_comm_agree(setup->comm, st));
    skv_job__init(&c->job, &job);
    c->setup = setup;
    c->result.as_expected = true;
    st = run(c);
    *out = c->result;
    skv_observer_destroy(c->observer); /* before its backend */
    skv_job__clear(&c->job);
    skv_calibration_clear(&c->calibration);
    for (int i = 0; i < c->n_budgets; i++)
        skv_calibrated_clear(&c->budget[i]);
    free(c->budget);
    free(c->seen);
    free(c->figures);
    free(c);
    return st;
}
