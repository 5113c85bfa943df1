/* Groups, one after another, as a rank gets them; then, all together, run.h5. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "job/failed_rows.h"
#include "job/gather_ranks.h"
#include "job/job_parts.h"
#include "run/group_file.h"
#include "run/run_status.h"
#include "sample/writer.h"

static bool lacks_png(const skv_job *j, const skv_group_record *rec, int i)
{
    return rec->status[i] == SKV_OK &&
           !skv_run_news_has_png(&j->place, rec->path_name, rec->row[i], rec->id[i]);
}

static skv_status read_group(skv_group_record *rec, skv_job *j, const skv_run_name *file,
                             unsigned parts)
{
    skv_status st;

    skv_writer_hold(j->writer);
    st = skv_group_file_read(rec, file, parts);
    skv_writer_release(j->writer);
    return st;
}

/* Most often a group that another finished lacks none. */
static skv_status lacks_any_png(bool *any, skv_job *j, const skv_run_name *file)
{
    skv_group_record rec = {0};
    skv_status st = read_group(&rec, j, file, SKV_GROUP_ROWS);

    *any = false;
    for (int i = 0; st == SKV_OK && i < rec.n_rows && !*any; i++)
        *any = lacks_png(j, &rec, i);
    skv_group_record_clear(&rec);
    return st;
}

/* The PNG of a row that was sampled: from the group file's picture, or from its bits by way of
 * `room` (n_rows,height,width,3). */
static skv_status remake_png(skv_job *j, const skv_group_record *rec, int i, uint8_t *room)
{
    const size_t picture = (size_t)rec->height * (size_t)rec->width * 3, row = (size_t)i;
    int32_t fault = 0;

    if (!lacks_png(j, rec, i))
        return SKV_OK;
    if (!rec->image)
        SKV_TRY(skv_engine_decode(j->engine, rec->bits + row * (size_t)rec->bits_bytes, 1,
                                  room + row * picture, &fault));
    if (fault == 0)
        return skv_writer_png(&j->place, rec, i, rec->image ? rec->image : room);
    skv_warn("path %s: %s has no PNG: not finite: picture", rec->path_name, rec->id[i]);
    return SKV_OK;
}

/* Makes the missing PNGs of a good group file again, from its pictures or from its bits. */
static skv_status remake_pngs(skv_job *j, int64_t g, int path)
{
    skv_group_record rec = {0};
    uint8_t *room = NULL;
    skv_run_name file;
    bool any = false;
    skv_status st;

    SKV_TRY(skv_run_name_group(&file, &j->place, j->run.paths.path[path].name, g));
    SKV_TRY(lacks_any_png(&any, j, &file));
    if (!any)
        return SKV_OK;
    st = read_group(&rec, j, &file, SKV_GROUP_ROWS | SKV_GROUP_BITS | SKV_GROUP_IMAGE);
    if (st == SKV_OK)
        st = skv_alloc(&room, rec.image ? 1 : (size_t)rec.n_rows,
                       (size_t)rec.height * (size_t)rec.width * 3, "pictures");
    for (int i = 0; i < rec.n_rows && st == SKV_OK; i++)
        st = remake_png(j, &rec, i, room);
    skv_group_record_clear(&rec);
    free(room);
    return st;
}

static skv_status one_group(skv_job *j, const skv_sampler *sampler, int64_t g, const uint8_t *work)
{
    const int n_paths = j->todo.n_paths;
    bool *wanted = NULL, any = false;
    skv_status st;

    SKV_TRY(skv_alloc(&wanted, (size_t)n_paths, sizeof *wanted, "work list"));
    for (int i = 0; i < n_paths; i++) {
        wanted[i] = (work[i] & SKV_WORK_COMPUTE) != 0;
        any = any || wanted[i];
    }
    st = any ? skv_sampler_group(sampler, g, wanted, j->n_done == 0) : SKV_OK;
    for (int i = 0; i < n_paths && st == SKV_OK; i++)
        if (work[i] & SKV_WORK_PNG)
            st = remake_pngs(j, g, i);
    free(wanted);
    return st;
}

/* For `skv status` and for rank 0, on any host. */
static void tell_others(const skv_job *j)
{
    const skv_rank_progress p = {.rank = j->rank,
                                 .size = j->size,
                                 .groups = j->n_done,
                                 .seconds =
                                     j->n_done > 0 ? j->group_seconds / (double)j->n_done : 0};

    if (j->claims)
        skv_rank_progress_say(j->claims, &p);
}

static skv_status next_group(skv_job *j, int64_t *group, uint8_t *work)
{
    SKV_TRY(skv_group_queue_next(j->queue, group, work));
    if (*group >= 0 || *j->stop)
        SKV_TRY(skv_job__go_on(j));
    if (*group >= 0)
        skv_debug("group %" PRId64 " is claimed by rank %d", *group, j->rank);
    return SKV_OK;
}

static skv_status all_groups(skv_job *j, const skv_sampler *sampler)
{
    uint8_t *work = NULL;
    int64_t group = -1;
    double start, seconds;
    skv_status st;

    tell_others(j);
    SKV_TRY(skv_alloc(&work, (size_t)j->todo.n_paths, sizeof *work, "work list"));
    for (;;) {
        st = next_group(j, &group, work);
        if (st != SKV_OK || group < 0)
            break;
        start = skv_seconds();
        st = one_group(j, sampler, group, work);
        if (st != SKV_OK)
            break;
        j->n_done++;
        seconds = skv_seconds() - start;
        j->group_seconds += seconds;
        skv_pace_add(&j->pace, seconds);
        skv_group_queue_finish_part(j->queue, group);
        tell_others(j);
    }
    free(work);
    return st;
}

