/* Completion for bash. */
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"

/* "--a --b --no-b" */
static void print_flags(FILE *to, const skv_option *table)
{
    for (const skv_option *o = table; o->key; o++) {
        char usage[SKV_OPTION_USAGE];
        const char *name = usage + strlen("--");

        skv_option_usage(usage, sizeof usage, o);
        usage[strcspn(usage, " ")] = '\0';
        if (o->type == SKV_OPT_BOOL)
            name += strlen("[no-]");
        fprintf(to, "--%s ", name);
        if (o->type == SKV_OPT_BOOL)
            fprintf(to, "--no-%s ", name);
    }
}

/* What may follow an option: its words, a file, or nothing that is known. */
static void print_values(FILE *to, const skv_option *table)
{
    for (const skv_option *o = table; o->key; o++) {
        char usage[SKV_OPTION_USAGE];

        skv_option_usage(usage, sizeof usage, o);
        usage[strcspn(usage, " ")] = '\0';
        if (o->type == SKV_OPT_BOOL || o->type == SKV_OPT_PATH)
            continue;
        fprintf(to, "        %s) words=\"", usage);
        for (const char *p = o->words ? o->words : ""; *p; p++)
            fputc(*p == '|' ? ' ' : *p, to);
        fprintf(to, "\" ;;\n");
    }
}

void skv_help_bash(FILE *to)
{
    fprintf(to, "# bash completion for skv, made by: skv help --as bash\n"
                "_skv() {\n"
                "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
                "    local flags='' words=-\n\n"
                "    case $COMP_CWORD:${COMP_WORDS[1]} in\n"
                "    1:*) words=\"");
    for (const skv_command *const *c = skv_commands; *c; c++)
        fprintf(to, "%s ", (*c)->name);
    fprintf(to, "\" ;;\n    *:help) words=\"");
    for (const skv_command *const *c = skv_commands; *c; c++)
        fprintf(to, "%s ", (*c)->name);
    fprintf(to, "--as text man markdown bash names\" ;;\n");
    for (const skv_command *const *c = skv_commands; *c; c++) {
        skv_option *all = *c == &skv_cmd_help ? NULL : skv_help_options(*c);

        if (!all)
            continue;
        fprintf(to, "    *:%s)\n        flags=\"", (*c)->name);
        print_flags(to, all);
        fprintf(to, "\"\n        case $before in\n");
        print_values(to, all);
        fprintf(to, "        esac\n        ;;\n");
        free(all);
    }
    fprintf(to, "    esac\n"
                "    if [[ $words = - && $word = -* ]]; then\n"
                "        words=$flags\n"
                "    fi\n"
                "    if [[ $words = - ]]; then\n"
                "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
                "    else\n"
                "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
                "    fi\n"
                "}\n"
                "complete -o filenames -F _skv skv\n");
}
