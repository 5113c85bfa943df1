/* norm, gate_norm, gate_add, rms_norm: row widths that are not a multiple of a vector, repeated
 * modulation rows, means far larger than the deviation. */
#include "opcheck.h"

#include <math.h>

#include "ref/ref.h"

typedef struct {
    int64_t rows, tokens, width;
    bool repeat; /* one modulation row for all */
    float mean;
} shape;

static const shape shapes[] = {
    {1, 1, 1, false, 0},   {2, 3, 7, false, 0},    {2, 9, 64, true, 0},
    {3, 17, 130, true, 1}, {2, 5, 1152, false, 0}, {1, 4, 2048, false, 1000},
};

#define N_SHAPES ((int)(sizeof shapes / sizeof *shapes))

static const shape large = {2, 4096, 2048, false, 0};

/* Sums are in double, so what remains are the roundings of the last steps: the scaled difference,
 * its product and its sum. */
#define NORM_TOLERANCE (4 * OPCHECK_UNIT)

static skv_tensor row_tensor(opcheck *t, float *values, const shape *s)
{
    skv_tensor x = OPCHECK_F(t, SKV_F32, values, s->repeat ? 1 : s->rows, s->width);

    if (s->repeat) {
        x.shape[0] = s->rows;
        x.stride[0] = 0;
    }
    return x;
}

static float *row_values(opcheck *t, const shape *s)
{
    return opcheck_uniform(t, (s->repeat ? 1 : s->rows) * s->width, -2, 2);
}

static float *spread(opcheck *t, const shape *s)
{
    const int64_t n = s->rows * s->tokens * s->width;
    float *x = opcheck_normal(t, n, 1);

    for (int64_t i = 0; i < n; i++)
        x[i] += s->mean;
    return x;
}

/* The row of modulation that belongs to token row m. */
static const float *row_at(const float *values, const shape *s, int64_t m)
{
    return s->repeat ? values : values + m / s->tokens * s->width;
}

static void name_case(opcheck *t, const shape *s)
{
    opcheck_case(t, "(%lld,%lld,%lld)%s mean %g", (long long)s->rows, (long long)s->tokens,
                 (long long)s->width, s->repeat ? " repeated" : "", (double)s->mean);
}

static void norm_case(opcheck *t, const shape *s)
{
    const int64_t n = s->rows * s->tokens * s->width;
    float *x, *mul, *add;
    double *want, *size, *row;
    skv_tensor tx, tm, ta, ty;

    name_case(t, s);
    x = spread(t, s);
    mul = row_values(t, s);
    add = row_values(t, s);
    tx = OPCHECK_F(t, SKV_F32, x, s->rows, s->tokens, s->width);
    tm = row_tensor(t, mul, s);
    ta = row_tensor(t, add, s);
    ty = OPCHECK_F(t, t->be->act, opcheck_unset(t, n), s->rows, s->tokens, s->width);
    OPCHECK_RUN(t, skv_norm(t->be, &(skv_norm_args){ty, tx, tm, ta, 1e-6f}));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    row = opcheck_doubles(t, s->width);
    for (int64_t m = 0; m < s->rows * s->tokens; m++) {
        for (int64_t c = 0; c < s->width; c++)
            row[c] = (double)x[m * s->width + c];
        ref_norm_row(want + m * s->width, size + m * s->width, row, row_at(mul, s, m),
                     row_at(add, s, m), s->width, (double)1e-6f);
    }
    /* a GPU sums in fp32: the mean of numbers of deviation 1 is off by some units */
    for (int64_t i = 0; t->be->device != SKV_HOST && i < n; i++)
        size[i] += fabs((double)row_at(mul, s, i / s->width)[i % s->width]);
    opcheck_near(t, "y", &ty, want, size, NORM_TOLERANCE);
}

void check_norm(opcheck *t)
{
    skv_tensor x, m;

    if (t->perf) {
        norm_case(t, &large);
        return;
    }
    for (int i = 0; i < N_SHAPES; i++)
        norm_case(t, &shapes[i]);
    opcheck_case(t, "refusals");
    x = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 24), 2, 3, 4);
    m = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 10), 2, 5);
    opcheck_refused(t, "modulation of another width",
                    skv_norm(t->be, &(skv_norm_args){x, x, m, m, 1e-6f}));
    m = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 12), 3, 4);
    opcheck_refused(t, "modulation of other rows",
                    skv_norm(t->be, &(skv_norm_args){x, x, m, m, 1e-6f}));
}

/* x after the gated sum, in place and as the reference's input. A sum of two numbers that cancel
 * has an error of its terms' size, which the norm then scales by up to 1/deviation = 1 here. */
static void gate(float *x, const float *h, const float *g, const float *bias, const shape *s,
                 double *sum)
{
    for (int64_t m = 0; m < s->rows * s->tokens; m++)
        for (int64_t c = 0; c < s->width; c++) {
            const int64_t i = m * s->width + c;

            sum[i] = (double)x[i] +
                     (double)row_at(g, s, m)[c] * ((double)h[i] + (bias ? (double)bias[c] : 0));
        }
}

