/* skv eval: every path of a run against its reference path, or one folder of PNGs against another.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/backend_choice.h"
#include "cli/command.h"
#include "cli/print_text.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "eval/metrics/evaluate.h"
#include "eval/metrics/metrics_file.h"
#include "eval/report/report.h"

typedef struct {
    char *reference, *paths, *networks, *alexnet, *lpips, *inception, *out, *json, *device;
    int64_t threads;
    bool report;
} eval_options;

#define ROW(field, type, fallback, help, group)                                                    \
    {                                                                                              \
#field, SKV_OPT_##type, offsetof(eval_options, field), fallback, help, group               \
    }

static const skv_option table[] = {
    ROW(reference, STRING, NULL, "path that the others are held against; default: the run's",
        "Evaluation"),
    ROW(paths, STRING, NULL, "paths to compare, comma-separated; default: all others", NULL),
    ROW(out, STRING, NULL, "folder for metrics.h5 and metrics.json; default: the run", NULL),
    ROW(json, STRING, NULL, "also write the summary to this file", NULL),
    ROW(report, BOOL, "true", "write RUN/report.html", NULL),
    ROW(networks, STRING, "files", "files, formula (made-up weights: tests) or none", "Networks"),
    ROW(alexnet, PATH, NULL, "torchvision's; default: weights/alexnet-owt-7be5be79.pth", NULL),
    ROW(lpips, PATH, NULL, "lpips v0.1's linear layers; default: weights/alex.pth", NULL),
    ROW(inception, PATH, NULL,
        "pytorch-fid's; default: weights/pt_inception-2015-12-05-6726825d.pth", NULL),
    ROW(device, STRING, "auto", "auto, cpu or cuda", "Device"),
    ROW(threads, INT, "0", "CPU threads a rank; 0: cores of the host / its ranks", NULL),
    {0}};

typedef struct {
    skv_comm *comm;
    eval_options o;
    const char *word[2];
    int n_words;
    skv_pairs pairs;
    skv_backend *be;
    skv_lpips *lpips;
    skv_inception *inception;
    skv_eval_result result;
} job;

static skv_status read_options(job *j, int argc, char **argv)
{
    const char *words[64];

    if (argc > 64)
        return skv_fail(SKV_E_ARG, "eval: too many words");
    SKV_TRY(skv_options_defaults(table, &j->o));
    SKV_TRY(skv_options_from_args(table, &j->o, argc, argv, words, &j->n_words));
    if (j->n_words < 1 || j->n_words > 2)
        return skv_fail(SKV_E_ARG, "eval wants a run's folder, or two folders of PNGs");
    for (int i = 0; i < j->n_words; i++)
        j->word[i] = words[i];
    if (strcmp(j->o.networks, "files") != 0 && strcmp(j->o.networks, "formula") != 0 &&
        strcmp(j->o.networks, "none") != 0)
        return skv_fail(SKV_E_ARG, "--networks is %s; want files, formula or none", j->o.networks);
    if (j->n_words == 2 && (j->o.reference || j->o.paths))
        return skv_fail(SKV_E_ARG, "--reference and --paths are for runs, not for two folders");
    return SKV_OK;
}

static void say_unpaired(const job *j)
{
    for (int i = 0; i < 2; i++)
        if (j->pairs.n_unpaired[i] > 0)
            skv_warn(
                "%s: %lld not compared, the other folder has none of that name, the first: %s.png",
                j->word[i], (long long)j->pairs.n_unpaired[i], j->pairs.unpaired[i]);
}

static skv_status open_pairs(job *j)
{
    if (j->n_words == 1) {
        SKV_TRY(skv_pairs_open_run(&j->pairs, j->word[0], j->o.reference, j->o.paths));
        if (j->pairs.no_pictures && skv_comm_rank(j->comm) == 0)
            skv_warn(
                "path %s has no pictures, so bits alone are compared; skv decode %s makes them",
                j->pairs.no_pictures, j->word[0]);
        return SKV_OK;
    }
    SKV_TRY(skv_pairs_open_folders(&j->pairs, j->word[0], j->word[1]));
    if (skv_comm_rank(j->comm) == 0)
        say_unpaired(j);
    return SKV_OK;
}

/* ------------------------------------------------------------------ networks */

typedef struct {
    const char *given, *usual; /* option, and where it is looked for otherwise */
    const char *what, *from;
} weight_file;

/* The file to read, or NULL: not asked for and not at its usual place, which is said. */
static const char *find_file(const job *j, const weight_file *f, bool asked)
{
    if (strcmp(j->o.networks, "formula") == 0)
        return "formula";
    if (asked || access(f->usual, R_OK) == 0)
        return f->given ? f->given : f->usual;
    if (skv_comm_rank(j->comm) == 0)
        skv_warn("no %s: %s is not there (%s); PSNR, SSIM and bits need none", f->what, f->usual,
                 f->from);
    return NULL;
}

static skv_status open_networks(job *j)
{
    const weight_file alexnet = {j->o.alexnet, "weights/alexnet-owt-7be5be79.pth", "LPIPS",
                                 "from download.pytorch.org/models; or --alexnet FILE"};
    const weight_file lpips = {j->o.lpips, "weights/alex.pth", "LPIPS",
                               "from the lpips package, weights/v0.1; or --lpips FILE"};
    const weight_file inception = {j->o.inception, "weights/pt_inception-2015-12-05-6726825d.pth",
                                   "FID and KID",
                                   "from the releases of pytorch-fid; or --inception FILE"};
    const char *a, *l, *i;

    if (strcmp(j->o.networks, "none") == 0 || j->pairs.no_pictures)
        return SKV_OK;
    a = find_file(j, &alexnet, alexnet.given || lpips.given);
    l = a ? find_file(j, &lpips, alexnet.given || lpips.given) : NULL;
    i = find_file(j, &inception, inception.given);
    if (l)
        SKV_TRY(skv_lpips_open(&j->lpips, j->be, a, l));
    if (i)
        SKV_TRY(skv_inception_open(&j->inception, j->be, i, 1));
    return SKV_OK;
}

