/* DPG-Bench: a line a picture, "<file>, <score of each of four crops>, <their mean>", in any order;
 * behind them a summary with the categories and the score, 100 times the mean of the pictures'. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "eval/scores/scores_internal.h"

#define N_CROPS 4 /* PIC_NUM */
#define CLOSE   1e-6

typedef struct {
    int64_t line, n;
    double sum;         /* of the pictures' means */
    double score;       /* of the summary; NaN: not read */
    bool summary, fine; /* inside it; inside its L2 categories */
} dpg;

/* Takes ", NUMBER" off the end of a text. */
static bool take_number(double *out, char *text)
{
    char *comma = strrchr(text, ',');

    if (!comma || comma[1] != ' ' || !skv_scores__number(out, comma + 2, 0, 1))
        return false;
    *comma = '\0';
    return true;
}

static skv_status read_picture(dpg *d, skv_scores_file *f, char *text)
{
    double v[N_CROPS + 2] = {0}, sum = 0;
    int64_t prompt;
    int n = 0;

    while (n < N_CROPS + 2 && take_number(&v[n], text))
        n++;
    if (n == 0)
        return skv_fail(
            SKV_E_FORMAT,
            "%s: line %lld is neither \"<picture>, <scores>, <mean>\" nor the beginning "
            "of the summary, \"Model: \"",
            f->name, (long long)d->line);
    if (n != N_CROPS + 1)
        return skv_fail(SKV_E_FORMAT,
                        "%s: line %lld has %d numbers, want the scores of %d crops (PIC_NUM=4) and "
                        "their mean",
                        f->name, (long long)d->line, n, N_CROPS);
    for (int i = 1; i < n; i++)
        sum += v[i];
    if (fabs(sum / N_CROPS - v[0]) > CLOSE)
        return skv_fail(SKV_E_FORMAT, "%s: line %lld: the mean is %g, the scores' is %g", f->name,
                        (long long)d->line, v[0], sum / N_CROPS);
    SKV_TRY(skv_scores__find(&prompt, f, text, d->line));
    d->sum += v[0];
    d->n++;
    return SKV_OK;
}

/* "\t<name>: <number>"; numpy writes nan for a category without answers. */
static skv_status read_category(skv_score *out, const dpg *d, const skv_scores_file *f, char *text)
{
    char *colon = strrchr(text, ':');
    double v = NAN;

    if (!colon || colon == text + 1 || colon[1] != ' ' ||
        (strcmp(colon + 2, "nan") != 0 && !skv_scores__number(&v, colon + 2, 0, 100)))
        return skv_fail(SKV_E_FORMAT, "%s: line %lld is not \"<category>: <number to 100>\"",
                        f->name, (long long)d->line);
    *colon = '\0';
    return skv_scores__category(out, text + 1, d->fine, v, -1);
}

static skv_status read_summary(skv_score *out, dpg *d, const skv_scores_file *f, char *text)
{
    static const char last[] = "DPG-Bench score: ";

    if (text[0] == '\t')
        return read_category(out, d, f, text);
    if (strncmp(text, "L2 ", 3) == 0)
        d->fine = true;
    if (strncmp(text, last, sizeof last - 1) == 0 &&
        !skv_scores__number(&d->score, text + sizeof last - 1, 0, 100))
        return skv_fail(SKV_E_FORMAT, "%s: line %lld: the score is not a number from 0 to 100",
                        f->name, (long long)d->line);
    return SKV_OK;
}

/* The order of DPG's tables; the file has the categories as they came out of a set. */
static int rank(const skv_score_category *c)
{
    static const char *const names[] = {"global", "entity", "attribute", "relation", "other"};
    const int n = (int)(sizeof names / sizeof names[0]);

    for (int i = 0; i < n; i++)
        if (!c->fine && strcmp(c->name, names[i]) == 0)
            return i;
    return c->fine ? n + 1 : n;
}

static int by_rank(const void *a, const void *b)
{
    const int x = rank(a), y = rank(b);

    return x != y ? x - y
                  : strcmp(((const skv_score_category *)a)->name,
                           ((const skv_score_category *)b)->name);
}

static skv_status read_dpg(skv_score *out, skv_scores_file *f)
{
    dpg d = {.score = NAN};
    char *at = f->text, *text;

    while ((text = skv_scores__line(&at))) {
        d.line++;
        if (text[0] == '\0')
            continue;
        if (!isnan(d.score))
            return skv_fail(SKV_E_FORMAT,
                            "%s: line %lld comes behind the score: the results of two evaluations "
                            "are in one file",
                            f->name, (long long)d.line);
        d.summary = d.summary || strncmp(text, "Model: ", 7) == 0;
        if (d.summary)
            SKV_TRY(read_summary(out, &d, f, text));
        else
            SKV_TRY(read_picture(&d, f, text));
    }
    if (d.n == 0)
        return skv_fail(SKV_E_FORMAT, "%s holds no results of pictures", f->name);
    if (isnan(d.score))
        return skv_fail(SKV_E_FORMAT,
                        "%s has no line \"DPG-Bench score:\": the evaluation did not come to its "
                        "end",
                        f->name);
    if (fabs(100 * d.sum / (double)d.n - d.score) > 100 * CLOSE)
        return skv_fail(SKV_E_FORMAT,
                        "%s: the score is %.4f, that of its %lld picture%s is %.4f: lines are "
                        "missing",
                        f->name, d.score, (long long)d.n, skv_s(d.n), 100 * d.sum / (double)d.n);
    out->value = d.score;
    if (out->n_categories > 0)
        qsort(out->category, (size_t)out->n_categories, sizeof *out->category, by_rank);
    return SKV_OK;
}

const skv_evaluator skv_evaluator_dpg = {
    .name = "dpg",
    .benchmark = "DPG-Bench",
    .layout = "dpg",
    .units = "%",
    .digits = 2,
    .fault = "DPG's categories are not to be relied on: its script counts the last of the four "
             "pictures alone (ELLA #60), and several processes mix the categories up (#56); the "
             "score itself is right, but never has item partiprompts97 in it (#61)",
    .unscored = "partiprompts97",
    .read = read_dpg};
