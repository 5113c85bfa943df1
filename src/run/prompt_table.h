/* The prompts of a run, parsed and tokenised once: spooled while they are made, then RUN/rows.h5.
 *
 * A list is one kind of thing that a prompt may have: its text, its token ids. Each prompt has
 * some entries of each list, most often none. In the file a list is two datasets, /<list>/value
 * with all entries and /<list>/end with the place where each prompt's entries end.
 *
 * rows.h5 is written and opened by rank 0, through HDF5, which checks types, extents and CRC-32s
 * and says where each dataset lies. All other reading is by pread at these places: it holds
 * nothing in memory, needs no library and takes turns with nobody. What is read is checked again,
 * since the file may change or come from a stranger: it gives an error, never entries out of
 * bounds. */
#ifndef SKV_RUN_PROMPT_TABLE_H
#define SKV_RUN_PROMPT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/digest.h"
#include "core/status.h"

/* Texts are UTF-8 with a NUL behind each, so that an empty one differs from none. */
typedef enum {
    SKV_LIST_TEXT,
    SKV_LIST_ID,
    SKV_LIST_GIVEN_ID, /* where it is not the id */
    SKV_LIST_REWRITTEN,
    SKV_LIST_NEGATIVE,       /* of its own */
    SKV_LIST_ERROR,          /* why it cannot be sampled */
    SKV_LIST_SEED,           /* u64, of its own */
    SKV_LIST_TOKEN,          /* i32, after truncation, </s> included; none: it cannot be sampled */
    SKV_LIST_NEGATIVE_TOKEN, /* i32, of its own negative prompt */
    SKV_LIST_TRUNCATED,      /* u8: 1 where the prompt was cut */
    SKV_N_LISTS
} skv_list;

/* What is known of all prompts together. */
typedef struct {
    int64_t n_prompts, n_bad, n_truncated;
    int64_t n_renamed;                  /* ids that cannot be file names */
    int64_t n_rewritten, n_missing;     /* found in the rewriting cache, and not */
    int64_t index_digits, index_dashes; /* how ids are made of indices (io/prompts.h) */
    skv_digest prompts, rewriting;      /* of the prompt file's bytes; of the rewritten texts */
} skv_prompt_facts;

/* Where everything lies in rows.h5: what one rank tells the others. */
typedef struct {
    char key[SKV_DIGEST_BYTES]; /* of all that the content follows from */
    int64_t bytes, key_offset;  /* of the file; of the key in it */
    struct {
        int64_t value, end;   /* offsets */
        int64_t n, n_prompts; /* entries; prompts with an entry in `end`, the others have none */
    } list[SKV_N_LISTS];
} skv_prompt_place;

/* out = a row's id: the prompt's own, or its index where that is NULL; and "-<sample>" from sample
 * 1 on, so that it does not depend on how many there are. bytes >= SKV_ID_BYTES (run/run_folder.h).
 */
void skv_prompt_row_id(char *out, size_t bytes, const skv_prompt_facts *facts, const char *own,
                       int64_t prompt, int64_t sample);

typedef struct skv_prompt_table skv_prompt_table;

/* Spooled (core/spool.h), without prompts. `what` names the prompts in messages; copied. */
SKV_MUST skv_status skv_prompt_table_create(skv_prompt_table **out, const char *what);
void skv_prompt_table_destroy(skv_prompt_table *t); /* accepts NULL */

/* Gives `prompt` its n entries of a list; prompts come in ascending order, those without entries
 * may be left out. Not to a table on disk. */
SKV_MUST skv_status skv_prompt_table_add(skv_prompt_table *t, skv_list list, int64_t prompt,
                                         const void *entries, size_t n);

/* Whether any prompt has entries of a list. */
bool skv_prompt_table_has(const skv_prompt_table *t, skv_list list);

/* Entries of prompts [first, first+n), one block (free()): those of prompt first + i are
 * [i ? end[i-1] : 0, end[i]) of `values`. */
typedef struct {
    int64_t *end;
    void *values;
} skv_list_part;
SKV_MUST skv_status skv_prompt_table_read(skv_list_part *out, const skv_prompt_table *t,
                                          skv_list list, int64_t first, int64_t n);

/* end[i], as above, without the entries. */
SKV_MUST skv_status skv_prompt_table_ends(int64_t *end, const skv_prompt_table *t, skv_list list,
                                          int64_t first, int64_t n);

/* Writes RUN/rows.h5: whole or not at all. */
SKV_MUST skv_status skv_prompt_table_save(const skv_prompt_table *t, const char *run,
                                          const char *key, const skv_prompt_facts *facts);

/* Opens RUN/rows.h5 after checking all of it. SKV_E_NOTFOUND where there is none or it has another
 * key (NULL: any will do, to be read by this process alone); other failures: it is damaged. */
SKV_MUST skv_status skv_prompt_table_open(skv_prompt_table **out, skv_prompt_facts *facts,
                                          const char *run, const char *key);

/* On other ranks: the same file, by what the first one found. */
void skv_prompt_table_place(skv_prompt_place *out, const skv_prompt_table *t);
SKV_MUST skv_status skv_prompt_table_open_at(skv_prompt_table **out, const char *run,
                                             const skv_prompt_place *place);

#endif
