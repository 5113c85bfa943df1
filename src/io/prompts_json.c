/* Prompts as JSON: one object, arrays, and COCO's captions file. Its annotations are not sorted: an
 * image's first caption is the first in file order. */
#include "io/prompts_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"

/* object[key], or object[other]; NULL when absent or null. */
static const json_t *either(const json_t *object, const char *key, const char *other)
{
    const json_t *v = json_object_get(object, key);

    if (!v || json_is_null(v))
        v = other ? json_object_get(object, other) : NULL;
    return json_is_null(v) ? NULL : v;
}

static bool json_to_seed(uint64_t *out, const json_t *v)
{
    if (json_is_string(v))
        return skv_prompts__parse_seed(out, json_string_value(v));
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *out = (uint64_t)json_integer_value(v);
    return true;
}

skv_status skv_prompts__add_json(skv_prompts__builder *b, size_t line, const json_t *v,
                                 bool with_error)
{
    skv_prompts__found f = {0};
    char number[24];
    const json_t *text = either(v, "prompt", "text"), *id = either(v, "id", NULL);
    const json_t *negative = either(v, "negative", "negative_prompt");
    const json_t *seed = either(v, "seed", NULL);
    const json_t *error = with_error ? either(v, "error", NULL) : NULL;

    if (!json_is_object(v))
        return skv_prompts__add_bad(b, line, NULL, "not a JSON object");
    if (json_is_integer(id)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(id));
        f.id = number;
    } else {
        f.id = json_string_value(id); /* NULL for anything but a string */
    }
    if (json_is_string(error))
        return skv_prompts__add_bad(b, line, f.id, "%s", json_string_value(error));
    if (!json_is_string(text))
        return skv_prompts__add_bad(b, line, f.id, "\"prompt\" %s",
                                    text ? "is not a string" : "is missing");
    if (negative && !json_is_string(negative))
        return skv_prompts__add_bad(b, line, f.id, "\"negative\" is not a string");
    f.has_seed = seed != NULL;
    if (seed && !json_to_seed(&f.seed, seed))
        return skv_prompts__add_bad(b, line, f.id,
                                    "\"seed\" is not an integer from 0 to 2^64-1 (as a string from "
                                    "2^63 on)");
    f.text = json_string_value(text);
    f.text_bytes = json_string_length(text);
    f.negative = json_string_value(negative);
    f.negative_bytes = json_string_length(negative);
    return skv_prompts__add(b, line, &f);
}

static skv_status add_array(skv_prompts__builder *b, const json_t *array)
{
    const size_t n = json_array_size(array);

    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(array, i);

        if (json_is_string(v))
            SKV_TRY(skv_prompts__add(b, i + 1,
                                     &(skv_prompts__found){.text = json_string_value(v),
                                                           .text_bytes = json_string_length(v)}));
        else
            SKV_TRY(skv_prompts__add_json(b, i + 1, v, false));
    }
    return SKV_OK;
}

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

static skv_status add_coco(skv_prompts__builder *b, const json_t *images, const json_t *annotations,
                           skv_prompts_order order)
{
    skv_status st = SKV_OK;
    const size_t n = json_array_size(images);
    coco_image *image = NULL;

    SKV_TRY_GOTO(skv_alloc(&image, n, sizeof *image, "the images of a captions file"), done);
    SKV_TRY_GOTO(read_images(image, n, images, b->name), done);
    SKV_TRY_GOTO(read_captions(image, n, annotations, b->name), done);
    if (order == SKV_PROMPTS_ORDER_IMAGES)
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

skv_status skv_prompts__json(skv_prompts__builder *b, const char *bytes, size_t n,
                             skv_prompts_order order)
{
    skv_status st;
    json_t *root = NULL;
    const json_t *images, *annotations;

    SKV_TRY(skv_json_parse(&root, bytes, n, b->name));
    images = json_object_get(root, "images");
    annotations = json_object_get(root, "annotations");
    if (json_is_array(root))
        st = add_array(b, root);
    else if (json_is_array(images) && json_is_array(annotations))
        st = add_coco(b, images, annotations, order);
    else
        st = skv_fail(SKV_E_FORMAT,
                      "%s: want an array of prompts, or COCO's captions (an object with the arrays "
                      "\"images\" and \"annotations\")",
                      b->name);
    json_decref(root);
    return st;
}
