/* skv gather: the group files of a run into one run.h5. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "job/failed_rows.h"
#include "job/gather_ranks.h"
#include "job/stop.h"
#include "run/run_json.h"
#include "run/run_lock.h"

typedef struct {
    char *config;
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

static skv_status gather(int64_t *n_failed, skv_comm *comm, const char *run,
                         const gather_options *o)
{
    skv_gather_ranks_setup setup = {.run = run,
                                    .virtual_images = o->virtual_run,
                                    .partial = o->partial,
                                    .stop = skv_stop_flag()};
    skv_status st = SKV_OK;

    if (skv_comm_rank(comm) == 0)
        st = open_claims(&setup.claims, run);
    st = skv_comm_agree(comm, st);
    if (st == SKV_OK)
        st = skv_gather_ranks(n_failed, comm, &setup);
    skv_claims_close(setup.claims);
    return st;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    gather_options o = {0};
    skv_words words = {0};
    int64_t n_failed = 0;
    skv_status st;

    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_gather, comm, argc, argv, &words), done);
    if (words.n != 1) {
        st = skv_fail(SKV_E_ARG, "gather wants one run's folder, got %d", words.n);
        goto done;
    }
    SKV_TRY_GOTO(gather(&n_failed, comm, words.word[0], &o), done);
    *exit_code = n_failed > 0 ? SKV_EXIT_PARTIAL : SKV_EXIT_OK;
    if (skv_comm_rank(comm) != 0)
        goto done;
    printf("%s/run.h5\n", words.word[0]);
    if (n_failed > 0)
        st = skv_failed_rows_warn(words.word[0]);
done:
    free((void *)words.word);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_gather = {.name = "gather",
                                    .usage = "RUN [--virtual-run] [--partial]",
                                    .summary = "collect a run's group files into RUN/run.h5",
                                    .options = table,
                                    .stops = true,
                                    .distributed = true,
                                    .reads_hdf5 = true,
                                    .run = run};
