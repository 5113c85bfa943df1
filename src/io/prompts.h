/* Prompt lists: text, JSON Lines, JSON (COCO captions, arrays), CSV, and a folder of .txt files.
 *
 * A line that cannot be sampled keeps its place, carries its reason and fails alone: the position
 * decides the seed and the group. A file is refused only for faults of the whole list (duplicate
 * ids, a missing column, not JSON). Reading and parsing are apart, so that one rank can read and
 * all ranks parse the same bytes. */
#ifndef SKV_IO_PROMPTS_H
#define SKV_IO_PROMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/digest.h"
#include "core/status.h"

#define SKV_PROMPT_MAX_BYTES ((size_t)1 << 20)
#define SKV_PROMPT_ID_BYTES  256 /* room for any id or index, "-<sample>" not included */

typedef struct {
    char *id;   /* NULL: none given, or not usable as a file name */
    char *text; /* UTF-8, "" where error is set */
    size_t text_bytes;
    char *rewritten; /* encoded in place of text; NULL: the text itself is */
    char *negative;  /* NULL: none */
    bool has_seed;
    uint64_t seed;
    char *error; /* NULL: fine; else one sentence naming file and line */
} skv_prompt;

typedef struct {
    size_t n_rewritten, n_missing; /* prompts without an error, found in the cache and not */
    skv_digest digest;             /* of the rewritten texts and their places */
} skv_rewriting;

typedef struct {
    skv_prompt *prompts;
    size_t n;
    size_t n_bad;                    /* prompts with an error */
    int index_digits;                /* width of index-made ids: 5, more for longer lists */
    int index_dashes;                /* 0: plain digits; k: "index" and k dashes before them */
    size_t n_renamed;                /* ids that cannot be file names, replaced by the index */
    const char *renamed[3];          /* the first of them; NULL: fewer */
    skv_rewriting rewriting;         /* what skv_prompts_rewrite did */
    struct skv_prompt_block *blocks; /* where the texts live */
} skv_prompts;

typedef enum {
    SKV_PROMPTS_TEXT,  /* one a line */
    SKV_PROMPTS_JSONL, /* "prompt" or "text"; optional "id", "seed", "negative"/"negative_prompt" */
    SKV_PROMPTS_JSON,  /* COCO captions, array of strings, array of objects as in JSONL */
    SKV_PROMPTS_CSV,   /* RFC 4180 with a header: prompt/text, id/item_id, seed, negative */
    SKV_PROMPTS_FOLDER /* JSON Lines as skv_prompts_load makes them of a folder */
} skv_prompts_form;

typedef enum {
    SKV_PROMPTS_ORDER_IMAGES,  /* COCO: as in its "images" array */
    SKV_PROMPTS_ORDER_IMAGE_ID /* COCO: ascending image_id */
} skv_prompts_order;

typedef struct {
    skv_prompts_order order;
} skv_prompts_options; /* zero: the defaults */

/* What rank 0 reads: *bytes (free()), *n of them, and their form, from the name's ending (anything
 * but .jsonl, .json, .csv is text). "-" is standard input; a pipe is read to its end, SKV_E_IO
 * when nothing comes for a minute. A folder becomes JSON Lines: its *.txt sorted by bytes, id =
 * the name without .txt, one trailing newline stripped. */
SKV_MUST skv_status skv_prompts_load(char **bytes, size_t *n, skv_prompts_form *form,
                                     const char *path);

/* CSV: every row has as many fields as the header; where the id column is called item_id only an
 * item's first row counts. COCO: an image's first caption, id = image_id. Empty lines at the end
 * are dropped, others are bad lines; {"prompt": ""} is a prompt.
 *
 * Parses what skv_prompts_load gave; `name` is the file's name for messages. Borrows nothing.
 * opts may be NULL. SKV_E_FORMAT for duplicate ids (naming both lines), SKV_E_ARG for no prompt at
 * all. */
SKV_MUST skv_status skv_prompts_parse(skv_prompts **out, const char *bytes, size_t n,
                                      skv_prompts_form form, const char *name,
                                      const skv_prompts_options *opts);

/* Load and parse. */
SKV_MUST skv_status skv_prompts_read(skv_prompts **out, const char *path,
                                     const skv_prompts_options *opts);
void skv_prompts_destroy(skv_prompts *p);

/* Rewritten texts from a cache: the bytes of a JSON object, prompt -> rewritten prompt or the
 * rewriter's raw answer <prompt:TEXT><cfg:N>. Prompts that it lacks keep rewritten NULL. SKV_E_ARG
 * where it has none of them, saying so if keys are swapped with values, or are the rewritten texts
 * themselves. */
SKV_MUST skv_status skv_prompts_rewrite(skv_prompts *p, const char *bytes, size_t n,
                                        const char *name);

/* out = the prompt's id, or its zero-padded index where it has none ("00042"; "index-00042" in a
 * list where a given id is all digits, so that the two never meet). bytes >= SKV_PROMPT_ID_BYTES.
 */
void skv_prompts_id(const skv_prompts *p, size_t i, char *out, size_t bytes);

/* The same of a prompt without an id, in a list of these digits and dashes (skv_prompts). */
void skv_prompts_index_id(char *out, size_t bytes, size_t i, int digits, int dashes);

/* Usable as a file name anywhere: [A-Za-z0-9._-], no leading dot or dash, 1 to 200 bytes. */
bool skv_prompts_id_is_usable(const char *id);

#endif
