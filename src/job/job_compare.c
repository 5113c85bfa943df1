/* Ranks must agree on everything that pictures depend on, before anything is computed: otherwise
 * one run would hold pictures of several, or its ranks would wait for each other for ever.
 *
 * The build comes first, for ranks of two builds may not even understand each other; settings come
 * before the first thing that depends on them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/build.h"
#include "core/json.h"
#include "core/log.h"
#include "job/job_parts.h"

/* Begins a comparison: drops the facts of the last one. */
static skv_status one_fact(skv_job *j, const char *what, const char *value)
{
    skv_facts_clear(&j->facts);
    return skv_facts_add(&j->facts, what, value);
}

/* Ranks that differ fail with `code`. */
static skv_status must_agree(skv_job *j, skv_status code)
{
    char difference[SKV_DIFFERENCE_BYTES];

    SKV_TRY(skv_ranks_compare(difference, j->comm, &j->facts));
    return difference[0] ? skv_fail(code, "%s", difference) : SKV_OK;
}

skv_status skv_job__name_build(void *job)
{
    return one_fact(job, "the build of skv", skv_build());
}

skv_status skv_job__compare_builds(void *job)
{
    return must_agree(job, SKV_E_UNSUPPORTED);
}

/* ------------------------------------------------------------------------- settings */

/* Settings of a rank's own: pictures do not depend on them, or only through the device, which is
 * compared by itself. */
static bool is_own(const char *key)
{
    static const char *const own[] = {"device", "dtype", "threads", "png_threads", "memory_limit"};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strcmp(key, own[i]) == 0)
            return true;
    return false;
}

static skv_status add_json(skv_facts *facts, const char *what, const json_t *value)
{
    char *text;
    skv_status st;

    if (json_is_null(value))
        return skv_facts_add(facts, what, "not given");
    SKV_TRY(skv_json_print(&text, value, SKV_JSON_SORTED));
    st = skv_facts_add(facts, what, text);
    free(text);
    return st;
}

static skv_status add_setting(skv_facts *facts, const char *key, const json_t *value)
{
    char flag[128];

    if (is_own(key))
        return SKV_OK;
    snprintf(flag, sizeof flag, "--%s", key);
    for (char *c = flag; *c; c++)
        *c = *c == '_' ? '-' : *c;
    return add_json(facts, flag, value);
}

skv_status skv_job__list_settings(void *job)
{
    skv_job *j = job;
    json_t *all = NULL, *value;
    const char *key;
    skv_status st;

    skv_facts_clear(&j->facts);
    SKV_TRY(skv_options_to_json(&all, skv_settings_table, &j->settings));
    json_object_foreach(all, key, value)
    {
        SKV_TRY_GOTO(add_setting(&j->facts, key, value), done);
    }
    st = SKV_OK;
done:
    json_decref(all);
    return st;
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
        SKV_TRY(add_json(&j->facts, what, value));
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
