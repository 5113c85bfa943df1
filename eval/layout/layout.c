/* What all layouts share: their list, and the names beside a folder. */
#include "eval/layout/layout_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/options.h"
#include "core/text.h"

skv_status skv_layout_find(const skv_layout **out, const char *name)
{
    char list[512] = "";

    for (const skv_layout *l = skv_layouts; l->name; l++) {
        const size_t used = strlen(list);

        if (name && strcmp(l->name, name) == 0) {
            *out = l;
            return SKV_OK;
        }
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", l->name);
    }
    if (!name)
        return skv_fail(SKV_E_ARG, "--layout is missing: want one of %s", list);
    return skv_fail(SKV_E_ARG, "--layout %s is not one of %s", name, list);
}

skv_status skv_layout_beside(char *out, const char *folder, const char *ending)
{
    size_t n = strlen(folder);
    const char *last;

    while (n > 1 && folder[n - 1] == '/')
        n--;
    last = folder + n;
    while (last > folder && last[-1] != '/')
        last--;
    if (n == 0 || folder[n - 1] == '/' || (n - (size_t)(last - folder) == 1 && last[0] == '.') ||
        (n - (size_t)(last - folder) == 2 && strncmp(last, "..", 2) == 0))
        return skv_fail(SKV_E_ARG,
                        "%s: want a folder with a name of its own, since its manifest lies beside "
                        "it under that name",
                        n ? folder : "\"\"");
    if (n + strlen(ending) + SKV_LAYOUT_NAME_BYTES >= SKV_LAYOUT_PATH_BYTES)
        return skv_fail(SKV_E_ARG, "%s: the folder's name is too long", folder);
    snprintf(out, SKV_LAYOUT_PATH_BYTES, "%.*s%s", (int)n, folder, ending);
    return SKV_OK;
}

skv_status skv_layout_join(char *out, const char *folder, const char *name)
{
    const int n = snprintf(out, SKV_LAYOUT_PATH_BYTES, "%s%s%s", folder,
                           folder[0] && name[0] ? "/" : "", name);

    if (n >= 0 && n < SKV_LAYOUT_PATH_BYTES)
        return SKV_OK;
    return skv_fail(SKV_E_ARG, "%s: a name in this folder is too long", folder);
}

/* The folder above ("." for a name alone), and the name itself. */
static void split(char *parent, const char **own, const char *folder)
{
    const char *slash = strrchr(folder, '/');

    *own = slash ? slash + 1 : folder;
    snprintf(parent, SKV_LAYOUT_PATH_BYTES, "%.*s",
             slash ? (slash == folder ? 1 : (int)(slash - folder)) : 1, slash ? folder : ".");
}

skv_status skv_layout_absolute(char *parent, char *own, const char *folder)
{
    char plain[SKV_LAYOUT_PATH_BYTES], above[SKV_LAYOUT_PATH_BYTES], *real;
    const char *name;
    skv_status st = SKV_OK;

    SKV_TRY(skv_layout_beside(plain, folder, ""));
    split(above, &name, plain);
    real = realpath(above, NULL);
    if (!real)
        return skv_fail(SKV_E_IO, "%s: cannot tell its absolute name", folder);
    if (strlen(real) + strlen(name) + 2 + SKV_LAYOUT_NAME_BYTES > SKV_LAYOUT_PATH_BYTES)
        st = skv_fail(SKV_E_ARG, "%s: the folder's name is too long", folder);
    else
        snprintf(parent, SKV_LAYOUT_PATH_BYTES, "%s", real);
    snprintf(own, SKV_LAYOUT_PATH_BYTES, "%s", name);
    free(real);
    return st;
}
