/* silu, gated_gelu, add, add_rows, guide_mix, copy, zero, check_finite: sizes around a tile,
 * special values. */
#include "opcheck.h"

#include <math.h>
#include <string.h>

#include "ref/ref.h"

static const int64_t sizes[] = {1, 7, 33, 4097, 32768, 100003};

#define N_SIZES  ((int)(sizeof sizes / sizeof *sizes))
#define N_LARGE  ((int64_t)1 << 24)
#define N_EXTRA  12
#define EXTREMES "ends of the range"

/* Where the exponential under- and overflows, zeroes, and what is not a number. */
static const float extremes[N_EXTRA] = {0.0f,   -0.0f,  1e-30f, -1e-30f,  88.5f,  -88.5f,
                                        103.5f, -104.f, 1e30f,  INFINITY, -86.9f, NAN};

static skv_tensor dense(opcheck *t, skv_dtype type, float *x, int64_t n)
{
    return OPCHECK_F(t, type, x, n);
}

/* silu of n numbers x. exp is 2 ulp off, the sum and the quotient are rounded. Below -80 the result
 * is smaller than 1e-33 and may lose digits, as 1 + exp nears the largest number. */
static void silu_case(opcheck *t, float *x, int64_t n)
{
    double *want, *size;
    skv_tensor tx = dense(t, SKV_F32, x, n), ty = dense(t, SKV_F32, opcheck_unset(t, n), n);

    OPCHECK_RUN(t, skv_silu(t->be, &(skv_silu_args){.y = ty, .x = tx}));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    for (int64_t i = 0; i < n; i++) {
        want[i] = isinf(x[i]) ? (double)x[i] : ref_silu((double)x[i]);
        size[i] = fabs(want[i]) + (x[i] < -80 ? 1e-27 : 0);
    }
    opcheck_near(t, "y", &ty, want, size, 4 * OPCHECK_UNIT);
}

void check_silu(opcheck *t)
{
    float *special;

    if (t->perf) {
        opcheck_case(t, "(%lld)", (long long)N_LARGE);
        silu_case(t, opcheck_normal(t, N_LARGE, 2), N_LARGE);
        return;
    }
    for (int i = 0; i < N_SIZES; i++) {
        opcheck_case(t, "(%lld)", (long long)sizes[i]);
        silu_case(t, opcheck_uniform(t, sizes[i], -20, 20), sizes[i]);
    }
    opcheck_case(t, EXTREMES);
    special = opcheck_floats(t, N_EXTRA);
    memcpy(special, extremes, sizeof extremes);
    silu_case(t, special, N_EXTRA);
}

static void gated_case(opcheck *t, int64_t n)
{
    float *y, *x;
    double *want, *size;
    skv_tensor ty, tx;

    opcheck_case(t, "(%lld)", (long long)n);
    y = opcheck_uniform(t, n, -9, 9);
    x = opcheck_normal(t, n, 2);
    ty = dense(t, t->be->act, y, n);
    tx = dense(t, t->be->act, x, n);
    OPCHECK_RUN(t, skv_gated_gelu(t->be, &(skv_gated_gelu_args){.y = ty, .x = tx}));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    for (int64_t i = 0; i < n; i++) {
        const double v = (double)y[i], u = fabs(v) + 0.045 * fabs(v * v * v);

        want[i] = ref_gelu(v) * (double)x[i];
        /* the rounded argument of the exponential, 2·sqrt(2/pi)·u, is its relative error */
        size[i] = fabs(want[i]) * (1 + 1.6 * u);
    }
    opcheck_near(t, "y", &ty, want, size, 8 * OPCHECK_UNIT);
}

void check_gated_gelu(opcheck *t)
{
    skv_tensor a, b;

    if (t->perf) {
        gated_case(t, N_LARGE);
        return;
    }
    for (int i = 0; i < N_SIZES; i++)
        gated_case(t, sizes[i]);
    opcheck_case(t, "refusals");
    a = dense(t, t->be->act, opcheck_unset(t, 5), 5);
    b = dense(t, t->be->act, opcheck_unset(t, 6), 6);
    opcheck_refused(t, "other counts",
                    skv_gated_gelu(t->be, &(skv_gated_gelu_args){.y = a, .x = b}));
}

static void add_case(opcheck *t, int64_t n)
{
    float *y, *x;
    double *want, *size;
    skv_tensor ty, tx;

    opcheck_case(t, "(%lld)", (long long)n);
    y = opcheck_normal(t, n, 1);
    x = opcheck_normal(t, n, 1);
    ty = dense(t, SKV_F32, y, n);
    tx = dense(t, t->be->act, x, n);
    OPCHECK_RUN(t, skv_add(t->be, &(skv_add_args){.y = ty, .x = tx}));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    for (int64_t i = 0; i < n; i++) {
        want[i] = (double)y[i] + (double)x[i];
        size[i] = fabs(want[i]);
    }
    opcheck_near(t, "y", &ty, want, size, OPCHECK_UNIT); /* one rounding */
}

