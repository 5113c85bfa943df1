/* Option tables: one row {key, type, offset, default, help} gives the command-line flag, the JSON
 * key, --help, the printed settings and the run file's attribute. default < config < command line.
 *
 * A table ends with a row whose key is NULL. Flags are "--key value", "--key=value", and for
 * booleans "--key" / "--no-key"; '_' in a key is '-' in the flag. */
#ifndef SKV_CORE_OPTIONS_H
#define SKV_CORE_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef enum {
    SKV_OPT_BOOL,   /* bool */
    SKV_OPT_INT,    /* int64_t */
    SKV_OPT_U64,    /* uint64_t; JSON integers or decimal strings */
    SKV_OPT_REAL,   /* double */
    SKV_OPT_STRING, /* char *, NULL = not given; owned by the settings struct */
    SKV_OPT_PATH,   /* like STRING; in a config file relative to the config's folder,
                       unless it has a colon before any slash (formula:tiny) */
    SKV_OPT_REALS,  /* skv_reals: one number, or a list (JSON array, or "3,3,4" as a flag) */
    SKV_OPT_INTS,   /* skv_ints: the same of integers */
    SKV_OPT_JSON    /* json_t *: any JSON value; as a flag, JSON text */
} skv_option_type;

typedef struct {
    double *value;
    int n;
} skv_reals;

typedef struct {
    int64_t *value;
    int n;
} skv_ints;

typedef struct {
    const char *key;
    skv_option_type type;
    size_t offset;
    const char *fallback; /* text form, NULL = not given (0, false, NULL) */
    const char *help;
    const char *group;   /* heading in --help, NULL = as the row before */
    const char *words;   /* STRING: the only values it takes, "auto|cpu|cuda"; NULL = any */
    bool flag_only;      /* a config's key of this name means another command's option */
    char letter;         /* BOOL of skv_options_take: 'q' for -q; 0: none */
    const char *instead; /* key of the row in whose place this one may be given: not both at once,
                          * and the later source's counts */
    bool once; /* said of one start: not taken from a run's record that serves as config */
} skv_option;

/* A row for the member `field` of the struct: SKV_OPTION(settings, seed, U64, "0", "run seed",
 * NULL)
 */
#define SKV_OPTION(owner, field, kind, default_, help_, group_)                                    \
    {                                                                                              \
        .key = #field, .type = SKV_OPT_##kind, .offset = offsetof(owner, field),                   \
        .fallback = default_, .help = help_, .group = group_                                       \
    }

/* The same for a string that is one of a few words. */
#define SKV_OPTION_WORD(owner, field, words_, default_, help_, group_)                             \
    {                                                                                              \
        .key = #field, .type = SKV_OPT_STRING, .offset = offsetof(owner, field),                   \
        .fallback = default_, .help = help_, .group = group_, .words = words_                      \
    }

/* A row whose key in a config is another command's: skv eval's --out is not the run of skv sample.
 */
#define SKV_OPTION_FLAG(owner, field, kind, default_, help_, group_)                               \
    {                                                                                              \
        .key = #field, .type = SKV_OPT_##kind, .offset = offsetof(owner, field),                   \
        .fallback = default_, .help = help_, .group = group_, .flag_only = true                    \
    }

/* A row about one start of a run, which says nothing of its content. */
#define SKV_OPTION_ONCE(owner, field, kind, default_, help_, group_)                               \
    {                                                                                              \
        .key = #field, .type = SKV_OPT_##kind, .offset = offsetof(owner, field),                   \
        .fallback = default_, .help = help_, .group = group_, .once = true                         \
    }

/* Rows that several commands have, each word for word the same. */
#define SKV_OPTION_CONFIG(owner)                                                                   \
    SKV_OPTION_ONCE(owner, config, PATH, NULL,                                                     \
                    "JSON file of options, or RUN/run.json for a run's; keys of other commands "   \
                    "are passed over",                                                             \
                    "Configuration")
#define SKV_OPTION_DEVICE(owner)                                                                   \
    SKV_OPTION_WORD(owner, device, "auto|cpu|cuda", "auto",                                        \
                    "what computes; auto: a GPU if there is one", "Device")
#define SKV_OPTION_DTYPE(owner)                                                                    \
    SKV_OPTION_WORD(owner, dtype, "auto|bf16|fp32", "auto",                                        \
                    "type of weights and activations; auto: bf16 on a GPU, fp32 on the CPU", NULL)
#define SKV_OPTION_THREADS(owner)                                                                  \
    SKV_OPTION(owner, threads, INT, "0",                                                           \
               "CPU threads of each rank; 0: the host's cores divided among its ranks", NULL)
#define SKV_OPTION_MEMORY_LIMIT(owner)                                                             \
    SKV_OPTION(owner, memory_limit, INT, "0", "bytes that may be used; 0: as many as are free",    \
               NULL)
#define SKV_OPTION_DRAFTERS(owner)                                                                 \
    SKV_OPTION(owner, drafters, INTS, NULL,                                                        \
               "ScaleKV's drafter layers, for models that skv has no list for", NULL)

