/* Settings of a command from all their sources: defaults < config < command line. The config is the
 * JSON file that --config names. */
#ifndef SKV_CORE_CONFIG_H
#define SKV_CORE_CONFIG_H

#include "core/options.h"

typedef struct {
    const char *path; /* as --config gives it, borrowed; NULL: there is none */
    char *folder;     /* what its PATH values are relative to; NULL: the current folder */
    char *text;       /* once read */
    size_t bytes;     /* of the text; 0: there is no config, on any rank */
} skv_config;

/* Finds --config among the arguments; reads nothing. Cleared with skv_config_clear. */
SKV_MUST skv_status skv_config_find(skv_config *out, int argc, char **argv);

/* Reads the text, if there is a config. SKV_E_ARG when it cannot be opened. */
SKV_MUST skv_status skv_config_read(skv_config *c);

void skv_config_clear(skv_config *c);

typedef struct {
    const skv_config *config; /* NULL: none */
    int argc;
    char **argv;
    const char **words; /* words that are not flags, borrowed, room for argc; NULL: refused */
    int *n_words;
    /* Tables whose keys the config may hold besides the command's own: they are passed over.
     * NULL-terminated; NULL: none. */
    const skv_option *const *others;
} skv_settings_sources;

/* Fills the struct at `settings`, zeroed by the caller, cleared by the caller in any case. What is
 * wrong in the config's text is SKV_E_ARG like everything else that the user gives. */
SKV_MUST skv_status skv_config_apply(const skv_option *table, void *settings,
                                     const skv_settings_sources *sources);

#endif
