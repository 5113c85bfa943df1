#include "run/run_place.h"

#include <stdio.h>
#include <string.h>

#include "core/folder.h"
#include "io/prompts.h"
#include "run/schema.h"

#define FLAT    3   /* parts below the run: groups or images, the path, the file */
#define HUNDRED 100 /* entries of a folder where they are divided */

static skv_status put(skv_run_name *out, const skv_run_place *run, const char *folder,
                      const char *file)
{
    const char *root = run->folder ? run->folder : "";

    if (snprintf(out->path, sizeof out->path, "%s%s%s/%s", root, run->folder ? "/" : "", folder,
                 file) >= (int)sizeof out->path)
        return skv_fail(SKV_E_ARG, "%.80s...: the run's folder has too long a name", root);
    return SKV_OK;
}

/* "groups/full", or "groups/full/0012" for number 1234. */
static void name_folder(char *out, size_t bytes, const char *what, const char *path, int64_t number)
{
    const int n = snprintf(out, bytes, "%s/%s", what, path);

    if (number >= 0)
        snprintf(out + n, bytes - (size_t)n, "/%04lld", (long long)(number / HUNDRED));
}

skv_status skv_run_name_group(skv_run_name *out, const skv_run_place *run, const char *path,
                              int64_t group)
{
    char folder[128], file[32];

    if (!skv_path_name_is_valid(path) || group < 0)
        return skv_fail(SKV_E_ARG, "group %lld of path \"%.80s\" has no file name",
                        (long long)group, path);
    out->n_below = FLAT + run->by_hundred.groups;
    name_folder(folder, sizeof folder, "groups", path, run->by_hundred.groups ? group : -1);
    snprintf(file, sizeof file, "%06lld.h5", (long long)group);
    return put(out, run, folder, file);
}

skv_status skv_run_name_image(skv_run_name *out, const skv_run_place *run, const char *path,
                              int64_t row, const char *id)
{
    char folder[128], file[512];

    if (!skv_path_name_is_valid(path) || row < 0)
        return skv_fail(SKV_E_ARG, "the picture of row %lld of path \"%.80s\" has no file name",
                        (long long)row, path);
    if (!skv_prompts_id_is_usable(id) ||
        snprintf(file, sizeof file, "%s.png", id) >= (int)sizeof file)
        return skv_fail(SKV_E_FORMAT, "row %lld of path %s: \"%.80s\" cannot be a file's name",
                        (long long)row, path, id);
    out->n_below = FLAT + run->by_hundred.images;
    name_folder(folder, sizeof folder, "images", path, run->by_hundred.images ? row : -1);
    return put(out, run, folder, file);
}

skv_status skv_run_name_make_folder(const skv_run_name *name)
{
    return name->n_below > FLAT ? skv_folder_make_of(name->path, name->n_below) : SKV_OK;
}

skv_status skv_by_hundred_read(skv_by_hundred *out, const json_t *root, const char *file)
{
    const json_t *value = json_object_get(root, SKV_BY_HUNDRED);
    const json_t *groups = json_object_get(value, "groups");
    const json_t *images = json_object_get(value, "images");

    *out = (skv_by_hundred){json_is_true(groups), json_is_true(images)};
    if (value && (!json_is_boolean(groups) || !json_is_boolean(images)))
        return skv_fail(SKV_E_FORMAT,
                        "%s: \"" SKV_BY_HUNDRED
                        "\" must be an object with \"groups\" and \"images\", "
                        "true or false",
                        file);
    return SKV_OK;
}

json_t *skv_by_hundred_json(const skv_by_hundred *b)
{
    return json_pack("{s:b, s:b}", "groups", b->groups, "images", b->images);
}