/* --only: one group, of which the run keeps nothing but a PNG, so nobody claims it. */
static skv_status only_group(skv_job *j, const skv_sampler *sampler)
{
    const int64_t group = j->todo.group[j->first];

    SKV_TRY(one_group(j, sampler, group, j->todo.work + group * j->todo.n_paths));
    j->n_done++;
    return SKV_OK;
}

static void written(void *job, int64_t group)
{
    skv_job *j = job;

    if (j->queue)
        skv_group_queue_finish_part(j->queue, group);
}

/* With --only, the PNG and the last line are all that shows whether the row succeeded. */
static skv_status put_only(void *job, skv_result *r)
{
    skv_job *j = job;
    const size_t used = strlen(j->only_failed);

    for (int i = 0; i < r->rec.n_rows; i++)
        if (r->rec.status[i] != SKV_OK && strcmp(r->rec.id[i], j->settings.only) == 0) {
            snprintf(j->only_failed + used, sizeof j->only_failed - used, "%s on path %s: %s",
                     used > 0 ? ";" : "", r->rec.path_name, r->rec.error[i]);
            j->result.n_failed = 1;
        }
    return skv_writer_put(j->writer, r);
}

static skv_status make_queue(skv_job *j)
{
    const skv_group_queue_setup setup = {.todo = &j->todo,
                                         .rank = j->rank,
                                         .claims = j->claims,
                                         .run = &j->place,
                                         .plan = &j->run.folder,
                                         .stop = j->stop};

    return j->settings.only ? SKV_OK : skv_group_queue_create(&j->queue, &setup);
}

skv_sampler skv_job__sampler(const skv_job *j)
{
    return (skv_sampler){.engine = j->engine,
                         .setup = &j->run.engine,
                         .rows = &j->run.rows,
                         .t5 = j->t5,
                         .config_digest = j->run.identity.digest,
                         .path_digest = j->run.identity.path_digests};
}

skv_status skv_job__sample_groups(void *job)
{
    skv_job *j = job;
    const skv_run_setup *run = &j->run;
    const skv_writer_setup writer = {.run = j->place,
                                     .store = run->store,
                                     .png_threads = (int)j->settings.png_threads,
                                     .only_id = j->settings.only,
                                     .written = written,
                                     .ctx = j};
    skv_sampler sampler = skv_job__sampler(j);
    skv_status st, end;

    skv_job__begin_progress(j);
    if (j->count == 0) {
        skv_job__wait_for_others(j);
        return SKV_OK;
    }
    SKV_TRY(make_queue(j));
    SKV_TRY_GOTO(skv_writer_create(&j->writer, &writer), done);
    sampler.texts = (skv_text_source){skv_text_phase_read, &j->texts};
    sampler.with_image = run->store.image || run->store.png;
    sampler.sink = j->settings.only ? put_only : skv_writer_put;
    sampler.sink_ctx = j->settings.only ? (void *)j : j->writer;
    j->texts.writer = j->writer;
    st = j->settings.only ? only_group(j, &sampler) : all_groups(j, &sampler);
    end = skv_writer_finish(j->writer);
    j->writer = NULL;
    if (j->only_failed[0])
        skv_warn("--only %s: the row failed%s", j->settings.only, j->only_failed);
    if (end != SKV_OK) /* a failure of the writer outranks a stop */
        st = end;
done:
    skv_group_queue_destroy(j->queue); /* what the writer has not written is given up */
    j->queue = NULL;
    return st == SKV_OK || st == SKV_E_STOPPED ? st : skv_job__let_others_finish(j, st);
}

/* ------------------------------------------------------------------- run.h5 */

bool skv_job__gathers(const void *job)
{
    const skv_job *j = job;

    return !j->settings.only && j->settings.gather;
}

bool skv_job__leaves_gather(const void *job)
{
    const skv_job *j = job;

    return !j->settings.only && !j->settings.gather;
}

skv_status skv_job__say_gather(void *job)
{
    skv_job *j = job;

    skv_job__end_progress(j, true);
    if (j->rank == 0 && j->settings.shard)
        skv_info("part %s of the groups is done; skv gather %s makes run.h5 when all parts are",
                 j->settings.shard, j->settings.out);
    else if (j->rank == 0)
        skv_info("all groups are done; skv gather %s makes run.h5 of them", j->settings.out);
    return SKV_OK;
}

skv_status skv_job__gather(void *job)
{
    skv_job *j = job;
    const skv_gather_ranks_setup setup = {.run = j->settings.out,
                                          .virtual_images = j->settings.virtual_run,
                                          .claims = j->claims,
                                          .stop = j->stop};
    skv_gathered done;
    skv_status st;

    skv_job__end_progress(j, true);
    st = skv_gather_ranks(&done, j->comm, &setup);
    j->result.n_failed = done.n_failed;
    j->gathered = st == SKV_OK && j->rank == 0;
    if (st != SKV_E_NOTFOUND || !j->settings.shard)
        return st;
    if (j->rank == 0)
        skv_info("part %s of the groups is done. %s", j->settings.shard, skv_message());
    return SKV_OK;
}

skv_status skv_job__report(void *job)
{
    skv_job *j = job;
    const skv_job_report *report = &j->setup->report;

    if (!j->gathered)
        return SKV_OK;
    if (report->gathered)
        SKV_TRY(report->gathered(report->ctx, j->settings.out));
    return j->result.n_failed > 0 ? skv_failed_rows_warn(j->settings.out) : SKV_OK;
}
