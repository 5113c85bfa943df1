/* What rank 0 reads: the configuration, for all ranks; prompts and rewritten prompts for itself, as
 * the others get them tokenised (share_rows.c). */
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/outputs.h"
#include "job/job_parts.h"

#define REWRITES_MAX_BYTES ((size_t)1 << 30)

bool skv_job__reads_options(const void *job)
{
    return !((const skv_job *)job)->setup->options;
}

skv_status skv_job__read_config(void *job)
{
    skv_job *j = job;

    SKV_TRY(skv_config_find(&j->config, j->setup->argc, j->setup->argv));
    return j->rank == 0 ? skv_config_read(&j->config) : SKV_OK;
}

skv_status skv_job__share_config(void *job)
{
    skv_config *c = &((skv_job *)job)->config;

    return skv_comm_broadcast_blob(((skv_job *)job)->comm, (void **)&c->text, &c->bytes, 0);
}

skv_status skv_job__read_settings(void *job)
{
    skv_job *j = job;
    const skv_settings_sources sources = {.config = &j->config,
                                          .argc = j->setup->argc,
                                          .argv = j->setup->argv,
                                          .others = j->setup->others};

    if (j->setup->options)
        j->settings = *(const skv_settings *)j->setup->options;
    else
        SKV_TRY(skv_settings_read(&j->settings, &sources));
    SKV_TRY(skv_settings_check(&j->settings));
    if (!skv_settings_list(&j->settings))
        return skv_fail(SKV_E_ARG, "--prompts is missing, or --prompt for one");
    if (!j->settings.out && !j->settings.dry_run)
        return skv_fail(SKV_E_ARG, "--out is missing");
    return j->rank == 0 && !j->setup->options ? skv_outputs_try(skv_settings_table, &j->settings)
                                              : SKV_OK;
}

skv_status skv_job__read_prompts(void *job)
{
    skv_job *j = job;

    if (j->rank != 0)
        return SKV_OK;
    if (j->settings.prompt) {
        skv_prompts_open_bytes(&j->list.source, j->settings.prompt, strlen(j->settings.prompt),
                               SKV_PROMPTS_TEXT);
        return SKV_OK;
    }
    return skv_option_opened("--prompts", skv_prompts_open(&j->list.source, j->settings.prompts));
}

bool skv_job__rewrites(const void *job)
{
    const skv_job *j = job;

    return j->settings.rewrite_cache != NULL;
}

skv_status skv_job__read_rewrites(void *job)
{
    skv_job *j = job;

    if (j->rank != 0)
        return SKV_OK;
    return skv_option_opened("--rewrite-cache",
                             skv_file_read(&j->list.rewrites, &j->list.n_rewrites,
                                           j->settings.rewrite_cache, REWRITES_MAX_BYTES));
}
