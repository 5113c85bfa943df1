/* Row by row: each source row is filtered along x once, into a ring of 11 rows of the five moments;
 * each output row is the ring filtered along y. So everything stays in cache, and inner loops run
 * over independent columns, which vectorise without changing any sum's order. */
#include "eval/metrics/ssim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define RADIUS  5
#define TAPS    (2 * RADIUS + 1)
#define MOMENTS 5 /* a, b, a², b², ab */
#define C1      (0.01 * 0.01)
#define C2      (0.03 * 0.03)

typedef struct {
    const uint8_t *a, *b;
    int height, width;
    int n; /* numbers of a row: 3·width */
    double weight[TAPS];
    double *padded; /* (MOMENTS, n + 2·3·RADIUS) a source row with its borders */
    double *ring;   /* (TAPS, MOMENTS, n) source rows filtered along x; row y at y mod TAPS */
    double *row;    /* (MOMENTS, n) an output row's filtered moments */
} job;

static void make_weights(double weight[TAPS])
{
    double sum = 0;

    for (int i = 0; i < TAPS; i++) {
        const double t = (i - RADIUS) / 1.5;

        weight[i] = exp(-t * t / 2);
        sum += weight[i];
    }
    for (int i = 0; i < TAPS; i++)
        weight[i] /= sum;
}

/* i reflected into [0,n): the edge itself is not repeated. */
static int reflect(int i, int n)
{
    return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

/* The source row's five moments with borders of RADIUS pixels. */
static void load_row(const job *j, int y)
{
    const size_t length = (size_t)j->n + 2 * 3 * RADIUS;
    const uint8_t *a = j->a + (size_t)y * (size_t)j->n, *b = j->b + (size_t)y * (size_t)j->n;

    for (int x = -RADIUS; x < j->width + RADIUS; x++) {
        const int from = 3 * reflect(x, j->width), to = 3 * (x + RADIUS);

        for (int c = 0; c < 3; c++) {
            const double p = a[from + c] / 255.0, q = b[from + c] / 255.0;
            double *out = j->padded + to + c;

            out[0] = p;
            out[length] = q;
            out[2 * length] = p * p;
            out[3 * length] = q * q;
            out[4 * length] = p * q;
        }
    }
}

/* out[i] = Σ_t weight[t]·in[i + t·stride], t ascending */
static void filter(double *restrict out, const double *restrict in, size_t stride, int n,
                   const double weight[TAPS])
{
    for (int i = 0; i < n; i++) {
        double sum = 0;

        for (int t = 0; t < TAPS; t++)
            sum += weight[t] * in[(size_t)i + (size_t)t * stride];
        out[i] = sum;
    }
}

static void filter_row(const job *j, int y)
{
    const size_t length = (size_t)j->n + 2 * 3 * RADIUS;
    double *slot = j->ring + (size_t)(y % TAPS) * MOMENTS * (size_t)j->n;

    load_row(j, y);
    for (int m = 0; m < MOMENTS; m++)
        filter(slot + (size_t)m * (size_t)j->n, j->padded + (size_t)m * length, 3, j->n, j->weight);
}

/* Along y: the window's rows lie in the ring, reflected at the borders. */
static void filter_columns(const job *j, int y)
{
    const size_t count = MOMENTS * (size_t)j->n;
    const double *in[TAPS];

    for (int t = 0; t < TAPS; t++)
        in[t] = j->ring + (size_t)(reflect(y + t - RADIUS, j->height) % TAPS) * count;
    for (size_t i = 0; i < count; i++) {
        double sum = 0;

        for (int t = 0; t < TAPS; t++)
            sum += j->weight[t] * in[t][i];
        j->row[i] = sum;
    }
}

static double ssim_at(const double *row, size_t n)
{
    const double ma = row[0], mb = row[n];
    const double va = fmax(row[2 * n] - ma * ma, 0), vb = fmax(row[3 * n] - mb * mb, 0);
    const double cov = row[4 * n] - ma * mb;

    return ((2 * ma * mb + C1) * (2 * cov + C2)) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
}

static void sum_row(const job *j, int y, double *whole, double *cropped)
{
    const bool inside = y >= RADIUS && y < j->height - RADIUS;
    double row = 0, middle = 0;

    for (int i = 0; i < j->n; i++) {
        const double s = ssim_at(j->row + i, (size_t)j->n);

        row += s;
        if (inside && i >= 3 * RADIUS && i < j->n - 3 * RADIUS)
            middle += s;
    }
    *whole += row;
    *cropped += middle;
}

static void run(const job *j, double *mean, double *cropped)
{
    const int rows = j->height - 2 * RADIUS, columns = j->width - 2 * RADIUS;
    double whole = 0, middle = 0;
    int filtered = 0;

    for (int y = 0; y < j->height; y++) {
        for (; filtered <= y + RADIUS && filtered < j->height; filtered++)
            filter_row(j, filtered);
        filter_columns(j, y);
        sum_row(j, y, &whole, &middle);
    }
    *mean = whole / ((double)j->height * j->n);
    if (cropped)
        *cropped = rows > 0 && columns > 0 ? middle / ((double)rows * 3 * columns) : NAN;
}

skv_status skv_ssim(double *mean, double *cropped, const uint8_t *a, const uint8_t *b, int height,
                    int width)
{
    job j = {.a = a, .b = b, .height = height, .width = width, .n = 3 * width};
    skv_status st;

    if (height <= RADIUS || width <= RADIUS)
        return skv_fail(SKV_E_SHAPE, "SSIM wants pictures of at least %d pixels a side, got %dx%d",
                        RADIUS + 1, width, height);
    if (memcmp(a, b, (size_t)height * (size_t)j.n) == 0) { /* 1 to the last bit */
        *mean = 1;
        if (cropped)
            *cropped = height > 2 * RADIUS && width > 2 * RADIUS ? 1 : NAN;
        return SKV_OK;
    }
    make_weights(j.weight);
    SKV_TRY_GOTO(skv_alloc(&j.padded, MOMENTS * ((size_t)j.n + 6 * RADIUS), sizeof(double), "SSIM"),
                 done);
    SKV_TRY_GOTO(skv_alloc(&j.ring, (size_t)TAPS * MOMENTS * (size_t)j.n, sizeof(double), "SSIM"),
                 done);
    SKV_TRY_GOTO(skv_alloc(&j.row, MOMENTS * (size_t)j.n, sizeof(double), "SSIM"), done);
    run(&j, mean, cropped);
done:
    free(j.padded);
    free(j.ring);
    free(j.row);
    return st;
}