void check_add(opcheck *t)
{
    skv_tensor a, b;

    if (t->perf) {
        add_case(t, N_LARGE);
        return;
    }
    for (int i = 0; i < N_SIZES; i++)
        add_case(t, sizes[i]);
    opcheck_case(t, "refusals");
    a = dense(t, SKV_F32, opcheck_unset(t, 5), 5);
    b = dense(t, SKV_F32, opcheck_unset(t, 6), 6);
    opcheck_refused(t, "other counts", skv_add(t->be, &(skv_add_args){.y = a, .x = b}));
    b.shape[0] = 5;
    b.stride[0] = 0;
    opcheck_refused(t, "a repeated number", skv_add(t->be, &(skv_add_args){.y = a, .x = b}));
}

static void rows_case(opcheck *t, int64_t rows, int64_t width, bool in_place)
{
    float *x, *b;
    double *want;
    skv_tensor ty, tx, tb;

    opcheck_case(t, "(%lld,%lld)%s", (long long)rows, (long long)width,
                 in_place ? " in place" : "");
    x = opcheck_normal(t, rows * width, 1);
    b = opcheck_normal(t, width, 1);
    tx = OPCHECK_F(t, SKV_F32, x, rows, width);
    tb = OPCHECK_F(t, SKV_F32, b, width);
    ty = in_place ? tx : OPCHECK_F(t, SKV_F32, opcheck_unset(t, rows * width), rows, width);
    OPCHECK_RUN(t, skv_add_rows(t->be, &(skv_add_rows_args){.y = ty, .x = tx, .b = tb}));
    if (t->perf)
        return;
    want = opcheck_doubles(t, rows * width);
    for (int64_t i = 0; i < rows * width; i++)
        want[i] = (double)x[i] + (double)b[i % width];
    opcheck_near(t, "y", &ty, want, NULL, OPCHECK_UNIT); /* one rounding */
}

void check_add_rows(opcheck *t)
{
    skv_tensor x, b;

    if (t->perf) {
        rows_case(t, 4096, 2048, false);
        return;
    }
    rows_case(t, 1, 1, false);
    rows_case(t, 17, 33, false);
    rows_case(t, 40, 64, true);
    opcheck_case(t, "refusals");
    x = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 12), 3, 4);
    b = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 3), 3);
    opcheck_refused(t, "row of another width",
                    skv_add_rows(t->be, &(skv_add_rows_args){.y = x, .x = x, .b = b}));
}

static void mix_case(opcheck *t, int64_t rows, int64_t tokens, int64_t width, float cfg)
{
    const int64_t half = rows * tokens * width;
    float *x;
    double *want, *size;
    skv_tensor tx;

    opcheck_case(t, "(%lld,%lld,%lld) cfg %g", (long long)(2 * rows), (long long)tokens,
                 (long long)width, (double)cfg);
    x = opcheck_normal(t, 2 * half, 1);
    tx = OPCHECK_F(t, SKV_F32, x, 2 * rows, tokens, width);
    OPCHECK_RUN(t, skv_guide_mix(t->be, &(skv_guide_mix_args){.x = tx, .cfg = cfg}));
    if (t->perf)
        return;
    want = opcheck_doubles(t, 2 * half);
    size = opcheck_doubles(t, 2 * half);
    for (int64_t i = 0; i < 2 * half; i++) {
        const double c = (double)cfg * (double)x[i % half];
        const double u = (1 - (double)cfg) * (double)x[half + i % half];

        want[i] = c + u;
        size[i] = fabs(c) + fabs(u);
    }
    /* 1 - cfg, a product and the sum are rounded */
    opcheck_near(t, "x", &tx, want, size, 3 * OPCHECK_UNIT);
}

void check_guide_mix(opcheck *t)
{
    skv_tensor x;

    if (t->perf) {
        mix_case(t, 1, 4096, 2048, 4);
        return;
    }
    mix_case(t, 1, 1, 1, 3);
    mix_case(t, 2, 5, 33, 1.3f);
    mix_case(t, 3, 200, 64, 0.1f);
    opcheck_case(t, "refusals");
    x = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 12), 3, 2, 2);
    opcheck_refused(t, "an odd number of rows",
                    skv_guide_mix(t->be, &(skv_guide_mix_args){.x = x, .cfg = 2}));
}

