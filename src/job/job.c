#include "job/job.h"

#include <stdlib.h>

#include "job/job_parts.h"
#include "job/stop.h"

/* name, own part, part together, when */
static const skv_phase planning[] = {
    {"configuration", skv_job__read_config, skv_job__share_config, skv_job__reads_options},
    {"settings", skv_job__read_settings, NULL, NULL},
    {"comparing settings", skv_job__list_settings, skv_job__compare_settings, NULL},
    {"prompts", skv_job__read_prompts, NULL, NULL},
    {"rewritten prompts", skv_job__read_rewrites, NULL, skv_job__rewrites},
    {"device", skv_job__open_device, skv_job__count_sharing, NULL},
    {"comparing types", skv_job__name_type, skv_job__compare_types, NULL},
    {"comparing devices", skv_job__name_device, skv_job__compare_devices, NULL},
    {"set-up", skv_job__open_setup, NULL, NULL},
    {"rows", skv_job__find_rows, skv_job__share_facts, NULL},
    {"tokens", skv_job__make_rows, skv_job__share_tokens, NULL},
    {"memory plan", skv_job__plan_run, NULL, NULL},
    {"comparing contents", skv_job__list_contents, skv_job__compare_contents, NULL},
    {"planning texts", NULL, skv_job__plan_texts, skv_job__text_cache},
    {"plan", NULL, skv_job__show_plan, NULL},
    {"memory", skv_job__find_memory, skv_job__gather_memory, NULL},
    {"fitting the plan", skv_job__check_memory, NULL, NULL},
    {"estimate", skv_job__estimate, NULL, skv_job__plans_ahead},
    {"foreseen failures", skv_job__foresee, NULL, skv_job__is_dry},
};

static const skv_phase running[] = {
    {"token", skv_job__draw_token, skv_job__share_token, NULL},
    {"hosts", NULL, skv_job__gather_hosts, NULL},
    {"folder", skv_job__open_folder, skv_job__share_place, NULL},
    {"watcher", skv_job__watch, NULL, NULL},
    {"rows of the run", skv_job__open_rows, NULL, NULL},
    {"work", skv_job__find_work, skv_job__share_work, NULL},
    {"run folder", skv_job__enter_run, NULL, NULL},
    {"encoding texts", NULL, skv_job__encode_texts, skv_job__text_cache},
    {"encoded texts", skv_job__open_texts, NULL, skv_job__text_cache},
    {"sharing weights", NULL, skv_job__share_weights, NULL},
    {"text encoder", NULL, skv_job__load_t5, skv_job__encodes},
    {"model", NULL, skv_job__load_model, NULL},
    {"tuning ranks", skv_job__name_device_kind, skv_job__find_leaders, skv_job__tunes},
    {"tuning", skv_job__measure, skv_job__share_tuning, skv_job__tunes},
    {"tuned algorithms", skv_job__use_tuning, NULL, skv_job__tunes},
    {"groups", skv_job__sample_groups, NULL, NULL},
    {"gather", NULL, skv_job__gather, skv_job__gathers},
};

/* run.h5 is complete: a stop comes too late. */
static const skv_phase reporting[] = {
    {"report", skv_job__report, NULL, skv_job__gathers},
    {"gather left out", skv_job__say_gather, NULL, skv_job__leaves_gather},
};

#define N_PLANNING  (int)(sizeof planning / sizeof planning[0])
#define N_RUNNING   (int)(sizeof running / sizeof running[0])
#define N_REPORTING (int)(sizeof reporting / sizeof reporting[0])

const char *skv_job_phase_name(int i)
{
    if (i < N_PLANNING)
        return planning[i].name;
    i -= N_PLANNING;
    if (i < N_RUNNING)
        return running[i].name;
    i -= N_RUNNING;
    return i < N_REPORTING ? reporting[i].name : NULL;
}

void skv_job__init(skv_job *j, const skv_job_setup *setup)
{
    *j = (skv_job){.setup = setup,
                   .comm = setup->comm,
                   .rank = skv_comm_rank(setup->comm),
                   .size = skv_comm_size(setup->comm),
                   .stop = skv_stop_flag(),
                   .started = time(NULL),
                   .showing = PTHREAD_MUTEX_INITIALIZER};
}

skv_status skv_job__plan(skv_job *j)
{
    return skv_phases_run(planning, N_PLANNING, j, j->comm, &j->setup->failure, j->stop);
}

static skv_status run(skv_job *j)
{
    const skv_phase_failure *failure = &j->setup->failure;

    SKV_TRY(skv_job__plan(j));
    if (j->settings.dry_run)
        return SKV_OK;
    SKV_TRY(skv_phases_run(running, N_RUNNING, j, j->comm, failure, j->stop));
    return skv_phases_run(reporting, N_REPORTING, j, j->comm, failure, NULL);
}

void skv_job__clear(skv_job *j)
{
    skv_engine_destroy(j->engine);
    skv_t5_destroy(j->t5);
    skv_weights_sharing_close(&j->sharing);
    skv_text_phase_close(&j->texts);
    skv_run_setup_clear(&j->run);
    if (j->text_be != j->be)
        skv_backend_destroy(j->text_be);
    skv_backend_destroy(j->be);
    free(j->devices);
    free(j->hosts);
    if (!j->setup->options)
        skv_options_clear(skv_settings_table, &j->settings);
    skv_facts_clear(&j->facts);
    skv_todo_list_clear(&j->todo);
    if (j->rank == 0)
        skv_run_folder_leave(j->claims);
    skv_claims_close(j->claims);
    skv_config_clear(&j->config);
    skv_prompt_list_clear(&j->list);
    free(j->kinds);
    free(j->leader);
    free(j->tuning.data);
}

skv_status skv_job_run(skv_job_result *out, const skv_job_setup *setup)
{
    skv_status st;
    skv_job j;

    skv_job__init(&j, setup);
    st = skv_job__end_watch(&j, run(&j));
    *out = j.result;
    skv_job__clear(&j);
    return st;
}