#define SKV_OPTION_ORDERS(owner)                                                                   \
    SKV_OPTION(owner, orders, PATH, NULL,                                                          \
               "HeatKV, HACK: orders (JSON) by which heads drop source scales, or are told "       \
               "apart: orders.json or heads.json of skv calibrate, or HeatKV's authors'",          \
               NULL)

/* How a prompt list is read, for every command that reads one (io/prompts.h). */
#define SKV_OPTION_PROMPT_KEYS(owner)                                                              \
    SKV_OPTION(owner, prompt_key, STRING, NULL,                                                    \
               "key (column) that holds the prompts; default: prompt, text, caption, ...", NULL),  \
        SKV_OPTION(owner, id_key, STRING, NULL,                                                    \
                   "key (column) of the ids, several joined by commas, or none; default: id, "     \
                   "item_id, prompt_id, ...",                                                      \
                   NULL)
/* What every command has that runs on several ranks. */
#define SKV_OPTION_RANKS(owner)                                                                    \
    SKV_OPTION(owner, wait_notice, REAL, "60",                                                     \
               "seconds after which a rank says for which others it waits; 0: never", "Ranks"),    \
        SKV_OPTION(owner, wait_limit, REAL, "1800",                                                \
                   "seconds of waiting for other ranks after which the job ends; 0: never", NULL), \
        SKV_OPTION(owner, port, INT, "0",                                                          \
                   "where ranks not started by MPI find rank 0, at MASTER_ADDR, who knows "        \
                   "SKV_TOKEN; 0: by a file in the run's folder",                                  \
                   NULL)

/* Fills the struct at `settings` (zeroed by the caller) with the defaults. */
SKV_MUST skv_status skv_options_defaults(const skv_option *table, void *settings);

/* Sets what the JSON object gives. Unknown keys are refused with the nearest known one. `name` is
 * the config's name for messages, `folder` what its PATH values are relative to (NULL: as is). */
SKV_MUST skv_status skv_options_from_json(const skv_option *table, void *settings,
                                          const json_t *object, const char *name,
                                          const char *folder);

/* Sets what argv gives. Words that are not flags go to `words` (borrowed from argv, room for argc),
 * *n_words of them; n_words NULL: they are refused. */
SKV_MUST skv_status skv_options_from_args(const skv_option *table, void *settings, int argc,
                                          char **argv, const char **words, int *n_words);

/* Options that stand among another table's: sets those of `switches` (all BOOL), by flag or letter,
 * and takes their words out of argv; *argc becomes smaller. The values of the table's options are
 * passed over, and so is what follows "--". */
SKV_MUST skv_status skv_options_take(const skv_option *switches, void *settings,
                                     const skv_option *table, int *argc, char **argv);

/* New JSON object of all settings as resolved (null where not given). */
SKV_MUST skv_status skv_options_to_json(json_t **out, const skv_option *table,
                                        const void *settings);

/* The same for a record that is read elsewhere: with absolute PATH values. */
SKV_MUST skv_status skv_options_to_record(json_t **out, const skv_option *table,
                                          const void *settings);

/* Bytes of a struct that holds what the rows are about, and a row's member in it (NULL: no such
 * row), for who knows the table and not the struct. */
size_t skv_options_bytes(const skv_option *table);
const void *skv_options_value(const skv_option *table, const void *settings, const char *key);

/* Frees what the rows own and zeroes them. */
void skv_options_clear(const skv_option *table, void *settings);

/* "--group-size N", "--[no-]dry-run" */
#define SKV_OPTION_USAGE 512
void skv_option_usage(char *out, size_t bytes, const skv_option *option);

/* "  --key VALUE   help (default)" in lines of 80 columns, as a string (free()). */
SKV_MUST skv_status skv_options_help(char **out, const skv_option *table);

/* A whole text of digits, below 2^64; false: it is not that. */
bool skv_u64_parse(uint64_t *out, const char *text);

/* *out = the integers of a list like "3,3,4", in place of what it owned; `name` is for messages. */
SKV_MUST skv_status skv_ints_parse(skv_ints *out, const char *text, const char *name);

/* The rule by which exit status 2 is told from 1. The status of opening or making what the user
 * named, by the option `flag` or (NULL) as an argument or inside a value: SKV_E_NOTFOUND,
 * SKV_E_KIND, SKV_E_DENIED and SKV_E_SHAPE become SKV_E_ARG, since the name is wrong; the status of
 * an I/O error or of a damaged content stays. The message gets the flag before it. */
SKV_MUST skv_status skv_option_opened(const char *flag, skv_status st);

/* The key of the table nearest to `word`, NULL if none is near. */
const char *skv_nearest_key(const skv_option *table, const char *word);

/* The member of `names` (NULL-terminated) nearest to `word` in edit distance, NULL if none is
 * near. */
const char *skv_nearest(const char *word, const char *const *names);

#endif
