/* The folders that benchmarks' evaluators read: which file holds which picture, which entries of a
 * folder are read, and the command that reads them (README.md of this folder).
 * One table of functions a layout serves export and check alike.
 *
 * To add one: write layout_<name>.c ending in `const skv_layout skv_layout_<name> = {...};` (start
 * from layout_coco.c) and add <name> to SKV_LAYOUTS in this folder's CMakeLists.txt.
 *
 * The one thing easy to get wrong: evaluators do not read what they should, but what they find. A
 * left-over folder or temporary file is scored without a word, so all our files that are not
 * pictures lie beside the folder: <folder>.skv-export.json (the recipe), <folder>.skv-part (being
 * written). */
#ifndef SKV_EVAL_LAYOUT_H
#define SKV_EVAL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json.h"
#include "core/status.h"
#include "run/run_file.h"

#define SKV_LAYOUT_NAME_BYTES 512  /* of a file, relative to the evaluator's folder */
#define SKV_LAYOUT_PATH_BYTES 4096 /* of a folder and such a name */

/* What a folder is to hold. Strings are owned; cleared with skv_layout_set_clear. */
typedef struct {
    int64_t n;   /* prompts */
    int samples; /* of each prompt */
    char **id;   /* (n) ids of the prompts; NULL: not known (folders checked by a count alone) */
    char **line; /* (n) bytes of metadata.jsonl; NULL: the layout has none, or not known */
    char **why;  /* (n) why the export has no picture of some sample, or ""; NULL: not known */
    int side;    /* of one sample, pixels; 0: not known */
} skv_layout_set;

typedef enum {
    SKV_LAYOUT_PICTURE,  /* sample `sample` of prompt `prompt` */
    SKV_LAYOUT_METADATA, /* of prompt `prompt` */
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
    const char *folder;    /* the one that was checked */
    const char *reference; /* of the run's reference path, which may be the same; NULL: not known */
} skv_layout_folders;

typedef struct {
    const char *name, *benchmark, *summary;
    const char *incomplete; /* what becomes of a prompt of which some samples have no picture */
    int samples, prompts;   /* of the published benchmark */
    int tiles;              /* 2: four samples in one picture, two by two, no border; otherwise 1 */

    /* One sentence for a set that this layout cannot hold. */
    skv_status (*refuse)(const skv_layout_set *set);
    /* Relative name of the file that holds the sample (tiles: all samples; `sample` is 0). */
    void (*picture)(char *out, size_t bytes, const skv_layout_set *set, int64_t prompt, int sample);
    /* Relative name of the file that holds set->line[prompt]; NULL: there is none. */
    void (*metadata)(char *out, size_t bytes, int64_t prompt);
    /* Whether the evaluator can use the line's object: NULL if it can, otherwise the reason. */
    const char *(*metadata_fault)(const json_t *object);
    /* What an entry (relative name) of the folder is to the evaluator. */
    void (*judge)(skv_layout_entry *out, const skv_layout_set *set, const char *name, bool folder);
    /* The evaluator's command lines. */
    void (*command)(char *out, size_t bytes, const skv_layout_folders *folders, int side);
} skv_layout;

/* All layouts, NULL-terminated, in the order of SKV_LAYOUTS. */
extern const skv_layout *const skv_layouts[];

/* SKV_E_ARG naming the layouts there are. */
SKV_MUST skv_status skv_layout_find(const skv_layout **out, const char *name);

/* Sets. `samples` of each prompt: the layout's own number where it is 0.
 * From a prompt file; from a run, whose prompts are compared with those of `prompts` (a file, read
 * by GenEval only: NULL is the file that RUN/run.json names); from a manifest; from a count (0: the
 * benchmark's). The set is refused where the layout cannot hold it. */
SKV_MUST skv_status skv_layout_set_from_prompts(skv_layout_set *out, const skv_layout *layout,
                                                const char *prompts, int samples);
SKV_MUST skv_status skv_layout_set_from_run(skv_layout_set *out, const skv_layout *layout,
                                            const skv_run_file *run, const char *prompts,
                                            int samples);
SKV_MUST skv_status skv_layout_set_from_manifest(skv_layout_set *out, const skv_layout *layout,
                                                 const json_t *manifest, const char *name);
SKV_MUST skv_status skv_layout_set_from_count(skv_layout_set *out, const skv_layout *layout,
                                              int64_t n, int samples);
void skv_layout_set_clear(skv_layout_set *set);

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
    int threads; /* that read and write pictures */
} skv_layout_job;

typedef struct {
    int64_t n_files;      /* pictures written */
    int64_t n_failed;     /* rows without a picture: each is named in the log and in the manifest */
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
