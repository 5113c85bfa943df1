/* The reference of options for this room's page: a table a command. */
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"

/* '|' would end a table's cell. */
static void put(FILE *to, const char *text)
{
    for (const char *p = text; *p; p++)
        fprintf(to, *p == '|' ? "\\|" : "%c", *p);
}

void skv_help_markdown_command(FILE *to, const skv_command *c)
{
    skv_option *all = skv_help_options(c);
    const char *group = NULL;
    char usage[SKV_OPTION_USAGE];

    fprintf(to, "### skv %s\n`skv %s %s`\n\n| option | what | default |\n| --- | --- | --- |\n",
            c->name, c->name, c->usage);
    for (const skv_option *o = all; o && o->key; o++) {
        if (o->group && (!group || strcmp(group, o->group) != 0))
            fprintf(to, "| **%s** | | |\n", group = o->group);
        skv_option_usage(usage, sizeof usage, o);
        fprintf(to, "| `");
        put(to, usage);
        fprintf(to, "` | ");
        put(to, o->help);
        fprintf(to, " | %s |\n", skv_help_default(o));
    }
    free(all);
}

void skv_help_markdown_program(FILE *to)
{
    for (const skv_command *const *c = skv_commands; *c; c++) {
        fprintf(to, c == skv_commands ? "" : "\n");
        skv_help_markdown_command(to, *c);
    }
}
