/* skv gather: the group files of a run into one run.h5. */
#include <stdio.h>

#include "cli/command.h"
#include "job/failed_rows.h"
#include "run/gather.h"
#include "run/run_json.h"
#include "run/run_lock.h"

typedef struct {
    bool virtual_run;
} gather_options;

static const skv_option table[] = {
    {"virtual_run", SKV_OPT_BOOL, offsetof(gather_options, virtual_run), "false",
     "point at the pictures in the group files instead of copying them", "Gather"},
    {0}};

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    gather_options o = {0};
    const char *words[64];
    int64_t n_failed = 0;
    int n = 0, lock = -1;
    skv_run_json json;
    skv_status st;

    (void)comm;
    if (argc > 64)
        return skv_fail(SKV_E_ARG, "gather: too many words");
    SKV_TRY(skv_options_from_args(table, &o, argc, argv, words, &n));
    if (n != 1)
        return skv_fail(SKV_E_ARG, "gather wants one run's folder, got %d", n);
    st = skv_run_json_read(&json, words[0]); /* no lock is made in a folder that is no run */
    skv_run_json_clear(&json);
    SKV_TRY(st);
    SKV_TRY(skv_run_lock_take(&lock, words[0], SKV_RUN_LOCK_SECONDS, NULL));
    st = skv_gather(words[0], o.virtual_run, &n_failed);
    skv_run_lock_release(lock);
    SKV_TRY(st);
    printf("%s/run.h5\n", words[0]);
    if (n_failed > 0) {
        SKV_TRY(skv_failed_rows_warn(words[0]));
        *exit_code = SKV_EXIT_PARTIAL;
    }
    return SKV_OK;
}

const skv_command skv_cmd_gather = {.name = "gather",
                                    .usage = "RUN [--virtual-run]",
                                    .summary = "collect a run's group files into RUN/run.h5",
                                    .options = table,
                                    .reads_hdf5 = true,
                                    .run = run};
