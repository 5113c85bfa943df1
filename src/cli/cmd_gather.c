/* skv gather: the group files of a run into one run.h5. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/print_text.h"
#include "job/failed_rows.h"
#include "job/gather_ranks.h"
#include "job/stop.h"
#include "run/run_json.h"
#include "run/run_lock.h"

typedef struct {
    char *config, *json;
    bool virtual_run, partial;
    int64_t port;
    double wait_notice, wait_limit;
} gather_options;

static const skv_option table[] = {
    SKV_OPTION_CONFIG(gather_options),
    SKV_OPTION(gather_options, virtual_run, BOOL, "false",
               "refer to the pictures in the group files instead of copying them", "Gather"),
    SKV_OPTION(
        gather_options, partial, BOOL, "false",
        "take the groups that are there, without copying pictures; run.h5 says what it lacks, "
        "and the next gather makes it anew",
        NULL),
    SKV_OPTION_FLAG(gather_options, json, STRING, NULL,
                    "what run.h5 has and what it lacks, " SKV_JSON_HELP, NULL),
    SKV_OPTION_RANKS(gather_options),
    {0}};

/* Rank 0: nothing is made in a folder that is not a run. */
static skv_status open_claims(skv_claims **out, const char *run)
{
    skv_run_json json;
    const skv_status st = skv_run_json_read(&json, run);

    skv_run_json_clear(&json);
    SKV_TRY(st);
    return skv_run_claims_open(out, run);
}

static skv_status gather(skv_gathered *found, skv_comm *comm, const char *run,
                         const gather_options *o)
{
    skv_gather_ranks_setup setup = {.run = run,
                                    .virtual_images = o->virtual_run,
                                    .partial = o->partial,
                                    .names = o->json != NULL,
                                    .stop = skv_stop_flag()};
    skv_status st = SKV_OK;

    if (skv_comm_rank(comm) == 0)
        st = open_claims(&setup.claims, run);
    st = skv_comm_agree(comm, st);
    if (st == SKV_OK)
        st = skv_gather_ranks(found, comm, &setup);
    skv_claims_close(setup.claims);
    return st;
}

/* ---------------------------------------------------------------------------- JSON */

static json_t *path_names(const skv_run_json *json)
{
    skv_json_maker list = skv_json_array();
    const char *name;
    json_t *entry;

    json_object_foreach(json->paths, name, entry) skv_json_append(&list, json_string(name));
    return skv_json_take(&list);
}

/* What is in the run.h5 that was made. */
static skv_status add_made(skv_json_maker *root, const char *run)
{
    skv_failed_rows failed = {0};
    skv_run_file file;
    char name[4096];
    struct stat info;
    skv_status st;

    snprintf(name, sizeof name, "%s/run.h5", run);
    SKV_TRY_GOTO(skv_run_file_open_partial(&file, run), done);
    SKV_TRY_GOTO(skv_failed_rows_of(&failed, &file), done);
    skv_json_put(root, "file", skv_json_foreign(name));
    skv_json_put(root, "bytes", stat(name, &info) == 0 ? json_integer(info.st_size) : json_null());
    skv_json_put(root, "failed_rows", skv_failed_rows_json(&failed));
    skv_json_put(root, "partial", file.partial ? skv_json_foreign(file.partial) : json_null());
done:
    skv_failed_rows_clear(&failed);
    skv_run_file_close(&file);
    return st;
}

/* made: there is a run.h5; otherwise the groups that it would lack are told. */
static skv_status write_json(const gather_options *o, const char *run, const skv_gathered *found,
                             bool made)
{
    skv_json_maker root = skv_json_object();
    skv_run_json json;
    skv_status st;

    SKV_TRY_GOTO(skv_run_json_read(&json, run), done);
    skv_json_put(&root, "run", skv_json_foreign(run));
    skv_json_put(&root, "paths", path_names(&json));
    skv_json_put(&root, "rows", json_integer(json.n_rows));
    skv_json_put(&root, "groups_a_path", json_integer(json.n_groups));
    skv_json_put(&root, "missing_groups", json_incref(found->missing));
    skv_json_put(&root, "set_aside", json_incref(found->set_aside));
    if (made)
        SKV_TRY_GOTO(add_made(&root, run), done);
    else
        skv_json_put(&root, "file", json_null());
    st = skv_print_made(&root, o->json);
done:
    skv_run_json_clear(&json);
    json_decref(skv_json_take(&root));
    return st;
}

/* ------------------------------------------------------------------------- command */

/* On rank 0. gathered: how the gathering ended, which is returned where it failed. */
static skv_status tell(const gather_options *o, const char *run, const skv_gathered *found,
                       skv_status gathered)
{
    if (gathered == SKV_OK)
        printf("%s/run.h5\n", run);
    if (found->missing)
        SKV_TRY(write_json(o, run, found, gathered == SKV_OK));
    if (gathered == SKV_OK && found->n_failed > 0)
        SKV_TRY(skv_failed_rows_warn(run));
    return gathered;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    gather_options o = {0};
    skv_gathered found = {0};
    skv_words words = {0};
    skv_status st;

    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_gather, comm, argc, argv, &words), done);
    if (words.n != 1) {
        st = skv_fail(SKV_E_ARG, "gather wants one run's folder, got %d", words.n);
        goto done;
    }
    st = gather(&found, comm, words.word[0], &o);
    if (skv_comm_rank(comm) == 0)
        st = tell(&o, words.word[0], &found, st);
    if (st == SKV_OK && found.n_failed > 0)
        *exit_code = SKV_EXIT_PARTIAL;
done:
    json_decref(found.missing);
    json_decref(found.set_aside);
    free((void *)words.word);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_gather = {.name = "gather",
                                    .usage = "RUN [--virtual-run] [--partial] [--json FILE]",
                                    .summary = "collect a run's group files into RUN/run.h5",
                                    .options = table,
                                    .stops = true,
                                    .distributed = true,
                                    .reads_hdf5 = true,
                                    .run = run};
