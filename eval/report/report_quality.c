/* Quality against memory, and agreement of bits by scale: one line a policy. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval/report/report_internal.h"
#include "eval/report/report_plot.h"

#define MIB           1048576.0
#define LOG_FROM      5 /* spans above this many times get a logarithmic axis */
#define FEW_FOR_FID   2049
#define LABEL_COLUMN  96
#define BUDGET_COLUMN 64
#define N_PLOTS       4

typedef struct {
    const char *title, *better, *units;
    double (*value)(const skv_report_path *);
    bool from_zero, optional; /* optional: drawn only where an earlier plot is missing */
} quality_plot;

static double psnr(const skv_report_path *p)
{
    return isfinite(p->m.psnr) ? p->m.psnr : p->m.psnr_finite;
}

static double ssim(const skv_report_path *p)
{
    return p->m.ssim;
}

static double lpips(const skv_report_path *p)
{
    return p->m.lpips;
}

static double fid(const skv_report_path *p)
{
    return p->m.fid;
}

static const quality_plot plots[N_PLOTS] = {
    {"PSNR", "dB, higher is better", "dB", psnr, false, false},
    {"LPIPS", "lower is better", "", lpips, true, false},
    {"FID", "lower is better", "", fid, true, false},
    {"SSIM", "higher is better", "", ssim, false, true},
};

static bool drawn(const skv_report_data *d, int i, const quality_plot *q)
{
    const skv_report_path *p = &d->path[i];

    return p->compared && p->m.there && isfinite(q->value(p)) && p->last > 0;
}

static bool any_drawn(const skv_report_data *d, const quality_plot *q)
{
    for (int i = 0; i < d->run.n_paths; i++)
        if (drawn(d, i, q))
            return true;
    return false;
}

/* Limits of what is drawn, the full cache's line included, with some air around. */
static void find_limits(skv_axes *a, const skv_report_data *d, const quality_plot *q)
{
    double far = 0, air;

    *a = (skv_axes){.x_low = INFINITY, .y_low = INFINITY, .y_high = -INFINITY};
    for (int i = 0; i < d->run.n_paths; i++) {
        if (!drawn(d, i, q))
            continue;
        a->x_low = fmin(a->x_low, d->path[i].last / MIB);
        far = fmax(far, d->path[i].last / MIB);
        a->y_low = fmin(a->y_low, q->value(&d->path[i]));
        a->y_high = fmax(a->y_high, q->value(&d->path[i]));
    }
    a->x_high = fmax(far, d->full / MIB);
    a->log_x = a->x_high / a->x_low > LOG_FROM;
    a->x_low = a->log_x ? a->x_low / 1.25 : 0;
    a->x_high *= a->log_x ? 1.08 : 1.04;
    air = a->y_high > a->y_low ? (a->y_high - a->y_low) * 0.1 : fmax(fabs(a->y_high) * 0.1, 1e-6);
    a->y_low = q->from_zero ? fmin(0, a->y_low) : a->y_low - air;
    a->y_high += air;
    a->left = 44;
    a->top = 12;
    a->bottom = 212;
    a->right = SKV_PLOT_WIDTH - 8;
    if (skv_axes_x(a, far) > a->right - LABEL_COLUMN)
        a->right -= LABEL_COLUMN;
}

/* The paths of a series from small caches to large: a selection by hand, since they are few. */
static int next_of_series(const skv_report_data *d, const quality_plot *q, int series, int last)
{
    int best = -1;

    for (int i = 0; i < d->run.n_paths; i++) {
        const double size = d->path[i].last;

        if (d->path[i].series != series || !drawn(d, i, q))
            continue;
        if (last >= 0 && (size < d->path[last].last || (size == d->path[last].last && i <= last)))
            continue;
        if (best < 0 || size < d->path[best].last)
            best = i;
    }
    return best;
}

