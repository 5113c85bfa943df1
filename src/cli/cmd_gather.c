/* skv gather: the group files of a run into one run.h5. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "job/failed_rows.h"
#include "run/gather.h"
#include "run/run_json.h"
#include "run/run_lock.h"

typedef struct {
    char *config;
    bool virtual_run;
} gather_options;

static const skv_option table[] = {
    SKV_OPTION_CONFIG(gather_options),
    SKV_OPTION(gather_options, virtual_run, BOOL, "false",
               "refer to the pictures in the group files instead of copying them", "Gather"),
    {0}};

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    gather_options o = {0};
    skv_words words = {0};
    int64_t n_failed = 0;
    skv_claims *claims = NULL;
    skv_run_json json;
    skv_status st;

    (void)comm;
    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_gather, NULL, argc, argv, &words), done);
    if (words.n != 1) {
        st = skv_fail(SKV_E_ARG, "gather wants one run's folder, got %d", words.n);
        goto done;
    }
    st =
        skv_run_json_read(&json, words.word[0]); /* no lock is made in a folder that is not a run */
    skv_run_json_clear(&json);
    SKV_TRY_GOTO(st, done);
    SKV_TRY_GOTO(skv_run_claims_open(&claims, words.word[0]), done);
    SKV_TRY_GOTO(skv_run_lock_take(claims, words.word[0], SKV_RUN_LOCK_SECONDS, skv_stop_flag()),
                 done);
    st = skv_gather(words.word[0], o.virtual_run, skv_stop_flag(), &n_failed);
    skv_run_lock_release(claims);
    SKV_TRY_GOTO(st, done);
    printf("%s/run.h5\n", words.word[0]);
    if (n_failed > 0) {
        SKV_TRY_GOTO(skv_failed_rows_warn(words.word[0]), done);
        *exit_code = SKV_EXIT_PARTIAL;
    }
done:
    skv_claims_close(claims);
    free((void *)words.word);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_gather = {.name = "gather",
                                    .usage = "RUN [--virtual-run]",
                                    .summary = "collect a run's group files into RUN/run.h5",
                                    .options = table,
                                    .stops = true,
                                    .reads_hdf5 = true,
                                    .run = run};
