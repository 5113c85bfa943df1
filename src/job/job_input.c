/* What rank 0 reads and all ranks need: the configuration, the prompts, the rewritten prompts. */
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "job/job_parts.h"

#define CONFIG_MAX_BYTES   ((size_t)16 << 20)
#define REWRITES_MAX_BYTES ((size_t)1 << 30)

/* --config is needed before all other settings. */
static const char *config_argument(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            return argv[i + 1];
        if (strncmp(argv[i], "--config=", 9) == 0)
            return argv[i] + 9;
    }
    return NULL;
}

static skv_status read_blob(skv_blob *out, const char *path, size_t most)
{
    return skv_file_read((char **)&out->data, &out->bytes, path, most);
}

static skv_status share_blob(skv_job *j, skv_blob *b)
{
    return skv_comm_broadcast_blob(j->comm, &b->data, &b->bytes, 0);
}

skv_status skv_job__read_config(void *job)
{
    skv_job *j = job;
    const char *path = config_argument(j->setup->argc, j->setup->argv), *slash;
    skv_status st = SKV_OK;

    j->config_path = path;
    if (!path)
        return SKV_OK;
    slash = strrchr(path, '/');
    if (slash) {
        const size_t n = slash == path ? 1 : (size_t)(slash - path);

        SKV_TRY(skv_alloc(&j->config_folder, n + 1, 1, path));
        memcpy(j->config_folder, path, n);
    }
    if (j->rank == 0)
        st = read_blob(&j->config, path, CONFIG_MAX_BYTES);
    return st == SKV_E_NOTFOUND ? SKV_E_ARG : st;
}

skv_status skv_job__share_config(void *job)
{
    skv_job *j = job;

    return share_blob(j, &j->config);
}

skv_status skv_job__read_settings(void *job)
{
    skv_job *j = job;
    const bool is_there = j->rank == 0 ? j->config_path != NULL : j->config.bytes > 0;
    const char *name = j->config_path ? j->config_path : "rank 0's configuration";

    SKV_TRY(skv_settings_read(&j->settings, is_there ? j->config.data : NULL, j->config.bytes, name,
                              j->config_folder, j->setup->argc, j->setup->argv));
    SKV_TRY(skv_settings_check(&j->settings));
    if (!j->settings.prompts)
        return skv_fail(SKV_E_ARG, "--prompts is missing");
    if (!j->settings.out && !j->settings.dry_run)
        return skv_fail(SKV_E_ARG, "--out is missing");
    return SKV_OK;
}

skv_status skv_job__read_prompts(void *job)
{
    skv_job *j = job;

    if (j->rank != 0)
        return SKV_OK;
    return skv_prompts_load((char **)&j->prompts.data, &j->prompts.bytes, &j->form,
                            j->settings.prompts);
}

skv_status skv_job__share_prompts(void *job)
{
    skv_job *j = job;
    int64_t form = (int64_t)j->form;

    SKV_TRY(skv_comm_broadcast(j->comm, &form, sizeof form, 0));
    j->form = (skv_prompts_form)form;
    return share_blob(j, &j->prompts);
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
    return read_blob(&j->rewrites, j->settings.rewrite_cache, REWRITES_MAX_BYTES);
}

skv_status skv_job__share_rewrites(void *job)
{
    skv_job *j = job;

    return share_blob(j, &j->rewrites);
}
