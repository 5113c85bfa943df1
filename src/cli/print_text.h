/* Text from files on stdout; JSON as --json asks for it. */
#ifndef SKV_CLI_PRINT_TEXT_H
#define SKV_CLI_PRINT_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "core/json.h"
#include "core/outputs.h" /* SKV_JSON_HELP */
#include "core/status.h"

/* Prints foreign text (ids, prompts, names) escaped, followed by blanks up to `width` bytes. */
void skv_print_text(const char *text, int width);

/* The value of --json: NULL, a file, or "-", standard output, which then has nothing else. */
bool skv_json_is_all(const char *file);
/* For "-": what is printed from here on goes to standard error. */
SKV_MUST skv_status skv_json_begin(const char *file);
SKV_MUST skv_status skv_print_json(const json_t *value, const char *file);
/* What was made, for a command whose --json may be NULL: then nothing. Ends the maker. */
SKV_MUST skv_status skv_print_made(skv_json_maker *made, const char *file);

#endif
