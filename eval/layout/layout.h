/* The folders that benchmarks' evaluators read: which file holds which picture, which entries of a
 * folder are read, and the command that reads them (README.md of this folder).
 * One row of a table (layout_table.c) serves export and check alike. To add a layout is to add a
 * row; a function of its own is for what a row cannot say.
 *
 * The one thing easy to get wrong: evaluators do not read what they should, but what they find. A
 * left-over folder or temporary file is scored without a word, so all our files that no evaluator
 * asks for lie beside the folder: <folder>.skv-export.json (the recipe), <folder>.skv-part (being
 * written). */
#ifndef SKV_EVAL_LAYOUT_H
#define SKV_EVAL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json.h"
#include "core/status.h"
#include "io/picture_file.h"
#include "io/prompts.h"
#include "run/run_file.h"

#define SKV_LAYOUT_NAME_BYTES 512  /* of a file, relative to the evaluator's folder */
#define SKV_LAYOUT_PATH_BYTES 4096 /* of a folder and such a name */

/* Files that a set has, sorted by name. */
typedef struct {
    char *name;
    int64_t prompt;
    int sample;
} skv_layout_file;

/* What a folder is to hold. Strings are owned; cleared with skv_layout_set_clear. */
typedef struct {
    int64_t n;   /* prompts */
    int samples; /* of each prompt */
    char **id;   /* (n) ids of the prompts; NULL: not known (folders checked by a count alone) */
    char **text; /* (n) the prompts; NULL: not known */
    char **category; /* (n) of layouts that read them from the prompt file; NULL otherwise */
    char **line;     /* (n) bytes of metadata.jsonl; NULL: the layout has none, or not known */
    char **why;      /* (n) why the export has no picture of some sample, or ""; NULL: not known */
    char *model;     /* the folder's name of what made the pictures; NULL: not known */
    int side;        /* of one sample, pixels; 0: not known */
    skv_layout_file *file; /* all pictures of the set; NULL: their names are not known */
    int64_t n_files;
    int64_t n_numbered; /* prompts under their number, since the id that the list gives them cannot
                         * be a file name anywhere ("val/1") */
} skv_layout_set;

typedef enum {
    SKV_LAYOUT_PICTURE,  /* sample `sample` of prompt `prompt` */
    SKV_LAYOUT_METADATA, /* of prompt `prompt` */
    SKV_LAYOUT_INDEX,    /* the layout's index file */
    SKV_LAYOUT_SHARD,    /* an archive of pictures */
    SKV_LAYOUT_FOLDER,   /* part of the layout: look inside */
    SKV_LAYOUT_READ,     /* nothing of the set, but read by the evaluator; why says what comes */
    SKV_LAYOUT_IGNORED   /* not read; why: worth a word, or NULL */
} skv_layout_kind;

typedef struct {
    skv_layout_kind kind;
    int64_t prompt;
    int sample;
    const char *why; /* constant text */
} skv_layout_entry;

/* What a command line names, quoted for a shell. */
typedef struct {
    const char *folder;       /* the one that was checked */
    const char *parent, *own; /* the folder that it lies in, and its name there */
    const char *reference;    /* of the run's reference path, may be `folder`; NULL: not known */
    const char *model;        /* as in the set; NULL: not known */
    int side;                 /* of one sample, pixels; 0: not known */
} skv_layout_folders;

/* A category of the prompt list, and what its folder is called. */
typedef struct {
    const char *category, *folder;
} skv_layout_category;

