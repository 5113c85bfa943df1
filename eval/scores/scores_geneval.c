/* GenEval: a JSON object a line and picture, with filename, tag, prompt and correct. A task's score
 * is its share of correct pictures; the overall score is the plain mean of the tasks' scores, as
 * evaluation/summary_scores.py has it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/scores/scores_internal.h"

#define MAX_TASKS 64

typedef struct {
    char tag[SKV_CATEGORY_BYTES];
    int64_t first; /* its first prompt in the list */
    int64_t n, n_correct;
} task;

typedef struct {
    task task[MAX_TASKS];
    int n;
} tasks;

static skv_status find_task(task **out, tasks *all, const char *tag, const char *where)
{
    for (int i = 0; i < all->n; i++)
        if (strcmp(all->task[i].tag, tag) == 0) {
            *out = &all->task[i];
            return SKV_OK;
        }
    if (tag[0] == '\0' || strlen(tag) >= SKV_CATEGORY_BYTES)
        return skv_fail(SKV_E_FORMAT, "%s: \"tag\" has %zu bytes, want 1 to %d", where, strlen(tag),
                        SKV_CATEGORY_BYTES - 1);
    if (all->n == MAX_TASKS)
        return skv_fail(SKV_E_FORMAT, "%s: more than %d different tags", where, MAX_TASKS);
    *out = &all->task[all->n++];
    **out = (task){.first = INT64_MAX};
    memcpy((*out)->tag, tag, strlen(tag) + 1);
    return SKV_OK;
}

static skv_status add_result(tasks *all, skv_scores_file *f, const json_t *object, int64_t line)
{
    char where[SKV_LAYOUT_PATH_BYTES + 32];
    const char *picture, *tag, *prompt, *want;
    const json_t *correct = json_object_get(object, "correct");
    int64_t at;
    task *t;

    snprintf(where, sizeof where, "%.4095s: line %lld", f->name, (long long)line);
    SKV_TRY(skv_json_string(&picture, object, "filename", where));
    SKV_TRY(skv_json_string(&tag, object, "tag", where));
    SKV_TRY(skv_json_string(&prompt, object, "prompt", where));
    if (!json_is_boolean(correct))
        return skv_fail(SKV_E_FORMAT, "%s: \"correct\" is %s, want true or false", where,
                        correct ? "something else" : "missing");
    SKV_TRY(skv_scores__find(&at, f, picture, line));
    want = f->run->prompt[skv_run_file_row(f->run, at, 0)];
    if (strcmp(prompt, want) != 0)
        return skv_fail(SKV_E_FORMAT,
                        "%s: the prompt is \"%.80s\", that of %s is \"%.80s\": the results are of "
                        "another prompt list",
                        where, prompt, f->run->folder, want);
    SKV_TRY(find_task(&t, all, tag, where));
    t->first = at < t->first ? at : t->first;
    t->n++;
    t->n_correct += json_is_true(correct);
    return SKV_OK;
}

static skv_status read_lines(tasks *all, skv_scores_file *f)
{
    char *at = f->text, *text;
    int64_t line = 0;

    while ((text = skv_scores__line(&at))) {
        json_t *object = NULL;
        skv_status st;

        line++;
        if (text[strspn(text, " \t")] == '\0')
            continue;
        SKV_TRY(skv_scores__parse(&object, text, f->name, line));
        st = add_result(all, f, object, line);
        json_decref(object);
        SKV_TRY(st);
    }
    return all->n > 0 ? SKV_OK : skv_fail(SKV_E_FORMAT, "%s holds no results", f->name);
}

static int by_first(const void *a, const void *b)
{
    const task *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static skv_status read_geneval(skv_score *out, skv_scores_file *f)
{
    static _Thread_local tasks all;

    memset(&all, 0, sizeof all);
    SKV_TRY(read_lines(&all, f));
    qsort(all.task, (size_t)all.n, sizeof all.task[0], by_first);
    for (int i = 0; i < all.n; i++) {
        const task *t = &all.task[i];
        const double share = (double)t->n_correct / (double)t->n;

        SKV_TRY(skv_scores__category(out, t->tag, false, share, t->n));
        out->value += share / all.n;
    }
    return SKV_OK;
}

const skv_evaluator skv_evaluator_geneval = {.name = "geneval",
                                             .benchmark = "GenEval",
                                             .layout = "geneval",
                                             .units = "1",
                                             .digits = 4,
                                             .read = read_geneval};
