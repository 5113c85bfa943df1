/* One JSON value as a prompt. */
#ifndef SKV_IO_PROMPTS_JSON_H
#define SKV_IO_PROMPTS_JSON_H

#include <jansson.h>

#include "io/prompts_internal.h"

/* Adds an object {"prompt" or "text", "id", "seed", "negative" or "negative_prompt"}; anything
 * else becomes a bad line. with_error: so does an object with a string "error" (a folder's file
 * that could not be read). */
SKV_MUST skv_status skv_prompts__add_json(skv_prompts__builder *b, size_t line, const json_t *v,
                                          bool with_error);

#endif
