/* Karpathy's split files of COCO, Flickr30k and Flickr8k: {"images": [{"sentences": [{"raw": ...}],
 * "imgid", "cocoid", "split", ...}]}. As of COCO, an image's first caption counts. */
#include "io/prompts_json.h"
#include "io/prompts_keys.h"

#include <stdio.h>

static bool is_karpathy(const skv_prompts__builder *b, const json_t *root)
{
    const json_t *first = json_array_get(json_object_get(root, "images"), 0);

    (void)b;
    return json_is_array(json_object_get(first, "sentences"));
}

static skv_status add_image(skv_prompts__builder *b, size_t entry, const json_t *image)
{
    static const char *const names[] = {"sentences", "split"};
    const skv_prompts__roles roles = {.text = 0, .seed = -1, .negative = -1};
    const json_t *number = json_object_get(image, "cocoid");
    const json_t *sentence = json_array_get(json_object_get(image, "sentences"), 0);
    const json_t *raw = json_object_get(sentence, "raw");
    char id[24] = "";

    if (!json_is_integer(number))
        number = json_object_get(image, "imgid");
    if (json_is_integer(number))
        snprintf(id, sizeof id, "%lld", (long long)json_integer_value(number));
    if (!json_is_string(raw))
        return skv_prompts__add_bad(b, entry, id, "no sentence with a string \"raw\"");
    SKV_TRY(skv_prompts__note_keys(b, &roles, names, 2));
    return skv_prompts__add_entry(b, entry, raw, id);
}

static skv_status add_karpathy(skv_prompts__builder *b, const json_t *root)
{
    const json_t *images = json_object_get(root, "images");

    for (size_t i = 0; i < json_array_size(images); i++)
        SKV_TRY(add_image(b, i + 1, json_array_get(images, i)));
    return SKV_OK;
}

const skv_prompts__kind skv_prompts__karpathy = {
    "Karpathy's splits (an object with the array \"images\", each with \"sentences\")", is_karpathy,
    add_karpathy};
