/* Ranks must agree on everything that pictures depend on, before anything is computed: otherwise
 * one run would hold pictures of several, or its ranks would wait for each other for ever.
 *
 * Command and build have been compared before the job begins (job/compare_ranks.h);
 * settings come before the first thing that depends on them. */
#include <stdio.h>

#include "core/log.h"
#include "job/job_parts.h"

/* A comparison of one fact: those of the last one are dropped. */
static skv_status one_fact(skv_job *j, const char *what, const char *value)
{
    skv_facts_clear(&j->facts);
    return skv_facts_add(&j->facts, what, value);
}

static skv_status must_agree(skv_job *j, skv_status code)
{
    return skv_ranks_must_agree(j->comm, &j->facts, code);
}

/* ------------------------------------------------------------------------- settings */

skv_status skv_job__list_settings(void *job)
{
    skv_job *j = job;

    skv_facts_clear(&j->facts);
    if (j->setup->options)
        return skv_facts_add_settings(&j->facts, j->setup->table, j->setup->options);
    return skv_facts_add_settings(&j->facts, skv_settings_table, &j->settings);
}

skv_status skv_job__compare_settings(void *job)
{
    return must_agree(job, SKV_E_ARG);
}

/* --------------------------------------------------------------------------- device */

skv_status skv_job__name_type(void *job)
{
    skv_job *j = job;
    char text[64];

    snprintf(text, sizeof text, "%s on %s", skv_dtype_name(j->choice.type),
             j->choice.cuda ? "a GPU" : "the CPU");
    return one_fact(j, "the kind of device and its number type", text);
}

/* Never allowed to differ: weights, algorithms and memory plans are of one kind. */
skv_status skv_job__compare_types(void *job)
{
    return must_agree(job, SKV_E_UNSUPPORTED);
}

skv_status skv_job__name_device(void *job)
{
    skv_job *j = job;

    return one_fact(j, "the device", skv_backend_describe(j->be));
}

skv_status skv_job__compare_devices(void *job)
{
    skv_job *j = job;
    char difference[SKV_DIFFERENCE_BYTES];

    SKV_TRY(skv_ranks_compare(difference, j->comm, &j->facts));
    if (!difference[0])
        return SKV_OK;
    if (!j->settings.allow_other_device)
        return skv_fail(SKV_E_UNSUPPORTED,
                        "%s: pictures would depend on the rank that computes them "
                        "(--allow-other-device continues anyway)",
                        difference);
    if (j->rank == 0)
        skv_warn("%s: the last bits of pictures depend on the rank that computes them", difference);
    return SKV_OK;
}

/* ---------------------------------------------------------- digests of files and rules */

skv_status skv_job__list_contents(void *job)
{
    skv_job *j = job;
    const skv_identity *id = &j->run.identity;
    char what[128 + 64];
    const char *key;
    json_t *value;

    skv_facts_clear(&j->facts);
    json_object_foreach(id->common, key, value)
    {
        snprintf(what, sizeof what, "what %s contains (by its digest)", key);
        SKV_TRY(skv_facts_add_json(&j->facts, what, value));
    }
    for (int i = 0; i < j->run.paths.n; i++) {
        snprintf(what, sizeof what, "what cache path %s does (by its digest)",
                 j->run.paths.path[i].name);
        SKV_TRY(skv_facts_add(&j->facts, what, id->path_digests[i]));
    }
    return SKV_OK;
}

skv_status skv_job__compare_contents(void *job)
{
    return must_agree(job, SKV_E_FORMAT);
}
