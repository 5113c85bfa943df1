#include "job/gather_ranks.h"

#include "job/phase.h"
#include "run/gather.h"
#include "run/run_lock.h"

typedef struct {
    skv_comm *comm;
    skv_gather_setup setup;
    skv_claims *claims;
    bool locked, looked;
    skv_gather *gather;
    int64_t n_failed;
} work;

static void alive(void *comm)
{
    skv_comm_here(comm);
}

static skv_status lock(void *job)
{
    work *w = job;

    if (w->setup.rank != 0)
        return SKV_OK;
    SKV_TRY(skv_run_lock_take(w->claims, w->setup.run, SKV_RUN_LOCK_SECONDS, w->setup.stop));
    w->locked = true;
    return SKV_OK;
}

static skv_status look(void *job)
{
    work *w = job;

    SKV_TRY(skv_gather_open(&w->gather, &w->setup));
    return skv_gather_look(w->gather);
}

static skv_status check(void *job)
{
    work *w = job;

    w->looked = true;
    return skv_gather_check(w->gather);
}

static skv_status share_news(void *job)
{
    work *w = job;
    size_t n = 0;
    int64_t *news = skv_gather_news(w->gather, &n);

    return skv_comm_sum_i64(w->comm, news, n);
}

static skv_status write(void *job)
{
    work *w = job;

    return w->setup.rank == 0 ? skv_gather_write(w->gather, &w->n_failed) : SKV_OK;
}

static skv_status share_failures(void *job)
{
    work *w = job;

    return skv_comm_broadcast(w->comm, &w->n_failed, sizeof w->n_failed, 0);
}

skv_status skv_gather_ranks(skv_gathered *out, skv_comm *comm, const skv_gather_ranks_setup *setup)
{
    static const skv_phase phases[] = {{"the run's lock", lock, NULL, NULL},
                                       {"looking at groups", look, share_news, NULL},
                                       {"checking groups", check, share_news, NULL},
                                       {"writing run.h5", write, share_failures, NULL}};
    work w = {.comm = comm,
              .claims = setup->claims,
              .setup = {.run = setup->run,
                        .virtual_images = setup->virtual_images,
                        .partial = setup->partial,
                        .stop = setup->stop,
                        .alive = alive,
                        .ctx = comm,
                        .rank = skv_comm_rank(comm),
                        .size = skv_comm_size(comm)}};
    const skv_status st = skv_phases_run(phases, (int)(sizeof phases / sizeof phases[0]), &w, comm,
                                         &(skv_phase_failure){0}, setup->stop);

    if (w.locked)
        skv_run_lock_release(w.claims);
    *out = (skv_gathered){.n_failed = w.n_failed};
    if (setup->names && w.looked && w.setup.rank == 0) {
        out->missing = skv_gather_lacking(w.gather, false);
        out->set_aside = skv_gather_lacking(w.gather, true);
    }
    skv_gather_close(w.gather);
    return st;
}
