/* COCO captions by ScaleKV's protocol: <index of the prompt, four digits>.png, one a prompt.
 *
 * The metrics script lists every name that ends in .png or .jpg, sorts, and pairs two folders by
 * position, so one more file shifts all that follow; FID also looks into sub-folders. */
#include "eval/layout/layout_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

void skv_layout__coco_judge(skv_layout_entry *out, const skv_layout_set *set, const char *name,
                            bool folder)
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
