/* What the parsers of the forms share: adding a prompt or a bad line, in order. */
#ifndef SKV_IO_PROMPTS_INTERNAL_H
#define SKV_IO_PROMPTS_INTERNAL_H

#include <jansson.h>

#include "core/bytes.h"
#include "io/prompts.h"

#define SKV_PROMPTS__MAX_ID  200  /* bytes */
#define SKV_PROMPTS__MESSAGE 1024 /* bytes of why a line is bad */

/* A set of strings with a number each, in a block of its own; with fold_case "A" is "a". A zeroed
 * one is empty. */
typedef struct {
    skv_bytes words; /* one behind the other: the number, the word, NUL */
    size_t *slot;    /* where a word's entry begins in `words`, plus 1; 0: free */
    size_t n_slots, n;
    bool fold_case;
} skv_prompts__set;
/* Adds `word` with *value, or sets *there, and *value to the word's number. */
SKV_MUST skv_status skv_prompts__set_add(skv_prompts__set *s, const char *word, size_t *value,
                                         bool *there);
bool skv_prompts__set_find(const skv_prompts__set *s, const char *word, size_t *value);
void skv_prompts__set_clear(skv_prompts__set *s);

typedef struct {
    skv_prompts_facts *facts;
    const char *name;  /* the file's */
    const char *unit;  /* "line" or "entry" */
    const char *key;   /* "key" or "column" */
    const char *list;  /* of a folder of lists, what ids begin with; NULL: another form */
    size_t list_begin; /* prompts before it */
    const skv_prompts_options *options;
    const json_t *rewrites; /* NULL: none */
    skv_prompts_fn fn;
    void *ctx;
    skv_prompts__set ids;    /* with the line of each */
    skv_prompts__set unused; /* keys */
    size_t twin, twin_of;    /* lines of the first id that was there before; 0: none */
    const char *twin_name;   /* its file's */
    char twin_id[SKV_PROMPTS__MAX_ID + 1];
    bool all_digits;                      /* an id is made of digits alone */
    bool dashes[SKV_PROMPTS__MAX_ID + 1]; /* [k]: an id begins with "index" and k dashes */
    char first_bad[SKV_PROMPTS__MESSAGE]; /* the first reason; "": none */
    skv_bytes text, negative, rewritten;  /* of the prompt at hand */
    skv_bytes id, list_id;                /* where a parser makes one; with what it begins */
} skv_prompts__builder;
void skv_prompts__builder_clear(skv_prompts__builder *b);

/* A prompt as a parser found it. id, negative: NULL where not given. */
typedef struct {
    const char *id, *text, *negative;
    size_t text_bytes, negative_bytes;
    bool has_seed;
    uint64_t seed;
} skv_prompts__found;

/* Adds the prompt at `line`, checking the texts; one that cannot be sampled becomes a bad line. */
SKV_MUST skv_status skv_prompts__add(skv_prompts__builder *b, size_t line,
                                     const skv_prompts__found *found);

/* Adds a bad line: "<name>: <unit> <line>: <reason>". id may be NULL. */
SKV_MUST skv_status skv_prompts__add_bad(skv_prompts__builder *b, size_t line, const char *id,
                                         const char *fmt, ...) SKV_PRINTF(4, 5);

/* After the last prompt: chooses how indices are written. SKV_E_ARG without prompts that can be
 * read, SKV_E_FORMAT for two of one id. */
SKV_MUST skv_status skv_prompts__finish(skv_prompts__builder *b);

/* A file of a folder of lists, and its name without the ending. */
typedef struct skv_prompts__part {
    skv_prompts_source source;
    char *path, *stem;
} skv_prompts__part;

/* SKV_E_FORMAT: the list's file was changed since it was opened. */
SKV_MUST skv_status skv_prompts__is_unchanged(const skv_prompts_source *s, const char *name);

/* White space alone. */
bool skv_prompts__is_blank(const char *text, size_t n);

/* Adds a part to an id that is made in b->id, behind a '-' where it is not the first. */
SKV_MUST skv_status skv_prompts__add_to_id(skv_prompts__builder *b, const char *part, size_t n,
                                           bool first);

/* Decimal digits, below 2^64; blanks may stand around them, and ".0" behind, as pandas writes it.
 */
bool skv_prompts__parse_seed(uint64_t *out, const char *text);

/* A form's parser is given a window of the list at a time. It takes whole lines (rows) from its
 * beginning, all that there are, and sets *used; the next window begins behind them. The last one
 * ends with the list. */
typedef struct {
    const char *bytes;
    size_t n;
    bool last;
} skv_prompts__window;

typedef struct {
    skv_prompts_form form;
    size_t line;                      /* of what was taken last, from 1 */
    struct skv_prompts__table *table; /* NULL: another form */
} skv_prompts__place;

/* Bytes of the line end at `at`, in a window up to `end`: 1 to 3. 0: not known before more is read,
 * which `last` says there is not. */
size_t skv_prompts__end_bytes(const char *at, const char *end, bool last);

/* The window's next line, without its end; *used moves behind it. False: there is no whole line. */
bool skv_prompts__next_line(const skv_prompts__window *w, size_t *used, const char **line,
                            size_t *n);

SKV_MUST skv_status skv_prompts__text(skv_prompts__builder *b, skv_prompts__place *p,
                                      const skv_prompts__window *w, size_t *used);
SKV_MUST skv_status skv_prompts__jsonl(skv_prompts__builder *b, skv_prompts__place *p,
                                       const skv_prompts__window *w, size_t *used);
SKV_MUST skv_status skv_prompts__table(skv_prompts__builder *b, skv_prompts__place *p,
                                       const skv_prompts__window *w, size_t *used);
void skv_prompts__table_destroy(struct skv_prompts__table *t); /* accepts NULL */

/* One document; all of it. */
SKV_MUST skv_status skv_prompts__json(skv_prompts__builder *b, const char *bytes, size_t n);

/* What a file of this beginning is, as the predicate of a sentence, where it is known not to be a
 * list of prompts; NULL otherwise. */
const char *skv_prompts__not_a_list(const char *bytes, size_t n);

/* Settles a list's form by its beginning; nameless: *form is a guess. SKV_E_ARG: the beginning is
 * that of another form. */
SKV_MUST skv_status skv_prompts__settle_form(skv_prompts_form *form,
                                             const skv_prompts__window *start, const char *name,
                                             bool nameless);

/* Rewriting caches. */
SKV_MUST skv_status skv_prompts__rewrites_read(json_t **out, const skv_prompts_options *opts);
/* The text that a prompt is to be encoded as; false: the cache has none. */
bool skv_prompts__rewritten(const char **text, size_t *n, const json_t *rewrites,
                            const char *prompt);
/* SKV_E_ARG: none of these prompts is a key. Says what the cache looks like. */
SKV_MUST skv_status skv_prompts__refuse_rewrites(const json_t *rewrites,
                                                 const skv_prompts__set *prompts, const char *name);

#endif
