/* absorbed_attention against the formula as it is written: queries, softmax, projection. */
#include "opcheck.h"

#include <math.h>
#include <string.h>

#define MAX_ROWS 9

typedef struct {
    int64_t rows, tokens, heads, dim, text;
    int32_t start[MAX_ROWS], count[MAX_ROWS];
    float spread; /* of the scores; 0: 2 */
    int at_once;  /* 0: all rows */
} job;

typedef struct {
    const float *x, *kv, *wq, *bq, *wo;
} values;

/* Magnitudes are roots of sums of squares, as roundings that have no common sign add up. */

/* The score of one token and text token, and the magnitude of what is summed through keys. */
static double score(double *size, const job *j, const values *v, const float *x, const float *k,
                    int64_t h)
{
    const int64_t c = j->heads * j->dim;
    double sum = 0;

    *size = 0;
    for (int64_t d = 0; d < j->dim; d++) {
        sum += (double)k[d] * (double)v->bq[h * j->dim + d];
        *size += pow((double)k[d] * (double)v->bq[h * j->dim + d], 2);
    }
    for (int64_t i = 0; i < c; i++) {
        double key = 0;

        for (int64_t d = 0; d < j->dim; d++)
            key += (double)k[d] * (double)v->wq[(h * j->dim + d) * c + i];
        sum += (double)x[i] * key;
        *size += pow((double)x[i] * key, 2);
    }
    *size = sqrt(*size / (double)j->dim);
    return sum / sqrt((double)j->dim);
}

/* o (D) = attention of one token and head; size: what an error of the scores may move it by. */
static void attend(double *o, double *size, const job *j, const values *v, int64_t r,
                   const float *x, int64_t h)
{
    const int64_t c = j->heads * j->dim;
    const float *k = v->kv + j->start[r] * 2 * c + h * j->dim;
    double p[64], most = -INFINITY, sum = 0, largest = 0;

    for (int t = 0; t < j->count[r]; t++) {
        double magnitude;

        p[t] = score(&magnitude, j, v, x, k + t * 2 * c, h);
        most = fmax(most, p[t]);
        largest = fmax(largest, magnitude);
    }
    for (int t = 0; t < j->count[r]; t++)
        sum += p[t] = exp(p[t] - most);
    for (int64_t d = 0; d < j->dim; d++) {
        o[d] = size[d] = 0;
        for (int t = 0; t < j->count[r]; t++) {
            const double term = p[t] / sum * (double)k[t * 2 * c + c + d];

            o[d] += term;
            size[d] += pow(term * (2.0 + largest), 2);
        }
        size[d] = sqrt(size[d]);
    }
}

/* y (C) of one token. */
static void expect(double *y, double *size, const job *j, const values *v, int64_t r,
                   const float *x)
{
    const int64_t c = j->heads * j->dim;
    double o[512], moved[512];

    for (int64_t h = 0; h < j->heads; h++)
        attend(o + h * j->dim, moved + h * j->dim, j, v, r, x, h);
    for (int64_t n = 0; n < c; n++) {
        y[n] = size[n] = 0;
        for (int64_t i = 0; i < c; i++) {
            y[n] += (double)v->wo[n * c + i] * o[i];
            size[n] += pow((double)v->wo[n * c + i] * moved[i], 2);
        }
        size[n] = sqrt(size[n]);
    }
}

static skv_tensor packed(opcheck *t, float *w, int64_t c)
{
    skv_tensor copy = OPCHECK_F(t, t->be->weight, w, c, c), out = {0};

    opcheck_succeeded(t, skv_pack_linear(t->be, &out, copy.data, NULL, t->be->weight, c, c));
    return out;
}

static skv_absorbed_attention_args arguments(opcheck *t, const job *j, values *v)
{
    const int64_t c = j->heads * j->dim, n = j->rows * j->tokens * c;
    const float deviation = 1 / sqrtf((float)c);
    float *x = opcheck_normal(t, n, j->spread > 0 ? j->spread : 2);
    float *kv = opcheck_normal(t, j->text * 2 * c, 1);
    float *wq = opcheck_normal(t, c * c, deviation), *bq = opcheck_normal(t, c, 1);
    float *wo = opcheck_normal(t, c * c, deviation);
    int64_t bytes;
    uint8_t *scratch;
    skv_absorbed_attention_args a = {.start = j->start,
                                     .count = j->count,
                                     .at_once = j->at_once > 0 ? j->at_once : (int)j->rows,
                                     .scale = 1 / sqrtf((float)j->dim)};

    for (int64_t r = 0; r < j->rows; r++)
        a.longest = j->count[r] > a.longest ? j->count[r] : a.longest;
    *v = (values){x, kv, wq, bq, wo};
    a.x = OPCHECK_F(t, t->be->act, x, j->rows, j->tokens, c);
    a.y = OPCHECK_F(t, t->be->act, opcheck_kept(t, j->count, j->rows, j->tokens * c), j->rows,
                    j->tokens, c);
    a.kv = OPCHECK_F(t, t->be->kv, kv, j->text, 2, j->heads, j->dim);
    a.wq = packed(t, wq, c);
    a.wo = packed(t, wo, c);
    a.bq = OPCHECK_F(t, t->be->act, bq, c);
    bytes = (int64_t)skv_absorbed_bytes(t->be, a.at_once, j->tokens, a.longest, j->heads, j->dim);
    scratch = opcheck_u8s(t, bytes);
    memset(scratch, 0xff, (size_t)bytes); /* NaNs of both types */
    a.scratch = OPCHECK_RAW(t, SKV_U8, scratch, bytes);
    return a;
}