/* Line and markers of a series; returns its last path, -1 if nothing was drawn. */
static int draw_series(skv_html *h, const skv_report_data *d, const quality_plot *q,
                       const skv_axes *a, int series)
{
    int last = -1, i = next_of_series(d, q, series, -1);

    if (i < 0)
        return -1;
    skv_html_f(h, "<g class=%s><path class=p d=\"", skv_report__tone(d, series));
    for (; i >= 0; last = i, i = next_of_series(d, q, series, i))
        skv_html_f(h, "%c%.1f %.1f", last < 0 ? 'M' : 'L', skv_axes_x(a, d->path[i].last / MIB),
                   skv_axes_y(a, q->value(&d->path[i])));
    skv_html_raw(h, "\"/>");
    for (i = next_of_series(d, q, series, -1); i >= 0; i = next_of_series(d, q, series, i)) {
        skv_html_raw(h, "<g><title>");
        skv_html_text(h, d->path[i].run->name, 80);
        skv_html_raw(h, ": ");
        skv_html_short(h, d->path[i].last / MIB);
        skv_html_raw(h, " MiB, ");
        skv_html_short(h, q->value(&d->path[i]));
        skv_html_f(h, " %s</title>", q->units);
        skv_plot_marker(h, series, skv_axes_x(a, d->path[i].last / MIB),
                        skv_axes_y(a, q->value(&d->path[i])));
        skv_html_raw(h, "</g>");
    }
    skv_html_raw(h, "</g>");
    return last;
}

static void draw_full_line(skv_html *h, const skv_report_data *d, const skv_axes *a)
{
    const double x = skv_axes_x(a, d->full / MIB);

    if (!(d->full > 0))
        return;
    skv_html_f(h, "<path class=d d=\"M%.1f %.1fV%.1f\"/>", x, a->bottom, a->top);
    skv_html_f(h, "<text x=%.1f y=%.1f text-anchor=end>full cache</text>", x - 6, a->top + 8);
}

static void draw_plot(skv_html *h, const skv_report_data *d, const quality_plot *q)
{
    skv_plot_label labels[SKV_PLOT_LABELS];
    skv_axes a;
    int n = 0;

    find_limits(&a, d, q);
    skv_html_f(h, "<div class=card><h3>%s <span>%s</span></h3>", q->title, q->better);
    skv_html_f(h, "<svg viewBox=\"0 0 %d 256\" role=img aria-label=\"%s against cache\">",
               SKV_PLOT_WIDTH, q->title);
    skv_plot_y_axis(h, &a);
    skv_plot_x_axis(h, &a, "cache of a picture after the last cut, MiB");
    draw_full_line(h, d, &a);
    for (int series = 0; series < d->n_series; series++) {
        const int last = draw_series(h, d, q, &a, series);

        if (last >= 0 && n < SKV_PLOT_LABELS)
            labels[n++] = (skv_plot_label){
                skv_axes_x(&a, d->path[last].last / MIB), skv_axes_y(&a, q->value(&d->path[last])),
                skv_report__tone(d, series), skv_report_series_name(d, series)};
    }
    skv_plot_write_labels(h, labels, n, &a);
    skv_html_raw(h, "</svg></div>");
}

void skv_report__quality(skv_html *h, const skv_report_data *d)
{
    int n = 0;

    for (int i = 0; i < N_PLOTS; i++)
        n += any_drawn(d, &plots[i]);
    if (n == 0)
        return;
    skv_html_raw(h, "<section><h2>Quality against memory</h2><p class=note>Means over all pairs "
                    "with the reference path. Up and to the left is better for PSNR, down and to "
                    "the left for the others.</p><div class=grid>");
    for (int i = 0, shown = 0; i < N_PLOTS; i++) {
        if (!any_drawn(d, &plots[i]) || (plots[i].optional && shown == N_PLOTS - 1))
            continue;
        draw_plot(h, d, &plots[i]);
        shown++;
    }
    skv_html_raw(h, "</div></section>");
}

/* ------------------------------------------------------------- agreement of bits */

static bool has_bits(const skv_report_path *p)
{
    return p->compared && p->m.there && p->m.bits && p->m.n_bits > 1;
}

static void bits_line(skv_html *h, const skv_report_metrics *m, const skv_axes *a,
                      const char *class)
{
    bool down = false;

    skv_html_f(h, "<path class=%s d=\"", class);
    for (int si = 0; si < m->n_bits; si++) {
        if (!isfinite(m->bits[si])) {
            down = false;
            continue;
        }
        skv_html_f(h, "%c%.1f %.1f", down ? 'L' : 'M', skv_axes_x(a, si),
                   skv_axes_y(a, 100 * m->bits[si]));
        down = true;
    }
    skv_html_raw(h, "\"/>");
}

