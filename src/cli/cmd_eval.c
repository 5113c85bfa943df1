/* skv eval: every path of a run against its reference path and against any other pictures, or one
 * folder of pictures against another.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/backend_choice.h"
#include "core/text.h"
#include "job/compare_ranks.h"
#include "job/libraries.h"
#include "cli/command.h"
#include "cli/help_lists.h"
#include "cli/print_text.h"
#include "cli/results_folder.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "eval/metrics/evaluate.h"
#include "eval/metrics/inception.h"
#include "eval/metrics/metrics_file.h"
#include "eval/metrics/recall_result.h"
#include "eval/metrics/results_merge.h"
#include "eval/metrics/statistics_file.h"
#include "eval/report/report.h"
#include "eval/scores/scores.h"

#define MAX_NAMED 20 /* rows that are named */

typedef struct {
    char *config, *reference, *paths, *against, *write_stats;
    char *networks, *alexnet, *lpips, *inception;
    char *out, *json, *csv, *device;
    int64_t threads, port;
    double wait_notice, wait_limit;
    bool report, partial;
} eval_options;

#define ROW(...) SKV_OPTION(eval_options, __VA_ARGS__)

static const skv_option table[] = {
    SKV_OPTION_CONFIG(eval_options),
    ROW(reference, STRING, NULL, "path that the others are compared with; default: the run's",
        "Evaluation"),
    ROW(paths, STRING, NULL, "paths to compare, comma-separated; default: all others", NULL),
    ROW(against, PATH, NULL,
        "folder of any pictures, or their statistics (.npz): FID and KID of every path against "
        "them",
        NULL),
    ROW(write_stats, STRING, NULL,
        "write the statistics of that folder's pictures to this .npz, as pytorch-fid reads them",
        NULL),
    ROW(partial, BOOL, "false",
        "also of a partial run.h5 (skv gather --partial): the rows that are there; all results say "
        "what it lacks",
        NULL),
    SKV_OPTION_FLAG(eval_options, out, STRING, NULL,
                    "folder for metrics.h5 and metrics.json; default: the run", NULL),
    ROW(json, STRING, NULL, "the summary " SKV_JSON_HELP, NULL),
    ROW(csv, STRING, NULL, "also write a table to this file: a line a path and picture", NULL),
    ROW(report, BOOL, "true", "write RUN/report.html", NULL),
    SKV_OPTION_WORD(eval_options, networks, "files|formula|none", "files",
                    "where the metrics' networks get their weights; formula: made up, for tests",
                    "Networks"),
    ROW(alexnet, PATH, NULL, "file of weights; default: see below", NULL),
    ROW(lpips, PATH, NULL, "file of weights; default: see below", NULL),
    ROW(inception, PATH, NULL, "file of weights; default: see below", NULL),
    SKV_OPTION_DEVICE(eval_options),
    SKV_OPTION_THREADS(eval_options),
    SKV_OPTION_RANKS(eval_options),
    {0}};

typedef struct {
    skv_comm *comm;
    eval_options o;
    skv_words words;
    skv_pairs pairs;
    skv_backend *be;
    skv_networks networks;
    skv_against against; /* open where --against is given */
    skv_results results;
    json_t *libraries;
} job;

static skv_status read_options(job *j, int argc, char **argv)
{
    SKV_TRY(skv_command_options(&j->o, &skv_cmd_eval, j->comm, argc, argv, &j->words));
    if (j->words.n < 1 || j->words.n > 2)
        return skv_fail(SKV_E_ARG, "eval wants a run's folder, or two folders of pictures");
    if (j->o.wait_notice < 0 || j->o.wait_limit < 0 || j->o.port < 0 || j->o.port > 65535)
        return skv_fail(SKV_E_ARG, "want --wait-notice and --wait-limit 0 or more, --port 0 to "
                                   "65535");
    if (j->words.n == 2 && (j->o.reference || j->o.paths || j->o.against || j->o.partial))
        return skv_fail(SKV_E_ARG, "--reference, --paths, --against and --partial are for runs, "
                                   "not for two folders");
    if (j->o.write_stats && !j->o.against)
        return skv_fail(SKV_E_ARG, "--write-stats wants a folder of pictures: --against FOLDER");
    if (j->o.against && strcmp(j->o.networks, "none") == 0)
        return skv_fail(SKV_E_ARG, "--against needs Inception, and --networks none opens none");
    return SKV_OK;
}

