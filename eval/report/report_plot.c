#include "eval/report/report_plot.h"

#include <math.h>
#include <stdlib.h>

#define LABEL_BYTES 40

double skv_axes_x(const skv_axes *a, double x)
{
    const double share = a->log_x ? log(x / a->x_low) / log(a->x_high / a->x_low)
                                  : (x - a->x_low) / (a->x_high - a->x_low);

    return a->left + share * (a->right - a->left);
}

double skv_axes_y(const skv_axes *a, double y)
{
    return a->bottom - (y - a->y_low) / (a->y_high - a->y_low) * (a->bottom - a->top);
}

int skv_plot_ticks(double out[SKV_PLOT_TICKS], double low, double high, int wanted)
{
    const double raw = (high - low) / wanted, power = pow(10, floor(log10(raw)));
    const double steps[] = {1, 2, 5, 10};
    double step = 10 * power;
    int n = 0;

    for (int i = 3; i >= 0; i--)
        if (steps[i] * power >= raw * 0.7)
            step = steps[i] * power;
    for (double k = ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) {
        if (n == SKV_PLOT_TICKS)
            return n;
        out[n++] = k * step;
    }
    return n;
}

int skv_plot_log_ticks(double out[SKV_PLOT_TICKS], double low, double high)
{
    const double factors[] = {1, 2, 5};
    const int n_factors = high / low > 200 ? 1 : 3;
    int n = 0;

    for (double decade = pow(10, floor(log10(low))); decade <= high; decade *= 10)
        for (int i = 0; i < n_factors; i++)
            if (n < SKV_PLOT_TICKS && decade * factors[i] >= low * 0.999 &&
                decade * factors[i] <= high * 1.001)
                out[n++] = decade * factors[i];
    return n;
}

/* With the decimals that tell ticks a step apart. */
static void tick_text(skv_html *h, double v, double step)
{
    const int digits = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);

    skv_html_real(h, v, digits > 9 ? 9 : digits);
}

void skv_plot_y_axis(skv_html *h, const skv_axes *a)
{
    double tick[SKV_PLOT_TICKS];
    const int n = skv_plot_ticks(tick, a->y_low, a->y_high, 4);

    for (int i = 0; i < n; i++) {
        const double y = skv_axes_y(a, tick[i]);

        skv_html_f(h, "<path class=g d=\"M%.1f %.1fH%.1f\"/>", a->left, y, a->right);
        skv_html_f(h, "<text x=%.1f y=%.1f text-anchor=end>", a->left - 8, y + 4);
        tick_text(h, tick[i], n > 1 ? tick[1] - tick[0] : 1);
        skv_html_raw(h, "</text>");
    }
}

void skv_plot_x_axis(skv_html *h, const skv_axes *a, const char *title)
{
    double tick[SKV_PLOT_TICKS];
    const int n = a->log_x ? skv_plot_log_ticks(tick, a->x_low, a->x_high)
                           : skv_plot_ticks(tick, a->x_low, a->x_high, 5);

    skv_html_f(h, "<path class=a d=\"M%.1f %.1fH%.1f\"/>", a->left, a->bottom, a->right);
    for (int i = 0; i < n; i++) {
        const double x = skv_axes_x(a, tick[i]);

        skv_html_f(h, "<path class=a d=\"M%.1f %.1fv5\"/>", x, a->bottom);
        skv_html_f(h, "<text x=%.1f y=%.1f text-anchor=middle>", x, a->bottom + 19);
        tick_text(h, tick[i], a->log_x ? tick[i] : n > 1 ? tick[1] - tick[0] : 1);
        skv_html_raw(h, "</text>");
    }
    skv_html_f(h, "<text x=%.1f y=%.1f text-anchor=middle>%s</text>", (a->left + a->right) / 2,
               a->bottom + 38, title);
}

void skv_plot_marker(skv_html *h, int shape, double x, double y)
{
    static const char *const shapes[] = {"m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
                                         "m-3.8-3.8h7.6v7.6h-7.6z",
                                         "m0-5l4.8 8.6h-9.6z",
                                         "m0-5.2l5.2 5.2-5.2 5.2-5.2-5.2z",
                                         "m0 5l4.8-8.6h-9.6z",
                                         "m-5.4-1.7h3.7v-3.7h3.4v3.7h3.7v3.4h-3.7v3.7h-3.4v-3.7"
                                         "h-3.7z"};
    const int n = (int)(sizeof shapes / sizeof shapes[0]);

    skv_html_f(h, "<path class=m d=\"M%.1f %.1f%s\"/>", x, y, shapes[shape % n]);
}

static int by_height(const void *a, const void *b)
{
    const skv_plot_label *left = a, *right = b;

    return (left->y > right->y) - (left->y < right->y);
}

void skv_plot_write_labels(skv_html *h, skv_plot_label *labels, int n, const skv_axes *a)
{
    double floor_y = a->bottom;

    qsort(labels, (size_t)n, sizeof *labels, by_height);
    for (int i = 1; i < n; i++)
        labels[i].y = fmax(labels[i].y, labels[i - 1].y + SKV_PLOT_LINE);
    for (int i = n - 1; i >= 0; i--) { /* what was pushed out below goes back up */
        labels[i].y = fmin(labels[i].y, floor_y);
        floor_y = labels[i].y - SKV_PLOT_LINE;
    }
    for (int i = 0; i < n; i++) {
        skv_html_f(h, "<g class=%s><text class=l x=%.1f y=%.1f>", labels[i].tone, labels[i].x + 9,
                   labels[i].y + 4);
        skv_html_text(h, labels[i].text, LABEL_BYTES);
        skv_html_raw(h, "</text></g>");
    }
}