static void bits_axes(skv_axes *a, const skv_report_data *d)
{
    *a = (skv_axes){.y_low = 90, .y_high = 100, .x_high = 1};
    for (int i = 0; i < d->run.n_paths; i++) {
        const skv_report_metrics *m = &d->path[i].m;

        if (!has_bits(&d->path[i]))
            continue;
        a->x_high = fmax(a->x_high, m->n_bits - 1);
        for (int si = 0; si < m->n_bits; si++)
            if (isfinite(m->bits[si]))
                a->y_low = fmin(a->y_low, 10 * floor(10 * m->bits[si]));
    }
    a->left = 40;
    a->right = SKV_PLOT_WIDTH - BUDGET_COLUMN;
    a->top = 10;
    a->bottom = 172;
}

static void scale_ticks(skv_html *h, const skv_axes *a)
{
    skv_html_f(h, "<path class=a d=\"M%.1f %.1fH%.1f\"/>", a->left, a->bottom, a->right);
    for (int si = 0; si <= (int)a->x_high; si++)
        skv_html_f(h, "<text x=%.1f y=%.1f text-anchor=middle>%d</text>", skv_axes_x(a, si),
                   a->bottom + 18, si);
    skv_html_f(h, "<text x=%.1f y=%.1f text-anchor=middle>scale</text>", (a->left + a->right) / 2,
               a->bottom + 36);
}

/* What tells a path from its policy's others: "10Â %" of scalekv-10. */
static const char *budget_text(char *to, size_t bytes, const skv_report_path *p)
{
    const size_t n = strlen(p->policy);
    const char *rest = p->run->name + n + 1;

    if (strncmp(p->run->name, p->policy, n) != 0 || p->run->name[n] != '-' || !*rest ||
        strspn(rest, "0123456789") != strlen(rest))
        return p->run->name;
    snprintf(to, bytes, "%s\xc2\xa0%%", rest);
    return to;
}

static void bits_panel(skv_html *h, const skv_report_data *d, const skv_axes *a, int series)
{
    skv_plot_label labels[SKV_PLOT_LABELS];
    char text[SKV_PLOT_LABELS][40];
    int n = 0;

    skv_html_f(h, "<div class=card><h3><i class=\"dot %s\"></i>", skv_report__tone(d, series));
    skv_html_text(h, skv_report_series_name(d, series), 60);
    skv_html_f(h,
               "<span>equal bits, %%</span></h3><svg viewBox=\"0 0 %d 214\" role=img "
               "aria-label=\"agreement of bits by scale\">",
               SKV_PLOT_WIDTH);
    skv_plot_y_axis(h, a);
    scale_ticks(h, a);
    for (int i = 0; i < d->run.n_paths; i++)
        if (has_bits(&d->path[i]) && d->path[i].series != series)
            bits_line(h, &d->path[i].m, a, "f");
    skv_html_f(h, "<g class=%s>", skv_report__tone(d, series));
    for (int i = 0; i < d->run.n_paths; i++) {
        const skv_report_metrics *m = &d->path[i].m;

        if (!has_bits(&d->path[i]) || d->path[i].series != series)
            continue;
        bits_line(h, m, a, "p");
        if (n < SKV_PLOT_LABELS && isfinite(m->bits[m->n_bits - 1])) {
            labels[n] = (skv_plot_label){
                skv_axes_x(a, m->n_bits - 1), skv_axes_y(a, 100 * m->bits[m->n_bits - 1]),
                skv_report__tone(d, series), budget_text(text[n], sizeof text[n], &d->path[i])};
            n++;
        }
    }
    skv_html_raw(h, "</g>");
    skv_plot_write_labels(h, labels, n, a);
    skv_html_raw(h, "</svg></div>");
}

void skv_report__bits(skv_html *h, const skv_report_data *d)
{
    bool any = false;
    skv_axes a;

    for (int i = 0; i < d->run.n_paths; i++)
        any = any || has_bits(&d->path[i]);
    if (!any)
        return;
    bits_axes(&a, d);
    skv_html_raw(h, "<section><h2>Agreement of bits by scale</h2><p class=note>Share of the bits "
                    "drawn at each scale that are those of the reference; 50\xc2\xa0% is chance. "
                    "One panel a policy, the other policies in grey.</p><div class=grid>");
    for (int series = 0; series < d->n_series; series++) {
        bool in = false;

        for (int i = 0; i < d->run.n_paths; i++)
            in = in || (d->path[i].series == series && has_bits(&d->path[i]));
        if (in)
            bits_panel(h, d, &a, series);
    }
    skv_html_raw(h, "</div></section>");
}
