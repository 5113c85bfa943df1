/* skv sample: the main job. */
#include "cli/command.h"
#include "cli/help_lists.h"
#include "cli/sample_print.h"
#include "job/job.h"

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    skv_progress progress = {0};
    const skv_job_setup setup = {.comm = comm,
                                 .argc = argc,
                                 .argv = argv,
                                 .others = skv_command_tables(),
                                 .report = {.ctx = &progress,
                                            .planned = skv_print_plan,
                                            .estimated = skv_print_estimate,
                                            .progress = skv_print_progress,
                                            .gathered = skv_print_paths}};
    skv_job_result result;

    SKV_TRY(skv_print_end(&progress, skv_job_run(&result, &setup)));
    if (result.n_failed > 0)
        *exit_code = SKV_EXIT_PARTIAL;
    return SKV_OK;
}

const skv_command skv_cmd_sample = {.name = "sample",
                                    .usage = "--config FILE --out RUN [--option value ...]",
                                    .summary = "prompts to pictures, bits and cache statistics",
                                    .options = skv_settings_table,
                                    .more_help = skv_help_policies,
                                    .stops = true,
                                    .distributed = true,
                                    .run_option = "out",
                                    .reads_hdf5 = true,
                                    .run = run};
