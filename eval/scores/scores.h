/* Scores of benchmarks: what their own evaluators wrote of a run's exported pictures, read back by
 * path and category, and kept in metrics.json beside the run's other numbers.
 *
 * To add an evaluator: write scores_<name>.c ending in `const skv_evaluator skv_evaluator_<name> =
 * {...};` (start from scores_geneval.c), add its line to SKV_EVALUATORS and its file to this
 * folder's CMakeLists.txt. Option, help, tables, metrics.json and the report follow from these. */
#ifndef SKV_EVAL_SCORES_H
#define SKV_EVAL_SCORES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"
#include "core/status.h"
#include "run/run_file.h"

/* Name (the option of skv scores, the key in metrics.json), and what file it is. */
#define SKV_EVALUATORS(X)                                                                          \
    X(geneval, "GenEval: results.jsonl of evaluation/evaluate_images.py")                          \
    X(dpg, "DPG-Bench: dpg-bench_<time>_results.txt of dpg_bench/dist_eval.sh")                    \
    X(geneval2, "GenEval 2: the score lists of evaluation.py, method soft_tifa_gm or "             \
                "soft_tifa_am")

#define SKV_CATEGORY_BYTES 64

typedef struct {
    char name[SKV_CATEGORY_BYTES]; /* longer ones are cut */
    bool fine;                     /* of a second level: tables leave it out */
    double value;                  /* NaN: the file has no number */
    int64_t n;                     /* results in it; -1: the file does not say */
} skv_score_category;

/* A path's score; cleared with skv_scores_clear. */
typedef struct {
    const struct skv_evaluator *by;
    int path;      /* of the run */
    double value;  /* as the evaluator's script prints it */
    int64_t n;     /* pictures with a result */
    int64_t n_all; /* pictures of the run that the evaluator can score */
    char *missing; /* name of the first picture without a result; NULL: there is none */
    skv_score_category *category;
    int n_categories;
} skv_score;

typedef struct skv_scores_file skv_scores_file; /* scores_internal.h */

typedef struct skv_evaluator {
    const char *name, *benchmark;
    const char *layout; /* by which the pictures are named (eval/layout) */
    const char *units;
    int digits;           /* behind the point, in tables */
    const char *fault;    /* of the evaluator: one sentence that stands with the scores; or NULL */
    const char *unscored; /* id of a prompt that it never scores, or NULL */
    skv_status (*read)(skv_score *out, skv_scores_file *file);
} skv_evaluator;

/* All evaluators, NULL-terminated, in the order of SKV_EVALUATORS. */
extern const skv_evaluator *const skv_evaluators[];
#define SKV_EVALUATOR_ROW(name, help) extern const skv_evaluator skv_evaluator_##name;
SKV_EVALUATORS(SKV_EVALUATOR_ROW)
#undef SKV_EVALUATOR_ROW

typedef struct {
    skv_score *item;
    int n;
} skv_scores;

/* Adds what the files of `list` hold, "FILE" or "PATH=FILE", separated by commas. Without PATH the
 * path is what the folder of the file's pictures is called, as skv export calls it.
 * prompts: the run's prompt list, for evaluators that read it; NULL: the file that RUN/run.json
 * names. SKV_E_ARG for what the user named wrongly, SKV_E_FORMAT for what the files say wrongly:
 * a picture that the run does not have, a picture that comes twice, another prompt. */
SKV_MUST skv_status skv_scores_add(skv_scores *out, const skv_evaluator *by, const char *list,
                                   const skv_run_file *run, const char *prompts);
void skv_scores_clear(skv_scores *scores);

/* What was published of a path by an evaluator's name: "published" of the run's settings, a list of
 * {path, <name>: number}, and "rewritten": true where the prompts were rewritten ones. */
typedef struct {
    json_t *settings; /* of run.json; NULL: none */
} skv_published;

SKV_MUST skv_status skv_published_read(skv_published *out, const skv_run_file *run);
double skv_published_of(const skv_published *p, const char *path, const char *name); /* or NaN */
void skv_published_clear(skv_published *p);

/* metrics.json's "scores". *out = the metrics.json at `file`, NULL where there is none, or where it
 * cannot be read, which is warned of. */
SKV_MUST skv_status skv_scores_earlier(json_t **out, const char *file);

/* *out = the same as an object to be changed and written again, or a new one; new reference. */
SKV_MUST skv_status skv_scores_root(json_t **out, json_t *earlier, const char *file);

/* Sets "scores" of root, a metrics.json in the making: those of `earlier` (skv_scores_earlier;
 * NULL: none) that are of the run's present pictures, each replaced by the one of `now` (NULL:
 * none) of the same path and evaluator. What is dropped is warned of. */
SKV_MUST skv_status skv_scores_merge(json_t *root, const json_t *earlier, const skv_run_file *run,
                                     const skv_scores *now);

#endif
