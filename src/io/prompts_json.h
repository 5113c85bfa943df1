/* Prompts as JSON: what the kinds of documents share. */
#ifndef SKV_IO_PROMPTS_JSON_H
#define SKV_IO_PROMPTS_JSON_H

#include <jansson.h>

#include "io/prompts_internal.h"

/* Adds an object whose keys are those of prompts_keys.c; anything else becomes a bad line. `id`:
 * where it has none of its own; may be NULL. with_error: an object with a string "error" is a bad
 * line too (a folder's file that could not be read). */
SKV_MUST skv_status skv_prompts__add_json(skv_prompts__builder *b, size_t line, const json_t *v,
                                          const char *id, bool with_error);

/* Adds a string as a prompt, or an object as above. */
SKV_MUST skv_status skv_prompts__add_entry(skv_prompts__builder *b, size_t entry, const json_t *v,
                                           const char *id);

/* skv_json_load, but NaN and Infinity, as Python writes them, are null. */
SKV_MUST skv_status skv_prompts__load(json_t **out, json_error_t *error, const char *text, size_t n,
                                      size_t flags, const char *name);

/* Whether the object itself is a prompt: its text is a string, and no other key could be an id. */
bool skv_prompts__is_prompt(const skv_prompts__builder *b, const json_t *v);

/* A kind of document: `is` tells whether it is one, by its root; `add` adds its prompts. */
typedef struct {
    const char *what;
    bool (*is)(const skv_prompts__builder *b, const json_t *root);
    skv_status (*add)(skv_prompts__builder *b, const json_t *root);
} skv_prompts__kind;

extern const skv_prompts__kind skv_prompts__coco, skv_prompts__karpathy, skv_prompts__columns,
    skv_prompts__keyed;

#endif
