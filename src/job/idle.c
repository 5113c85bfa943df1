/* A rank that has nothing to compute, or cannot go on, while others do: for hours, perhaps. It may
 * not wait in a collective call meanwhile, where --wait-limit would take those others for lost. */
#include <stdio.h>
#include <time.h>

#include "core/log.h"
#include "job/job_parts.h"
#include "run/run_news.h"

#define QUIET_LOOKS 15 /* without a claim of others: they compute no more, or have not begun */

static bool is_complete(const skv_job *j)
{
    if (skv_run_news_list(j->todo.work, &j->place, &j->run.folder) != SKV_OK)
        return false;
    for (size_t i = 0; i < skv_todo_list_bytes(&j->todo); i++)
        if (j->todo.work[i] & SKV_WORK_COMPUTE)
            return false;
    return true;
}

void skv_job__wait_for_others(skv_job *j)
{
    const struct timespec second = {.tv_sec = 1};
    bool busy = false;

    if (j->size == 1 || j->settings.only)
        return;
    for (int quiet = 0; quiet < QUIET_LOOKS && !*j->stop; quiet = busy ? 0 : quiet + 1) {
        if (skv_claims_others(&busy, j->claims) != SKV_OK || (!busy && is_complete(j)))
            return;
        nanosleep(&second, NULL);
    }
}

skv_status skv_job__let_others_finish(skv_job *j, skv_status st)
{
    char message[1024];
    bool busy = false;

    snprintf(message, sizeof message, "%s", skv_message());
    if (j->size > 1 && skv_claims_others(&busy, j->claims) == SKV_OK && busy)
        skv_error("this rank cannot go on, the others do: %s", message);
    skv_job__wait_for_others(j);
    return skv_fail(st, "%s", message);
}
