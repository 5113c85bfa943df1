/* skv status: how far a run is. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/print_text.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"
#include "job/failed_rows.h"
#include "run/run_status.h"

#define SHOWN         5  /* processes: the slowest */
#define WATCH_SECONDS 2  /* on a terminal */
#define LOG_SECONDS   60 /* in a file */
#define LONG_IDLE     60 /* seconds without a new group that are said */

typedef struct {
    bool watch;
    char *config, *json;
} status_options;

static const skv_option table[] = {
    SKV_OPTION_CONFIG(status_options),
    SKV_OPTION(status_options, watch, BOOL, "false",
               "look again, every 2 s on a terminal and every minute in a file, until the run is "
               "complete",
               "Status"),
    SKV_OPTION_FLAG(status_options, json, STRING, NULL, "the same " SKV_JSON_HELP, NULL),
    {.key = NULL},
};

typedef struct {
    const char *folder;
    skv_run_status s;
    skv_run_file file; /* where there is a run.h5 */
    skv_failed_rows failed;
} status;

static bool is_complete(const status *a)
{
    return a->s.gathered && a->s.done >= a->s.all && !a->file.partial;
}

static skv_status look(status *a, const char *run)
{
    *a = (status){.folder = run};
    SKV_TRY(skv_run_status_read(&a->s, run));
    if (a->s.gathered)
        SKV_TRY(skv_run_file_open_partial(&a->file, run));
    if (is_complete(a))
        return skv_failed_rows_of(&a->failed, &a->file);
    return skv_failed_rows_so_far(&a->failed, &a->s.run, run, a->s.gathered ? &a->file : NULL);
}

static void forget(status *a)
{
    skv_failed_rows_clear(&a->failed);
    skv_run_file_close(&a->file);
    skv_run_status_clear(&a->s);
}

/* Pictures of a group of one path, in the mean. */
static double group_rows(const status *a)
{
    return (double)a->s.run.n_rows / (double)a->s.run.n_groups;
}

/* ------------------------------------------------------------------------ printing */

static void print_left(double seconds)
{
    char text[SKV_DURATION_BYTES];

    skv_duration_text(text, seconds);
    printf(", %s left", text);
}

static void print_summary(const status *a)
{
    const skv_run_status *s = &a->s;

    skv_print_text(a->folder, 0);
    printf(": %" PRId64 " of %" PRId64 " group file%s (%.1f %%)", s->done, s->all, skv_s(s->all),
           100 * (double)s->done / (double)s->all);
    if (is_complete(a))
        printf(", complete");
    else if (s->done >= s->all && s->gathered) {
        printf(", run.h5 is partial: ");
        skv_print_text(a->file.partial, 0);
    } else if (s->done >= s->all)
        printf(", run.h5 is not made");
    else if (s->rate > 0 && s->n_processes > 0) {
        printf(", %.2f images/s", s->rate * group_rows(a));
        print_left((double)(s->all - s->done) / s->rate);
    }
    printf("\n");
}

static void print_processes(const skv_run_status *s)
{
    if (s->n_processes == 0 && s->done < s->all)
        printf("nobody is at work\n");
    for (int i = 0; i < s->n_processes && i < SHOWN; i++) {
        const skv_status_process *p = &s->process[i];

        printf("  ");
        skv_print_text(p->heart.who, 0);
        if (p->is_rank)
            printf(", rank %d of %d: %" PRId64 " group%s, %.2f s each", p->progress.rank,
                   p->progress.size, p->progress.groups, skv_s(p->progress.groups),
                   p->progress.seconds);
        printf("\n");
    }
    if (s->n_processes > SHOWN)
        printf("  and %d more, %s\n", s->n_processes - SHOWN,
               s->n_processes - SHOWN == 1 ? "a faster one" : "faster ones");
    if (s->n_dead > 0)
        printf("  %d that ended without a word; what they had claimed is free\n", s->n_dead);
    if (s->done < s->all && s->idle > LONG_IDLE)
        printf("the last group was finished %.0f s ago\n", s->idle);
}

