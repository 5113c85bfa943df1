/* How far all ranks are, for the line that rank 0 shows: by what each says with its heartbeat in
 * the run's folder, so that none waits for another. */
#include <stdlib.h>

#include "core/clock.h"
#include "job/job_parts.h"
#include "run/run_status.h"

/* Adds what the other ranks have done; none is known where the folder cannot be read. */
static void add_others(skv_job_progress *p, const char *run)
{
    skv_rank_progress *rank = NULL;
    int n = 0;

    if (skv_rank_progress_others(&rank, &n, run) != SKV_OK)
        return;
    for (int i = 0; i < n; i++)
        p->done += rank[i].groups;
    if (p->n_ranks < n + 1)
        p->n_ranks = n + 1;
    free(rank);
}

/* Other jobs may work on the same groups: what they do counts, but no more than there is. */
static void show(skv_job *j, bool complete, bool last)
{
    const skv_job_report *report = &j->setup->report;
    skv_job_progress p = {.done = j->n_done, .all = j->todo.n, .n_ranks = j->size, .last = last};

    add_others(&p, j->settings.out);
    if (complete || p.done > p.all)
        p.done = p.all;
    p.seconds = skv_seconds() - j->shown_since;
    p.images = (double)p.done * j->images_a_group;
    report->progress(report->ctx, &p);
}

void skv_job__begin_progress(skv_job *j)
{
    int64_t paths = 0;

    if (j->rank != 0 || !j->setup->report.progress || j->settings.only || j->todo.n == 0)
        return;
    for (int64_t i = 0; i < j->todo.n; i++)
        paths += j->todo.cost[i];
    pthread_mutex_lock(&j->showing);
    j->images_a_group = (double)paths / (double)j->todo.n * (double)j->run.rows.segments.n_rows /
                        (double)j->run.rows.segments.n_groups;
    j->shown_since = skv_seconds();
    j->shows = true;
    pthread_mutex_unlock(&j->showing);
}

void skv_job__look_at_progress(void *job)
{
    skv_job *j = job;

    pthread_mutex_lock(&j->showing);
    if (j->shows)
        show(j, false, false);
    pthread_mutex_unlock(&j->showing);
}

void skv_job__end_progress(skv_job *j, bool complete)
{
    pthread_mutex_lock(&j->showing);
    if (j->shows)
        show(j, complete, true);
    j->shows = false;
    pthread_mutex_unlock(&j->showing);
}
