/* skv recall: how much of the full cache's attention falls on what each path of a run keeps. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/print_text.h"
#include "cli/results_folder.h"
#include "core/file.h"
#include "core/text.h"
#include "eval/metrics/recall_result.h"
#include "eval/report/report.h"
#include "eval/scores/scores.h"
#include "job/recall_run.h"

static skv_recall_of of_path(const skv_recall_outcome *o, int i)
{
    return (skv_recall_of){.name = o->path[i].name,
                           .digest = o->digest[i],
                           .share =
                               o->share + (size_t)i * (size_t)o->n_scales * (size_t)o->n_layers,
                           .n_scales = o->n_scales,
                           .n_layers = o->n_layers};
}

static void print_path(const skv_recall_of *p)
{
    const int n = p->n_scales * p->n_layers;
    double last = 0;
    int least = 0;

    for (int i = 1; i < n; i++)
        least = p->share[i] < p->share[least] ? i : least;
    for (int i = n - p->n_layers; i < n; i++)
        last += p->share[i] / p->n_layers;
    skv_print_text(p->name, 24);
    printf(" %9.2f %11.2f %9.2f    at scale %d, layer %d\n", 100 * skv_recall_mean(p), 100 * last,
           100 * p->share[least], least / p->n_layers, least % p->n_layers);
}

static void print_table(const skv_recall_outcome *o)
{
    printf("%-24s %9s %11s %9s\n%-24s %9s %11s %9s\n", "path", "recall", "last scale", "least", "",
           "%", "%", "%");
    for (int i = 0; i < o->n_paths; i++) {
        const skv_recall_of p = of_path(o, i);

        print_path(&p);
    }
    printf("%lld picture%s looked at: %s/metrics.json\n", (long long)o->n_pictures,
           skv_s(o->n_pictures), o->options->run.out);
}

/* metrics.json as it is, with this recall in place of an earlier one; the report. */
static skv_status write_folder(void *ctx, const char *folder)
{
    const skv_recall_outcome *o = ctx;
    skv_json_maker paths = skv_json_array();
    char *file = NULL;
    json_t *earlier = NULL, *root = NULL;
    skv_status st;

    for (int i = 0; i < o->n_paths; i++) {
        const skv_recall_of p = of_path(o, i);

        skv_json_append(&paths, skv_recall_path_json(&p));
    }
    SKV_TRY_GOTO(skv_path_join(&file, folder, "metrics.json"), done);
    SKV_TRY_GOTO(skv_scores_earlier(&earlier, file), done);
    SKV_TRY_GOTO(skv_scores_root(&root, earlier, file), done);
    SKV_TRY_GOTO(skv_recall_put(root, o->json->digest, o->n_pictures, o->options->queries,
                                skv_json_take(&paths)),
                 done);
    SKV_TRY_GOTO(skv_json_write(root, file), done);
    if (o->options->report)
        st = skv_report_write(folder);
done:
    json_decref(skv_json_take(&paths));
    json_decref(earlier);
    json_decref(root);
    free(file);
    return st;
}

static skv_status finish(void *ctx, const skv_recall_outcome *o)
{
    (void)ctx;
    SKV_TRY(skv_results_alone(o->options->run.out, write_folder, (void *)(uintptr_t)o));
    print_table(o);
    return SKV_OK;
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
