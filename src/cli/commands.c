/* The list of commands, and what they read their options by. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/print_text.h"
#include "core/config.h"
#include "core/mem.h"
#include "core/outputs.h"

const skv_command *const skv_commands[] = {
    &skv_cmd_sample,  &skv_cmd_status, &skv_cmd_gather, &skv_cmd_eval,
    &skv_cmd_export,  &skv_cmd_check,  &skv_cmd_scores, &skv_cmd_decode,
    &skv_cmd_inspect, &skv_cmd_verify, &skv_cmd_bench,  &skv_cmd_calibrate,
    &skv_cmd_recall,  &skv_cmd_doctor, &skv_cmd_help,   NULL};

const skv_option *const *skv_command_tables(void)
{
    static const skv_option *tables[sizeof skv_commands / sizeof skv_commands[0]];

    for (size_t i = 0; skv_commands[i]; i++)
        tables[i] = skv_commands[i]->options;
    return tables;
}

skv_status skv_command_find(const skv_command **out, const char *name)
{
    const char *names[sizeof skv_commands / sizeof skv_commands[0]] = {0};
    const char *near;

    for (size_t i = 0; skv_commands[i]; i++) {
        *out = skv_commands[i];
        if (strcmp((*out)->name, name) == 0)
            return SKV_OK;
        names[i] = (*out)->name;
    }
    near = skv_nearest(name, names);
    return skv_fail(SKV_E_ARG, "unknown command %s%s%s; skv --help lists them", name,
                    near ? ", nearest is " : "", near ? near : "");
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

/* "RUN/" is "RUN": names made of it have one slash. */
static void drop_slashes(char *name)
{
    for (size_t n = strlen(name); n > 1 && name[n - 1] == '/'; n--)
        name[n - 1] = '\0';
}

/* The words, and the folder of --out. */
static void drop_all_slashes(const skv_command *c, const void *options, const skv_words *words)
{
    char *const *out = skv_options_value(c->options, options, "out");

    for (int i = 0; words && i < words->n; i++)
        drop_slashes((char *)(uintptr_t)words->word[i]); /* of argv, which is ours */
    if (out && *out)
        drop_slashes(*out);
}

/* --json -: standard output is for that alone. */
static skv_status set_json_apart(const skv_command *c, const void *options)
{
    for (const skv_option *o = c->options; o->key; o++)
        if (o->type == SKV_OPT_STRING && strcmp(o->key, "json") == 0)
            return skv_json_begin(*(char *const *)skv_options_value(c->options, options, o->key));
    return SKV_OK;
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
    if (st == SKV_OK)
        drop_all_slashes(c, options, words);
    if (st == SKV_OK && (!comm || skv_comm_rank(comm) == 0))
        st = skv_outputs_try(c->options, options);
    if (st == SKV_OK)
        st = set_json_apart(c, options);
    skv_config_clear(&config);
    return comm ? skv_comm_agree(comm, st) : st;
}

/* The options as this rank reads them by itself; words->n 0 where the command takes none. */
static skv_status read_alone(void *options, const skv_command *c, int argc, char **argv,
                             skv_words *words)
{
    skv_config config = {0};
    const skv_settings_sources sources = {.config = &config,
                                          .argc = argc,
                                          .argv = argv,
                                          .words = c->run_option ? NULL : words->word,
                                          .n_words = c->run_option ? NULL : &words->n,
                                          .others = skv_command_tables()};
    skv_status st = skv_config_find(&config, argc, argv);

    if (st == SKV_OK)
        st = skv_config_read(&config);
    if (st == SKV_OK)
        st = skv_config_apply(c->options, options, &sources);
    skv_config_clear(&config);
    return st;
}

static void take_wish(skv_comm_wish *out, char **text, const skv_command *c, const void *options,
                      const skv_words *words)
{
    const int64_t *port = skv_options_value(c->options, options, "port");
    const double *notice = skv_options_value(c->options, options, "wait_notice");
    const double *limit = skv_options_value(c->options, options, "wait_limit");
    const char *folder = words->n == 1 ? words->word[0] : NULL;

    if (c->run_option)
        folder = *(char *const *)skv_options_value(c->options, options, c->run_option);
    *text = folder ? strdup(folder) : NULL;
    out->run = *text;
    out->port = *port > 0 && *port < 65536 ? (int)*port : 0;
    out->wait_notice = *notice > 0 ? *notice : 0;
    out->wait_limit = *limit > 0 ? *limit : 0;
}

void skv_command_wish(skv_comm_wish *out, char **text, const skv_command *c, int argc, char **argv)
{
    skv_words words = {0};
    void *options = NULL;
    skv_status st;

    *out = (skv_comm_wish){.wait_notice = 60, .wait_limit = 1800};
    *text = NULL;
    st = skv_alloc(&words.word, (size_t)argc + 1, sizeof *words.word, "arguments");
    if (st == SKV_OK)
        st = skv_alloc(&options, skv_options_bytes(c->options), 1, "options");
    if (st == SKV_OK)
        st = read_alone(options, c, argc, argv, &words);
    if (st == SKV_OK)
        take_wish(out, text, c, options, &words);
    else
        out->why_no_run = *text = strdup(skv_message());
    if (options)
        skv_options_clear(c->options, options);
    free(options);
    free((void *)words.word);
}
