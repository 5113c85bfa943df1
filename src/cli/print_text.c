#include "cli/print_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"
#include "core/json.h"
#include "core/options.h"

void skv_print_text(const char *text, int width)
{
    const size_t bytes = 4 * strlen(text) + 1;
    char *shown = malloc(bytes);

    if (shown)
        skv_escape(shown, bytes, text);
    printf("%-*s", width, shown ? shown : "(out of memory)");
    free(shown);
}

bool skv_json_is_all(const char *file)
{
    return file && strcmp(file, "-") == 0;
}

skv_status skv_print_json(const json_t *value, const char *file)
{
    char *text = NULL;

    if (!skv_json_is_all(file))
        return skv_option_opened("--json", skv_json_write(value, file));
    SKV_TRY(skv_json_print(&text, value, SKV_JSON_INDENTED));
    printf("%s\n", text);
    free(text);
    return SKV_OK;
}
