/* Products, norms and activations, term by term as the formulas have them. */
#include "ref/ref.h"

#include <math.h>

/* t/2·(1 + tanh u) = t/(1 + exp(-2u)), which keeps its digits where tanh u nears -1. */
double ref_gelu(double t)
{
    const double pi = 3.14159265358979323846;

    return t / (1.0 + exp(-2.0 * sqrt(2.0 / pi) * (t + 0.044715 * t * t * t)));
}

double ref_silu(double t)
{
    return t / (1.0 + exp(-t));
}

void ref_linear(const ref_linear_args *a)
{
    for (int64_t m = 0; m < a->m; m++)
        for (int64_t n = 0; n < a->n; n++) {
            double sum = a->b ? (double)a->b[n] : 0.0, size = fabs(sum);

            for (int64_t k = 0; k < a->k; k++) {
                const double term = (double)a->x[m * a->k + k] * (double)a->w[n * a->k + k];

                sum += term;
                size += fabs(term);
            }
            a->y[m * a->n + n] = sum;
            a->size[m * a->n + n] = size;
        }
}

void ref_norm_row(double *y, double *size, const double *x, const float *mul, const float *add,
                  int64_t n, double eps)
{
    double mean = 0, variance = 0;

    for (int64_t i = 0; i < n; i++)
        mean += x[i];
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++)
        variance += (x[i] - mean) * (x[i] - mean);
    variance /= (double)n;
    for (int64_t i = 0; i < n; i++) {
        const double t = (x[i] - mean) / sqrt(variance + eps) * (double)mul[i];

        y[i] = t + (double)add[i];
        size[i] = fabs(t) + fabs((double)add[i]);
    }
}

static double tap(const ref_conv_args *a, int64_t picture, int64_t y, int64_t x, int64_t c)
{
    if (y < 0 || y >= a->height || x < 0 || x >= a->width)
        return 0;
    return (double)a->x[((picture * a->height + y) * a->width + x) * a->ci + c];
}

static void conv_place(const ref_conv_args *a, int64_t picture, int64_t y, int64_t x)
{
    const int64_t at = ((picture * a->height + y) * a->width + x) * a->co;

    for (int64_t o = 0; o < a->co; o++) {
        double sum = (double)a->b[o], size = fabs(sum);

        for (int64_t c = 0; c < a->ci; c++)
            for (int64_t k = 0; k < 9; k++) {
                const double term = (double)a->w[(o * a->ci + c) * 9 + k] *
                                    tap(a, picture, y + k / 3 - 1, x + k % 3 - 1, c);

                sum += term;
                size += fabs(term);
            }
        a->y[at + o] = sum;
        a->size[at + o] = size;
    }
}

void ref_conv3x3(const ref_conv_args *a)
{
    for (int64_t p = 0; p < a->pictures; p++)
        for (int64_t y = 0; y < a->height; y++)
            for (int64_t x = 0; x < a->width; x++)
                conv_place(a, p, y, x);
}

static void one_group(const ref_group_norm_args *a, int64_t picture, int64_t group)
{
    const int64_t width = a->channels / a->groups, first = group * width;
    const int64_t base = picture * a->pixels * a->channels;
    const double count = (double)(a->pixels * width);
    double mean = 0, variance = 0;

    for (int64_t p = 0; p < a->pixels; p++)
        for (int64_t c = first; c < first + width; c++)
            mean += (double)a->x[base + p * a->channels + c];
    mean /= count;
    for (int64_t p = 0; p < a->pixels; p++)
        for (int64_t c = first; c < first + width; c++) {
            const double t = (double)a->x[base + p * a->channels + c] - mean;

            variance += t * t;
        }
    variance /= count;
    for (int64_t p = 0; p < a->pixels; p++)
        for (int64_t c = first; c < first + width; c++) {
            const int64_t i = base + p * a->channels + c;
            const double scale = (double)a->w[c] / sqrt(variance + a->eps);
            const double t = ((double)a->x[i] - mean) * scale + (double)a->b[c];

            a->y[i] = ref_silu(t);
            a->size[i] = fabs((double)a->x[i] * scale) + fabs(mean * scale) + fabs((double)a->b[c]);
        }
}

void ref_group_norm_silu(const ref_group_norm_args *a)
{
    for (int64_t p = 0; p < a->pictures; p++)
        for (int64_t g = 0; g < a->groups; g++)
            one_group(a, p, g);
}