/* Ranks that were given different things would compare different pictures. */
static skv_status compare_settings(const job *j)
{
    skv_facts facts = {0};
    skv_status st = skv_facts_add_settings(&facts, table, &j->o);

    for (int i = 0; i < 2 && st == SKV_OK; i++)
        st = skv_facts_add(&facts, i == 0 ? "the run or first folder" : "the second folder",
                           i < j->words.n ? j->words.word[i] : "not given");
    st = skv_comm_agree(j->comm, st);
    if (st == SKV_OK)
        st = skv_ranks_must_agree(j->comm, &facts, SKV_E_ARG);
    skv_facts_clear(&facts);
    return st;
}

static void say_not_compared(const job *j)
{
    for (int i = 0; i < 2; i++) {
        if (j->pairs.n_left_out[i] > 0)
            skv_warn("%s: %lld left out, only PNG, JPEG and WebP are read, and no link to a folder "
                     "followed, "
                     "the first: %s",
                     j->words.word[i], (long long)j->pairs.n_left_out[i], j->pairs.left_out[i]);
        if (j->pairs.n_lossy[i] > 0)
            skv_warn("%s: %lld picture%s; what JPEG changed is in all numbers", j->words.word[i],
                     (long long)j->pairs.n_lossy[i],
                     j->pairs.n_lossy[i] == 1 ? " is a JPEG" : "s are JPEGs");
    }
    for (int i = 0; i < 2; i++)
        if (j->pairs.n_unpaired[i] > 0)
            skv_warn("%s: %lld not compared, the other folder has none of that name, the first: %s",
                     j->words.word[i], (long long)j->pairs.n_unpaired[i], j->pairs.unpaired[i]);
}

/* Rows of a run without pictures are in no number; metrics.json has them all. */
static void say_left_out(const job *j)
{
    const skv_run_file *run = skv_pairs_run(&j->pairs);
    int64_t n = 0;

    for (int64_t i = 0; i < run->n; i++)
        if (!j->pairs.usable[i] && n++ < MAX_NAMED)
            skv_warn("%s is left out: %s", run->id[i], run->error[i]);
    if (n > MAX_NAMED)
        skv_warn("and %lld more row%s; metrics.json has all", (long long)(n - MAX_NAMED),
                 skv_s(n - MAX_NAMED));
    if (run->partial)
        skv_warn("%s/run.h5 is partial: %s", run->folder, run->partial);
}

/* Where the results go; NULL: nowhere. */
static const char *folder_of(const job *j)
{
    return j->o.out ? j->o.out : j->words.n == 1 ? j->words.word[0] : NULL;
}

/* What would be lost is known before hours of work. */
static skv_status say_dropped(const job *j)
{
    char *h5 = NULL;
    skv_status st;

    if (!folder_of(j) || skv_comm_rank(j->comm) != 0)
        return SKV_OK;
    SKV_TRY(skv_path_join(&h5, folder_of(j), "metrics.h5"));
    st = skv_results_foresee(&j->pairs, h5);
    free(h5);
    return st;
}

static skv_status open_pairs(job *j)
{
    if (j->words.n == 1) {
        SKV_TRY(skv_pairs_open_run(&j->pairs, j->words.word[0],
                                   &(skv_pairs_wish){.reference = j->o.reference,
                                                     .paths = j->o.paths,
                                                     .alone = j->o.against != NULL,
                                                     .partial = j->o.partial}));
        if (j->pairs.no_pictures && j->o.against)
            return skv_fail(SKV_E_ARG,
                            "path %s has no pictures to hold against %s; skv decode %s makes them",
                            j->pairs.no_pictures, j->o.against, j->words.word[0]);
        if (j->pairs.no_pictures && skv_comm_rank(j->comm) == 0)
            skv_warn(
                "path %s has no pictures, so bits alone are compared; skv decode %s makes them",
                j->pairs.no_pictures, j->words.word[0]);
        if (skv_comm_rank(j->comm) == 0)
            say_left_out(j);
        return SKV_OK;
    }
    SKV_TRY(skv_option_opened(
        NULL, skv_pairs_open_folders(&j->pairs, j->words.word[0], j->words.word[1])));
    if (skv_comm_rank(j->comm) == 0)
        say_not_compared(j);
    return SKV_OK;
}

/* ------------------------------------------------------------------ networks */

