#include "core/outputs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/aside.h"

static const char *text_of(const skv_option *table, const void *settings, const char *key)
{
    char *const *text = skv_options_value(table, settings, key);

    return text ? *text : NULL;
}

/* Whether the file lies in a folder that is not there yet. */
static bool will_be_made(const char *path, const char *folder)
{
    size_t n = folder ? strlen(folder) : 0;

    while (n > 1 && folder[n - 1] == '/') /* as a user may write it */
        n--;
    return n > 0 && strncmp(path, folder, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/') &&
           access(folder, F_OK) != 0;
}

/* Whether an old file may be replaced by JSON: it is JSON, or empty. A word too few on the command
 * line must not cost a checkpoint. */
static bool is_json(const char *path)
{
    FILE *f = fopen(path, "re");
    int c = EOF;

    while (f && (c = fgetc(f)) != EOF && isspace(c))
        ;
    if (f)
        fclose(f);
    return c == EOF || c == '{' || c == '[';
}

static skv_status try_to_write(const char *path, bool json)
{
    struct stat info;
    const bool is_there = stat(path, &info) == 0;
    skv_aside file;

    if (is_there && S_ISDIR(info.st_mode))
        return skv_fail(SKV_E_KIND, "%s: is a folder, want a file", path);
    if (is_there && !S_ISREG(info.st_mode))
        return skv_fail(SKV_E_KIND, "%s: is not a regular file; - is standard output", path);
    if (json && !is_json(path))
        return skv_fail(SKV_E_KIND, "%s: is there and is not JSON, so it is not replaced", path);
    SKV_TRY(skv_aside_create(&file, path, 0));
    skv_aside_drop(&file);
    return SKV_OK;
}

skv_status skv_outputs_try(const skv_option *table, const void *settings)
{
    static const char *const options[][2] = {
        {"json", "--json"}, {"csv", "--csv"}, {"write_stats", "--write-stats"}};
    const char *made = text_of(table, settings, "out");

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const char *path = text_of(table, settings, options[i][0]);

        if (path && strcmp(path, "-") != 0 && !will_be_made(path, made))
            SKV_TRY(skv_option_opened(options[i][1], try_to_write(path, i == 0)));
    }
    return SKV_OK;
}