static void print(const status *a)
{
    char reasons[640];

    print_summary(a);
    for (int i = 0; i < a->s.n_paths; i++) {
        printf("  ");
        skv_print_text(a->s.path[i].name, 24);
        printf(" %" PRId64 " of %" PRId64 "\n", a->s.path[i].done, a->s.run.n_groups);
    }
    print_processes(&a->s);
    skv_failed_rows_text(reasons, sizeof reasons, &a->failed);
    if (a->failed.n > 0) {
        printf("%" PRId64 " of %" PRId64 " row%s failed%s: ", a->failed.n, a->s.run.n_rows,
               skv_s(a->s.run.n_rows), is_complete(a) ? "" : " so far");
        skv_print_text(reasons, 0);
        printf("\n");
    }
}

/* ---------------------------------------------------------------------------- JSON */

static json_t *processes_json(const skv_run_status *s)
{
    skv_json_maker list = skv_json_array();

    for (int i = 0; i < s->n_processes; i++) {
        const skv_status_process *p = &s->process[i];
        skv_json_maker row = skv_json_object();

        skv_json_put(&row, "who", skv_json_foreign(p->heart.who));
        if (p->is_rank) {
            skv_json_put(&row, "rank", json_integer(p->progress.rank));
            skv_json_put(&row, "ranks", json_integer(p->progress.size));
            skv_json_put(&row, "groups", json_integer(p->progress.groups));
            skv_json_put(&row, "seconds_a_group", json_real(p->progress.seconds));
        }
        skv_json_append(&list, skv_json_take(&row));
    }
    return skv_json_take(&list);
}

static skv_status write_json(const status *a, const char *file)
{
    const skv_run_status *s = &a->s;
    skv_json_maker root = skv_json_object(), paths = skv_json_object();

    for (int i = 0; i < s->n_paths; i++)
        skv_json_put(&paths, s->path[i].name, json_integer(s->path[i].done));
    skv_json_put(&root, "complete", json_boolean(is_complete(a)));
    skv_json_put(&root, "gathered", json_boolean(s->gathered));
    skv_json_put(&root, "partial",
                 a->file.partial ? skv_json_foreign(a->file.partial) : json_null());
    skv_json_put(&root, "groups", json_integer(s->all));
    skv_json_put(&root, "done", json_integer(s->done));
    skv_json_put(&root, "paths", skv_json_take(&paths));
    skv_json_put(&root, "images_a_second", json_real(s->rate * group_rows(a)));
    skv_json_put(&root, "seconds_left",
                 s->rate > 0 && s->n_processes > 0 ? json_real((double)(s->all - s->done) / s->rate)
                                                   : json_null());
    skv_json_put(&root, "processes", processes_json(s));
    skv_json_put(&root, "dead_processes", json_integer(s->n_dead));
    skv_json_put(&root, "failed_rows", skv_failed_rows_json(&a->failed));
    return skv_print_made(&root, file);
}

/* ------------------------------------------------------------------------- command */

static skv_status once(int *exit_code, const status_options *o, const char *run)
{
    status a;
    skv_status st = look(&a, run);

    if (st == SKV_OK && o->watch && isatty(STDOUT_FILENO))
        printf("\033[H\033[J"); /* from the top of an empty screen */
    if (st == SKV_OK && !skv_json_is_all(o->json))
        print(&a);
    if (st == SKV_OK && o->json)
        st = write_json(&a, o->json);
    *exit_code = !is_complete(&a) ? SKV_EXIT_AGAIN : a.failed.n > 0 ? SKV_EXIT_PARTIAL : 0;
    forget(&a);
    return st;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    status_options o = {0};
    skv_words words = {0};
    skv_status st;

    (void)comm;
    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_status, NULL, argc, argv, &words), done);
    st = words.n == 1 ? once(exit_code, &o, words.word[0])
                      : skv_fail(SKV_E_ARG, "status wants one run's folder, got %d", words.n);
    while (st == SKV_OK && o.watch && *exit_code == SKV_EXIT_AGAIN) {
        if (fflush(stdout) != 0) { /* a full disk, or a reader that has gone */
            st = skv_fail(SKV_E_IO, "standard output: cannot write: %s", strerror(errno));
            break;
        }
        sleep(isatty(STDOUT_FILENO) ? WATCH_SECONDS : LOG_SECONDS);
        st = once(exit_code, &o, words.word[0]);
    }
done:
    free((void *)words.word);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_status = {.name = "status",
                                    .usage = "RUN [--watch] [--json FILE]",
                                    .summary = "how far a run is: groups, rate, time left, ranks",
                                    .options = table,
                                    .reads_hdf5 = true,
                                    .run = run};
