/* Rows and groups of a run: K samples a prompt, row = prompt·K + sample, cut once into groups of
 * fixed size from the whole list, so that what a picture is never depends on ranks or restarts. */
#ifndef SKV_SAMPLE_ROWS_H
#define SKV_SAMPLE_ROWS_H

#include "io/prompts.h"
#include "io/tokenizer.h"
#include "sample/settings.h"

typedef struct {
    const skv_settings *settings;
    const skv_prompts *prompts;
    const skv_tokenizer *tokenizer;
    int64_t n_rows, n_groups;
    int32_t *tokens;          /* per prompt: after truncation, </s> included; 0: the line is bad */
    bool *truncated;          /* per prompt */
    int32_t *negative_tokens; /* per prompt; 0: reads cfg_uncond */
    int64_t n_bad, n_truncated;
} skv_rows;

/* Tokenises the whole list. Borrows everything it is given. */
SKV_MUST skv_status skv_rows_init(skv_rows *rows, const skv_settings *s, const skv_prompts *prompts,
                                  const skv_tokenizer *tokenizer);
void skv_rows_deinit(skv_rows *rows);

/* What the largest groups of a run have; at least a prompt and a token. */
typedef struct {
    int prompts, text_tokens;
    int longest; /* text */
    int uncond;  /* longest row that reads cfg_uncond */
} skv_group_sizes;
skv_group_sizes skv_rows_measure(const skv_rows *rows, int64_t group_size);

/* One row. */
typedef struct {
    int64_t row, prompt;
    int sample;
    uint64_t seed;
} skv_row;
skv_row skv_rows_at(const skv_rows *rows, int64_t row);

/* Rows of group g: *first, *n. */
void skv_rows_group(const skv_rows *rows, int64_t g, int64_t *first, int *n);

/* out = the row's id: the prompt's, or its index where it has none, and "-<sample>" from sample 1
 * on. bytes >= SKV_ID_BYTES. */
void skv_rows_id(const skv_rows *rows, int64_t row, char *out, size_t bytes);

/* The text that is encoded: the prompt's or its rewriting, with the positive suffix where that
 * applies; and the negative one (the line's, else the run's; NULL or empty: none). *used is freed
 * by the caller. */
SKV_MUST skv_status skv_rows_text(const skv_rows *rows, int64_t prompt, char **used);
const char *skv_rows_negative(const skv_rows *rows, int64_t prompt);

/* Token ids of a text, room for SKV_MAX_TOKENS. */
SKV_MUST skv_status skv_rows_encode(const skv_rows *rows, const char *text, int32_t *ids, int *n,
                                    bool *truncated);

#endif