/* What the user gave for a file of weights: the option's row has the file's name. */
static const char *given_file(void *ctx, const char *option)
{
    const job *j = ctx;

    if (strcmp(j->o.networks, SKV_WEIGHTS_FORMULA) == 0)
        return SKV_WEIGHTS_FORMULA;
    for (const skv_option *row = table; row->key; row++)
        if (strcmp(row->key, option) == 0)
            return *(char *const *)((const char *)&j->o + row->offset);
    return NULL;
}

/* Of those with the reference path: --against without its network is an error. */
static bool lacks_network(const skv_metric *m, const skv_networks *networks)
{
    return skv_metric_has_reference(m) && m->network && !skv_networks_state(networks, m->network);
}

/* "PSNR, SSIM and FID": titles of the metrics whose network is not open, and their number. */
static int list_lacking(char *out, size_t bytes, const skv_networks *networks)
{
    int n = 0, k = 0;

    for (const skv_metric *const *m = skv_metrics; *m; m++)
        n += lacks_network(*m, networks);
    out[0] = '\0';
    for (const skv_metric *const *m = skv_metrics; *m; m++) {
        const char *join = k == 0 ? "" : k == n - 1 ? " and " : ", ";

        if (!lacks_network(*m, networks))
            continue;
        snprintf(out + strlen(out), bytes - strlen(out), "%s%s", join, (*m)->title);
        k++;
    }
    return n;
}

static int list_missing_files(char *out, size_t bytes, const skv_networks *networks)
{
    int n = 0;

    out[0] = '\0';
    for (int i = 0; i < networks->n; i++)
        for (int k = 0; k < SKV_NETWORK_FILES; k++) {
            const skv_open_network *item = &networks->item[i];

            if (item->network->file[k].option && !item->path[k])
                snprintf(out + strlen(out), bytes - strlen(out), "%sweights/%s", n++ ? ", " : "",
                         item->network->file[k].name);
        }
    return n;
}

static void say_lacking(const job *j)
{
    char metrics[256], files[512];
    const int n = list_lacking(metrics, sizeof metrics, &j->networks);
    const int n_files = list_missing_files(files, sizeof files, &j->networks);

    if (n > 0 && skv_comm_rank(j->comm) == 0)
        skv_warn("%s %s not computed: %s %s missing (skv eval --help says where to get them)",
                 metrics, n == 1 ? "is" : "are", files, n_files == 1 ? "is" : "are");
}

static skv_status open_networks(job *j)
{
    SKV_TRY(skv_networks_create(&j->networks));
    if (strcmp(j->o.networks, "none") == 0 || j->pairs.no_pictures)
        return SKV_OK;
    SKV_TRY(skv_option_opened(NULL, skv_networks_open(&j->networks, j->be, given_file, j)));
    say_lacking(j);
    return SKV_OK;
}

/* A file that only some ranks see would leave the others waiting. */
static skv_status agree_on_networks(job *j)
{
    for (int i = 0; i < j->networks.n; i++) {
        const int64_t have = j->networks.item[i].state != NULL;
        int64_t most[2] = {have, -have};

        SKV_TRY(skv_comm_max_i64(j->comm, most, 2));
        if (most[0] != -most[1])
            return skv_fail(SKV_E_NOTFOUND,
                            "some ranks see the weights of %s and others do not: put them on a "
                            "shared file system",
                            j->networks.item[i].network->name);
    }
    return SKV_OK;
}

/* ------------------------------------------------------------------- against */

static const skv_open_network *find_inception(const job *j)
{
    for (int i = 0; i < j->networks.n; i++)
        if (j->networks.item[i].network == &skv_network_inception)
            return &j->networks.item[i];
    return NULL;
}

static void say_against(const job *j)
{
    const skv_against *a = &j->against;

    if (a->folder.n_left_out > 0)
        skv_warn("%s: %lld left out, only PNG, JPEG and WebP are read, and no link to a folder "
                 "followed, "
                 "the first: %s",
                 a->name, (long long)a->folder.n_left_out, a->folder.left_out);
    if (!skv_against_is_folder(a))
        skv_warn("%s: statistics have no features of single pictures, so KID is not computed",
                 a->name);
}

static skv_status write_statistics(const job *j)
{
    const skv_feature_set set = skv_kept_features_set(&j->against.features);

    if (!j->o.write_stats)
        return SKV_OK;
    if (!skv_against_is_folder(&j->against))
        return skv_fail(SKV_E_ARG, "--write-stats wants a folder of pictures, and %s is a file",
                        j->against.name);
    return skv_option_opened(
        "--write-stats",
        skv_statistics_write(j->o.write_stats, j->against.network->n_features, &set));
}

