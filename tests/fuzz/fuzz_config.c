/* A config of skv sample. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "sample/settings.h"

static void check(const skv_settings *s)
{
    const skv_option *row;
    skv_store store;

    for (row = skv_settings_table; row->key; row++)
        if (row->type == SKV_OPT_STRING || row->type == SKV_OPT_PATH) {
            const char *text = *(char *const *)(const void *)((const char *)s + row->offset);

            assert(!text || skv_utf8_is_valid(text, strlen(text)));
        }
    if (skv_settings_check(s) != SKV_OK || skv_settings_store(&store, s) != SKV_OK)
        fuzz_refused();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_config c = {.path = "folder/config.json", .bytes = n};
    const skv_settings_sources sources = {.config = &c};
    skv_settings s = {0};
    char folder[] = "folder";

    c.folder = folder;
    c.text = fuzz_copy(data, n);
    if (skv_settings_read(&s, &sources) == SKV_OK)
        check(&s);
    else
        fuzz_refused();
    skv_options_clear(skv_settings_table, &s);
    free(c.text);
    return 0;
}
