/* -q and -v: how much every command says on standard error. */
#ifndef SKV_CLI_VERBOSITY_H
#define SKV_CLI_VERBOSITY_H

#include "cli/command.h"
#include "core/log.h"

extern const skv_option skv_verbosity_table[];

/* *level: the most verbose one that is shown; the words that say so are taken out of the command's
 * arguments. */
SKV_MUST skv_status skv_verbosity_take(skv_log_level *level, const skv_command *c, int *argc,
                                       char **argv);

#endif