/* The features of what all paths are held against. Collective. */
static skv_status open_against(job *j, int threads)
{
    const skv_open_network *inception = find_inception(j);
    skv_status st = SKV_OK;

    if (!j->o.against)
        return SKV_OK;
    if (!inception->state)
        return skv_fail(SKV_E_ARG,
                        "--against needs Inception's weights, weights/%s (skv eval "
                        "--help says where to get them)",
                        inception->network->file[0].name);
    st = skv_against_open(&j->against, &(skv_against_wish){.path = j->o.against,
                                                           .comm = j->comm,
                                                           .threads = threads,
                                                           .network = inception->network,
                                                           .state = inception->state,
                                                           .weights = inception->path[0],
                                                           .device = skv_backend_describe(j->be),
                                                           .stop = skv_stop_flag()});
    SKV_TRY(skv_option_opened("--against", st));
    if (skv_comm_rank(j->comm) == 0) {
        say_against(j);
        st = write_statistics(j);
    }
    return skv_comm_agree(j->comm, st);
}

/* ------------------------------------------------------------------- results */

/* What a table shows of a column: the mean over the pairs that differ, if that is another. */
static double shown(const skv_column *c)
{
    double v = NAN;

    if (c)
        v = c->metric->infinite_when_equal && !isnan(c->mean_finite) ? c->mean_finite : c->mean;
    return c && c->metric->percent ? 100 * v : v;
}

static void print_number(double v, int digits)
{
    if (isnan(v))
        printf(" %12s", "-");
    else
        printf(" %12.*f", digits, v); /* inf is printed as such */
}

static bool has_column(const job *j, const skv_metric *m)
{
    return skv_metric_has_reference(m) || j->results.against;
}

static void print_table(const job *j)
{
    printf("%-24s", "path");
    for (const skv_metric *const *m = skv_metrics; *m; m++)
        if (has_column(j, *m))
            printf(" %12s", (*m)->title);
    printf(" %9s\n%-24s", "identical", "");
    for (const skv_metric *const *m = skv_metrics; *m; m++)
        if (has_column(j, *m))
            printf(" %12s", (*m)->percent ? "%" : (*m)->units);
    printf(" %9s\n", "pictures");
    for (int i = 0; i < j->results.n_paths; i++) {
        const skv_path_results *p = &j->results.path[i];

        skv_print_text(p->name, 24);
        for (const skv_metric *const *m = skv_metrics; *m; m++)
            if (has_column(j, *m))
                print_number(shown(skv_path_column(p, *m)), (*m)->digits);
        if (skv_path_is_compared(p))
            printf(" %9lld\n", (long long)p->n_identical);
        else
            printf(" %9s\n", "-");
    }
}

/* Scores of benchmarks and recall, which skv scores and skv recall put there, stay. */
static skv_status keep_others(json_t *root, const job *j, const char *file)
{
    json_t *earlier = NULL;
    skv_status st = SKV_OK;

    if (!skv_pairs_run(&j->pairs))
        return SKV_OK;
    SKV_TRY(skv_scores_earlier(&earlier, file));
    if (json_object_get(earlier, "scores"))
        st = skv_scores_merge(root, earlier, skv_pairs_run(&j->pairs), NULL);
    if (st == SKV_OK)
        st = skv_recall_keep(root, earlier, skv_pairs_run(&j->pairs)->config_digest);
    json_decref(earlier);
    return st;
}

static skv_metrics_file metrics_file(const job *j)
{
    return (skv_metrics_file){&j->pairs, &j->results, SKV_VERSION, j->libraries};
}

/* What is in the folder, merged with these results. The caller has its claim: an evaluation that
 * ended meanwhile loses nothing. */
static skv_status write_folder(void *ctx, const char *folder)
{
    job *j = ctx;
    const skv_metrics_file m = metrics_file(j);
    char *h5 = NULL, *summary = NULL;
    json_t *root = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_pairs_check_run(&j->pairs), done);
    SKV_TRY_GOTO(skv_path_join(&h5, folder, "metrics.h5"), done);
    SKV_TRY_GOTO(skv_path_join(&summary, folder, "metrics.json"), done);
    SKV_TRY_GOTO(skv_results_merge(&j->results, &j->pairs, h5), done);
    SKV_TRY_GOTO(skv_metrics_json(&root, &m), done);
    SKV_TRY_GOTO(keep_others(root, j, summary), done);
    SKV_TRY_GOTO(skv_metrics_write_h5(&m, h5), done);
    SKV_TRY_GOTO(skv_json_write(root, summary), done);
    if (j->words.n == 1 && !j->o.out && j->o.report)
        st = skv_report_write(j->words.word[0]);
