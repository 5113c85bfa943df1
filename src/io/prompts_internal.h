/* What the parsers of the forms share: adding a prompt or a bad line, in order. */
#ifndef SKV_IO_PROMPTS_INTERNAL_H
#define SKV_IO_PROMPTS_INTERNAL_H

#include "io/prompts.h"

#define SKV_PROMPTS__MAX_ID 200 /* bytes */

typedef struct {
    skv_prompts *list;
    size_t room;      /* entries that fit into list->prompts */
    size_t *line;     /* per prompt: where it stands, from 1 */
    const char *name; /* the file's */
    const char *unit; /* "line" or "entry" */
} skv_prompts__builder;

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

/* *out = a copy of the n bytes with a NUL behind them; lives as long as the list. */
SKV_MUST skv_status skv_prompts__keep(char **out, skv_prompts *list, const char *bytes, size_t n);

/* Decimal digits only, below 2^64. */
bool skv_prompts__parse_seed(uint64_t *out, const char *text);

/* A set of strings; with fold_case "A" is "a". */
typedef struct {
    const char **slot;
    size_t *value;
    size_t mask;
    bool fold_case;
} skv_prompts__set;
SKV_MUST skv_status skv_prompts__set_init(skv_prompts__set *s, size_t n, bool fold_case);
void skv_prompts__set_deinit(skv_prompts__set *s);
/* Adds `word` (borrowed) with `value`; true when it was there before, *value then is the old one.
 */
bool skv_prompts__set_add(skv_prompts__set *s, const char *word, size_t *value);

/* The forms. */
SKV_MUST skv_status skv_prompts__text(skv_prompts__builder *b, const char *bytes, size_t n);
SKV_MUST skv_status skv_prompts__jsonl(skv_prompts__builder *b, const char *bytes, size_t n,
                                       bool folder);
SKV_MUST skv_status skv_prompts__csv(skv_prompts__builder *b, const char *bytes, size_t n);
SKV_MUST skv_status skv_prompts__json(skv_prompts__builder *b, const char *bytes, size_t n,
                                      skv_prompts_order order);

/* Room for n prompts, once. */
SKV_MUST skv_status skv_prompts__reserve(skv_prompts__builder *b, size_t n);

#endif
