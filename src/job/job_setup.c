/* From settings to a plan that all ranks share: device, memory, the groups that are left. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/process.h"
#include "core/text.h"
#include "job/failed_rows.h"
#include "job/job_parts.h"
#include "job/start_record.h"
#include "run/run_lock.h"

skv_status skv_job__open_device(void *job)
{
    skv_job *j = job;
    const skv_device_wish wish = {.device = j->settings.device,
                                  .dtype = j->settings.dtype,
                                  .planned = j->settings.for_gpu,
                                  .threads = (int)j->settings.threads,
                                  .local_rank = skv_comm_local_rank(j->comm),
                                  .local_size = skv_comm_local_size(j->comm)};

    SKV_TRY(skv_backend_choose(&j->be, &j->choice, &wish));
    j->be->stop = j->stop;
    SKV_TRY(skv_backend_choose_text(&j->text_be, j->be, &j->choice));
    j->text_be->stop = j->stop;
    SKV_TRY(skv_alloc(&j->devices, (size_t)j->size, sizeof *j->devices, "the ranks' devices"));
    j->devices[j->rank] = skv_device_number(&j->choice);
    return SKV_OK;
}

skv_status skv_job__count_sharing(void *job)
{
    skv_job *j = job;

    SKV_TRY(skv_comm_sum_i64(j->comm, j->devices, (size_t)j->size)); /* each set one */
    skv_device_count_sharing(&j->choice, j->devices, j->size);
    if (j->choice.cuda && j->choice.n_sharing > 1)
        skv_warn("%d ranks share %s: each has a share of its memory", j->choice.n_sharing,
                 j->choice.identity);
    return SKV_OK;
}

skv_status skv_job__open_setup(void *job)
{
    skv_job *j = job;

    SKV_TRY(skv_run_setup_open(&j->run, &j->settings, j->be, j->text_be));
    if (j->setup->probe_row)
        j->run.probe_row = j->setup->probe_row(j->setup->probe_ctx, &j->run);
    return SKV_OK;
}

skv_status skv_job__plan_run(void *job)
{
    return skv_run_setup_plan(&((skv_job *)job)->run);
}

bool skv_job__text_cache(const void *job)
{
    const skv_job *j = job;

    return j->settings.text_cache != NULL;
}

skv_status skv_job__plan_texts(void *job)
{
    skv_job *j = job;

    j->texts = (skv_text_phase){.comm = j->comm, .setup = &j->run, .stop = j->stop};
    return skv_text_phase_plan(&j->texts);
}

skv_status skv_job__show_plan(void *job)
{
    skv_job *j = job;
    const skv_job_report *report = &j->setup->report;
    skv_blob *lines = NULL;
    char line[384];

    snprintf(line, sizeof line, "rank %d of %d, %s, local %d: %s", j->rank, j->size,
             skv_comm_host(j->comm), skv_comm_local_rank(j->comm), skv_backend_describe(j->be));
    SKV_TRY(skv_comm_gather_blobs(&lines, j->comm, line, strlen(line)));
    if (lines && report->planned)
        report->planned(report->ctx, &j->run, lines, j->size);
    free(lines);
    return SKV_OK;
}

skv_status skv_job__find_memory(void *job)
{
    skv_job *j = job;

    return skv_memory_there(&j->memory, j->be, &j->choice, j->settings.memory_limit);
}

/* All ranks have the same plan, so the one with the least memory decides; and what would fit is
 * known to rank 0, which has the prompts. */
skv_status skv_job__gather_memory(void *job)
{
    skv_job *j = job;
    skv_blob *all = NULL;

    SKV_TRY(skv_comm_gather_blobs(&all, j->comm, &j->memory, sizeof j->memory));
    for (int r = 0; all && r < j->size; r++) {
        size_t bytes;

        memcpy(&bytes, all[r].data, sizeof bytes);
        if (bytes >= j->memory)
            continue;
        j->memory = bytes;
        j->poorest = r;
    }
    free(all);
    return SKV_OK;
}

skv_status skv_job__check_memory(void *job)
{
    skv_job *j = job;
    skv_status st;

    if (j->rank != 0)
        return SKV_OK;
    st = skv_run_setup_fit(&j->run, j->memory);
    if (st != SKV_OK && j->poorest > 0)
        skv_context("rank %d", j->poorest);
    return st;
}

bool skv_job__is_dry(const void *job)
{
    const skv_job *j = job;

    return j->settings.dry_run;
}

/* ------------------------------------------------------------------ failures foreseen */

typedef struct {
    skv_failed_rows failed;
    int64_t samples, left; /* of the bad prompts */
} foreseen;

static skv_status add_bad(void *ctx, const skv_row_span *span, bool *done)
{
    foreseen *f = ctx;

    for (int64_t i = 0; i < span->n; i++) {
        if (!span->prompt[i].error)
            continue;
        SKV_TRY(skv_failed_rows_add(&f->failed, span->prompt[i].error, f->samples));
        f->left--;
    }
    *done = f->left <= 0;
    return SKV_OK;
}

/* What a dry run can know of rows that will fail: prompts that cannot be sampled. */
skv_status skv_job__foresee(void *job)
{
    skv_job *j = job;
    const skv_rows *rows = &j->run.rows;
    foreseen f = {.samples = j->settings.samples, .left = rows->facts.n_bad};
    char reasons[640];
    skv_status st = SKV_OK;

    j->result.n_failed = f.left * f.samples;
    if (j->rank != 0 || f.left == 0)
        return SKV_OK;
    st = skv_rows_each(rows, add_bad, &f);
    skv_failed_rows_text(reasons, sizeof reasons, &f.failed);
    if (st == SKV_OK)
        skv_warn("%" PRId64 " of %" PRId64 " row%s will fail: %s", f.failed.n,
                 rows->segments.n_rows, skv_s(rows->segments.n_rows), reasons);
    skv_failed_rows_clear(&f.failed);
    return st;
}

