/* Prompt lists: text, JSON Lines, JSON, CSV and TSV, and a folder of .txt files, as the sets of the
 * field come (README.md has which were read).
 *
 * A line that cannot be sampled keeps its place, carries its reason and fails alone: the position
 * decides the seed and the group. A file is refused only for faults of the whole list: duplicate
 * ids, a missing column, not JSON, no line that can be read.
 *
 * A list on disk is read a window at a time, and its prompts are handed out one by one: memory does
 * not grow with the list, but for the ids that it gives, which must be told apart, and for one JSON
 * document, a folder and what comes through a pipe, which are held whole. */
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
    const char *id;       /* NULL: none given, or not usable as a file name */
    const char *given_id; /* as the list has it, usable or not; NULL: none */
    const char *text;     /* UTF-8, "" where error is set */
    size_t text_bytes;
    const char *rewritten; /* encoded in place of text; NULL: the text itself is */
    const char *negative;  /* NULL: none */
    bool has_seed;
    uint64_t seed;
    const char *error; /* NULL: fine; else one sentence naming file and line */
} skv_prompt;

typedef struct {
    size_t n_rewritten, n_missing; /* prompts without an error, found in a cache and not */
    skv_digest digest;             /* of the rewritten texts and their places */
} skv_rewriting;

#define SKV_PROMPTS_RENAMED   3  /* names of renamed ids that are kept, for a message */
#define SKV_PROMPTS_UNUSED    32 /* unused keys that are kept */
#define SKV_PROMPTS_KEY_BYTES 64 /* of a key that is kept: longer ones are cut */

/* What is known of a list as a whole. */
typedef struct {
    size_t n, n_bad;  /* prompts; those with an error */
    int index_digits; /* width of index-made ids: 5, more for longer lists */
    int index_dashes; /* 0: plain digits; k: "index" and k dashes before them */
    size_t n_renamed; /* ids that cannot be file names, replaced by the index */
    char renamed[SKV_PROMPTS_RENAMED][101]; /* the beginnings of the first of them */
    /* keys (columns) that prompts and negative prompts were taken from, "": lines have none; those
     * that nothing was taken from, in the order they came */
    char text_key[SKV_PROMPTS_KEY_BYTES], negative_key[SKV_PROMPTS_KEY_BYTES];
    size_t n_unused;
    char unused[SKV_PROMPTS_UNUSED][SKV_PROMPTS_KEY_BYTES];
    skv_rewriting rewriting;
} skv_prompts_facts;

/* For an unused key by which a line asks for something: *known, and what does that in this program,
 * NULL: nothing. */
const char *skv_prompts_asks(const char *key, bool *known);

/* Keys and columns: those of prompts_keys.c. */
typedef enum {
    SKV_PROMPTS_TEXT,  /* one a line */
    SKV_PROMPTS_JSONL, /* an object a line */
    SKV_PROMPTS_JSON,  /* one document: an array, or an object of a kind listed in prompts_json.c */
    SKV_PROMPTS_CSV,   /* RFC 4180 with a header; separated by commas, semicolons or tabs */
    SKV_PROMPTS_TSV,   /* the same, separated by tabs; a quote that is not closed is text */
    SKV_PROMPTS_FOLDER, /* JSON Lines as skv_prompts_open makes them of a folder of texts */
    SKV_PROMPTS_LISTS   /* a folder of files of the forms above, one behind the other */
} skv_prompts_form;

typedef enum {
    SKV_PROMPTS_ORDER_IMAGES,  /* COCO: as in its "images" array */
    SKV_PROMPTS_ORDER_IMAGE_ID /* COCO: ascending image_id */
} skv_prompts_order;

typedef struct {
    skv_prompts_order order;
    /* The bytes of a rewriting cache, a JSON object: prompt -> rewritten prompt or the rewriter's
     * raw answer <prompt:TEXT><cfg:N>. NULL: none. */
    const char *rewrites, *rewrites_name;
    size_t rewrites_bytes;
    /* The key (column) of the prompts, and that of the ids: names joined by commas make one id, and
     * SKV_PROMPTS_NO_ID means none. NULL: those that sets of the field use. */
    const char *prompt_key, *id_key;
} skv_prompts_options; /* zero: the defaults */
#define SKV_PROMPTS_NO_ID "none"

