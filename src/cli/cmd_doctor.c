/* skv doctor: takes the arguments of skv sample, and says what would go wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "job/libraries.h"
#include "cli/print_text.h"
#include "cli/sample_print.h"
#include "core/build.h"
#include "core/escape.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"
#include "job/doctor.h"
#include "job/job.h"

#define MANY 8 /* findings of one check that are printed */

/* ------------------------------------------------------------------------ the plan */

/* The arguments with --dry-run: *out is freed by the caller. */
static skv_status dry_arguments(char ***out, int argc, char **argv)
{
    static char dry[] = "--dry-run";

    SKV_TRY(skv_alloc(out, (size_t)argc + 2, sizeof **out, "arguments"));
    if (argc > 0)
        memcpy(*out, argv, (size_t)argc * sizeof **out);
    (*out)[argc] = dry;
    return SKV_OK;
}

/* What the dry run says of the disk. */
typedef struct {
    skv_progress progress;
    int64_t disk; /* bytes, at most */
} planned;

static void print_plan(void *ctx, const skv_run_setup *run, const skv_blob *rank, int n_ranks)
{
    planned *p = ctx;
    int64_t groups = 0, pngs = 0;

    (void)rank;
    (void)n_ranks;
    skv_run_setup_disk(run, &groups, &pngs);
    if (!run->settings->virtual_run)
        groups *= 2; /* run.h5 is a copy */
    p->disk = (groups + pngs) * run->paths.n;
    skv_print_plan(&p->progress, run, NULL, 0); /* the ranks have had their lines */
}

/* Whether the run that the arguments ask for fits into memory and on the disk: a dry run of it. */
static skv_status plan(skv_findings *f, skv_comm *comm, const skv_job_setup *setup,
                       int64_t free_disk)
{
    const planned *p = setup->report.ctx;
    skv_job_result result = {0};
    const skv_status st = skv_job_run(&result, setup);

    if (skv_comm_rank(comm) != 0)
        return SKV_OK;
    if (st != SKV_OK) {
        skv_findings_trap(f, "plan", NULL, "%s", skv_message());
        return SKV_OK;
    }
    skv_findings_fact(f, "plan", "the run fits into memory (above)");
    if (p->disk > free_disk)
        skv_findings_trap(f, "disk", "--store without png or image, or another --out",
                          "the run takes up to %.1f GiB, %.1f are free",
                          (double)p->disk / (1 << 30), (double)free_disk / (1 << 30));
    if (result.n_failed > 0)
        skv_findings_trap(f, "prompts", NULL, "%lld row%s will fail (above)",
                          (long long)result.n_failed, skv_s(result.n_failed));
    return SKV_OK;
}

/* *as_data: the plan, for JSON; NULL: not asked for. */
static skv_status dry_run(skv_findings *f, json_t **as_data, skv_comm *comm, int argc, char **argv,
                          int64_t free_disk)
{
    planned p = {.disk = 0};
    skv_job_setup setup = {.comm = comm,
                           .argc = argc + 1,
                           .others = skv_command_tables(),
                           .report = {.ctx = &p, .planned = print_plan}};
    skv_status st = skv_comm_agree(comm, dry_arguments(&setup.argv, argc, argv));

    if (st == SKV_OK)
        st = plan(f, comm, &setup, free_disk);
    free(setup.argv);
    *as_data = skv_json_take(&p.progress.plan);
    return st;
}

/* ------------------------------------------------------------------------ printing */

static void print_ranks(const skv_host_facts *rank, int n)
{
    for (int r = 0; r < n; r++) {
        const skv_host_facts *h = &rank[r];

        printf("# rank %d of %d, ", r, n);
        skv_print_text(h->host, 0);
        printf(", local %d of %d: ", h->local_rank, h->local_size);
        skv_print_text(h->failure[0] ? "no device" : h->device, 0);
        if (h->gpu[0])
            printf(", %s", h->gpu);
        if (h->visible[0]) {
            printf(", CUDA_VISIBLE_DEVICES=");
            skv_print_text(h->visible, 0);
        }
        printf(", %.1f of %.1f GiB free\n", (double)h->free_here / (1 << 30),
               (double)h->all_here / (1 << 30));
    }
}

static void print_one(const skv_finding *f)
{
    printf("%-5s %-9s ", f->trap ? "TRAP" : "ok", f->check);
    skv_print_text(f->text, 0);
    putchar('\n');
    if (f->cure[0])
        printf("%-15s -> %s\n", "", f->cure);
}

/* The first MANY of each check, and how many more there are. */
static void print_findings(const skv_findings *f)
{
    for (int i = 0; i < f->n; i++) {
        int before = 0, all = 0;

        for (int k = 0; k < f->n; k++) {
            const bool same = f->finding[k].check == f->finding[i].check;

            all += same;
            before += same && k < i;
        }
        if (before < MANY)
            print_one(&f->finding[i]);
        else if (before == MANY)
            printf("%-5s %-9s and %d more\n", "", f->finding[i].check, all - MANY);
    }
    printf("%d trap%s\n", f->n_traps, skv_s(f->n_traps));
}