/* A file that only some ranks see would leave the others waiting. */
static skv_status agree_on_networks(job *j)
{
    const int64_t have = (j->lpips ? 1 : 0) + (j->inception ? 2 : 0);
    int64_t most[2] = {have, -have};

    SKV_TRY(skv_comm_max_i64(j->comm, most, 2));
    if (most[0] != -most[1])
        return skv_fail(SKV_E_NOTFOUND,
                        "some ranks see the networks' weights and others do not: put them on a "
                        "shared file system");
    return SKV_OK;
}

/* ------------------------------------------------------------------- results */

static void print_number(double v, int digits)
{
    if (isnan(v))
        printf(" %12s", "-");
    else
        printf(" %12.*f", digits, v); /* inf is printed as such */
}

static void print_table(const job *j)
{
    printf("%-24s %12s %12s %12s %12s %12s %12s %9s\n", "path", "PSNR", "SSIM", "LPIPS", "FID",
           "KID", "bits equal", "identical");
    printf("%-24s %12s %12s %12s %12s %12s %12s %9s\n", "", "dB", "1", "1", "1", "1", "%",
           "pictures");
    for (int i = 1; i < j->result.n_sides; i++) {
        const skv_eval_side *s = &j->result.side[i];
        double bits = j->result.n_scales ? 0 : NAN;

        for (int k = 0; k < j->result.n_scales; k++)
            bits += 100 * s->bits_mean[k] / j->result.n_scales;
        skv_print_text(j->pairs.side[i], 24);
        print_number(s->psnr_mean_finite, 4);
        print_number(s->ssim_mean, 6);
        print_number(s->lpips_mean, 6);
        print_number(s->fid, 4);
        print_number(s->kid, 6);
        print_number(bits, 3);
        printf(" %9lld\n", (long long)s->n_identical);
    }
}

static skv_status write_results(const job *j)
{
    const skv_metrics m = {&j->pairs, &j->result, SKV_VERSION,
                           j->lpips || j->inception ? j->o.networks : "none"};
    const char *folder = j->o.out ? j->o.out : j->n_words == 1 ? j->word[0] : NULL;
    char path[4096];
    json_t *root = NULL;
    skv_status st;

    SKV_TRY(skv_metrics_json(&root, &m));
    if (folder) {
        SKV_TRY_GOTO(skv_folder_make(folder), done);
        snprintf(path, sizeof path, "%s/metrics.h5", folder);
        SKV_TRY_GOTO(skv_metrics_write_h5(&m, path), done);
        snprintf(path, sizeof path, "%s/metrics.json", folder);
        SKV_TRY_GOTO(skv_json_write(root, path), done);
    }
    st = j->o.json ? skv_json_write(root, j->o.json) : SKV_OK;
    if (st == SKV_OK && j->n_words == 1 && !j->o.out && j->o.report)
        st = skv_report_write(j->word[0]);
done:
    json_decref(root);
    return st;
}

static skv_status run_job(job *j, int argc, char **argv, int *exit_code)
{
    skv_device_choice choice;
    skv_device_wish wish = {.dtype = "fp32",
                            .local_rank = skv_comm_local_rank(j->comm),
                            .local_size = skv_comm_local_size(j->comm)};
    skv_eval_setup setup = {.comm = j->comm};
    skv_status st;

    SKV_TRY(skv_comm_agree(j->comm, read_options(j, argc, argv)));
    SKV_TRY(skv_comm_agree(j->comm, open_pairs(j)));
    wish.device = j->o.device;
    wish.threads = (int)j->o.threads;
    st = skv_backend_choose(&j->be, &choice, &wish);
    if (st == SKV_OK)
        st = open_networks(j);
    SKV_TRY(skv_comm_agree(j->comm, st));
    SKV_TRY(agree_on_networks(j));
    setup.pairs = &j->pairs;
    setup.threads = skv_device_threads(j->o.threads, wish.local_size);
    setup.lpips = j->lpips;
    setup.inception = j->inception;
    SKV_TRY(skv_evaluate(&j->result, &setup));
    if (skv_comm_rank(j->comm) == 0) {
        st = write_results(j);
        if (st == SKV_OK)
            print_table(j);
    }
    SKV_TRY(skv_comm_agree(j->comm, st));
    if (j->pairs.n_usable < j->pairs.n || j->pairs.n_unpaired[0] + j->pairs.n_unpaired[1] > 0)
        *exit_code = SKV_EXIT_PARTIAL;
    return SKV_OK;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    job j = {.comm = comm};
    skv_status st = run_job(&j, argc, argv, exit_code);

    skv_eval_result_clear(&j.result);
    skv_lpips_close(j.lpips);
    skv_inception_close(j.inception);
    skv_backend_destroy(j.be);
    skv_pairs_close(&j.pairs);
    skv_options_clear(table, &j.o);
    return st;
}

const skv_command skv_cmd_eval = {.name = "eval",
                                  .usage = "RUN | FOLDER FOLDER [--key value ...]",
                                  .summary = "PSNR, SSIM, LPIPS, FID, KID, bits; a report",
                                  .options = table,
                                  .distributed = true,
                                  .run = run};
