/* Man pages: skv(1), and skv-<command>(1) for each command. */
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"
#include "core/build.h"

static const struct {
    const char *code, *meaning;
} exits[] = {
    {"0", "complete"},
    {"1", "something failed or is damaged"},
    {"2", "what the user named is wrong: an option, its value, a file that is not there"},
    {"3", "complete, but some rows failed"},
    {"75", "stopped early: the same command goes on"},
};

/* Text as roff shows it: no line of it is a request, and '-' can be copied. */
static void put(FILE *to, const char *text)
{
    bool begins = true;

    for (const char *p = text; *p; p++) {
        if (begins && (*p == '.' || *p == '\''))
            fputs("\\&", to);
        if (*p == '\\')
            fputs("\\e", to);
        else if (*p == '-')
            fputs("\\-", to);
        else
            fputc(*p, to);
        begins = *p == '\n';
    }
}

static void print_title(FILE *to, const char *name, const char *command, const char *summary)
{
    const char *build = skv_build();

    fprintf(to, ".TH \"%s%s%s\" 1 \"\" \"skv %.*s\" \"skv\"\n.SH NAME\n", name, *command ? "-" : "",
            command, (int)strcspn(build, ","), build);
    put(to, name);
    fprintf(to, "%s%s \\- ", *command ? "\\-" : "", command);
    put(to, summary);
    fprintf(to, "\n.SH SYNOPSIS\n.B ");
}

static void print_exits(FILE *to)
{
    fprintf(to, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++)
        fprintf(to, ".TP\n.B %s\n%s\n", exits[i].code, exits[i].meaning);
}

void skv_help_man_program(FILE *to)
{
    print_title(to, "skv", "", "sampler for the Infinity text-to-image models");
    fprintf(to, "skv\n");
    put(to, "<command> [--config FILE] [--option value ...]");
    fprintf(to,
            "\n.SH DESCRIPTION\nSamples prompts on every GPU, with the full key and value cache "
            "and with compressed\nones, and says what the compression costs.\n.SH COMMANDS\n");
    for (const skv_command *const *c = skv_commands; *c; c++) {
        fprintf(to, ".TP\n.BR skv\\-%s (1)\n", (*c)->name);
        put(to, (*c)->summary);
        fprintf(to, "\n");
    }
    print_exits(to);
}

static void print_options(FILE *to, const skv_option *table)
{
    const char *group = NULL;
    char usage[SKV_OPTION_USAGE];

    fprintf(to, ".SH OPTIONS\n");
    for (const skv_option *o = table; o->key; o++) {
        if (o->group && (!group || strcmp(group, o->group) != 0))
            fprintf(to, ".SS %s\n", group = o->group);
        skv_option_usage(usage, sizeof usage, o);
        fprintf(to, ".TP\n.B ");
        put(to, usage);
        fprintf(to, "\n");
        put(to, o->help);
        if (skv_help_default(o)[0]) {
            fprintf(to, " (");
            put(to, skv_help_default(o));
            fprintf(to, ")");
        }
        fprintf(to, "\n");
    }
}

void skv_help_man_command(FILE *to, const skv_command *c)
{
    skv_option *all = skv_help_options(c);
    char *more = skv_help_more(c);

    print_title(to, "skv", c->name, c->summary);
    fprintf(to, "skv %s\n", c->name);
    put(to, c->usage);
    fprintf(to, "\n");
    if (all)
        print_options(to, all);
    if (more && *more) {
        fprintf(to, ".SH NOTES\n.nf\n");
        put(to, more);
        fprintf(to, ".fi\n");
    }
    print_exits(to);
    fprintf(to, ".SH SEE ALSO\n.BR skv (1)\n");
    free(more);
    free(all);
}
