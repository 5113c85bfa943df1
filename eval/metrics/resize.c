/* The order of operations is Pillow's, to the bit: sums in double over ascending inputs, rounded to
 * fp32 once a pass, along x first; (i + 0.5 - c) times 1/fs, not divided by fs. */
#include "eval/metrics/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static double cubic(double t)
{
    const double a = -0.5;

    t = fabs(t);
    if (t < 1)
        return ((a + 2) * t - (a + 3)) * t * t + 1;
    if (t < 2)
        return (((t - 5) * t + 8) * t - 4) * a;
    return 0;
}

skv_status skv_resize_axis_make(skv_resize_axis *out, int n_in, int n_out)
{
    const double scale = (double)n_in / n_out, fs = scale < 1 ? 1 : scale, support = 2 * fs;
    const double inverse = 1 / fs;
    const int most = 2 * (int)ceil(support) + 1;
    const size_t weights = (size_t)n_out * (size_t)most;
    skv_resize_axis axis = {.n_out = n_out, .most = most};

    SKV_TRY(skv_alloc(&axis.weight, weights + (size_t)n_out, sizeof(double), "resize"));
    axis.first = (int32_t *)(axis.weight + weights);
    axis.count = axis.first + n_out;
    for (int o = 0; o < n_out; o++) {
        const double centre = (o + 0.5) * scale;
        const double from = trunc(centre - support + 0.5), to = trunc(centre + support + 0.5);
        const int lo = from > 0 ? (int)from : 0, hi = to < n_in ? (int)to : n_in;
        double *w = axis.weight + (size_t)o * (size_t)most, sum = 0;

        for (int i = lo; i < hi; i++) {
            w[i - lo] = cubic((i + 0.5 - centre) * inverse);
            sum += w[i - lo];
        }
        for (int i = lo; i < hi && sum != 0; i++)
            w[i - lo] /= sum;
        axis.first[o] = lo;
        axis.count[o] = hi - lo;
    }
    *out = axis;
    return SKV_OK;
}

/* Along x: in (height,width,3) -> out (height,n_out,3). */
static void pass_x(float *out, const float *in, int height, int width, const skv_resize_axis *axis)
{
    for (int y = 0; y < height; y++)
        for (int o = 0; o < axis->n_out; o++) {
            const double *w = axis->weight + (size_t)o * (size_t)axis->most;
            const float *x = in + ((size_t)y * (size_t)width + (size_t)axis->first[o]) * 3;
            double sum[3] = {0, 0, 0};

            for (int i = 0; i < axis->count[o]; i++)
                for (int c = 0; c < 3; c++)
                    sum[c] += (double)x[3 * i + c] * w[i];
            for (int c = 0; c < 3; c++)
                out[((size_t)y * (size_t)axis->n_out + (size_t)o) * 3 + (size_t)c] = (float)sum[c];
        }
}

/* Along y: in (height,width,3) -> out (n_out,width,3); `sum` has room for 3·width. */
static void pass_y(float *out, const float *in, int width, const skv_resize_axis *axis, double *sum)
{
    const size_t n = (size_t)width * 3;

    for (int o = 0; o < axis->n_out; o++) {
        memset(sum, 0, n * sizeof *sum);
        for (int i = 0; i < axis->count[o]; i++) {
            const float *row = in + (size_t)(axis->first[o] + i) * n;
            const double w = axis->weight[(size_t)o * (size_t)axis->most + (size_t)i];

            for (size_t k = 0; k < n; k++)
                sum[k] += (double)row[k] * w;
        }
        for (size_t k = 0; k < n; k++)
            out[(size_t)o * n + k] = (float)sum[k];
    }
}

/* A pass that would not change the size is left out, as in Pillow. */
static skv_status resize(float *out, float *in, int height, int width, int out_height,
                         int out_width)
{
    skv_resize_axis x = {0}, y = {0};
    double *sum = NULL;
    float *between = NULL, *from = in;
    skv_status st = SKV_OK;

    if (out_width != width) {
        const size_t n = (size_t)height * (size_t)out_width * 3;

        SKV_TRY_GOTO(skv_resize_axis_make(&x, width, out_width), done);
        SKV_TRY_GOTO(skv_alloc(&between, n, sizeof *between, "resize"), done);
        pass_x(between, in, height, width, &x);
        from = between;
    }
    if (out_height != height) {
        SKV_TRY_GOTO(skv_resize_axis_make(&y, height, out_height), done);
        SKV_TRY_GOTO(skv_alloc(&sum, (size_t)out_width * 3, sizeof *sum, "resize"), done);
        pass_y(out, from, out_width, &y, sum);
    } else {
        memcpy(out, from, (size_t)out_height * (size_t)out_width * 3 * sizeof *out);
    }
done:
    free(x.weight);
    free(y.weight);
    free(sum);
    free(between);
    return st;
}

skv_status skv_resize_bicubic(float *out, const uint8_t *rgb, int height, int width, int out_height,
                              int out_width)
{
    const size_t n = (size_t)height * (size_t)width * 3;
    const size_t n_out = (size_t)out_height * (size_t)out_width * 3;
    float *in = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&in, n, sizeof *in, "resize"));
    for (size_t i = 0; i < n; i++)
        in[i] = rgb[i];
    st = resize(out, in, height, width, out_height, out_width);
    for (size_t i = 0; st == SKV_OK && i < n_out; i++)
        out[i] = out[i] < 0 ? 0 : out[i] > 255 ? 255 : out[i];
    free(in);
    return st;
}