/* --------------------------------------------------------------------------- JSON */

static json_t *ranks_json(const skv_host_facts *rank, int n)
{
    skv_json_maker list = skv_json_array();

    for (int r = 0; r < n; r++) {
        const skv_host_facts *h = &rank[r];
        skv_json_maker row = skv_json_object();

        skv_json_put(&row, "host", skv_json_text(h->host));
        skv_json_put(&row, "local_rank", json_integer(h->local_rank));
        skv_json_put(&row, "local_size", json_integer(h->local_size));
        skv_json_put(&row, "device", skv_json_text(h->device));
        skv_json_put(&row, "gpu", skv_json_text(h->gpu));
        skv_json_put(&row, "visible", skv_json_text(h->visible));
        skv_json_put(&row, "failure", skv_json_text(h->failure));
        skv_json_put(&row, "free_bytes", json_integer(h->free_here));
        skv_json_put(&row, "bytes", json_integer(h->all_here));
        skv_json_append(&list, skv_json_take(&row));
    }
    return skv_json_take(&list);
}

static json_t *findings_json(const skv_findings *f)
{
    skv_json_maker list = skv_json_array();

    for (int i = 0; i < f->n; i++) {
        skv_json_maker row = skv_json_object();

        skv_json_put(&row, "check", json_string(f->finding[i].check));
        skv_json_put(&row, "trap", json_boolean(f->finding[i].trap));
        skv_json_put(&row, "text", skv_json_text(f->finding[i].text));
        skv_json_put(&row, "cure", skv_json_text(f->finding[i].cure));
        skv_json_append(&list, skv_json_take(&row));
    }
    return skv_json_take(&list);
}

static skv_status write_json(const skv_findings *f, json_t *ranks, json_t *plan, const char *file)
{
    skv_json_maker root = skv_json_object();

    skv_json_put(&root, "version", json_string(skv_build()));
    skv_json_put(&root, "libraries", skv_libraries_json());
    skv_json_put(&root, "ranks", ranks ? json_incref(ranks) : json_array());
    skv_json_put(&root, "plan", plan ? json_incref(plan) : json_null());
    skv_json_put(&root, "findings", findings_json(f));
    skv_json_put(&root, "traps", json_integer(f->n_traps));
    return skv_print_made(&root, file);
}

/* ------------------------------------------------------------------------- command */

/* *ranks: for JSON, on rank 0. */
static skv_status examine(skv_findings *f, skv_doctor_facts *facts, json_t **ranks, skv_comm *comm,
                          const skv_settings *s)
{
    const skv_doctor d = {
        .comm = comm,
        .wish = {.device = s->device, .dtype = s->dtype, .threads = (int)s->threads},
        .run = s->out};
    const skv_status st = skv_doctor_examine(f, facts, &d);

    if (facts->rank && st == SKV_OK) {
        print_ranks(facts->rank, skv_comm_size(comm));
        *ranks = ranks_json(facts->rank, skv_comm_size(comm));
    }
    free(facts->rank);
    facts->rank = NULL;
    return st;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    skv_settings s = {0};
    skv_findings f = {0};
    skv_doctor_facts facts;
    json_t *ranks = NULL, *planned_run = NULL;
    int64_t traps;
    skv_status st;

    SKV_TRY_GOTO(skv_command_options(&s, &skv_cmd_doctor, comm, argc, argv, NULL), done);
    SKV_TRY_GOTO(examine(&f, &facts, &ranks, comm, &s), done);
    if (facts.one_build && s.transformer && s.prompts)
        SKV_TRY_GOTO(dry_run(&f, &planned_run, comm, argc, argv, facts.free_disk), done);
    else if (facts.one_build && skv_comm_rank(comm) == 0)
        skv_findings_fact(&f, "plan", "not looked at: it takes the arguments of skv sample");
    SKV_TRY_GOTO(skv_comm_agree(comm, skv_findings_check(&f)), done);
    if (skv_comm_rank(comm) == 0)
        print_findings(&f);
    if (skv_comm_rank(comm) == 0 && s.json)
        st = write_json(&f, ranks, planned_run, s.json);
    SKV_TRY_GOTO(skv_comm_agree(comm, st), done);
    traps = f.n_traps;
    SKV_TRY_GOTO(skv_comm_broadcast(comm, &traps, sizeof traps, 0), done);
    if (traps > 0)
        *exit_code = SKV_EXIT_FAILED;
done:
    json_decref(ranks);
    json_decref(planned_run);
    skv_findings_clear(&f);
    skv_options_clear(skv_settings_table, &s);
    return st;
}

const skv_command skv_cmd_doctor = {.name = "doctor",
                                    .usage = "[the arguments of skv sample]",
                                    .summary = "whether a run started like this would go well",
                                    .options = skv_settings_table,
                                    .distributed = true,
                                    .run_option = "out",
                                    .any_build = true,
                                    .run = run};
