/* What a GPU that need not be there would hold, and how long it would take (--for). */
#include <string.h>

#include "job/job_parts.h"
#include "sample/estimate.h"

#define MOST 64 /* rows of a group that are tried */

/* An H200's seconds for `n` groups of `size` rows, on all paths. */
static skv_status add_groups(double *sum, const skv_run_setup *s, int64_t n, int64_t size)
{
    skv_engine_setup group = s->engine;
    double seconds;

    group.max_prompts = (int)size;
    for (int i = 0; n > 0 && size > 0 && i < s->paths.n; i++) {
        SKV_TRY(skv_estimate_group(&seconds, &group, &s->paths.path[i]));
        *sum += seconds * (double)n;
    }
    return SKV_OK;
}

static skv_status add_hours(skv_job_estimate *e, const skv_run_setup *s)
{
    const int64_t size = s->settings->group_size;
    double seconds = 0;

    SKV_TRY(add_groups(&seconds, s, s->rows.segments.n_rows / size, size));
    SKV_TRY(add_groups(&seconds, s, 1, s->rows.segments.n_rows % size));
    e->measured = strcmp(e->gpu.name, SKV_ESTIMATE_GPU) == 0;
    e->hours = seconds / 3600 * (e->measured ? 1 : SKV_ESTIMATE_TFLOPS / e->gpu.tflops);
    return SKV_OK;
}

bool skv_job__plans_ahead(const void *job)
{
    const skv_job *j = job;

    return j->settings.for_gpu != NULL;
}

skv_status skv_job__estimate(void *job)
{
    skv_job *j = job;
    const skv_job_report *report = &j->setup->report;
    skv_job_estimate e = {.gpu = j->choice.planned, .available = j->memory, .most = MOST};

    if (j->rank != 0 || !report->estimated)
        return SKV_OK;
    if (j->run.rows.segments.n_rows < e.most)
        e.most = (int)j->run.rows.segments.n_rows;
    SKV_TRY(skv_run_setup_largest(&e.largest, &j->run, j->memory, e.most));
    if (e.gpu.tflops > 0 && j->choice.type == SKV_BF16)
        SKV_TRY(add_hours(&e, &j->run));
    report->estimated(report->ctx, &e);
    return SKV_OK;
}
