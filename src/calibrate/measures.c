#include "calibrate/measures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static skv_status parse_top(skv_top *out, const char *text, size_t n)
{
    char *end = NULL;

    if (n > 0 && n < sizeof out->name) {
        memcpy(out->name, text, n);
        out->name[n] = '\0';
        out->value = strtod(out->name, &end);
        out->percent = *end == '%';
        end += out->percent;
    }
    if (!end || *end != '\0' || end == out->name || !(out->value > 0) ||
        out->value > (out->percent ? 100 : 1e6) ||
        (!out->percent && out->value != floor(out->value)))
        return skv_fail(SKV_E_ARG,
                        "--top: \"%.*s\" is neither a number of positions nor a share of them in "
                        "percent, as in 64 or 1%%",
                        (int)(n < 40 ? n : 40), text);
    return SKV_OK;
}

skv_status skv_tops_parse(skv_measures *m, const char *text)
{
    const char *p = text;

    m->n_tops = 0;
    for (;;) {
        const size_t n = strcspn(p, ",");
        skv_top top = {0};

        SKV_TRY(parse_top(&top, p, n));
        if (m->n_tops == SKV_STATS_TOPS)
            return skv_fail(SKV_E_ARG, "--top %s: want at most %d", text, SKV_STATS_TOPS);
        for (int t = 0; t < m->n_tops; t++)
            if (m->top[t].percent == top.percent && m->top[t].value == top.value)
                return skv_fail(SKV_E_ARG, "--top %s: %s is named twice", text, top.name);
        m->top[m->n_tops++] = top;
        if (p[n] == '\0')
            return SKV_OK;
        p += n + 1;
    }
}

int skv_measures_top(const skv_measures *m, int t, int si)
{
    const skv_top *top = &m->top[t];
    const double n =
        top->percent ? floor(top->value / 100 * m->schedule.start[si] + 0.5) : top->value;

    return n < 1 ? 1 : (int)n;
}

size_t skv_figures(const skv_measures *m)
{
    return skv_figures_at(m, m->kinds, 0, 0, 0);
}

size_t skv_figures_at(const skv_measures *m, int kind, int si, int layer, int head)
{
    const size_t scales = (size_t)m->schedule.n_scales, layers = (size_t)m->layers;

    return ((((size_t)kind * scales + (size_t)si) * layers + (size_t)layer) * (size_t)m->heads +
            (size_t)head) *
           (size_t)skv_columns(m);
}

size_t skv_briefs(const skv_measures *m)
{
    return skv_briefs_at(m, m->kinds, 0, 0);
}

size_t skv_briefs_at(const skv_measures *m, int kind, int si, int layer)
{
    const size_t scales = (size_t)m->schedule.n_scales;

    return (((size_t)kind * scales + (size_t)si) * (size_t)m->layers + (size_t)layer) *
           (size_t)skv_brief_columns(m);
}

skv_status skv_calibration_init(skv_calibration *c, const skv_measures *what)
{
    *c = (skv_calibration){.what = *what};
    return skv_alloc(&c->sum, skv_figures(what), sizeof *c->sum, "a calibration's sums");
}

void skv_calibration_clear(skv_calibration *c)
{
    free(c->sum);
    free(c->brief);
    free(c->row);
    *c = (skv_calibration){0};
}

/* Means over heads of one layer at one scale. */
static void make_brief(double *out, const skv_measures *m, int si, const double *head)
{
    for (int h = 0; h < m->heads; h++, head += skv_columns(m)) {
        out[0] += head[si];
        for (int t = 0; t < 2 * m->n_tops; t++)
            out[1 + t] += head[skv_column_top(m) + t];
    }
    for (int t = 0; t < skv_brief_columns(m); t++)
        out[t] /= m->heads;
}

skv_status skv_calibration_add(skv_calibration *c, int64_t row, const double *figures)
{
    const skv_measures *m = &c->what;
    double *brief;

    SKV_TRY(skv_grow(&c->row, (size_t)c->n, sizeof *c->row, "pictures"));
    SKV_TRY(skv_grow(&c->brief, (size_t)c->n, skv_briefs(m) * sizeof *c->brief, "pictures"));
    brief = c->brief + (size_t)c->n * skv_briefs(m);
    memset(brief, 0, skv_briefs(m) * sizeof *brief);
    for (size_t i = 0; i < skv_figures(m); i++)
        c->sum[i] += figures[i];
    for (int kind = 0; kind < m->kinds; kind++)
        for (int si = 0; si < m->schedule.n_scales; si++)
            for (int l = 0; l < m->layers; l++)
                make_brief(brief + skv_briefs_at(m, kind, si, l), m, si,
                           figures + skv_figures_at(m, kind, si, l, 0));
    c->row[c->n++] = row;
    return SKV_OK;
}

void skv_calibration_heat(const skv_calibration *c, double *out)
{
    const skv_measures *m = &c->what;
    const int scales = m->schedule.n_scales;

    for (int j = 0; j < scales; j++)
        for (int l = 0; l < m->layers; l++)
            for (int h = 0; h < m->heads; h++) {
                double sum = 0;

                for (int si = j + 1; si < scales; si++)
                    sum += c->sum[skv_figures_at(m, 0, si, l, h) + (size_t)j];
                *out++ = j + 1 < scales ? sum / ((double)c->n * (scales - 1 - j)) : 0;
            }
}
