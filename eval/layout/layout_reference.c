/* Exported folders lie side by side, each with its manifest: one of them may hold the path that the
 * others are compared with. */
#include "eval/layout/layout.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_manifest(const struct dirent *e)
{
    const size_t n = strlen(e->d_name), m = strlen(SKV_LAYOUT_MANIFEST);

    return n > m && strcmp(e->d_name + n - m, SKV_LAYOUT_MANIFEST) == 0;
}

static bool same_text(const json_t *a, const json_t *b, const char *key)
{
    const char *x = json_string_value(json_object_get(a, key));
    const char *y = json_string_value(json_object_get(b, key));

    return x && y && strcmp(x, y) == 0;
}

/* Whether `other` is the reference path of `mine`'s run, in the same layout. */
static bool is_reference(const json_t *other, const json_t *mine)
{
    return json_is_true(json_object_get(json_object_get(other, "path"), "reference")) &&
           same_text(other, mine, "config_digest") && same_text(other, mine, "layout");
}

/* out = the folder that the manifest at parent/name is of, if it is the reference. */
static skv_status look(char *out, const char *parent, const char *name, const json_t *mine)
{
    char file[SKV_LAYOUT_PATH_BYTES];
    json_t *other = NULL;

    SKV_TRY(skv_layout_join(file, parent, name));
    if (skv_json_read(&other, file) == SKV_OK && is_reference(other, mine))
        snprintf(out, SKV_LAYOUT_PATH_BYTES, "%.*s",
                 (int)(strlen(file) - strlen(SKV_LAYOUT_MANIFEST)), file);
    json_decref(other);
    return SKV_OK;
}

/* "." where the folder has no other name before its own. */
static void parent_of(char *out, const char *manifest)
{
    const char *slash = strrchr(manifest, '/');

    if (slash == manifest)
        snprintf(out, SKV_LAYOUT_PATH_BYTES, "/");
    else if (slash)
        snprintf(out, SKV_LAYOUT_PATH_BYTES, "%.*s", (int)(slash - manifest), manifest);
    else
        out[0] = '\0';
}

skv_status skv_layout_reference(char *out, const char *folder)
{
    char manifest[SKV_LAYOUT_PATH_BYTES], parent[SKV_LAYOUT_PATH_BYTES];
    struct dirent **entry = NULL;
    json_t *mine = NULL;
    skv_status st = SKV_OK;
    int n = 0;

    out[0] = '\0';
    if (skv_layout_beside(manifest, folder, SKV_LAYOUT_MANIFEST) != SKV_OK ||
        skv_json_read(&mine, manifest) != SKV_OK)
        return SKV_OK;
    parent_of(parent, manifest);
    n = scandir(parent[0] ? parent : ".", &entry, is_manifest, alphasort);
    for (int i = 0; i < n && st == SKV_OK && !out[0]; i++)
        st = look(out, parent, entry[i]->d_name, mine);
    for (int i = 0; i < n; i++)
        free(entry[i]);
    free(entry);
    json_decref(mine);
    return st;
}
