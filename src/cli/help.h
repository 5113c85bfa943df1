/* Help in several forms, all made of the commands' tables. A command's page, or the program's. */
#ifndef SKV_CLI_HELP_H
#define SKV_CLI_HELP_H

#include "cli/command.h"

void skv_help_program(FILE *to);
void skv_help_command(FILE *to, const skv_command *c);
void skv_help_man_program(FILE *to);
void skv_help_man_command(FILE *to, const skv_command *c);
void skv_help_markdown_program(FILE *to);
void skv_help_markdown_command(FILE *to, const skv_command *c);
/* Completion for bash: commands, options, their words, files. */
void skv_help_bash(FILE *to);

/* The command's options and those that every command has (free()); NULL: no memory. */
skv_option *skv_help_options(const skv_command *c);

/* What c->more_help prints (free()), "" for none; NULL: no memory. */
char *skv_help_more(const skv_command *c);

/* "" where an option is not given, else "default"; of 64 bytes in a list. */
const char *skv_help_default(const skv_option *o);

#endif
