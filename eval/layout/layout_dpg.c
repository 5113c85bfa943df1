/* DPG-Bench: <item id>.png, four square samples in one picture: 0 top left, 1 top right, 2 bottom
 * left, 3 bottom right, no border.
 *
 * The evaluator takes every entry of the folder for a picture; its key is the base name up to the
 * first dot, so an id with a dot would lose its end. RESOLUTION is the side of one sample: a wrong
 * one gives no error there, only another score. */
#include "eval/layout/layout_internal.h"

#include <stdio.h>
#include <string.h>

skv_status skv_layout__dpg_refuse(const skv_layout_set *set)
{
    int64_t by_index = 0;
    char index[32];

    if (set->samples != 4)
        return skv_fail(SKV_E_ARG, "layout dpg wants 4 samples a prompt, not %d", set->samples);
    for (int64_t i = 0; set->id && i < set->n; i++) {
        if (strchr(set->id[i], '.'))
            return skv_fail(SKV_E_ARG,
                            "item \"%s\": DPG's evaluator reads names up to the first dot, so an "
                            "id cannot have one",
                            set->id[i]);
        snprintf(index, sizeof index, "%05lld", (long long)i);
        by_index += strcmp(index, set->id[i]) == 0;
    }
    if (set->id && by_index == set->n)
        return skv_fail(SKV_E_ARG,
                        "the prompts have no item ids: DPG's pictures are named by them, take its "
                        "folder of .txt files, its CSV, or a list with \"id\"");
    return SKV_OK;
}

void skv_layout__dpg_judge(skv_layout_entry *out, const skv_layout_set *set, const char *name,
                           bool folder)
{
    const size_t key = strcspn(name, ".");

    *out = (skv_layout_entry){.kind = SKV_LAYOUT_READ};
    if (folder) {
        out->why = "every entry is taken for a picture; this one fails and upsets the split of the "
                   "work";
        return;
    }
    if (strncmp(name, "dpg-bench_", 10) == 0) {
        out->why = "results of an earlier evaluation are taken for a picture: move them";
        return;
    }
    for (int64_t i = 0; set->id && i < set->n; i++) {
        if (strncmp(set->id[i], name, key) != 0 || set->id[i][key] != '\0')
            continue;
        out->kind = SKV_LAYOUT_PICTURE;
        out->prompt = i;
        return;
    }
    if (!set->id) { /* no list: any name counts */
        out->kind = SKV_LAYOUT_PICTURE;
        out->prompt = -1;
        return;
    }
    out->why = "no item of the list; every entry is taken for a picture";
}
