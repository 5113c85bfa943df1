/* Lists that follow a command's options in its help, made from the tables they describe. */
#ifndef SKV_CLI_HELP_LISTS_H
#define SKV_CLI_HELP_LISTS_H

#include <stdio.h>

void skv_help_policies(FILE *to); /* of sample */
void skv_help_layouts(FILE *to);  /* of export and check */
void skv_help_metrics(FILE *to);  /* metrics, and the weights that some of them need */

#endif
