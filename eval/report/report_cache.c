/* Where the cache's tokens are: by layer and scale, and by the scale they came from. */
#include <math.h>
#include <stdio.h>

#include "eval/report/report_internal.h"
#include "eval/report/report_plot.h"

#define CELL_HEIGHT 15
#define LEFT        26
#define MEAN_COLUMN 44
#define LABEL_SHARE 0.045 /* parts of a bar at least this wide get their scale's number */
#define MIB         1048576.0

static double longest(const skv_report_data *d)
{
    double most = 1;

    for (int si = 0; si < d->path[0].run->n_scales - 1; si++)
        most = fmax(most, d->sequence[si]);
    return most;
}

/* Steps by the square root: late scales have a hundred times the tokens of early ones. */
static int heat(double tokens, double most)
{
    const double step = sqrt(fmax(tokens, 0) / most) * (SKV_REPORT_HEAT - 1);

    return step > SKV_REPORT_HEAT - 1 ? SKV_REPORT_HEAT - 1 : (int)(step + 0.5);
}

/* A row of cells; neighbours of one length are one rectangle. */
static void heat_row(skv_html *h, const skv_report_path *p, int si, double most)
{
    const int n = p->run->n_layers;
    const double cell = (SKV_PLOT_WIDTH - LEFT - MEAN_COLUMN) / (double)n;
    const int64_t *length = p->length + (int64_t)si * n;
    double sum = 0;

    for (int from = 0, to; from < n; from = to) {
        for (to = from; to < n && length[to] == length[from]; to++)
            sum += (double)length[to];
        skv_html_f(h, "<rect class=h%d x=%.1f y=%d width=%.1f height=%d><title>scale %d, layer %d",
                   heat((double)length[from], most), LEFT + from * cell, si * CELL_HEIGHT,
                   (to - from) * cell + 0.15, CELL_HEIGHT - 1, si, from);
        if (to - from > 1)
            skv_html_f(h, " to %d", to - 1);
        skv_html_f(h, ": %lld tokens</title></rect>", (long long)length[from]);
    }
    skv_html_f(h, "<text x=%d y=%d text-anchor=end>%d</text>", LEFT - 7, si * CELL_HEIGHT + 11, si);
    skv_html_f(h, "<text x=%d y=%d text-anchor=end>", SKV_PLOT_WIDTH, si * CELL_HEIGHT + 11);
    skv_html_count(h, (int64_t)(sum / n + 0.5));
    skv_html_raw(h, "</text>");
}

static void heat_panel(skv_html *h, const skv_report_data *d, const skv_report_path *p, double most)
{
    const int rows = p->run->n_scales - 1, n = p->run->n_layers;
    const double cell = (SKV_PLOT_WIDTH - LEFT - MEAN_COLUMN) / (double)n;
    const int step = n <= 12 ? 1 : n <= 24 ? 4 : 8;

    skv_html_f(h, "<div class=card><h3><i class=\"dot %s\"></i>", skv_report__tone(d, p->series));
    skv_html_text(h, p->run->name, 60);
    skv_html_raw(h, "<span>");
    skv_html_short(h, p->last / MIB);
    skv_html_raw(h, " MiB");
    if (isfinite(p->share)) {
        skv_html_raw(h, ", ");
        skv_html_short(h, 100 * p->share);
        skv_html_raw(h, "\xc2\xa0%");
    }
    skv_html_f(h,
               "</span></h3><svg viewBox=\"0 0 %d %d\" role=img "
               "aria-label=\"cache length by layer and scale\">",
               SKV_PLOT_WIDTH, rows * CELL_HEIGHT + 36);
    for (int si = 0; si < rows; si++)
        heat_row(h, p, si, most);
    for (int layer = 0; layer < n; layer += step)
        skv_html_f(h, "<text x=%.1f y=%d text-anchor=middle>%d</text>", LEFT + (layer + 0.5) * cell,
                   rows * CELL_HEIGHT + 14, layer);
    skv_html_f(h, "<text x=%.1f y=%d text-anchor=middle>layer</text>", LEFT + n * cell / 2,
               rows * CELL_HEIGHT + 31);
    skv_html_f(h, "<text x=%d y=%d text-anchor=end>mean</text></svg></div>", SKV_PLOT_WIDTH,
               rows * CELL_HEIGHT + 14);
}

