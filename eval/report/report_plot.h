/* Axes of the report's SVG plots, and labels that stand beside lines without touching.
 *
 * Plots are drawn for a width of SKV_PLOT_WIDTH, about that of their card, so that their text has
 * the size that CSS gives it. */
#ifndef SKV_EVAL_REPORT_PLOT_H
#define SKV_EVAL_REPORT_PLOT_H

#include "eval/report/report_html.h"

#define SKV_PLOT_WIDTH  340
#define SKV_PLOT_TICKS  12
#define SKV_PLOT_LABELS 64
#define SKV_PLOT_LINE   15 /* height of a label */

typedef struct {
    double x_low, x_high, y_low, y_high; /* low < high; log_x: both > 0 */
    bool log_x;
    double left, right, top, bottom; /* of the frame, in units of the drawing */
} skv_axes;

double skv_axes_x(const skv_axes *a, double x);
double skv_axes_y(const skv_axes *a, double y);

/* 1, 2, 5 times powers of ten in [low, high], about `wanted` of them; returns how many. */
int skv_plot_ticks(double out[SKV_PLOT_TICKS], double low, double high, int wanted);
int skv_plot_log_ticks(double out[SKV_PLOT_TICKS], double low, double high);

/* Grid lines with numbers to the left, and numbers below. */
void skv_plot_y_axis(skv_html *h, const skv_axes *a);
void skv_plot_x_axis(skv_html *h, const skv_axes *a, const char *title);

/* The i-th shape of marker at (x,y), units of the drawing. */
void skv_plot_marker(skv_html *h, int shape, double x, double y);

typedef struct {
    double x, y;      /* of what it names; y is moved */
    const char *tone; /* CSS class */
    const char *text; /* any */
} skv_plot_label;

/* Writes labels to the right of their points, moved up and down until none touches another. */
void skv_plot_write_labels(skv_html *h, skv_plot_label *labels, int n, const skv_axes *a);

#endif
