/* From settings to a plan that all ranks share: device, memory, the groups that are left. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/file.h"
#include "core/log.h"
#include "job/failed_rows.h"
#include "job/job_parts.h"

skv_status skv_job__open_device(void *job)
{
    skv_job *j = job;
    const skv_device_wish wish = {.device = j->settings.device,
                                  .dtype = j->settings.dtype,
                                  .threads = (int)j->settings.threads,
                                  .local_rank = skv_comm_local_rank(j->comm),
                                  .local_size = skv_comm_local_size(j->comm)};

    SKV_TRY(skv_backend_choose(&j->be, &j->choice, &wish));
    return skv_backend_choose_text(&j->text_be, j->be, &j->choice);
}

skv_status skv_job__make_setup(void *job)
{
    skv_job *j = job;
    const skv_prompt_list list = {.bytes = j->prompts.data,
                                  .n = j->prompts.bytes,
                                  .form = j->form,
                                  .rewrites = j->rewrites.data,
                                  .n_rewrites = j->rewrites.bytes};

    return skv_run_setup_make(&j->run, &j->settings, &list, j->be, j->text_be);
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

skv_status skv_job__check_memory(void *job)
{
    skv_job *j = job;
    size_t there = 0;

    SKV_TRY(skv_memory_there(&there, j->be, &j->choice, j->settings.memory_limit));
    return skv_run_setup_fit(&j->run, there);
}

bool skv_job__is_dry(const void *job)
{
    const skv_job *j = job;

    return j->settings.dry_run;
}

/* What a dry run can know of rows that will fail: prompts that cannot be sampled. */
skv_status skv_job__foresee(void *job)
{
    skv_job *j = job;
    const skv_rows *rows = &j->run.rows;
    const int64_t samples = j->settings.samples;
    skv_failed_rows failed = {0};
    char reasons[640];
    skv_status st = SKV_OK;

    for (size_t i = 0; i < rows->prompts->n && st == SKV_OK; i++)
        if (rows->prompts->prompts[i].error)
            st = skv_failed_rows_add(&failed, rows->prompts->prompts[i].error, samples);
    j->result.n_failed = failed.n;
    skv_failed_rows_text(reasons, sizeof reasons, &failed);
    if (st == SKV_OK && failed.n > 0 && j->rank == 0)
        skv_warn("%" PRId64 " of %" PRId64 " rows will fail: %s", failed.n, rows->n_rows, reasons);
    skv_failed_rows_clear(&failed);
    return st;
}

/* Random, so that no two jobs of a run share one. */
skv_status skv_job__draw_token(void *job)
{
    skv_job *j = job;
    uint64_t drawn = 0;

    if (j->rank == 0 && getrandom(&drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn)
        return skv_fail(SKV_E_IO, "the system has no random numbers: %s", strerror(errno));
    snprintf(j->token, sizeof j->token, "%016" PRIx64, drawn);
    return SKV_OK;
}

skv_status skv_job__share_token(void *job)
{
    skv_job *j = job;

    return skv_comm_broadcast(j->comm, j->token, sizeof j->token, 0);
}

/* Only the group that holds the id, on every path. */
static skv_status only_work(skv_job *j)
{
    const skv_rows *rows = &j->run.rows;
    char id[SKV_ID_BYTES];

    for (int64_t row = 0; row < rows->n_rows; row++) {
        skv_rows_id(rows, row, id, sizeof id);
        if (strcmp(id, j->settings.only) != 0)
            continue;
        for (int i = 0; i < j->todo.n_paths; i++)
            j->todo.work[row / j->settings.group_size * j->todo.n_paths + i] = SKV_WORK_COMPUTE;
        return SKV_OK;
    }
    return skv_fail(SKV_E_ARG, "--only %s: no row has this id", j->settings.only);
}

skv_status skv_job__find_work(void *job)
{
    skv_job *j = job;

    SKV_TRY(skv_todo_list_init(&j->todo, j->run.rows.n_groups, j->run.paths.n));
    if (j->rank != 0)
        return SKV_OK;
    j->run.folder.stop = j->stop;
    SKV_TRY(skv_run_folder_open(j->settings.out, &j->run.folder));
    return j->settings.only ? only_work(j)
                            : skv_run_folder_scan(j->todo.work, j->settings.out, &j->run.folder);
}

skv_status skv_job__share_work(void *job)
{
    skv_job *j = job;

    SKV_TRY(skv_comm_broadcast(j->comm, j->todo.work, skv_todo_list_bytes(&j->todo), 0));
    skv_todo_list_count(&j->todo);
    skv_todo_list_share(&j->todo, j->rank, j->size, &j->first, &j->count);
    return SKV_OK;
}

skv_status skv_job__open_log(void *job)
{
    skv_job *j = job;
    char path[4096];

    snprintf(path, sizeof path, "%s/log", j->settings.out);
    SKV_TRY(skv_folder_make(path));
    snprintf(path, sizeof path, "%s/log/%d.txt", j->settings.out, j->rank);
    return skv_log_open(path);
}
