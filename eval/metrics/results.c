#include "eval/metrics/results.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"

void skv_column_clear(skv_column *c)
{
    free(c->weights);
    free(c->value);
    free(c->scale_mean);
    *c = (skv_column){0};
}

void skv_path_results_clear(skv_path_results *p)
{
    for (int i = 0; i < p->n_columns; i++)
        skv_column_clear(&p->column[i]);
    free(p->column);
    free(p->name);
    free(p->digest);
    *p = (skv_path_results){0};
}

void skv_results_clear(skv_results *r)
{
    for (int i = 0; i < r->n_paths; i++)
        skv_path_results_clear(&r->path[i]);
    free(r->path);
    free(r->against);
    free(r->against_digest);
    *r = (skv_results){0};
}

skv_status skv_column_make(skv_column *c, const skv_metric *metric, int width, int64_t n)
{
    *c = (skv_column){.metric = metric, .width = width, .mean = NAN, .mean_finite = NAN};
    if (width == 0)
        return SKV_OK;
    SKV_TRY(skv_alloc(&c->value, (size_t)n, (size_t)width * sizeof *c->value, metric->name));
    for (int64_t i = 0; i < n * width; i++)
        c->value[i] = NAN;
    if (metric->kind == SKV_METRIC_OF_SCALE)
        SKV_TRY(skv_alloc(&c->scale_mean, (size_t)width, sizeof *c->scale_mean, metric->name));
    return SKV_OK;
}

typedef struct {
    double all, finite;
    int64_t n, n_finite;
} sums;

static sums sum_of(const skv_column *c, int at, int64_t n, const uint8_t *usable)
{
    sums s = {0};

    for (int64_t i = 0; i < n; i++) {
        const double v = usable[i] ? c->value[i * c->width + at] : 0;

        if (!usable[i])
            continue;
        s.all += v;
        s.n++;
        if (!isfinite(v))
            continue;
        s.finite += v;
        s.n_finite++;
    }
    return s;
}

void skv_column_summarise(skv_column *c, int64_t n, const uint8_t *usable)
{
    c->mean = c->mean_finite = 0;
    for (int k = 0; k < c->width; k++) {
        const sums s = sum_of(c, k, n, usable);
        const double mean = s.n ? s.all / (double)s.n : (double)NAN;

        if (c->scale_mean)
            c->scale_mean[k] = mean;
        c->mean += mean / c->width;
        c->mean_finite += (s.n_finite ? s.finite / (double)s.n_finite : (double)NAN) / c->width;
    }
}

bool skv_path_is_compared(const skv_path_results *p)
{
    for (int i = 0; i < p->n_columns; i++)
        if (skv_metric_has_reference(p->column[i].metric))
            return true;
    return false;
}

const skv_column *skv_path_column(const skv_path_results *p, const skv_metric *metric)
{
    for (int i = 0; i < p->n_columns; i++)
        if (p->column[i].metric == metric)
            return &p->column[i];
    return NULL;
}
