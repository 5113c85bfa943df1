/* Rows and groups of a run: K samples a prompt, row = prompt·K + sample, cut once into groups of
 * fixed size from the whole list, so that what a picture is never depends on ranks or restarts. Of
 * a run that has grown, the same of each segment (run/segments.h).
 *
 * The prompts themselves lie in a table (run/prompt_table.h), in memory or on disk; whoever needs
 * some loads a span of them. */
#ifndef SKV_SAMPLE_ROWS_H
#define SKV_SAMPLE_ROWS_H

#include "io/tokenizer.h"
#include "run/prompt_table.h"
#include "run/segments.h"
#include "sample/settings.h"

typedef struct {
    const skv_settings *settings;
    const skv_prompt_table *table; /* NULL: not opened yet, nothing can be loaded */
    skv_prompt_facts facts;
    skv_segments segments;
    int vocabulary; /* token ids are below */
    int n_negative; /* tokens of the run's negative prompt; 0: none */
    int32_t negative[SKV_MAX_TOKENS];
    bool negative_is_cut;
    int64_t n_negatives_cut; /* of prompts' own negatives that were tokenised just now */
} skv_rows;

/* What follows from the settings and the number of prompts, in one segment. vocabulary: the text
 * encoder's. Borrows settings and table. */
SKV_MUST skv_status skv_rows_init(skv_rows *rows, const skv_settings *s,
                                  const skv_prompt_table *table, const skv_prompt_facts *facts,
                                  const skv_tokenizer *tokenizer, int vocabulary);

/* What the largest groups of a run have; at least a prompt and a token. Reads the token counts of
 * all prompts. */
typedef struct {
    int prompts, text_tokens;
    int longest; /* text */
    int uncond;  /* longest row that reads cfg_uncond */
} skv_group_sizes;
SKV_MUST skv_status skv_rows_measure(skv_group_sizes *out, const skv_rows *rows,
                                     int64_t group_size);

/* Rows of group g: *first, *n. */
void skv_rows_group(const skv_rows *rows, int64_t g, int64_t *first, int *n);

/* A prompt, its texts and its tokens. */
typedef struct {
    const char *id;                /* NULL: none of its own */
    const char *given_id;          /* as the list has it, a file name or not; NULL: none */
    const char *text, *used;       /* as given; as encoded: rewritten, with the positive suffix */
    const char *negative;          /* its own, else the run's; NULL: none */
    const char *error;             /* why it cannot be sampled, NULL: it can */
    const int32_t *token;          /* after truncation, </s> included; n_tokens 0: not tokenised */
    const int32_t *negative_token; /* n_negative 0: it reads cfg_uncond */
    int n_tokens, n_negative;
    bool rewritten, truncated, has_seed;
    uint64_t seed;
} skv_row_prompt;

/* Prompts [first, first+n). */
typedef struct {
    const skv_rows *rows;
    int64_t first, n;
    skv_row_prompt *prompt;
    skv_list_part part[SKV_N_LISTS]; /* what the prompts point to */
    char **made;                     /* texts with a suffix; NULL: none */
} skv_row_span;
SKV_MUST skv_status skv_rows_load(skv_row_span *out, const skv_rows *rows, int64_t first,
                                  int64_t n);
SKV_MUST skv_status skv_rows_load_group(skv_row_span *out, const skv_rows *rows, int64_t g);
void skv_row_span_clear(skv_row_span *span); /* a zeroed one is fine */

/* Calls fn for all prompts, a span after another, until it fails or sets *done. */
SKV_MUST skv_status skv_rows_each(const skv_rows *rows,
                                  skv_status (*fn)(void *ctx, const skv_row_span *span, bool *done),
                                  void *ctx);

/* One row of a span. */
typedef struct {
    int64_t row, index; /* of the prompt, in the run */
    const skv_row_prompt *prompt;
    int sample;
    uint64_t seed, before; /* as of skv_seed (engine.h) */
} skv_row;
skv_row skv_row_of(const skv_row_span *span, int64_t row);

/* out = the row's id (skv_prompt_row_id). bytes >= SKV_ID_BYTES. */
void skv_row_id(const skv_row_span *span, int64_t row, char *out, size_t bytes);

/* Token ids of a text, room for SKV_MAX_TOKENS. */
SKV_MUST skv_status skv_rows_encode(const skv_tokenizer *t, const char *text, int32_t *ids, int *n,
                                    bool *truncated);

#endif
