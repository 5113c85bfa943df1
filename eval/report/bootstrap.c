#include "eval/report/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"

#define RESAMPLES     1000
#define FEW_RESAMPLES 200 /* of more than MANY_PROMPTS, whose means differ less */
#define MANY_PROMPTS  5000
#define TAIL          0.025 /* of the resamples on either side of an interval */

/* Numbers of rows, by prompt: sums of those that are finite, and how many. */
typedef struct {
    skv_interval *out;
    double *sum, *n; /* (prompts) */
    double *mean;    /* (resamples) */
} series;

struct skv_bootstrap {
    const skv_segments *segments;
    int64_t n_prompts;
    int n_resamples, n_series;
    series *series;
    uint32_t *drawn; /* (n_prompts): how often each is in the resample */
};

skv_status skv_bootstrap_open(skv_bootstrap **out, const skv_segments *segments)
{
    skv_bootstrap *t;
    skv_status st;

    SKV_TRY(skv_alloc(&t, 1, sizeof *t, "intervals"));
    t->segments = segments;
    t->n_prompts = segments->n_prompts;
    t->n_resamples = t->n_prompts > MANY_PROMPTS ? FEW_RESAMPLES : RESAMPLES;
    st = skv_alloc(&t->drawn, (size_t)t->n_prompts, sizeof *t->drawn, "intervals");
    if (st != SKV_OK) {
        skv_bootstrap_close(t);
        return st;
    }
    *out = t;
    return SKV_OK;
}

void skv_bootstrap_close(skv_bootstrap *t)
{
    if (!t)
        return;
    for (int k = 0; k < t->n_series; k++) {
        free(t->series[k].sum);
        free(t->series[k].n);
        free(t->series[k].mean);
    }
    free(t->series);
    free(t->drawn);
    free(t);
}

skv_status skv_bootstrap_add(skv_bootstrap *t, skv_interval *out, const double *a, const double *b,
                             const int64_t *row, int64_t n)
{
    const size_t prompts = (size_t)t->n_prompts;
    series *s;

    SKV_TRY(skv_grow(&t->series, (size_t)t->n_series, sizeof *t->series, "intervals"));
    s = &t->series[t->n_series++];
    *s = (series){.out = out};
    SKV_TRY(skv_alloc(&s->sum, prompts, sizeof *s->sum, "intervals"));
    SKV_TRY(skv_alloc(&s->n, prompts, sizeof *s->n, "intervals"));
    SKV_TRY(skv_alloc(&s->mean, (size_t)t->n_resamples, sizeof *s->mean, "intervals"));
    for (int64_t i = 0; i < n; i++) {
        const double v = b ? a[i] - b[i] : a[i];
        int64_t prompt, sample;

        if (!isfinite(v) || (b && !isfinite(b[i])))
            continue;
        skv_segments_of_row(t->segments, row ? row[i] : i, &prompt, &sample);
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

static void resample(skv_bootstrap *t, int number)
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

/* Resamples of prompts without numbers alone do not count. */
static void close_series(const skv_bootstrap *t, series *s)
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

void skv_bootstrap_run(skv_bootstrap *t)
{
    for (int b = 0; t->n_series > 0 && b < t->n_resamples; b++)
        resample(t, b);
    for (int k = 0; k < t->n_series; k++)
        close_series(t, &t->series[k]);
}

json_t *skv_interval_json(const skv_interval *i)
{
    return isnan(i->low) ? json_null() : json_pack("[f, f, f]", i->mean, i->low, i->high);
}
