/* JSON: strict reading (UTF-8, no duplicate keys, bounded size and depth), typed getters whose
 * messages name the file and the key, checked making, and printing. */
#ifndef SKV_CORE_JSON_H
#define SKV_CORE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* New reference to the root, an object or array; `name` is used in messages. A byte order mark is
 * passed over. */
SKV_MUST skv_status skv_json_parse(json_t **out, const char *text, size_t bytes, const char *name);
/* The same with jansson's flags. Tells having no memory (SKV_E_MEM), which jansson reports as a
 * fault of the text, from such a fault: SKV_E_FORMAT, and *error says what it is. */
SKV_MUST skv_status skv_json_load(json_t **out, json_error_t *error, const char *text, size_t bytes,
                                  size_t flags, const char *name);
SKV_MUST skv_status skv_json_read(json_t **out, const char *path);
SKV_MUST skv_status skv_json_read_below(json_t **out, const char *path, int n_below); /* folder.h */

/* How JSON is printed. A real number is written with 15 digits, or with the 16 or 17 that it takes
 * to read as the same; in the short form with 8. */
typedef enum {
    SKV_JSON_COMPACT,  /* on one line */
    SKV_JSON_SORTED,   /* the same with sorted keys */
    SKV_JSON_SHORT,    /* on one line, all but ASCII escaped */
    SKV_JSON_INDENTED, /* on indented lines */
    SKV_JSON_ASCII     /* the same, all but ASCII escaped */
} skv_json_form;

/* *out = the JSON text of any value, to be freed. */
SKV_MUST skv_status skv_json_print(char **out, const json_t *value, skv_json_form form);

/* Indented, keys in insertion order, whole or not at all. */
SKV_MUST skv_status skv_json_write(const json_t *root, const char *path);

/* An object or array in the making. Adding to it returns nothing: the first failure (no memory, a
 * text that is not UTF-8, a number that is not finite) is kept, with its key, for skv_json_finish.
 * Every maker ends in skv_json_finish or skv_json_take. */
typedef struct {
    json_t *value;
    bool failed;
    char where[64]; /* key of the first failure */
} skv_json_maker;

skv_json_maker skv_json_object(void);
skv_json_maker skv_json_array(void);
skv_json_maker skv_json_extend(json_t *value); /* adds to an existing one */

/* Both take over the reference to value; NULL, what jansson's makers return when they fail, is kept
 * as a failure. */
void skv_json_put(skv_json_maker *m, const char *key, json_t *value);
void skv_json_append(skv_json_maker *m, json_t *value);

/* New reference to hand to another maker; NULL after a failure. */
json_t *skv_json_take(skv_json_maker *m);

/* *out = the value, a new reference (out NULL: dropped, after skv_json_extend); SKV_E_MEM after a
 * failure. `name` says in the message what was made. */
SKV_MUST skv_status skv_json_finish(json_t **out, skv_json_maker *m, const char *name);

/* New reference: a string, or null where text is NULL. */
json_t *skv_json_text(const char *text);
/* New references for what strangers' files hold: "(no UTF-8)" where the text is none, null where
 * the number is not finite. */
json_t *skv_json_foreign(const char *text);
json_t *skv_json_finite(double v);

/* object[key] of one type; SKV_E_FORMAT naming `name` and key when absent or of another type. */
SKV_MUST skv_status skv_json_int(int64_t *out, const json_t *object, const char *key,
                                 const char *name);
SKV_MUST skv_status skv_json_real(double *out, const json_t *object, const char *key,
                                  const char *name);
SKV_MUST skv_status skv_json_string(const char **out, const json_t *object, const char *key,
                                    const char *name);

#endif
