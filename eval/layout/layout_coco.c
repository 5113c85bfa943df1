/* COCO captions by ScaleKV's protocol: <index of the prompt, four digits>.png, one a prompt.
 *
 * The metrics script lists every name that ends in .png or .jpg, sorts, and pairs two folders by
 * position, so one more file shifts all that follow; FID also looks into sub-folders. */
#include "eval/layout/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

static skv_status refuse(const skv_layout_set *set)
{
    if (set->samples == 1)
        return SKV_OK;
    return skv_fail(SKV_E_ARG, "layout coco wants 1 sample a prompt, not %d", set->samples);
}

static void picture(char *out, size_t bytes, const skv_layout_set *set, int64_t prompt, int sample)
{
    (void)set;
    (void)sample;
    snprintf(out, bytes, "%04lld.png", (long long)prompt);
}

static void judge(skv_layout_entry *out, const skv_layout_set *set, const char *name, bool folder)
{
    const size_t digits = strspn(name, "0123456789");
    char want[32];

    *out = (skv_layout_entry){.kind = SKV_LAYOUT_IGNORED};
    if (folder || skv_ends_with(name, ".png") || skv_ends_with(name, ".jpg")) {
        out->kind = SKV_LAYOUT_READ;
        out->why = folder
                       ? "FID also reads the pictures of sub-folders"
                       : "not a prompt of the list; pictures are paired by position, so all that "
                         "follow shift";
    }
    if (folder || digits == 0 || digits > 18)
        return;
    out->prompt = strtoll(name, NULL, 10);
    snprintf(want, sizeof want, "%04lld.png", (long long)out->prompt);
    if (out->prompt < set->n && strcmp(want, name) == 0) {
        out->kind = SKV_LAYOUT_PICTURE;
        out->why = NULL;
    }
}

/* Root 0 is the reference. */
static void command(char *out, size_t bytes, const skv_layout_folders *folders, int side)
{
    const bool itself = folders->reference && strcmp(folders->reference, folders->folder) == 0;
    const char *unknown = "<folder of the reference path>";

    (void)side;
    snprintf(out, bytes, "python scripts/compute_metrics.py --input_root0 %s --input_root1 %s",
             folders->reference ? folders->reference : unknown,
             itself ? "<folder of another path>" : folders->folder);
}

const skv_layout skv_layout_coco = {
    .name = "coco",
    .benchmark = "COCO (ScaleKV)",
    .incomplete = "",
    .summary = "0000.png, named by the prompt's index",
    .samples = 1,
    .prompts = 5000,
    .tiles = 1,
    .refuse = refuse,
    .picture = picture,
    .judge = judge,
    .command = command,
};
