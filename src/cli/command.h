/* One file a command; commands.c has the list, main.c the only main and the exit codes. */
#ifndef SKV_CLI_COMMAND_H
#define SKV_CLI_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "core/options.h"
#include "core/status.h"
#include "job/stop.h"
#include "mpi/comm.h"

#define SKV_EXIT_OK      0
#define SKV_EXIT_FAILED  1 /* also: verify found a quantity out of tolerance */
#define SKV_EXIT_USAGE   2
#define SKV_EXIT_PARTIAL 3             /* complete, but some prompts failed */
#define SKV_EXIT_AGAIN   SKV_STOP_EXIT /* 75, stopped early: run again */

typedef struct {
    const char *name, *usage, *summary;
    const skv_option *options;
    void (*more_help)(FILE *to); /* what follows the options in the help; NULL: nothing */
    bool stops;                  /* ends with SKV_EXIT_AGAIN when asked to stop (job/stop.h) */
    bool distributed;            /* joins the other ranks; otherwise comm is NULL */
    bool any_build;              /* compares its ranks' builds by itself; otherwise main does */
    const char *run_option;      /* of those: what names the run's folder; NULL: its only word */
    bool reads_hdf5; /* main starts the process that checks HDF5 files; else none opens */
    /* Sets *exit_code (0 on entry) for a result that is not a failure. argv: what follows the
     * command's name. */
    skv_status (*run)(skv_comm *comm, int argc, char **argv, int *exit_code);
} skv_command;

/* The arguments that are not options: a run's folder, files. */
typedef struct {
    const char **word; /* borrowed from argv */
    int n;
} skv_words;

/* Fills the options of a command (its table; the struct zeroed by the caller) from defaults,
 * --config and the arguments. Collective where comm is not NULL: rank 0 reads the config. words
 * NULL: words are refused; else words->word is freed by the caller, in any case; slashes
 * at a word's end are dropped. */
SKV_MUST skv_status skv_command_options(void *options, const skv_command *c, skv_comm *comm,
                                        int argc, char **argv, skv_words *words);

/* What the communicator must know before it is open, for a distributed command. *text is what
 * *out points to (free()). What is wrong with the arguments is said later, by
 * skv_command_options. */
void skv_command_wish(skv_comm_wish *out, char **text, const skv_command *c, int argc, char **argv);

/* SKV_E_ARG names the nearest one. */
SKV_MUST skv_status skv_command_find(const skv_command **out, const char *name);

/* All commands, and the option tables of all; NULL-terminated. */
extern const skv_command *const skv_commands[];
const skv_option *const *skv_command_tables(void);

extern const skv_command skv_cmd_eval, skv_cmd_sample, skv_cmd_gather, skv_cmd_decode,
    skv_cmd_inspect, skv_cmd_verify, skv_cmd_bench, skv_cmd_export, skv_cmd_check, skv_cmd_doctor,
    skv_cmd_scores, skv_cmd_calibrate, skv_cmd_recall, skv_cmd_help, skv_cmd_status;

#endif