void check_copy(opcheck *t)
{
    for (int i = 0; i < N_SIZES; i++) {
        const int64_t n = t->perf ? N_LARGE : sizes[i];
        float *x;
        uint8_t *b;
        skv_tensor ty, tx;

        opcheck_case(t, "(%lld) fp32", (long long)n);
        x = opcheck_normal(t, n, 1);
        x[0] = NAN;
        tx = dense(t, SKV_F32, x, n);
        ty = dense(t, SKV_F32, opcheck_unset(t, n), n);
        OPCHECK_RUN(t, skv_copy(t->be, &(skv_copy_args){.y = ty, .x = tx}));
        if (t->perf)
            return;
        opcheck_equal(t, "y", &ty, x);
        opcheck_case(t, "(%lld) bytes", (long long)n);
        b = opcheck_u8s(t, n);
        for (int64_t k = 0; k < n; k++)
            b[k] = (uint8_t)(k * 7 + 3);
        tx = OPCHECK_RAW(t, SKV_U8, b, n);
        ty = OPCHECK_RAW(t, SKV_U8, opcheck_u8s(t, n), n);
        OPCHECK_RUN(t, skv_copy(t->be, &(skv_copy_args){.y = ty, .x = tx}));
        opcheck_equal(t, "y", &ty, b);
        ty.shape[0] = n + 1;
        opcheck_refused(t, "other counts", skv_copy(t->be, &(skv_copy_args){.y = ty, .x = tx}));
    }
}

void check_zero(opcheck *t)
{
    for (int i = 0; i < N_SIZES; i++) {
        const int64_t n = t->perf ? N_LARGE : sizes[i];
        float *ends;
        skv_tensor whole, y;

        /* one number before and one after must stay */
        opcheck_case(t, "(%lld)", (long long)n);
        ends = opcheck_normal(t, n + 2, 1);
        whole = dense(t, SKV_F32, ends, n + 2);
        y = skv_tensor_rows(&whole, 1, n);
        OPCHECK_RUN(t, skv_zero(t->be, &(skv_zero_args){.y = y}));
        if (t->perf)
            return;
        memset(ends + 1, 0, (size_t)n * sizeof *ends);
        opcheck_equal(t, "y", &whole, ends);
    }
}

/* Spans over three prompts' rows, twice as many as faults: bad numbers before, at the ends of, and
 * behind a span; one span that is empty and one whose prompt has a fault already. */
static void finite_case(opcheck *t, int64_t width)
{
    enum { T = 60, B = 4, SPANS = 2 * B };
    const int32_t start[SPANS] = {0, 10, 20, 30, 40, 40, 50, 7};
    const int32_t count[SPANS] = {10, 10, 10, 10, 10, 0, 10, 3};
    const int32_t before[B] = {0, 0, 5, 0}, after[B] = {-1, 0, 5, -1};
    skv_check_finite_args a = {.start = start, .count = count, .n_spans = SPANS, .code = -1};
    float *x;

    opcheck_case(t, "(%d,%lld)", T, (long long)width);
    x = opcheck_normal(t, T * width, 1);
    x[39 * width] = -INFINITY;    /* prompt 3's text: its last row */
    x[41 * width - 1] = INFINITY; /* prompt 0's negative text: its first row */
    x[60 * width - 1] = NAN;      /* prompt 2's */
    a.x = OPCHECK_F(t, SKV_F32, x, T, width);
    a.fault = OPCHECK_RAW(t, SKV_I32, before, B);
    OPCHECK_RUN(t, skv_check_finite(t->be, &a));
    opcheck_equal(t, "fault", &a.fault, after);
    a.count = (const int32_t[SPANS]){10, 10, 10, 31};
    opcheck_refused(t, "a span beyond the end", skv_check_finite(t->be, &a));
}

/* More spans than a launch of the GPU's takes: every seventh row is bad. */
static void many_spans(opcheck *t)
{
    enum { N = 600, WIDTH = 40 };
    int32_t start[N], count[N], *after;
    skv_check_finite_args a = {.start = start, .count = count, .n_spans = N, .code = 9};
    float *x;

    opcheck_case(t, "%d spans", N);
    x = opcheck_normal(t, N * WIDTH, 1);
    after = opcheck_ints(t, N);
    for (int i = 0; i < N; i++) {
        start[i] = i;
        count[i] = 1;
        if (i % 7 == 3) {
            x[i * WIDTH + i % WIDTH] = NAN;
            after[i] = 9;
        }
    }
    a.x = OPCHECK_F(t, SKV_F32, x, N, WIDTH);
    a.fault = OPCHECK_RAW(t, SKV_I32, opcheck_ints(t, N), N);
    OPCHECK_RUN(t, skv_check_finite(t->be, &a));
    opcheck_equal(t, "fault", &a.fault, after);
}

void check_check_finite(opcheck *t)
{
    if (t->perf) {
        finite_case(t, 1 << 18);
        return;
    }
    finite_case(t, 1);
    finite_case(t, 2048);
    many_spans(t);
}
