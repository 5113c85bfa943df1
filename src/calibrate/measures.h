/* What a calibration measures: figures of every head (kernels/ops.h, attention_stats), summed over
 * pictures, and the means over heads of each picture by itself, from which drafters follow.
 *
 * Everything is added in the order of the run's rows, in double, so that the bytes are the same for
 * any number of ranks. */
#ifndef SKV_CALIBRATE_MEASURES_H
#define SKV_CALIBRATE_MEASURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/dims.h"
#include "arch/schedule.h"
#include "core/status.h"
#include "kernels/ops.h"

/* A number K' of positions, or a share of the history in percent. */
typedef struct {
    char name[16]; /* "64", "1%" */
    double value;
    bool percent;
} skv_top;

typedef struct {
    skv_schedule schedule;
    int kinds; /* of rows: 1, or under guidance 2: conditional, unconditional */
    int layers, heads;
    int n_tops;
    skv_top top[SKV_STATS_TOPS];
} skv_measures;

/* "16,64,1%": one to SKV_STATS_TOPS of them, no two alike. SKV_E_ARG names --top. */
SKV_MUST skv_status skv_tops_parse(skv_measures *m, const char *text);

/* Positions that top sum t takes at scale si: a share is rounded half up; at least 1. */
int skv_measures_top(const skv_measures *m, int t, int si);

/* Columns of a head: mass by source scale (schedule.n_scales), top sums, their shares of the
 * history's mass, entropy, column variance; where each begins. */
static inline int skv_column_top(const skv_measures *m)
{
    return m->schedule.n_scales;
}
static inline int skv_column_share(const skv_measures *m)
{
    return m->schedule.n_scales + m->n_tops;
}
static inline int skv_column_entropy(const skv_measures *m)
{
    return m->schedule.n_scales + 2 * m->n_tops;
}
static inline int skv_columns(const skv_measures *m)
{
    return m->schedule.n_scales + 2 * m->n_tops + 2;
}

/* Figures (kinds, scales, layers, heads, columns) of a picture: how many; where a head's begin. */
size_t skv_figures(const skv_measures *m);
size_t skv_figures_at(const skv_measures *m, int kind, int si, int layer, int head);

/* Brief figures (kinds, scales, layers, 1 + 2·n_tops) of a picture, means over heads: mass on the
 * current map (CAR), top sums (HTK), their shares of the history's mass. */
static inline int skv_brief_columns(const skv_measures *m)
{
    return 1 + 2 * m->n_tops;
}
size_t skv_briefs(const skv_measures *m);
size_t skv_briefs_at(const skv_measures *m, int kind, int si, int layer);

/* Of all pictures. */
typedef struct {
    skv_measures what;
    int64_t n;     /* pictures */
    double *sum;   /* figures, summed */
    double *brief; /* (n, briefs) */
    int64_t *row;  /* (n): of the run */
} skv_calibration;

/* Begins with none; cleared with skv_calibration_clear. */
SKV_MUST skv_status skv_calibration_init(skv_calibration *c, const skv_measures *what);
void skv_calibration_clear(skv_calibration *c);

/* Adds a picture's figures; rows come in ascending order. */
SKV_MUST skv_status skv_calibration_add(skv_calibration *c, int64_t row, const double *figures);

/* HeatKV's score of a head by source scale (scales, layers, heads): the mass that later scales lay
 * on it, mean over these scales and pictures, conditional rows; 0 for the last scale. out: room. */
void skv_calibration_heat(const skv_calibration *c, double *out);

#endif
