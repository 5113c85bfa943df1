/* COCO's captions file. Its annotations are not sorted: an image's first caption is the first in
 * file order. */
#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "io/prompts_json.h"

typedef struct {
    int64_t id;
    size_t place; /* in "images" */
    const json_t *caption;
} coco_image;

static int by_id(const void *a, const void *b)
{
    const coco_image *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static int by_place(const void *a, const void *b)
{
    const coco_image *x = a, *y = b;

    return (x->place > y->place) - (x->place < y->place);
}

/* Sorted by id. */
static skv_status read_images(coco_image *image, size_t n, const json_t *images, const char *name)
{
    char where[300];

    for (size_t i = 0; i < n; i++) {
        snprintf(where, sizeof where, "%.200s: image %zu", name, i + 1);
        image[i].place = i;
        SKV_TRY(skv_json_int(&image[i].id, json_array_get(images, i), "id", where));
    }
    qsort(image, n, sizeof *image, by_id);
    for (size_t i = 1; i < n; i++)
        if (image[i].id == image[i - 1].id)
            return skv_fail(SKV_E_FORMAT, "%s: images %zu and %zu have the same id %lld", name,
                            image[i - 1].place + 1, image[i].place + 1, (long long)image[i].id);
    return SKV_OK;
}

/* Captions of images that are not listed are left out: a list may be a part of COCO. */
static skv_status read_captions(coco_image *image, size_t n, const json_t *annotations,
                                const char *name)
{
    char where[300];

    for (size_t i = 0; i < json_array_size(annotations); i++) {
        const json_t *a = json_array_get(annotations, i);
        const char *caption = NULL;
        coco_image key = {0}, *found;

        snprintf(where, sizeof where, "%.200s: annotation %zu", name, i + 1);
        SKV_TRY(skv_json_int(&key.id, a, "image_id", where));
        SKV_TRY(skv_json_string(&caption, a, "caption", where));
        found = bsearch(&key, image, n, sizeof *image, by_id);
        if (found && !found->caption)
            found->caption = json_object_get(a, "caption");
    }
    return SKV_OK;
}

static skv_status add_coco(skv_prompts__builder *b, const json_t *root)
{
    const json_t *images = json_object_get(root, "images");
    const json_t *annotations = json_object_get(root, "annotations");
    const size_t n = json_array_size(images);
    skv_status st = SKV_OK;
    coco_image *image = NULL;

    SKV_TRY_GOTO(skv_alloc(&image, n, sizeof *image, "the images of a captions file"), done);
    SKV_TRY_GOTO(read_images(image, n, images, b->name), done);
    SKV_TRY_GOTO(read_captions(image, n, annotations, b->name), done);
    if (b->options->order == SKV_PROMPTS_ORDER_IMAGES)
        qsort(image, n, sizeof *image, by_place);
    for (size_t i = 0; i < n; i++) {
        char id[24];
        const json_t *c = image[i].caption;

        snprintf(id, sizeof id, "%lld", (long long)image[i].id);
        if (c)
            st = skv_prompts__add(b, image[i].place + 1,
                                  &(skv_prompts__found){.id = id,
                                                        .text = json_string_value(c),
                                                        .text_bytes = json_string_length(c)});
        else
            st = skv_prompts__add_bad(b, image[i].place + 1, id, "image %s has no caption", id);
        SKV_TRY_GOTO(st, done);
    }
done:
    free(image);
    return st;
}

static bool is_coco(const skv_prompts__builder *b, const json_t *root)
{
    (void)b;
    return json_is_array(json_object_get(root, "images")) &&
           json_is_array(json_object_get(root, "annotations"));
}

const skv_prompts__kind skv_prompts__coco = {
    "COCO's captions (an object with the arrays \"images\" and \"annotations\")", is_coco,
    add_coco};