done:
    json_decref(root);
    free(h5);
    free(summary);
    return st;
}

static skv_status write_csv(const job *j)
{
    const skv_metrics_file m = metrics_file(j);

    return skv_option_opened("--csv", skv_metrics_write_csv(&m, j->o.csv));
}

static skv_status write_summary(const job *j, const char *file)
{
    const skv_metrics_file m = metrics_file(j);
    json_t *root = NULL;
    skv_status st = skv_metrics_json(&root, &m);

    if (st == SKV_OK)
        st = skv_print_json(root, file);
    json_decref(root);
    return st;
}

static skv_status write_results(job *j)
{
    const char *folder = folder_of(j);
    skv_status st = SKV_OK;

    if (folder) {
        SKV_TRY(skv_option_opened("--out", skv_folder_make(folder)));
        st = skv_results_alone(folder, write_folder, j);
    }
    if (st == SKV_OK && j->o.json)
        st = write_summary(j, j->o.json);
    if (st == SKV_OK && j->o.csv)
        st = write_csv(j);
    return st;
}

/* Rows that --partial does without. */
static int64_t n_missing(const job *j)
{
    const skv_run_file *run = skv_pairs_run(&j->pairs);

    return run ? run->n_missing : 0;
}

static skv_status run_job(job *j, int argc, char **argv, int *exit_code)
{
    skv_device_choice choice;
    skv_device_wish wish = {.dtype = "fp32",
                            .local_rank = skv_comm_local_rank(j->comm),
                            .local_size = skv_comm_local_size(j->comm)};
    skv_eval_setup setup = {.comm = j->comm, .stop = skv_stop_flag()};
    skv_status st;

    SKV_TRY(skv_comm_agree(j->comm, read_options(j, argc, argv)));
    SKV_TRY(compare_settings(j));
    SKV_TRY(skv_comm_agree(j->comm, open_pairs(j)));
    SKV_TRY(skv_comm_agree(j->comm, say_dropped(j)));
    wish.device = j->o.device;
    wish.threads = (int)j->o.threads;
    st = skv_backend_choose(&j->be, &choice, &wish);
    if (st == SKV_OK) {
        j->be->stop = skv_stop_flag();
        st = open_networks(j);
    }
    SKV_TRY(skv_comm_agree(j->comm, st));
    SKV_TRY(agree_on_networks(j));
    setup.pairs = &j->pairs;
    setup.threads = skv_device_threads(j->o.threads, wish.local_size);
    SKV_TRY(open_against(j, setup.threads));
    setup.networks = &j->networks;
    setup.weights = j->o.networks;
    setup.against = j->o.against ? &j->against : NULL;
    j->libraries = skv_libraries_running();
    SKV_TRY(skv_evaluate(&j->results, &setup));
    if (skv_comm_rank(j->comm) == 0) {
        st = write_results(j);
        if (st == SKV_OK)
            print_table(j);
    }
    SKV_TRY(skv_comm_agree(j->comm, st));
    if (j->pairs.n_usable + n_missing(j) < j->pairs.n ||
        j->pairs.n_unpaired[0] + j->pairs.n_unpaired[1] > 0 ||
        j->pairs.n_left_out[0] + j->pairs.n_left_out[1] + j->against.folder.n_left_out > 0)
        *exit_code = SKV_EXIT_PARTIAL;
    return SKV_OK;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    job j = {.comm = comm};
    skv_status st = run_job(&j, argc, argv, exit_code);

    json_decref(j.libraries);
    skv_results_clear(&j.results);
    skv_against_clear(&j.against);
    skv_networks_close(&j.networks);
    skv_backend_destroy(j.be);
    skv_pairs_close(&j.pairs);
    free((void *)j.words.word);
    skv_options_clear(table, &j.o);
    return st;
}

const skv_command skv_cmd_eval = {.name = "eval",
                                  .usage = "RUN | FOLDER FOLDER [--option value ...]",
                                  .summary =
                                      "how far each path is from the reference path; a report",
                                  .options = table,
                                  .more_help = skv_help_metrics,
                                  .stops = true,
                                  .distributed = true,
                                  .reads_hdf5 = true,
                                  .run = run};
