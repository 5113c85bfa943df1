#include "calibrate/asi.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define EPSILON 1e-6

const char *const skv_index_names[] = {"asi", "renormalised", "htk", NULL};

void skv_asi_score(double *z, const double *value, int layers)
{
    double mean = 0, square = 0;

    for (int l = 0; l < layers; l++)
        mean += value[l];
    mean /= layers;
    for (int l = 0; l < layers; l++)
        square += (value[l] - mean) * (value[l] - mean);
    for (int l = 0; l < layers; l++)
        z[l] = (value[l] - mean) / (sqrt(square / layers) + EPSILON);
}

/* CAR and the chosen top figure of a layer at a scale, over the chosen rows. */
static double value_of(const skv_measures *m, const double *brief, const skv_asi_choice *c, int si,
                       int layer)
{
    const int first = c->rows == SKV_ROWS_UNCOND, last = c->rows == SKV_ROWS_COND ? 0 : 1;
    const int top = 1 + c->top + (c->index == SKV_INDEX_RENORMALISED ? m->n_tops : 0);
    double car = 0, htk = 0;

    assert(last < m->kinds && c->top < m->n_tops);
    for (int kind = first; kind <= last; kind++) {
        car += brief[skv_briefs_at(m, kind, si, layer)];
        htk += brief[skv_briefs_at(m, kind, si, layer) + (size_t)top];
    }
    car /= last - first + 1;
    htk /= last - first + 1;
    return c->index == SKV_INDEX_HTK ? htk : car * htk;
}

void skv_asi_make(skv_asi *out, const skv_measures *m, const double *brief,
                  const skv_asi_choice *choice)
{
    memset(out, 0, sizeof *out);
    out->layers = m->layers;
    out->scales = m->schedule.n_scales;
    for (int si = 1; si < out->scales; si++) {
        for (int l = 0; l < m->layers; l++)
            out->value[si][l] = value_of(m, brief, choice, si, l);
        skv_asi_score(out->z[si], out->value[si], m->layers);
    }
}

void skv_brief_mean(double *out, const skv_calibration *c, const int64_t *place, int64_t n)
{
    const size_t briefs = skv_briefs(&c->what);

    memset(out, 0, briefs * sizeof *out);
    for (int64_t i = 0; i < n; i++) {
        const double *one = c->brief + (size_t)(place ? place[i] : i) * briefs;

        for (size_t b = 0; b < briefs; b++)
            out[b] += one[b];
    }
    for (size_t b = 0; b < briefs; b++)
        out[b] /= (double)n;
}
