/* Making a run's prompt table: parsed by one rank, tokenised by all.
 *
 * The rank that parsed packs the texts of some prompts at a time (skv_texts_pack) and cuts them
 * into shares (skv_texts_cut), each rank encodes its own (skv_texts_encode), and the first one adds
 * what they found, in the order of the ranks (skv_texts_add). */
#ifndef SKV_SAMPLE_ROWS_BUILD_H
#define SKV_SAMPLE_ROWS_BUILD_H

#include "core/bytes.h"
#include "io/prompts.h"
#include "sample/rows.h"

/* The prompt list as one rank has opened it; owned. */
typedef struct {
    skv_prompts_source source;
    char *rewrites; /* bytes of the rewriting cache; NULL: none */
    size_t n_rewrites;
} skv_prompt_list;
void skv_prompt_list_clear(skv_prompt_list *list);

/* Of all that a table follows from. */
void skv_rows_key(char key[SKV_DIGEST_BYTES], const skv_prompt_list *list, const skv_settings *s,
                  const skv_tokenizer *tokenizer);

/* Parses the list: *table without tokens, *facts without n_truncated. Says which keys are used and
 * which are not, and warns of ids that cannot be file names. SKV_E_ARG, SKV_E_FORMAT: as
 * io/prompts.h. */
SKV_MUST skv_status skv_rows_parse(skv_prompt_table **table, skv_prompt_facts *facts,
                                   const skv_prompt_list *list, const skv_settings *s);

/* Warns of prompts that cannot be sampled, the first few with their reasons. */
SKV_MUST skv_status skv_rows_warn_bad(const skv_rows *rows);

/* Warns where there are negative prompts and no guidance. */
void skv_rows_warn_unguided(const skv_rows *rows);

/* Warns of prompts without a rewritten text, though --rewrite-cache was given. */
SKV_MUST skv_status skv_rows_warn_missing(const skv_rows *rows);

/* Texts of prompts from *next on, a few MiB; moves *next behind them. */
SKV_MUST skv_status skv_texts_pack(skv_bytes *out, int64_t *next, const skv_rows *rows);

/* Cuts packed texts into `size` shares of as many texts each, or one more: share r ends before byte
 * end[r] and begins where the one before it ends. */
void skv_texts_cut(size_t *end, int size, const skv_bytes *texts);

/* Token ids of packed texts, by up to n_threads threads. */
SKV_MUST skv_status skv_texts_encode(skv_bytes *out, const void *texts, size_t n,
                                     const skv_tokenizer *tokenizer, int n_threads);

/* Adds a share's ids to the table; what rows says of texts that were cut grows by those. */
SKV_MUST skv_status skv_texts_add(skv_prompt_table *table, skv_rows *rows, const void *ids,
                                  size_t n);

/* Tokenises all of a table that one rank has for itself. Of rows, facts.n_truncated is set. */
SKV_MUST skv_status skv_rows_tokenise(skv_rows *rows, skv_prompt_table *table,
                                      const skv_tokenizer *tokenizer, int n_threads);

#endif
