/* Index files: which pictures there are of which prompt, by absolute names, since evaluators are
 * run in folders of their own. */
#include "eval/layout/layout_internal.h"

#include <stdio.h>
#include <string.h>

static json_t *file_name(const skv_layout *layout, const skv_layout_set *set, const char *folder,
                         int64_t prompt, int sample)
{
    char name[SKV_LAYOUT_NAME_BYTES], path[SKV_LAYOUT_PATH_BYTES];

    skv_layout_picture(name, layout, set, prompt, sample);
    if (skv_layout_join(path, folder, name) != SKV_OK)
        return NULL;
    return json_string(path);
}

/* {prompt: file}. Of equal prompts the last one counts. */
json_t *skv_layout__index_by_prompt(const skv_layout *layout, const skv_layout_set *set,
                                    const char *folder, const uint8_t *there)
{
    skv_json_maker o = skv_json_object();

    for (int64_t p = 0; p < set->n; p++)
        if (there[p])
            skv_json_put(&o, set->text[p], file_name(layout, set, folder, p, 0));
    return skv_json_take(&o);
}

/* [{"id", "prompt", "gen_image_paths": [file]}] */
json_t *skv_layout__index_of_objects(const skv_layout *layout, const skv_layout_set *set,
                                     const char *folder, const uint8_t *there)
{
    const int files = skv_layout_files(layout, set);
    skv_json_maker all = skv_json_array();

    for (int64_t p = 0; p < set->n; p++) {
        skv_json_maker o = skv_json_object(), paths = skv_json_array();
        bool any = false;

        for (int s = 0; s < files; s++)
            if (there[p * files + s]) {
                skv_json_append(&paths, file_name(layout, set, folder, p, s));
                any = true;
            }
        skv_json_put(&o, "id", json_string(set->id[p]));
        skv_json_put(&o, "prompt", json_string(set->text[p]));
        skv_json_put(&o, "gen_image_paths", skv_json_take(&paths));
        if (any)
            skv_json_append(&all, skv_json_take(&o));
        else
            json_decref(skv_json_take(&o));
    }
    return skv_json_take(&all);
}
