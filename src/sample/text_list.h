/* The texts that a run encodes: prompts and negative prompts, each sequence of token ids once. */
#ifndef SKV_SAMPLE_TEXT_LIST_H
#define SKV_SAMPLE_TEXT_LIST_H

#include "io/text_file.h"
#include "sample/rows.h"

typedef struct {
    uint64_t digest; /* of the ids */
    int64_t text;    /* 2·prompt, + 1: its negative prompt */
    int64_t n;       /* tokens */
} skv_text;

typedef struct {
    skv_text *texts; /* in the order of the prompts */
    int64_t n, n_tokens;
    int longest;
} skv_text_list;

/* Lists the texts that `file` lacks (NULL: it lacks all) of the groups that are to be computed:
 * `work` as skv_run_folder_scan fills it, n_paths entries a group; NULL: all groups. */
SKV_MUST skv_status skv_text_list_make(skv_text_list *out, const skv_rows *rows,
                                       const skv_text_file *file, const uint8_t *work, int n_paths);
void skv_text_list_clear(skv_text_list *list);

/* Sets n, and n_tokens and longest from the first n texts. */
void skv_text_list_count(skv_text_list *list, int64_t n);

/* Token ids of a text, room for SKV_MAX_TOKENS. */
SKV_MUST skv_status skv_text_ids(const skv_rows *rows, int64_t text, int32_t *ids, int *n);

#endif
