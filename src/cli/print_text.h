/* Text from files on stdout. */
#ifndef SKV_CLI_PRINT_TEXT_H
#define SKV_CLI_PRINT_TEXT_H

/* Prints foreign text (ids, prompts, names) escaped, followed by blanks up to `width` bytes. */
void skv_print_text(const char *text, int width);

#endif