/* Where a list's bytes are. */
typedef struct {
    skv_prompts_form form;
    size_t n, end;     /* bytes; without the line ends behind the last line */
    size_t window;     /* bytes read at once, at least; 0: a MiB */
    skv_digest digest; /* of all of them */
    const char *bytes; /* in memory */
    char *owned;       /* bytes, where they are freed with the source */
    bool on_disk;      /* read from fd instead */
    int fd;
    int64_t changed;                /* when the file was changed last, ns, as it was when opened */
    struct skv_prompts__part *part; /* LISTS: its files */
    size_t n_parts;
} skv_prompts_source;

/* Opens a list and reads all of it once. Its form is what the name's ending says (prompts_open.c
 * has the table; others are text); whether JSON is lines or one document is seen in its beginning,
 * and so are JSON and tables in what has no name: "-", standard input, or a pipe, which is read to
 * its end (SKV_E_IO when nothing comes for a minute). A folder becomes JSON Lines: its *.txt sorted
 * by bytes, id = the name without .txt, one trailing newline stripped; where it has no .txt, its
 * lists are one, sorted likewise, ids <file's name without its ending>-<id, or index of five
 * digits>. SKV_E_ARG for a list that is of another form than its name says, naming the cure. Caller
 * closes.
 */
SKV_MUST skv_status skv_prompts_open(skv_prompts_source *out, const char *path);

/* A list in memory; borrowed. */
void skv_prompts_open_bytes(skv_prompts_source *out, const char *bytes, size_t n,
                            skv_prompts_form form);
void skv_prompts_close(skv_prompts_source *s); /* a zeroed one is fine */

/* Bytes [at, at + n) of the list, which must be there. SKV_E_FORMAT where the file has changed. */
SKV_MUST skv_status skv_prompts_bytes(void *out, const skv_prompts_source *s, size_t at, size_t n,
                                      const char *name);

/* Takes prompt i of a list; its texts are gone afterwards. */
typedef skv_status (*skv_prompts_fn)(void *ctx, size_t i, const skv_prompt *p);

/* CSV: every row has as many fields as the header; where the id column is called item_id only an
 * item's first row counts. COCO: an image's first caption, id = image_id. Lines end in LF, CR LF or
 * CR. Empty lines at the end are dropped; others, and prompts of white space alone, are bad lines.
 *
 * Calls fn for each prompt, in order, until it fails. `name` is the file's name for messages; opts
 * may be NULL. SKV_E_FORMAT for duplicate ids (naming both lines), SKV_E_ARG for no prompt at all,
 * a missing key of all, or a list of which no prompt can be read (with the first one's reason).
 * SKV_E_ARG where a rewriting cache has none of the prompts, saying so if keys are swapped with
 * values, or are the rewritten texts themselves. */
SKV_MUST skv_status skv_prompts_each(skv_prompts_facts *facts, const skv_prompts_source *s,
                                     const char *name, const skv_prompts_options *opts,
                                     skv_prompts_fn fn, void *ctx);

/* The same as a list in memory. */
typedef struct {
    skv_prompt *prompts;
    size_t n;
    skv_prompts_facts facts;
    struct skv_prompt_block *blocks; /* where the texts live */
} skv_prompts;
SKV_MUST skv_status skv_prompts_parse(skv_prompts **out, const skv_prompts_source *s,
                                      const char *name, const skv_prompts_options *opts);
void skv_prompts_destroy(skv_prompts *p);

/* Open and parse. */
SKV_MUST skv_status skv_prompts_read(skv_prompts **out, const char *path,
                                     const skv_prompts_options *opts);

/* out = the prompt's id, or its zero-padded index where it has none ("00042"; "index-00042" in a
 * list where a given id is all digits, so that the two never meet). bytes >= SKV_PROMPT_ID_BYTES.
 */
void skv_prompts_id(const skv_prompts *p, size_t i, char *out, size_t bytes);

/* The same of a prompt without an id, in a list of these digits and dashes (skv_prompts). */
void skv_prompts_index_id(char *out, size_t bytes, size_t i, int digits, int dashes);

/* Usable as a file name anywhere: [A-Za-z0-9._-], no leading dot or dash, 1 to 200 bytes. */
bool skv_prompts_id_is_usable(const char *id);

#endif
