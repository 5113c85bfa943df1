/* The choice of algorithms: the same on all ranks of one kind of device, and in all jobs of a run.
 *
 * The first rank of each kind that has work leads: it takes what RUN/tune.json has for its device,
 * or measures, and tells the others of its kind. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/digest.h"
#include "core/log.h"
#include "core/mem.h"
#include "job/job_parts.h"
#include "job/tuning_leaders.h"
#include "sample/tune.h"
#include "sample/tune_cache.h"

#define CLAIM        "tuning"
#define WAIT_SECONDS 3600 /* for another job, or a rank with another kind of device */

bool skv_job__tunes(const void *job)
{
    const skv_job *j = job;

    return j->be->device != SKV_HOST && skv_todo_list_first_rank(&j->todo) >= 0;
}

skv_status skv_job__name_device_kind(void *job)
{
    skv_job *j = job;

    SKV_TRY(skv_alloc(&j->leader, (size_t)j->size, sizeof *j->leader, "ranks that measure"));
    SKV_TRY(skv_alloc(&j->kinds, (size_t)j->size, sizeof *j->kinds, "the ranks' devices"));
    j->kinds[j->rank] = skv_digest_number(skv_backend_describe(j->be));
    return SKV_OK;
}

skv_status skv_job__find_leaders(void *job)
{
    skv_job *j = job;

    SKV_TRY(skv_comm_sum_i64(j->comm, j->kinds, (size_t)j->size)); /* each set one */
    skv_tuning_leaders(j->leader, j->kinds, j->todo.share, j->size);
    return SKV_OK;
}

/* ------------------------------------------------------------------------ the leader */

static void say_chosen(const skv_tuning *t, const skv_tune_cache *cache, double seconds)
{
    const char *folder = skv_tune_cache_path(cache);
    const size_t measured = skv_tuning_measured(t);

    skv_info("%zu algorithms chosen in %.1f s: %zu measured now, %zu known from %s", t->n, seconds,
             measured, t->n - measured, folder ? folder : "nowhere");
}

static skv_status measure(skv_job *j)
{
    const double start = skv_seconds();
    skv_tuning *t = &j->be->tuning;
    skv_tune_cache *cache = NULL;
    skv_status st;

    SKV_TRY(skv_tune_cache_open(&cache, j->be));
    skv_info("choosing algorithms: %zu are known for this GPU, others are measured", t->n);
    st = skv_tune_measure(j->engine, &j->run.engine);
    if (st == SKV_OK) {
        skv_tuning_drop_unused(t);
        say_chosen(t, cache, skv_seconds() - start);
    }
    return skv_tune_cache_close(cache, st);
}

/* What the run has for this device; else measured (or, with --tune off, left to the libraries), and
 * kept in the run. */
static skv_status find_choices(skv_job *j)
{
    const char *run = j->settings.out;
    skv_tune_found found;

    SKV_TRY(skv_tune_read(&found, j->be, run));
    if (found == SKV_TUNE_FOUND || j->settings.only)
        return SKV_OK;
    if (found == SKV_TUNE_OTHERS)
        skv_info("%s/tune.json has choices of other devices only", run);
    if (strcmp(j->settings.tune, "off") != 0)
        SKV_TRY(measure(j));
    return skv_tune_keep(j->be, run);
}

skv_status skv_job__measure(void *job)
{
    skv_job *j = job;
    const skv_claims_patience patience = {.seconds = WAIT_SECONDS, .stop = j->stop};
    skv_status st;

    if (j->leader[j->rank] != j->rank)
        return SKV_OK;
    SKV_TRY(skv_claims_wait(j->claims, CLAIM, "another skv measures algorithms for this run",
                            &patience));
    st = find_choices(j);
    skv_claims_drop(j->claims, CLAIM);
    SKV_TRY(st);
    SKV_TRY(skv_tune_print((char **)&j->tuning.data, j->be, false));
    j->tuning.bytes = strlen(j->tuning.data);
    return SKV_OK;
}

/* ------------------------------------------------------------------------ all ranks */

skv_status skv_job__share_tuning(void *job)
{
    skv_job *j = job;
    skv_status st = SKV_OK;

    for (int r = 0; r < j->size && st == SKV_OK; r++) {
        skv_blob told = {0};

        if (j->leader[r] != r)
            continue;
        if (r == j->rank)
            told = j->tuning;
        st = skv_comm_broadcast_blob(j->comm, &told.data, &told.bytes, r);
        if (r != j->rank && r == j->leader[j->rank])
            j->tuning = told;
        else if (r != j->rank)
            free(told.data);
    }
    return st;
}

skv_status skv_job__use_tuning(void *job)
{
    skv_job *j = job;
    skv_tune_found found;

    if (!j->tuning.data)
        return SKV_OK;
    skv_tuning_clear(&j->be->tuning);
    return skv_tune_parse(&found, j->be, j->tuning.data, j->tuning.bytes, "tune.json");
}