/* with_norm: gate_norm, when in_place with y in h's place and a bias of h; else gate_add. */
static void gate_case(opcheck *t, const shape *s, bool with_norm, bool in_place)
{
    const int64_t n = s->rows * s->tokens * s->width;
    float *x, *h, *g, *mul, *add, *bias;
    double *sum, *size, *want;
    skv_tensor tx, th, tg, tm, ta, ty, tb = {0};

    name_case(t, s);
    x = spread(t, s);
    h = opcheck_normal(t, n, 1);
    g = row_values(t, s);
    mul = row_values(t, s);
    add = row_values(t, s);
    tx = OPCHECK_F(t, SKV_F32, x, s->rows, s->tokens, s->width);
    th = OPCHECK_F(t, t->be->act, h, s->rows, s->tokens, s->width);
    tg = row_tensor(t, g, s);
    tm = row_tensor(t, mul, s);
    ta = row_tensor(t, add, s);
    ty = in_place ? th : OPCHECK_F(t, SKV_F32, opcheck_unset(t, n), s->rows, s->tokens, s->width);
    bias = in_place ? opcheck_normal(t, s->width, 1) : NULL;
    if (bias)
        tb = OPCHECK_F(t, t->be->act, bias, s->width);
    if (with_norm)
        OPCHECK_RUN(t,
                    skv_gate_norm(t->be, &(skv_gate_norm_args){ty, tx, th, tg, tm, ta, tb, 1e-6f}));
    else
        OPCHECK_RUN(t, skv_gate_add(t->be, &(skv_gate_add_args){tx, th, tg}));
    if (t->perf)
        return;
    sum = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    want = opcheck_doubles(t, n);
    gate(x, h, g, bias, s, sum);
    for (int64_t i = 0; i < n; i++)
        size[i] = fabs((double)x[i]) + 2 * fabs((double)h[i]) +
                  (bias ? 2 * fabs((double)bias[i % s->width]) : 0);
    /* a product and two sums are rounded */
    opcheck_near(t, "x", &tx, sum, size, 3 * OPCHECK_UNIT);
    if (!with_norm)
        return;
    for (int64_t m = 0; m < s->rows * s->tokens; m++)
        ref_norm_row(want + m * s->width, size + m * s->width, sum + m * s->width,
                     row_at(mul, s, m), row_at(add, s, m), s->width, (double)1e-6f);
    /* the sum's rounding, |x| up to mean + 10 (16 with a bias), is divided by a deviation of 1 or
     * more and multiplied by at most 2 */
    for (int64_t i = 0; i < n; i++)
        size[i] += 2 * (fabs((double)s->mean) + (bias ? 16 : 10));
    opcheck_near(t, "y", &ty, want, size, NORM_TOLERANCE);
}

void check_gate_norm(opcheck *t)
{
    if (t->perf) {
        gate_case(t, &large, true, false);
        return;
    }
    /* one number has no deviation: the norm of its rounding error is anything */
    for (int i = 1; i < N_SHAPES; i++) {
        gate_case(t, &shapes[i], true, false);
        gate_case(t, &shapes[i], true, true);
    }
}

void check_gate_add(opcheck *t)
{
    skv_tensor x, g;

    if (t->perf) {
        gate_case(t, &large, false, false);
        return;
    }
    for (int i = 0; i < N_SHAPES; i++)
        gate_case(t, &shapes[i], false, false);
    opcheck_case(t, "refusals");
    x = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 24), 2, 3, 4);
    g = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 10), 2, 5);
    opcheck_refused(t, "gate of another width", skv_gate_add(t->be, &(skv_gate_add_args){x, x, g}));
}

static void rms_case(opcheck *t, int64_t rows, int64_t width)
{
    float *x, *w;
    double *want;
    skv_tensor tx, tw, ty;

    opcheck_case(t, "(%lld,%lld)", (long long)rows, (long long)width);
    x = opcheck_normal(t, rows * width, 3);
    w = opcheck_uniform(t, width, -2, 2);
    tx = OPCHECK_F(t, SKV_F32, x, rows, width);
    tw = OPCHECK_F(t, SKV_F32, w, width);
    ty = OPCHECK_F(t, t->be->act, opcheck_unset(t, rows * width), rows, width);
    OPCHECK_RUN(t, skv_rms_norm(t->be, &(skv_rms_norm_args){ty, tx, tw, 1e-6f}));
    if (t->perf)
        return;
    want = opcheck_doubles(t, rows * width);
    for (int64_t m = 0; m < rows; m++) {
        double sum = 0;

        for (int64_t c = 0; c < width; c++)
            sum += (double)x[m * width + c] * (double)x[m * width + c];
        for (int64_t c = 0; c < width; c++)
            want[m * width + c] =
                (double)w[c] * (double)x[m * width + c] / sqrt(sum / (double)width + (double)1e-6f);
    }
    /* the scale and two products are rounded; the sum is in double */
    opcheck_near(t, "y", &ty, want, NULL, 4 * OPCHECK_UNIT);
}

void check_rms_norm(opcheck *t)
{
    skv_tensor x, w;

    if (t->perf) {
        rms_case(t, 4096, 2048);
        return;
    }
    rms_case(t, 1, 1);
    rms_case(t, 9, 37);
    rms_case(t, 17, 2048);
    opcheck_case(t, "refusals");
    x = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 12), 3, 4);
    w = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 3), 3);
    opcheck_refused(t, "weight of another width",
                    skv_rms_norm(t->be, &(skv_rms_norm_args){x, x, w, 1e-6f}));
}