static void heat_key(skv_html *h, double most)
{
    skv_html_raw(h, "<div class=keyed><div class=key>");
    for (int i = 0; i < SKV_REPORT_HEAT; i++)
        skv_html_f(h, "<i class=h%d></i>", i);
    skv_html_raw(h, "</div><div class=ticks>");
    for (int i = 0; i <= 4; i++) {
        const double share = i / 4.0;

        skv_html_f(h, "<span style=\"left:%.0f%%\">", 2 + 96 * share);
        skv_html_count(h, (int64_t)(share * share * most + 0.5));
        skv_html_raw(h, "</span>");
    }
    skv_html_raw(h, "</div></div>");
}

void skv_report__cache(skv_html *h, const skv_report_data *d)
{
    const double most = longest(d);

    skv_html_raw(h, "<section><h2>Cache length by layer and scale</h2><p class=note>Tokens that a "
                    "layer holds after the cut that follows each scale. The last scale is never "
                    "cached. Scales and layers count from 0, as in run.h5.</p>");
    heat_key(h, most);
    skv_html_raw(h, "<div class=grid>");
    for (int i = 0; i < d->run.n_paths; i++)
        heat_panel(h, d, &d->path[i], most);
    skv_html_raw(h, "</div></section>");
}

/* ----------------------------------------------------------------- kept by source */

/* Mean over layers of the tokens of scale `source` that are left after the last cut. */
static double kept_of(const skv_report_path *p, int source)
{
    const int n_scales = p->run->n_scales, n = p->run->n_layers;
    const float *last = p->kept + (int64_t)(n_scales - 2) * n * n_scales;
    double sum = 0;

    for (int layer = 0; layer < n; layer++) {
        const float v = last[(int64_t)layer * n_scales + source];

        sum += isfinite(v) && v > 0 ? (double)v : 0;
    }
    return sum / n;
}

static void mix_bar(skv_html *h, const skv_report_data *d, const skv_report_path *p)
{
    const int n = p->run->n_scales - 1;
    double sum = 0;

    for (int source = 0; source < n; source++)
        sum += kept_of(p, source);
    skv_html_f(h, "<div><span class=name><i class=\"dot %s\"></i>", skv_report__tone(d, p->series));
    skv_html_text(h, p->run->name, 60);
    skv_html_raw(h, "</span><span class=stack>");
    for (int source = 0; source < n && sum > 0; source++) {
        const double share = kept_of(p, source) / sum;

        if (share < 0.0005)
            continue;
        skv_html_f(h, "<i class=q%d style=\"flex:%.4f\" title=\"scale %d: %.1f tokens, %.1f %%\">",
                   skv_report__ramp(source, n), share, source, share * sum, 100 * share);
        if (share >= LABEL_SHARE)
            skv_html_f(h, "%d", source);
        skv_html_raw(h, "</i>");
    }
    skv_html_raw(h, "</span><span class=num>");
    skv_html_count(h, (int64_t)(fmin(sum, 1e15) + 0.5));
    skv_html_raw(h, " tokens</span></div>");
}

void skv_report__sources(skv_html *h, const skv_report_data *d)
{
    int n = 0, scales = 0;

    for (int i = 0; i < d->run.n_paths; i++) {
        n += d->path[i].kept != NULL;
        if (d->path[i].kept && d->path[i].run->n_scales - 1 > scales)
            scales = d->path[i].run->n_scales - 1;
    }
    if (n == 0)
        return;
    skv_html_raw(h, "<section><h2>Where the kept tokens come from</h2><p class=note>Tokens left "
                    "after the last cut by the scale they were made at: mean over layers, heads "
                    "and pictures. Each bar is one whole cache.</p><div class=key><span>scale "
                    "0</span>");
    for (int si = 0; si < scales; si++)
        skv_html_f(h, "<i class=q%d></i>", skv_report__ramp(si, scales));
    skv_html_f(h, "<span>scale %d</span></div><div class=\"card mix\">", scales - 1);
    for (int i = 0; i < d->run.n_paths; i++)
        if (d->path[i].kept)
            mix_bar(h, d, &d->path[i]);
    skv_html_raw(h, "</div></section>");
}
