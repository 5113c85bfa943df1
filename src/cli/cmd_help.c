/* skv help: in each of its forms. */
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"

typedef struct {
    char *as;
} help_options;

static const skv_option table[] = {
    SKV_OPTION_WORD(help_options, as, "text|man|markdown|bash|names", "text",
                    "form: text for a terminal, a man page, Markdown, completion for bash, the "
                    "commands' names",
                    "Help"),
    {.key = NULL},
};

static void print_names(FILE *to)
{
    for (const skv_command *const *c = skv_commands; *c; c++)
        fprintf(to, "%s\n", (*c)->name);
}

static const struct {
    const char *name;
    void (*program)(FILE *to);
    void (*command)(FILE *to, const skv_command *c); /* NULL: there is the program's alone */
} forms[] = {
    {"text", skv_help_program, skv_help_command},
    {"man", skv_help_man_program, skv_help_man_command},
    {"markdown", skv_help_markdown_program, skv_help_markdown_command},
    {"bash", skv_help_bash, NULL},
    {"names", print_names, NULL},
};

static skv_status print(const char *as, const skv_words *words)
{
    const skv_command *c = NULL;
    size_t i = 0;

    if (words->n > 1)
        return skv_fail(SKV_E_ARG, "help is for one command at a time, got %d", words->n);
    if (words->n > 0)
        SKV_TRY(skv_command_find(&c, words->word[0]));
    while (strcmp(forms[i].name, as) != 0)
        i++;
    if (c && !forms[i].command)
        return skv_fail(SKV_E_ARG, "--as %s is for the whole program: leave out \"%s\"", as,
                        c->name);
    if (c)
        forms[i].command(stdout, c);
    else
        forms[i].program(stdout);
    return SKV_OK;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    help_options o = {0};
    skv_words words = {0};
    skv_status st;

    (void)comm, (void)exit_code;
    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_help, NULL, argc, argv, &words), done);
    st = print(o.as, &words);
done:
    free((void *)words.word);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_help = {.name = "help",
                                  .usage = "[COMMAND] [--as FORM]",
                                  .summary =
                                      "this list, or a command's options; man pages and completion",
                                  .options = table,
                                  .run = run};
