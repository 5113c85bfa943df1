/* skv scores: what benchmarks' evaluators wrote of a run's pictures, into metrics.json and the
 * report. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/print_text.h"
#include "cli/results_folder.h"
#include "core/file.h"
#include "core/log.h"
#include "core/text.h"
#include "eval/report/report.h"
#include "eval/scores/scores.h"
#include "run/run_summary.h"

typedef struct {
    char *config, *prompts, *json;
    bool report;
#define MEMBER(name, help) char *name;
    SKV_EVALUATORS(MEMBER)
#undef MEMBER
} scores_options;

#define ROW(...)             SKV_OPTION(scores_options, __VA_ARGS__)
#define FILE_ROW(name, help) SKV_OPTION_FLAG(scores_options, name, STRING, NULL, help, NULL),

static const skv_option table[] = {
    SKV_OPTION_CONFIG(scores_options),
    ROW(prompts, PATH, NULL,
        "the prompt list, where categories are read from it; default: the file that the run was "
        "made of",
        "Scores"),
    ROW(json, STRING, NULL, "metrics.json " SKV_JSON_HELP, NULL),
    ROW(report, BOOL, "true", "write RUN/report.html", NULL), SKV_EVALUATORS(FILE_ROW){0}};

static void more_help(FILE *to)
{
    fprintf(to, "\nAn evaluator's option takes FILE or PATH=FILE, several separated by commas. "
                "Without PATH the\npath is what the folder of the evaluated pictures is called, as "
                "skv export --out names it; for\ngeneval2, whose files name no pictures, what the "
                "file is called: <path>.scores.json.\n");
}

typedef struct {
    const scores_options *options;
    skv_run_file run;
    skv_scores scores;
    skv_published published;
} job;

/* --------------------------------------------------------------------------- read */

static const char *list_of(const scores_options *o, const skv_evaluator *by)
{
    return *(char *const *)skv_options_value(table, o, by->name);
}

static skv_status read_files(job *j)
{
    int n = 0;

    for (const skv_evaluator *const *e = skv_evaluators; *e; e++) {
        const char *list = list_of(j->options, *e);

        n += list != NULL;
        if (list)
            SKV_TRY(skv_scores_add(&j->scores, *e, list, &j->run, j->options->prompts));
    }
    return n > 0 ? SKV_OK
                 : skv_fail(SKV_E_ARG, "no evaluator's results are given: want --geneval FILE, "
                                       "--dpg FILE or another option of skv scores --help");
}

/* -------------------------------------------------------------------------- print */

static void print_number(double v, int width, int digits)
{
    if (isnan(v))
        printf(" %*s", width, "-");
    else
        printf(" %*.*f", width, digits, v);
}

static skv_status print_line(const job *j, const skv_score *s)
{
    const char *path = j->run.path[s->path].name;
    skv_path_summary sum;
    char pictures[64];

    SKV_TRY(skv_path_summary_read(&sum, j->run.h5, path));
    snprintf(pictures, sizeof pictures, "%lld/%lld", (long long)s->n, (long long)s->n_all);
    skv_print_text(path, 24);
    print_number((double)sum.cache_bytes / 1048576, 10, 2);
    print_number((sum.transformer_seconds + sum.vae_seconds) / (double)j->run.n, 10, 3);
    print_number(s->value, 10, s->by->digits);
    print_number(skv_published_of(&j->published, path, s->by->name), 10, s->by->digits);
    printf(" %12s\n", pictures);
    return SKV_OK;
}

/* Of one evaluator: score and cost of each path, then the categories. */
static skv_status print_table(const job *j, const skv_evaluator *by)
{
    const skv_score *first = NULL;

    for (int i = 0; i < j->scores.n; i++) {
        const skv_score *s = &j->scores.item[i];

        if (s->by != by)
            continue;
        if (!first)
            printf("%-24s %10s %10s %10s %10s %12s\n%-24s %10s %10s %10s %10s %12s\n",
                   by->benchmark, "cache", "seconds", "score", "published", "pictures", "", "MiB",
                   "a picture", by->units, by->units, "");
        first = first ? first : s;
        SKV_TRY(print_line(j, s));
    }
    if (!first)
        return SKV_OK;
    for (int i = 0; i < j->scores.n; i++) {
        const skv_score *s = &j->scores.item[i];

        if (s->by != by)
            continue;
        printf("%s: ", j->run.path[s->path].name);
        for (int k = 0, n = 0; k < s->n_categories; k++) {
            const skv_score_category *c = &s->category[k];

            if (c->fine)
                continue;
            printf("%s", n++ ? ", " : "");
            skv_print_text(c->name, 0);
            print_number(c->value, 0, by->digits);
        }
        printf("\n");
    }
    return SKV_OK;
}

static void say_missing(const job *j, int *exit_code)
{
    for (int i = 0; i < j->scores.n; i++) {
        const skv_score *s = &j->scores.item[i];

        if (s->n < s->n_all) {
            skv_warn("path %s: %s has no result of %lld of %lld picture%s, the first: %s",
                     j->run.path[s->path].name, s->by->benchmark, (long long)(s->n_all - s->n),
                     (long long)s->n_all, skv_s(s->n_all), s->missing);
            *exit_code = SKV_EXIT_PARTIAL;
        }
    }
    for (const skv_evaluator *const *e = skv_evaluators; *e; e++)
        if ((*e)->fault && list_of(j->options, *e))
            skv_warn("%s", (*e)->fault);
}

/* -------------------------------------------------------------------------- write */

static skv_status write_folder(void *ctx, const char *folder)
{
    const job *j = ctx;
    char *file = NULL;
    json_t *earlier = NULL, *root = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_path_join(&file, folder, "metrics.json"), done);
    SKV_TRY_GOTO(skv_scores_earlier(&earlier, file), done);
    SKV_TRY_GOTO(skv_scores_root(&root, earlier, file), done);
    SKV_TRY_GOTO(skv_scores_merge(root, earlier, &j->run, &j->scores), done);
    SKV_TRY_GOTO(skv_json_write(root, file), done);
    if (j->options->json)
        SKV_TRY_GOTO(skv_print_json(root, j->options->json), done);
    if (j->options->report)
        st = skv_report_write(folder);
done:
    json_decref(earlier);
    json_decref(root);
    free(file);
    return st;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    scores_options o = {0};
    job j = {.options = &o};
    skv_words words = {0};
    skv_status st;

    (void)comm;
    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_scores, NULL, argc, argv, &words), done);
    if (words.n != 1) {
        st = skv_fail(SKV_E_ARG, "scores wants one run's folder, got %d", words.n);
        goto done;
    }
    SKV_TRY_GOTO(skv_run_file_open(&j.run, words.word[0]), done);
    SKV_TRY_GOTO(read_files(&j), done);
    SKV_TRY_GOTO(skv_published_read(&j.published, &j.run), done);
    SKV_TRY_GOTO(skv_results_alone(words.word[0], write_folder, &j), done);
    for (const skv_evaluator *const *e = skv_evaluators; *e; e++)
        SKV_TRY_GOTO(print_table(&j, *e), done);
    say_missing(&j, exit_code);
done:
    skv_published_clear(&j.published);
    skv_scores_clear(&j.scores);
    skv_run_file_close(&j.run);
    free((void *)words.word);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_scores = {
    .name = "scores",
    .usage = "RUN --geneval [PATH=]FILE",
    .summary = "reads evaluators' results into metrics.json and the report",
    .options = table,
    .more_help = more_help,
    .reads_hdf5 = true,
    .run = run};
