/* Help for a terminal, and what the forms share. */
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"
#include "cli/verbosity.h"

void skv_help_program(FILE *to)
{
    fprintf(to, "usage: skv <command> [--config FILE] [--option value ...]\n\n");
    for (const skv_command *const *c = skv_commands; *c; c++)
        fprintf(to, "  %-9s %s\n", (*c)->name, (*c)->summary);
    fprintf(to, "\nskv <command> --help lists a command's options.\n");
}

void skv_help_command(FILE *to, const skv_command *c)
{
    skv_option *all = skv_help_options(c);
    char *options = NULL;
    const skv_status st = all ? skv_options_help(&options, all) : SKV_E_MEM;

    free(all);
    if (st != SKV_OK)
        return;
    fprintf(to, "usage: skv %s %s\n\n%s.\n\n%s", c->name, c->usage, c->summary, options);
    free(options);
    if (c->more_help)
        c->more_help(to);
}

static size_t count(const skv_option *table)
{
    size_t n = 0;

    while (table[n].key)
        n++;
    return n;
}

skv_option *skv_help_options(const skv_command *c)
{
    const size_t own = count(c->options), common = count(skv_verbosity_table);
    skv_option *all = malloc((own + common + 1) * sizeof *all);

    if (!all)
        return NULL;
    memcpy(all, c->options, own * sizeof *all);
    memcpy(all + own, skv_verbosity_table, (common + 1) * sizeof *all);
    return all;
}

char *skv_help_more(const skv_command *c)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);

    if (!f)
        return NULL;
    if (c->more_help)
        c->more_help(f);
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

const char *skv_help_default(const skv_option *o)
{
    if (!o->fallback || strcmp(o->fallback, "false") == 0)
        return "";
    return o->fallback[0] ? o->fallback : "empty";
}
