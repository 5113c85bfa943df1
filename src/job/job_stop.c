/* The end of a job that was asked to stop: who carries the word, and what is said. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "job/command_line.h"
#include "job/job_parts.h"
#include "run/group_count.h"

#define COUNT_SECONDS 0.3 /* a rank started by mpirun has 0.9 s in all */

static bool started_by_mpirun(void)
{
    return getenv("OMPI_COMM_WORLD_SIZE") != NULL;
}

/* "14 of 24 groups are done, 10 are left" */
static void say_progress(char *out, size_t bytes, const skv_job *j)
{
    const int64_t all = j->run.rows.segments.n_groups * j->run.paths.n;
    const skv_group_counting how = {.until = skv_seconds() + COUNT_SECONDS};
    int64_t done = 0;
    bool cut = false;

    for (int i = 0; i < j->run.paths.n; i++)
        done += skv_group_count(j->settings.out, j->run.paths.path[i].name, &how, &cut);
    if (cut)
        snprintf(out, bytes, "at least %" PRId64 " of %" PRId64 " groups %s done", done, all,
                 done == 1 ? "is" : "are");
    else if (done >= all)
        snprintf(out, bytes, "all %" PRId64 " group%s done, run.h5 is not", all,
                 all == 1 ? " is" : "s are");
    else
        snprintf(out, bytes, "%" PRId64 " of %" PRId64 " group%s %s done, %" PRId64 " %s left",
                 done, all, skv_s(all), done == 1 ? "is" : "are", all - done,
                 all - done == 1 ? "is" : "are");
}

static skv_status say_stopped(const skv_job *j, const char *why)
{
    char progress[128], command[1024];

    say_progress(progress, sizeof progress, j);
    skv_command_line(command, sizeof command, j->size == 1 && !started_by_mpirun());
    return skv_fail(SKV_E_STOPPED, "stopped by %s: %s; to go on, run the same command again%s%s",
                    why, progress, command[0] ? ": " : "", command);
}

static void last_words(void *job, const char *why)
{
    if (say_stopped(job, why) != SKV_OK)
        skv_warn("%s", skv_message());
}

static void set_pace(skv_job *j)
{
    const skv_settings *s = &j->settings;
    const bool gathers = !s->only && s->gather;
    int64_t bytes = 0, pngs = 0;

    skv_run_setup_disk(&j->run, &bytes, &pngs);
    skv_pace_start(&j->pace, s->max_hours,
                   gathers ? j->run.rows.segments.n_groups * j->run.paths.n : 0,
                   gathers && !s->virtual_run ? bytes * j->run.paths.n : 0);
}

skv_status skv_job__watch(void *job)
{
    skv_job *j = job;
    skv_watcher_setup setup = {.run = j->settings.out,
                               .job = j->token,
                               .who = j->who,
                               .first = j->rank == 0,
                               .hurried = started_by_mpirun(),
                               .seconds = 3600 * j->settings.max_hours,
                               .last_words = j->rank == 0 ? last_words : NULL,
                               .each_second = j->rank == 0 ? skv_job__look_at_progress : NULL,
                               .ctx = j};

    set_pace(j);
    if (j->size > 1)
        snprintf(j->who, sizeof j->who, "rank %d of %d (%.64s)", j->rank, j->size,
                 skv_comm_host(j->comm));
    if (j->rank > 0)
        skv_stop_be_quiet();
    return skv_watcher_start(&j->watcher, &setup);
}

skv_status skv_job__go_on(const skv_job *j)
{
    if (!skv_pace_allows(&j->pace, skv_stop_clock()))
        skv_stop_ask(SKV_STOP_HOURS);
    if (*j->stop)
        return skv_fail(SKV_E_STOPPED, "stopped by %s", skv_stop_name(skv_stop_why()));
    return SKV_OK;
}

skv_status skv_job__end_watch(skv_job *j, skv_status st)
{
    char why[SKV_STOP_TEXT_BYTES];

    skv_job__end_progress(j, false);
    /* a rank that ran out of time leaves the others without one */
    if (st == SKV_E_PEER && *j->stop && skv_comm_is_lost(j->comm))
        st = skv_fail(SKV_E_STOPPED, "stopped by %s", skv_stop_name(skv_stop_why()));
    if (j->watcher && st == SKV_E_STOPPED && *j->stop && j->rank == 0) {
        skv_watcher_why(j->watcher, why);
        st = say_stopped(j, why);
    }
    skv_watcher_end(j->watcher);
    j->watcher = NULL;
    return st;
}