typedef struct skv_layout {
    const char *name, *benchmark, *summary;
    const char *incomplete; /* what becomes of a prompt of which some samples have no picture */
    int samples, prompts;   /* of the published benchmark; prompts 0: not one number; samples 0: as
                             * many as the run has */
    int tiles;              /* 2: four samples in one picture, two by two, no border; otherwise 1 */
    bool square;            /* the evaluator cuts or scores squares only */
    skv_form form;

    /* Relative name of a picture (tiles: of all samples), with these words in it:
     *   {index} place in the list, {sample}, {row} = index * samples + sample: numbers; {index:5}:
     *   with zeros before it, at least five digits
     *   {id}; {id:5}: an id that must be a number; {prompt}
     *   {category}, {item}: of an id <category>-<item>; where no id has a category the folder is of
     *   one, and "{category}/" is left out
     *   {model} the path's name
     * first_index, first_sample: where {index} and {sample} begin. */
    const char *picture;
    int first_index, first_sample;
    const skv_layout_category *categories; /* folders of another name, up to NULL; NULL: none */
    const char *category_key; /* of the prompt file's objects, where ids do not say it; or NULL */

    /* Pictures lie in tar archives of several rows, each with its text and recipe behind it, under
     * the same name but for the ending (layout_shards.c). */
    bool shards;

    const char
        *metadata; /* name of the file that holds set->line of a prompt; NULL: there is none */
    /* Whether the evaluator can use the line's object: NULL if it can, otherwise the reason. */
    const char *(*metadata_fault)(const json_t *object);

    const char *index; /* name of the file that lists all pictures by prompt; NULL: there is none */
    /* Its value: of the pictures (prompts, files) that are `there`, with absolute names. */
    json_t *(*make_index)(const struct skv_layout *layout, const skv_layout_set *set,
                          const char *folder, const uint8_t *there);

    /* One sentence for a set that this layout cannot hold; NULL: what the names say is all. */
    skv_status (*refuse)(const skv_layout_set *set);
    /* What an entry (relative name) of the folder is to the evaluator; NULL: names of the set are
     * pictures, and of others `also` says why the evaluator reads them, or NULL. */
    void (*judge)(skv_layout_entry *out, const skv_layout_set *set, const char *name, bool folder);
    const char *(*also)(const char *name, bool folder);
    /* The evaluator's command lines, with {folder}, {parent}, {own}, {reference}, {model}, {side}
     * as in skv_layout_folders, and {compared}: the folder, if it is not the reference. */
    const char *command;
} skv_layout;

/* All layouts; the last one has no name. */
extern const skv_layout skv_layouts[];

/* SKV_E_ARG naming the layouts there are. */
SKV_MUST skv_status skv_layout_find(const skv_layout **out, const char *name);

/* Name of a picture, of a set that was made for this layout; NULL pattern fields never occur.
 * Room for SKV_LAYOUT_NAME_BYTES. */
void skv_layout_picture(char *out, const skv_layout *layout, const skv_layout_set *set,
                        int64_t prompt, int sample);
void skv_layout_metadata(char *out, const skv_layout *layout, int64_t prompt);

/* Whether names of pictures can be told without the prompts' ids and texts. */
bool skv_layout_needs_list(const skv_layout *layout);

/* What an entry of the folder is to the evaluator (layout->judge). */
void skv_layout_judge(skv_layout_entry *out, const skv_layout *layout, const skv_layout_set *set,
                      const char *name, bool folder);

/* out = the evaluator's command lines. SKV_E_ARG where they do not fit. */
SKV_MUST skv_status skv_layout_command(char *out, size_t bytes, const skv_layout *layout,
                                       const skv_layout_folders *folders);

/* A prompt list and how it is read. */
typedef struct {
    const char *file;
    skv_prompts_options how;
} skv_layout_prompts;

/* Sets. `samples` of each prompt: the layout's own number where it is 0.
 * From a prompt list; from a path of a run, whose prompts are compared with those of `list` (read
 * by layouts with metadata or a category_key; what it leaves NULL is as RUN/run.json says); from a
 * manifest; from a count (0: the benchmark's). The set is refused where the layout cannot hold it.
 */
SKV_MUST skv_status skv_layout_set_from_prompts(skv_layout_set *out, const skv_layout *layout,
                                                const skv_layout_prompts *list, int samples);
SKV_MUST skv_status skv_layout_set_from_run(skv_layout_set *out, const skv_layout *layout,
                                            const skv_run_file *run, const skv_layout_prompts *list,
                                            int samples);
SKV_MUST skv_status skv_layout_set_from_manifest(skv_layout_set *out, const skv_layout *layout,
                                                 const json_t *manifest, const char *name);
SKV_MUST skv_status skv_layout_set_from_count(skv_layout_set *out, const skv_layout *layout,
                                              int64_t n, int samples);
