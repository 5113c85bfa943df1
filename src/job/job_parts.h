/* Inside src/job only: a job's state, and its phases by file. */
#ifndef SKV_JOB_JOB_PARTS_H
#define SKV_JOB_JOB_PARTS_H

#include <pthread.h>
#include <time.h>

#include "core/flag.h"
#include "job/backend_choice.h"
#include "job/compare_ranks.h"
#include "job/group_queue.h"
#include "job/job.h"
#include "job/pace.h"
#include "job/share_weights.h"
#include "job/text_phase.h"
#include "job/todo_list.h"
#include "job/watcher.h"
#include "sample/rows_build.h"
#include "sample/sampler.h"

#define SKV_TOKEN_BYTES 17 /* 16 hexadecimal digits */

typedef struct {
    const skv_job_setup *setup;
    skv_comm *comm;
    int rank, size;
    char token[SKV_TOKEN_BYTES]; /* the job's name in the run's folder: the same on all ranks */
    time_t started;
    skv_blob *hosts; /* rank 0: (size) the name of each rank's host */
    skv_job_result result;
    skv_facts facts; /* of the comparison at hand */
    const skv_flag *stop;
    skv_watcher *watcher;
    char who[128]; /* this rank among several, for the others */
    /* input */
    skv_config config;
    skv_settings settings;
    skv_prompt_list list; /* rank 0, until it is parsed */
    /* set-up */
    skv_device_choice choice;
    skv_backend *be, *text_be; /* text_be may be be */
    int64_t *devices;          /* (size) skv_device_number of each rank */
    skv_run_setup run;
    char rows_key[SKV_DIGEST_BYTES]; /* rank 0: of what rows.h5 is made of */
    skv_prompt_facts facts_of_rows;
    skv_prompt_place rows_place;
    bool rows_found;     /* rows.h5 was there, nothing is to be parsed */
    double rows_started; /* rank 0: when it began to look for them */
    size_t memory;       /* that this rank may take; on rank 0 the least of all ranks... */
    int poorest;         /* ...and whose that is */
    skv_text_phase texts;
    skv_run_place place; /* of the run's files */
    skv_todo_list todo;
    int64_t first, count; /* this rank's share: places in todo.group. None: it has no work */
    skv_claims *claims;
    /* model */
    skv_weights_sharing sharing;
    skv_t5 *t5; /* NULL: texts are read from a file */
    skv_engine *engine;
    int64_t *kinds;  /* (size) a number of what each rank's backend says of itself */
    int32_t *leader; /* by rank: whose choice of algorithms it uses; -1: it has no work */
    skv_blob tuning; /* that choice, as text */
    /* groups */
    skv_pace pace;
    skv_writer *writer;
    skv_group_queue *queue;
    _Atomic(int64_t) n_done; /* groups, by this rank; the watcher reads it */
    double group_seconds;    /* that they took */
    pthread_mutex_t showing; /* of the next three: on rank 0, progress is being shown */
    bool shows;
    double shown_since, images_a_group;
    bool gathered;         /* on rank 0 */
    char only_failed[512]; /* why --only's row failed, path by path */
} skv_job;

/* job.c: a job's beginning; the phases from the arguments to a plan that all ranks share; its end.
 */
void skv_job__init(skv_job *j, const skv_job_setup *setup);
SKV_MUST skv_status skv_job__plan(skv_job *j);
void skv_job__clear(skv_job *j);

/* The parts of phases (job/phase.h); `job` is a skv_job. */

/* job_input.c: arguments, configuration, prompts */
bool skv_job__reads_options(const void *job);
SKV_MUST skv_status skv_job__read_config(void *job);
SKV_MUST skv_status skv_job__share_config(void *job);
SKV_MUST skv_status skv_job__read_settings(void *job);
SKV_MUST skv_status skv_job__read_prompts(void *job);
bool skv_job__rewrites(const void *job);
SKV_MUST skv_status skv_job__read_rewrites(void *job);

/* share_rows.c: prompts parsed by one rank, tokenised by all, kept in RUN/rows.h5 */
SKV_MUST skv_status skv_job__find_rows(void *job);
SKV_MUST skv_status skv_job__share_facts(void *job);
SKV_MUST skv_status skv_job__make_rows(void *job);
SKV_MUST skv_status skv_job__share_tokens(void *job);
SKV_MUST skv_status skv_job__keep_rows(skv_job *j); /* rank 0, once the folder is open */
SKV_MUST skv_status skv_job__share_place(void *job);
SKV_MUST skv_status skv_job__open_rows(void *job);