static void run_case(opcheck *t, const job *j)
{
    const int64_t c = j->heads * j->dim, n = j->rows * j->tokens * c;
    skv_absorbed_attention_args a;
    double *want, *size;
    values v;

    opcheck_case(t, "(%lld,%lld,%lld,%lld) over %lld", (long long)j->rows, (long long)j->tokens,
                 (long long)j->heads, (long long)j->dim, (long long)j->text);
    a = arguments(t, j, &v);
    OPCHECK_RUN(t, skv_absorbed_attention(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    for (int64_t i = 0; i < n; i += c) {
        const int64_t r = i / c / j->tokens;

        if (j->count[r] > 0)
            expect(want + i, size + i, j, &v, r, v.x + i);
        else
            for (int64_t k = i; k < i + c; k++)
                want[k] = (double)OPCHECK_KEPT;
    }
    /* fp32: roundings over C, D and the text, as for attention. bf16: keys, values and weights are
     * rounded on the way, by a deviation of 2^-9/√3 each; the bound is 7 of those. */
    opcheck_near(t, "y", &a.y, want, size,
                 4 * sqrt((double)(c + j->dim + j->text)) * OPCHECK_UNIT + 2 * OPCHECK_INSIDE(t));
}

static void refusals(opcheck *t)
{
    job j = {1, 3, 2, 16, 6, {2}, {4}, 0, 0};
    skv_absorbed_attention_args a;
    values v;

    opcheck_case(t, "refusals");
    a = arguments(t, &j, &v);
    j.start[0] = 3;
    opcheck_refused(t, "a text beyond the tokens", skv_absorbed_attention(t->be, &a));
    j.start[0] = 2;
    a.scratch.shape[0]--;
    opcheck_refused(t, "a scratch too small", skv_absorbed_attention(t->be, &a));
    a.scratch.shape[0]++;
    a.longest = 3;
    opcheck_refused(t, "a text longer than the longest", skv_absorbed_attention(t->be, &a));
    a.longest = 4;
    a.at_once = 0;
    opcheck_refused(t, "no rows at once", skv_absorbed_attention(t->be, &a));
    a.at_once = 1;
    a.kv = SKV_RESHAPE(&a.kv, 6, 2, 4, 8);
    a.kv.shape[2] = 3;
    opcheck_refused(t, "heads that are not the width", skv_absorbed_attention(t->be, &a));
}

void check_absorbed_attention(opcheck *t)
{
    static const int heads[] = {1, 2, 3, 4, 7, 12, 16, 28, 37};

    if (t->perf) {
        run_case(t, &(job){4, 4096, 16, 128, 128, {0, 32, 64, 96}, {32, 32, 32, 32}, 0, 0});
        return;
    }
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        run_case(t, &(job){3, 5, heads[i], 8, 24, {0, 7, 7}, {7, 17, 1}, 0, 0});
    run_case(t, &(job){2, 70, 2, 16, 60, {4, 0}, {40, 60}, 0, 0});
    run_case(t, &(job){2, 9, 4, 128, 30, {0, 8}, {8, 16}, 0, 0});
    run_case(t, &(job){1, 20, 5, 24, 9, {0}, {9}, 0, 0});
    /* lone rows, rows that are equally far from one another, rows that are left alone; the scratch
     * holds some of the texts at once, or one */
    for (int at_once = 1; at_once <= 3; at_once++)
        run_case(t, &(job){9,
                           33,
                           4,
                           16,
                           60,
                           {0, 9, 3, 20, 0, 30, 33, 7, 40},
                           {8, 20, 40, 0, 3, 30, 17, 0, 1},
                           0,
                           at_once});
    run_case(t, &(job){3, 2049, 1, 8, 20, {0, 9, 3}, {8, 9, 17}, 0, 2}); /* finer padding */
    /* scores whose exponentials overflow unless the greatest is taken off first */
    run_case(t, &(job){1, 20, 2, 64, 20, {0}, {20}, 60, 0});
    refusals(t);
}
