/* What the keys of an entry, or the columns of a table, say. */
#ifndef SKV_IO_PROMPTS_KEYS_H
#define SKV_IO_PROMPTS_KEYS_H

#include "io/prompts_internal.h"

#define SKV_PROMPTS__ID_PARTS 4 /* keys that an id may be made of */

/* Places in a list of names; -1: none. */
typedef struct {
    int text, seed, negative;
    int id[SKV_PROMPTS__ID_PARTS], n_id; /* several are joined by '-' */
    bool by_item;                        /* ids are an "item_id" */
} skv_prompts__roles;

/* Finds what each of n names is for: by --prompt-key and --id-key where they are given, otherwise
 * by the names that sets of the field use. Neither case counts, nor which of ' ', '-' and '_' is
 * used, but an equal name goes first. False: `why` (of `bytes`) says what is missing or doubtful.
 */
bool skv_prompts__find_roles(skv_prompts__roles *out, const skv_prompts__builder *b,
                             const char *const *names, int n, char *why, size_t bytes);

/* Notes in b->facts which names were used, and those that were not. */
SKV_MUST skv_status skv_prompts__note_keys(skv_prompts__builder *b, const skv_prompts__roles *roles,
                                           const char *const *names, int n);

#endif