/* job_compare.c: whether all ranks are to compute the same, in the same way */
SKV_MUST skv_status skv_job__list_settings(void *job);
SKV_MUST skv_status skv_job__compare_settings(void *job);
SKV_MUST skv_status skv_job__name_type(void *job);
SKV_MUST skv_status skv_job__compare_types(void *job);
SKV_MUST skv_status skv_job__name_device(void *job);
SKV_MUST skv_status skv_job__compare_devices(void *job);
SKV_MUST skv_status skv_job__list_contents(void *job);
SKV_MUST skv_status skv_job__compare_contents(void *job);

/* job_setup.c: device, plan, work */
SKV_MUST skv_status skv_job__open_device(void *job);
SKV_MUST skv_status skv_job__count_sharing(void *job);
SKV_MUST skv_status skv_job__open_setup(void *job);
SKV_MUST skv_status skv_job__plan_run(void *job);
bool skv_job__text_cache(const void *job);
SKV_MUST skv_status skv_job__plan_texts(void *job);
SKV_MUST skv_status skv_job__show_plan(void *job);
SKV_MUST skv_status skv_job__find_memory(void *job);
SKV_MUST skv_status skv_job__gather_memory(void *job);
SKV_MUST skv_status skv_job__check_memory(void *job);
bool skv_job__plans_ahead(const void *job); /* --for */
SKV_MUST skv_status skv_job__estimate(void *job);
bool skv_job__is_dry(const void *job);
SKV_MUST skv_status skv_job__foresee(void *job);
SKV_MUST skv_status skv_job__draw_token(void *job);
SKV_MUST skv_status skv_job__share_token(void *job);
SKV_MUST skv_status skv_job__gather_hosts(void *job);
SKV_MUST skv_status skv_job__open_folder(void *job);
SKV_MUST skv_status skv_job__find_work(void *job);
SKV_MUST skv_status skv_job__share_work(void *job);
SKV_MUST skv_status skv_job__enter_run(void *job);

/* job_stop.c: how a stop is told and said */
SKV_MUST skv_status skv_job__watch(void *job);
/* SKV_E_STOPPED: asked to stop, or --max-hours has no room for one more group. */
SKV_MUST skv_status skv_job__go_on(const skv_job *j);
/* Ends the watcher; st, with what is done and left as its message where the job was stopped. */
SKV_MUST skv_status skv_job__end_watch(skv_job *j, skv_status st);

/* job_progress.c: what rank 0 shows of all ranks between the two; the watcher looks */
void skv_job__begin_progress(skv_job *j);
void skv_job__look_at_progress(void *job);
void skv_job__end_progress(skv_job *j, bool complete);

/* job_model.c: texts, weights */
SKV_MUST skv_status skv_job__encode_texts(void *job);
SKV_MUST skv_status skv_job__open_texts(void *job);
SKV_MUST skv_status skv_job__share_weights(void *job);
bool skv_job__encodes(const void *job);
SKV_MUST skv_status skv_job__load_t5(void *job);
SKV_MUST skv_status skv_job__load_model(void *job);

/* job_tuning.c: algorithms */
bool skv_job__tunes(const void *job);
SKV_MUST skv_status skv_job__name_device_kind(void *job);
SKV_MUST skv_status skv_job__find_leaders(void *job);
SKV_MUST skv_status skv_job__measure(void *job);
SKV_MUST skv_status skv_job__share_tuning(void *job);
SKV_MUST skv_status skv_job__use_tuning(void *job);

/* job_groups.c: the loop, and what comes after it. The sampler of a job that has its model; sink,
 * probe and where texts come from are the caller's. */
skv_sampler skv_job__sampler(const skv_job *j);
SKV_MUST skv_status skv_job__sample_groups(void *job);

/* idle.c: while other ranks compute; returns when they do not, or the run is complete, or at a
 * stop. The second is for a rank that failed, says why, and returns `st` with its message. */
void skv_job__wait_for_others(skv_job *j);
SKV_MUST skv_status skv_job__let_others_finish(skv_job *j, skv_status st);

bool skv_job__gathers(const void *job);
SKV_MUST skv_status skv_job__gather(void *job);
SKV_MUST skv_status skv_job__report(void *job);
bool skv_job__leaves_gather(const void *job);
SKV_MUST skv_status skv_job__say_gather(void *job);

#endif
