/* Strict JSON: UTF-8, no duplicate keys, bounded size and depth (jansson), typed getters
 * whose messages name the file and the key. */
#ifndef SKV_CORE_JSON_H
#define SKV_CORE_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* New reference to the root, an object or array; `name` is used in messages. */
SKV_MUST skv_status skv_json_parse(json_t **out, const char *text, size_t bytes, const char *name);
SKV_MUST skv_status skv_json_read(json_t **out, const char *path);

/* Pretty, keys in insertion order, whole or not at all. */
SKV_MUST skv_status skv_json_write(const json_t *root, const char *path);

/* object[key] of one type; SKV_E_FORMAT naming `name` and key when absent or of another type. */
SKV_MUST skv_status skv_json_int(int64_t *out, const json_t *object, const char *key,
                                 const char *name);
SKV_MUST skv_status skv_json_real(double *out, const json_t *object, const char *key,
                                  const char *name);
SKV_MUST skv_status skv_json_string(const char **out, const json_t *object, const char *key,
                                    const char *name);

#endif
