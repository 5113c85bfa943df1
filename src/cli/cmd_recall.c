/* skv recall: how much of the full cache's attention falls on what each path of a run keeps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "calibrate/recall.h"
#include "cli/command.h"
#include "cli/print_text.h"
#include "cli/results_folder.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "eval/metrics/recall_result.h"
#include "eval/report/bootstrap.h"
#include "eval/report/report.h"
#include "eval/scores/scores.h"
#include "job/recall_run.h"

/* A path's recall and where 95 of 100 resamples of the prompts have it. */
typedef struct {
    skv_recall_of of;
    skv_interval interval;
} path_recall;

typedef struct {
    const skv_recall_outcome *o;
    path_recall *path; /* (n_paths) */
    json_t *json;      /* "recall" of metrics.json */
} measured;

static skv_recall_of of_path(const skv_recall_outcome *o, int i)
{
    const double *share = o->share + (size_t)i * (size_t)o->n_scales * (size_t)o->n_layers;

    return (skv_recall_of){.name = o->path[i].name,
                           .digest = o->digest[i],
                           .share = share,
                           .by_picture = o->by_picture + (int64_t)i * o->n_pictures,
                           .n_scales = o->n_scales,
                           .n_layers = o->n_layers,
                           .n_pictures = o->n_pictures,
                           .mean = skv_recall_mean(share, o->n_scales, o->n_layers)};
}

static skv_status find_intervals(measured *m)
{
    const skv_recall_outcome *o = m->o;
    skv_bootstrap *t = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&m->path, (size_t)o->n_paths, sizeof *m->path, "recall"), done);
    SKV_TRY_GOTO(skv_bootstrap_open(&t, o->segments), done);
    for (int i = 0; i < o->n_paths; i++) {
        m->path[i].of = of_path(o, i);
        SKV_TRY_GOTO(skv_bootstrap_add(t, &m->path[i].interval, m->path[i].of.by_picture, NULL,
                                       o->row, o->n_pictures),
                     done);
    }
    skv_bootstrap_run(t);
done:
    skv_bootstrap_close(t);
    return st;
}

static skv_status make_json(measured *m)
{
    const skv_recall_outcome *o = m->o;
    skv_json_maker paths = skv_json_array();

    for (int i = 0; i < o->n_paths; i++) {
        json_t *path = skv_recall_path_json(&m->path[i].of);
        skv_json_maker more = skv_json_extend(path);

        skv_json_put(&more, "interval", skv_interval_json(&m->path[i].interval));
        skv_json_append(&paths, skv_json_take(&more));
        json_decref(path);
    }
    return skv_recall_json(&m->json,
                           &(skv_recall_about){.config_digest = o->json->digest,
                                               .row = o->row,
                                               .n_pictures = o->n_pictures,
                                               .queries = o->options->queries},
                           skv_json_take(&paths));
}

static void print_path(const path_recall *r)
{
    const skv_recall_of *p = &r->of;
    const int n = p->n_scales * p->n_layers;
    double last = 0;
    int least = 0;

    for (int i = 1; i < n; i++)
        least = p->share[i] < p->share[least] ? i : least;
    for (int i = n - p->n_layers; i < n; i++)
        last += p->share[i] / p->n_layers;
    skv_print_text(p->name, 22);
    printf(" %7.2f", 100 * p->mean);
    if (isnan(r->interval.low))
        printf(" %17s", "-");
    else
        printf(" %8.2f %8.2f", 100 * r->interval.low, 100 * r->interval.high);
    printf(" %10.2f %7.2f %5d %5d\n", 100 * last, 100 * p->share[least], least / p->n_layers,
           least % p->n_layers);
}

static void print_table(const measured *m)
{
    const skv_recall_outcome *o = m->o;

    printf("%-22s %7s %17s %10s %7s %11s\n%-22s %7s %17s %10s %7s %5s %5s\n", "path", "recall",
           "95 % of resamples", "last scale", "least", "at", "", "%", "%", "%", "%", "scale",
           "layer");
    for (int i = 0; i < o->n_paths; i++)
        print_path(&m->path[i]);
    printf("%lld picture%s looked at: %s/metrics.json\n", (long long)o->n_pictures,
           skv_s(o->n_pictures), o->options->run.out);
}

/* metrics.json as it is, with this recall in place of an earlier one; the report. */
static skv_status write_folder(void *ctx, const char *folder)
{
    const measured *m = ctx;
    skv_json_maker to;
    char *file = NULL;
    json_t *earlier = NULL, *root = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_path_join(&file, folder, "metrics.json"), done);
    SKV_TRY_GOTO(skv_scores_earlier(&earlier, file), done);
    SKV_TRY_GOTO(skv_scores_root(&root, earlier, file), done);
    to = skv_json_extend(root);
    skv_json_put(&to, "recall", json_incref(m->json));
    SKV_TRY_GOTO(skv_json_finish(NULL, &to, "metrics.json"), done);
    SKV_TRY_GOTO(skv_json_write(root, file), done);
    if (m->o->options->report)
        st = skv_report_write(folder);
done:
    json_decref(earlier);
    json_decref(root);
    free(file);
    return st;
}

static skv_status finish(void *ctx, const skv_recall_outcome *o)
{
    measured m = {.o = o};
    skv_status st;

    (void)ctx;
    SKV_TRY_GOTO(find_intervals(&m), done);
    SKV_TRY_GOTO(make_json(&m), done);
    SKV_TRY_GOTO(skv_results_alone(o->options->run.out, write_folder, &m), done);
    print_table(&m);
    if (o->options->json)
        st = skv_print_json(m.json, o->options->json);
done:
    json_decref(m.json);
    free(m.path);
    return st;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    skv_recall_options o = {0};
    skv_recall_run_setup setup = {.comm = comm, .options = &o, .done = finish};
    skv_words words = {0};
    int64_t n_failed = 0;
    skv_status st;

    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_recall, comm, argc, argv, &words), done);
    if (words.n != 1) {
        st = skv_fail(SKV_E_ARG, "recall wants one run's folder, got %d", words.n);
        goto done;
    }
    setup.run = words.word[0];
    SKV_TRY_GOTO(skv_recall_run(&n_failed, &setup), done);
    if (n_failed > 0)
        *exit_code = SKV_EXIT_PARTIAL;
done:
    free((void *)words.word);
    skv_recall_options_clear(&o);
    return st;
}

const skv_command skv_cmd_recall = {
    .name = "recall",
    .usage = "RUN [--prompts N]",
    .summary = "how much of the full cache's attention falls on what each path keeps",
    .options = skv_recall_table,
    .distributed = true,
    .reads_hdf5 = true,
    .run = run};