/* Random, so that no two jobs of a run share one. */
skv_status skv_job__draw_token(void *job)
{
    skv_job *j = job;
    uint64_t drawn = 0;

    if (j->rank == 0)
        SKV_TRY(skv_random_bytes(&drawn, sizeof drawn));
    snprintf(j->token, sizeof j->token, "%016" PRIx64, drawn);
    return SKV_OK;
}

skv_status skv_job__share_token(void *job)
{
    skv_job *j = job;

    return skv_comm_broadcast(j->comm, j->token, sizeof j->token, 0);
}

/* ------------------------------------------------------------------------------- work */

typedef struct {
    const char *id;
    int64_t row; /* -1: not found */
} wanted;

static skv_status find_id(void *ctx, const skv_row_span *span, bool *done)
{
    const skv_segments *s = &span->rows->segments;
    wanted *w = ctx;
    char id[SKV_ID_BYTES];

    for (int64_t i = 0; i < span->n * s->n_samples && !*done; i++) {
        const int64_t row = skv_segments_row(s, span->first + i / s->n_samples, i % s->n_samples);

        skv_row_id(span, row, id, sizeof id);
        if (strcmp(id, w->id) != 0)
            continue;
        w->row = row;
        *done = true;
    }
    return SKV_OK;
}

/* Only the group that holds the id, on every path. */
static skv_status only_work(skv_job *j)
{
    wanted w = {.id = j->settings.only, .row = -1};
    int64_t group;

    SKV_TRY(skv_rows_each(&j->run.rows, find_id, &w));
    if (w.row < 0)
        return skv_fail(SKV_E_ARG, "--only %s: no row has this id", j->settings.only);
    group = skv_segments_group_of(&j->run.rows.segments, w.row);
    for (int i = 0; i < j->todo.n_paths; i++)
        j->todo.work[group * j->todo.n_paths + i] = SKV_WORK_COMPUTE;
    return SKV_OK;
}

skv_status skv_job__gather_hosts(void *job)
{
    skv_job *j = job;
    const char *host = skv_comm_host(j->comm);

    return skv_comm_gather_blobs(&j->hosts, j->comm, host, strlen(host));
}

skv_status skv_job__open_folder(void *job)
{
    skv_job *j = job;
    skv_run_plan *folder = &j->run.folder;
    skv_status st;

    j->place.folder = j->settings.out;
    if (j->rank != 0)
        return SKV_OK;
    SKV_TRY(skv_start_record(&folder->start, j->started, j->hosts, j->size));
    folder->stop = j->stop;
    st = skv_run_folder_open(&j->claims, &j->place.by_hundred, j->settings.out, folder);
    json_decref(folder->start);
    folder->start = NULL;
    SKV_TRY(st);
    st = skv_stop_words_sweep(j->settings.out);
    if (st == SKV_OK)
        st = skv_job__keep_rows(j);
    skv_run_lock_release(j->claims);
    return st;
}

/* What the folder lacks, of this job's part of it. */
static skv_status lacking_work(skv_job *j)
{
    const size_t n_paths = (size_t)j->todo.n_paths;
    int64_t first, end;

    SKV_TRY(skv_settings_shard(&first, &end, &j->settings, j->todo.n_groups));
    SKV_TRY(skv_run_folder_scan(j->todo.work, &j->place, &j->run.folder, j->rank, j->size));
    memset(j->todo.work, 0, (size_t)first * n_paths);
    memset(j->todo.work + (size_t)end * n_paths, 0, (size_t)(j->todo.n_groups - end) * n_paths);
    return SKV_OK;
}

skv_status skv_job__find_work(void *job)
{
    skv_job *j = job;

    SKV_TRY(skv_todo_list_init(&j->todo, j->run.rows.segments.n_groups, j->run.paths.n, j->size));
    if (j->settings.only)
        return j->rank == 0 ? only_work(j) : SKV_OK;
    return lacking_work(j);
}

/* Each byte was set by one rank, and is 0 on all others: so the bytes can be summed as words. */
static skv_status sum_bytes(skv_comm *comm, uint8_t *bytes, size_t n)
{
    const size_t n_words = (n + sizeof(int64_t) - 1) / sizeof(int64_t);
    int64_t *words = NULL;
    skv_status st = skv_alloc(&words, n_words, sizeof *words, "work list");

    st = skv_comm_agree(comm, st);
    if (st == SKV_OK) {
        memcpy(words, bytes, n);
        st = skv_comm_sum_i64(comm, words, n_words);
        memcpy(bytes, words, n);
    }
    free(words);
    return st;
}

skv_status skv_job__share_work(void *job)
{
    skv_job *j = job;

    SKV_TRY(sum_bytes(j->comm, j->todo.work, skv_todo_list_bytes(&j->todo)));
    skv_todo_list_count(&j->todo);
    j->first = j->todo.share[j->rank];
    j->count = j->todo.share[j->rank + 1] - j->first;
    return SKV_OK;
}

/* The rank's log and claims; rank 0 has its claims already. */
skv_status skv_job__enter_run(void *job)
{
    skv_job *j = job;
    char path[4096];

    if (!j->claims)
        SKV_TRY(skv_run_claims_open(&j->claims, j->settings.out));
    snprintf(path, sizeof path, "%s/log", j->settings.out);
    SKV_TRY(skv_folder_make(path));
    snprintf(path, sizeof path, "%s/log/%d.txt", j->settings.out, j->rank);
    return skv_log_open(path);
}
