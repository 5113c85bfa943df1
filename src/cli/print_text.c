#include "cli/print_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"

void skv_print_text(const char *text, int width)
{
    const size_t bytes = 4 * strlen(text) + 1;
    char *shown = malloc(bytes);

    if (shown)
        skv_escape(shown, bytes, text);
    printf("%-*s", width, shown ? shown : "(out of memory)");
    free(shown);
}