void skv_layout_set_clear(skv_layout_set *set);

/* Names what made the pictures, and with it the set's files: needed before export and check by a
 * layout that has a folder of that name. */
SKV_MUST skv_status skv_layout_set_model(skv_layout_set *set, const skv_layout *layout,
                                         const char *model);

/* Files of a prompt's samples: samples, or 1 where they share one. */
static inline int skv_layout_files(const skv_layout *layout, const skv_layout_set *set)
{
    return layout->tiles > 1 ? 1 : set->samples;
}

/* *out = <folder>.skv-export.json, <folder>.skv-part (room for SKV_LAYOUT_PATH_BYTES). Refuses a
 * folder without a name of its own (".", "..", "/") and names that are too long. */
SKV_MUST skv_status skv_layout_beside(char *out, const char *folder, const char *ending);
/* out = "folder/name", or the one that is not empty (room for SKV_LAYOUT_PATH_BYTES). */
SKV_MUST skv_status skv_layout_join(char *out, const char *folder, const char *name);
/* The folder that `folder` lies in, by its real absolute name, and its own name there (room for
 * SKV_LAYOUT_PATH_BYTES each). The former must be there, the latter need not. */
SKV_MUST skv_status skv_layout_absolute(char *parent, char *own, const char *folder);
#define SKV_LAYOUT_MANIFEST ".skv-export.json"
#define SKV_LAYOUT_PART     ".skv-part"

/* out = the folder with the reference path of the run that `folder` was exported from, as the
 * manifests beside both say; "" where that is not known (room for SKV_LAYOUT_PATH_BYTES). */
SKV_MUST skv_status skv_layout_reference(char *out, const char *folder);

/* ------------------------------------------------------------------------- export
 * (layout_export.c)
 */
typedef struct {
    const skv_run_file *run;
    int path; /* of the run */
    const skv_layout *layout;
    const skv_layout_set *set;
    const char *folder;
    int threads;    /* that read and write pictures */
    int shard_rows; /* of an archive, where the layout has them */
} skv_layout_job;

typedef struct {
    int64_t n_files;      /* pictures written */
    int64_t n_failed;     /* rows without a picture: each is named in the log and in the manifest */
    int64_t n_missing;    /* the same of rows that run.h5 lacks */
    int64_t n_incomplete; /* prompts of which some samples have none: likewise */
} skv_layout_done;

/* Writes the pictures of one path. Everything is made in <folder>.skv-part; then the manifest is
 * written, and the whole folder gets its name at once, or, where an earlier export of the same run,
 * path and samples stands there, each file replaces its own. A folder that holds anything else is
 * refused and left alone. */
SKV_MUST skv_status skv_layout_export(skv_layout_done *out, const skv_layout_job *job);

/* --------------------------------------------------------------------------- check
 * (layout_check.c)
 */
typedef enum {
    SKV_FOUND_MISSING,
    SKV_FOUND_DAMAGED,
    SKV_FOUND_EXTRA, /* the evaluator reads it */
    SKV_FOUND_DUPLICATE,
    SKV_FOUND_SIZE,
    SKV_FOUND_IGNORED, /* no fault: not read, but worth a word */
    SKV_FOUND_KINDS
} skv_layout_fault;

typedef struct {
    skv_layout_fault kind;
    char *name, *why; /* one block, at name; why may be empty */
} skv_layout_finding;

typedef struct {
    skv_layout_finding *finding; /* by kind, then name */
    size_t n;
    int64_t count[SKV_FOUND_KINDS];
    int64_t n_expected, n_good; /* picture files */
    int64_t n_ignored;          /* entries that the evaluator does not read */
    int width, height;          /* of the pictures (most of them); 0: none could be read */
} skv_layout_report;

/* Holds a folder, whoever made it, against a set; every picture is decoded, by so
 * many threads. Where set->id is not
 * known but needed, pictures are counted only. SKV_E_NOTFOUND where there is no such folder. */
SKV_MUST skv_status skv_layout_check(skv_layout_report *out, const skv_layout *layout,
                                     const skv_layout_set *set, const char *folder, int threads);
void skv_layout_report_clear(skv_layout_report *r);

#endif
