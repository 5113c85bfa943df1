#include "cli/verbosity.h"

typedef struct {
    bool quiet, verbose;
} verbosity;

const skv_option skv_verbosity_table[] = {
    {.key = "quiet",
     .type = SKV_OPT_BOOL,
     .offset = offsetof(verbosity, quiet),
     .letter = 'q',
     .help = "-q: nothing but warnings and errors on standard error",
     .group = "Messages"},
    {.key = "verbose",
     .type = SKV_OPT_BOOL,
     .offset = offsetof(verbosity, verbose),
     .letter = 'v',
     .help = "-v: also what is of use to who looks for a fault: phases, claims, choices"},
    {0}};

skv_status skv_verbosity_take(skv_log_level *level, const skv_command *c, int *argc, char **argv)
{
    verbosity v = {0};

    SKV_TRY(skv_options_take(skv_verbosity_table, &v, c->options, argc, argv));
    if (v.quiet && v.verbose)
        return skv_fail(SKV_E_ARG, "--quiet and --verbose exclude each other");
    *level = v.quiet ? SKV_LOG_WARN : v.verbose ? SKV_LOG_DEBUG : SKV_LOG_INFO;
    return SKV_OK;
}
