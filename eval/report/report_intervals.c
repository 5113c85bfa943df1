/* How sure a path's mean is, and how far it lies from ScaleKV's at the same budget: intervals by
 * the bootstrap over prompts. Samples of a prompt stay together; all paths and metrics see the same
 * resamples, so a difference of two paths is one of pairs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "eval/report/report_internal.h"

#define RESAMPLES     1000
#define FEW_RESAMPLES 200 /* of more than MANY_PROMPTS, whose means differ less */
#define MANY_PROMPTS  5000
#define TAIL          0.025 /* of the resamples on either side of an interval */

/* Numbers of rows, by prompt: sums of those that are finite, and how many. */
typedef struct {
    skv_report_interval *out;
    double *sum, *n; /* (prompts) */
    double *mean;    /* (resamples) */
} series;

typedef struct {
    const skv_report *r;
    int64_t n_prompts;
    int n_resamples, n_series;
    series *series;
    uint32_t *drawn; /* (n_prompts): how often each is in the resample */
} bootstrap;

static int64_t prompts_of(const skv_report *r)
{
    return r->run.segments.n_prompts;
}

/* b NULL: the numbers themselves; else a's less b's, where a row has both. */
static skv_status add_series(bootstrap *t, skv_report_interval *out, const double *a,
                             const double *b)
{
    const size_t n = (size_t)t->n_prompts;
    series *s;

    SKV_TRY(skv_grow(&t->series, (size_t)t->n_series, sizeof *t->series, "intervals"));
    s = &t->series[t->n_series++];
    *s = (series){.out = out};
    SKV_TRY(skv_alloc(&s->sum, n, sizeof *s->sum, "intervals"));
    SKV_TRY(skv_alloc(&s->n, n, sizeof *s->n, "intervals"));
    SKV_TRY(skv_alloc(&s->mean, (size_t)t->n_resamples, sizeof *s->mean, "intervals"));
    for (int64_t row = 0; row < t->r->run.n; row++) {
        const double v = b ? a[row] - b[row] : a[row];
        int64_t prompt, sample;

        if (!isfinite(v) || (b && !isfinite(b[row])))
            continue;
        skv_segments_of_row(&t->r->run.segments, row, &prompt, &sample);
        s->sum[prompt] += v;
        s->n[prompt]++;
    }
    return SKV_OK;
}

static double mean_of(const series *s, const uint32_t *drawn, int64_t n_prompts)
{
    double sum = 0, n = 0;

    for (int64_t i = 0; i < n_prompts; i++) {
        const double times = drawn ? drawn[i] : 1;

        sum += times * s->sum[i];
        n += times * s->n[i];
    }
    return n > 0 ? sum / n : NAN;
}

static void resample(bootstrap *t, int number)
{
    memset(t->drawn, 0, (size_t)t->n_prompts * sizeof *t->drawn);
    for (int64_t i = 0; i < t->n_prompts; i++) {
        const double u = (double)skv_uniform(0, (uint32_t)number, (uint32_t)(i >> 32), (uint32_t)i);

        t->drawn[(int64_t)(u * (double)t->n_prompts)]++;
    }
    for (int k = 0; k < t->n_series; k++)
        t->series[k].mean[number] = mean_of(&t->series[k], t->drawn, t->n_prompts);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* No interval where fewer than two prompts have numbers. Resamples of others alone do not count. */
static void close_series(const bootstrap *t, series *s)
{
    int64_t with = 0;
    int n = 0, tail;

    s->out->mean = mean_of(s, NULL, t->n_prompts);
    s->out->low = s->out->high = NAN;
    for (int64_t i = 0; i < t->n_prompts; i++)
        with += s->n[i] > 0;
    if (with < 2)
        return;
    for (int b = 0; b < t->n_resamples; b++)
        if (!isnan(s->mean[b]))
            s->mean[n++] = s->mean[b];
    if (n == 0)
        return;
    qsort(s->mean, (size_t)n, sizeof *s->mean, by_value);
    tail = (int)(TAIL * n);
    s->out->low = s->mean[tail];
    s->out->high = s->mean[n - 1 - tail];
}

/* "base_tokens" of a path's settings, 0: it has none; and whether its policy is ScaleKV, with keys
 * and values as computed. */
static skv_status read_budget(int64_t *tokens, bool *scalekv, const skv_run_path *p)
{
    json_t *settings = NULL;
    const char *policy;

    SKV_TRY(skv_json_parse(&settings, p->settings, strlen(p->settings), p->name));
    *tokens = json_integer_value(json_object_get(settings, "base_tokens"));
    policy = json_string_value(json_object_get(settings, "policy"));
    *scalekv = policy && strcmp(policy, "scalekv") == 0 && !json_object_get(settings, "kv_dtype");
    json_decref(settings);
    return SKV_OK;
}

/* ScaleKV's path with the budget of each of the others, where there is one. */
static skv_status find_partners(skv_report *r)
{
    int64_t *tokens = NULL;
    bool *scalekv = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&tokens, (size_t)r->run.n_paths, sizeof *tokens, "intervals"), done);
    SKV_TRY_GOTO(skv_alloc(&scalekv, (size_t)r->run.n_paths, sizeof *scalekv, "intervals"), done);
    for (int i = 0; i < r->run.n_paths; i++)
        SKV_TRY_GOTO(read_budget(&tokens[i], &scalekv[i], &r->run.path[i]), done);
    for (int i = 0; i < r->run.n_paths; i++) {
        r->result[i].scalekv = -1;
        for (int k = r->run.n_paths - 1; k >= 0; k--)
            if (k != i && scalekv[k] && r->result[k].measured && tokens[k] > 0 &&
                tokens[k] == tokens[i])
                r->result[i].scalekv = k;
    }
done:
    free(tokens);
    free(scalekv);
    return st;
}

static const double *by_row(const skv_report_value *v)
{
    return v->row ? v->row : v->row_mean;
}

static skv_status list_series(bootstrap *t, skv_report *r)
{
    for (int i = 0; i < r->run.n_paths; i++) {
        skv_report_result *result = &r->result[i];

        for (int m = 0; result->measured && m < r->n_metrics; m++) {
            skv_report_value *v = &result->value[m];
            const double *own = by_row(v);
            const double *other =
                result->scalekv >= 0 ? by_row(&r->result[result->scalekv].value[m]) : NULL;

            if (own)
                SKV_TRY(add_series(t, &v->spread, own, NULL));
            if (own && other)
                SKV_TRY(add_series(t, &v->less, own, other));
        }
    }
    return SKV_OK;
}

skv_status skv_report__intervals(skv_report *r)
{
    bootstrap t = {.r = r, .n_prompts = prompts_of(r)};
    skv_status st;

    t.n_resamples = t.n_prompts > MANY_PROMPTS ? FEW_RESAMPLES : RESAMPLES;
    SKV_TRY_GOTO(find_partners(r), done);
    SKV_TRY_GOTO(skv_alloc(&t.drawn, (size_t)t.n_prompts, sizeof *t.drawn, "intervals"), done);
    SKV_TRY_GOTO(list_series(&t, r), done);
    for (int b = 0; t.n_series > 0 && b < t.n_resamples; b++)
        resample(&t, b);
    for (int k = 0; k < t.n_series; k++)
        close_series(&t, &t.series[k]);
done:
    for (int k = 0; k < t.n_series; k++) {
        free(t.series[k].sum);
        free(t.series[k].n);
        free(t.series[k].mean);
    }
    free(t.series);
    free(t.drawn);
    return st;
}
