/* A file of results while it is read, as the evaluators' readers (scores_<name>.c) see it. */
#ifndef SKV_EVAL_SCORES_INTERNAL_H
#define SKV_EVAL_SCORES_INTERNAL_H

#include "eval/layout/layout.h"
#include "eval/scores/scores.h"

/* A picture that results can be of. */
typedef struct {
    char *stem; /* its name in the layout, without the ending */
    int64_t prompt;
    bool there, seen; /* the run has it; a result of it was read */
} skv_scores_picture;

struct skv_scores_file {
    const char *name; /* for messages */
    char *text;       /* its content, NUL-terminated, which readers may cut into lines */
    size_t bytes;
    const skv_run_file *run;
    const char *prompts; /* the run's prompt list as given; NULL: not given */
    int path;            /* of the run; -1: not known yet */
    bool path_given;     /* by PATH=FILE */

    skv_layout layout; /* without files of other kinds than pictures */
    skv_layout_set set;
    skv_scores_picture *picture; /* sorted by stem */
    int64_t n_pictures;
};

/* Index of the run's path of this name, -1: there is none. */
int skv_scores__path(const skv_run_file *run, const char *name);

/* The pictures of the file's run by the evaluator's layout. Cleared with skv_scores__forget. */
SKV_MUST skv_status skv_scores__list_pictures(skv_scores_file *f, const char *layout);
void skv_scores__forget(skv_scores_file *f);

/* *prompt = the prompt of the picture that the file's line `line` calls `name`; takes note that it
 * has its result, and of the path by its folder. Refuses a picture that is not of the run, one that
 * has a result already, and one of another path than those before. */
SKV_MUST skv_status skv_scores__find(int64_t *prompt, skv_scores_file *f, const char *name,
                                     int64_t line);

/* The next line (NUL-terminated in place, without its end) from *at on, which moves behind it;
 * NULL: there is none. */
char *skv_scores__line(char **at);

/* The JSON value on a line (json_decref). */
SKV_MUST skv_status skv_scores__parse(json_t **out, const char *text, const char *file,
                                      int64_t line);

/* A whole text that is a number in [low, high]. */
bool skv_scores__number(double *out, const char *text, double low, double high);

/* Adds a category; out->category grows. */
SKV_MUST skv_status skv_scores__category(skv_score *out, const char *name, bool fine, double value,
                                         int64_t n);

#endif
