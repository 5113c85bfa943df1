/* The list of commands, and what they read their options by. */
#include <stdlib.h>

#include "cli/command.h"
#include "core/config.h"
#include "core/mem.h"

const skv_command *const skv_commands[] = {&skv_cmd_sample,
                                           &skv_cmd_gather,
                                           &skv_cmd_eval,
                                           &skv_cmd_export,
                                           &skv_cmd_check,
                                           &skv_cmd_decode,
                                           &skv_cmd_inspect,
                                           &skv_cmd_verify,
                                           &skv_cmd_bench,
                                           &skv_cmd_doctor,
                                           NULL};

const skv_option *const *skv_command_tables(void)
{
    static const skv_option *tables[sizeof skv_commands / sizeof skv_commands[0]];

    for (size_t i = 0; skv_commands[i]; i++)
        tables[i] = skv_commands[i]->options;
    return tables;
}

/* Rank 0 reads, all have the text. */
static skv_status read_config(skv_config *c, skv_comm *comm, int argc, char **argv)
{
    skv_status st = skv_config_find(c, argc, argv);

    if (st == SKV_OK && (!comm || skv_comm_rank(comm) == 0))
        st = skv_config_read(c);
    if (!comm)
        return st;
    SKV_TRY(skv_comm_agree(comm, st));
    return skv_comm_broadcast_blob(comm, (void **)&c->text, &c->bytes, 0);
}

skv_status skv_command_options(void *options, const skv_command *c, skv_comm *comm, int argc,
                               char **argv, skv_words *words)
{
    skv_config config = {0};
    skv_settings_sources sources = {
        .config = &config, .argc = argc, .argv = argv, .others = skv_command_tables()};
    skv_status st = read_config(&config, comm, argc, argv);

    if (st == SKV_OK && words) {
        st = skv_alloc(&words->word, (size_t)argc + 1, sizeof *words->word, "arguments");
        sources.words = words->word;
        sources.n_words = &words->n;
    }
    if (st == SKV_OK)
        st = skv_config_apply(c->options, options, &sources);
    skv_config_clear(&config);
    return comm ? skv_comm_agree(comm, st) : st;
}
