/* window_scores, window_softmax, attention_columns: queries and keys with gaps, lengths around a
 * tile, heads of different lengths. */
#include "opcheck.h"

#include <math.h>

#include "kernels/ragged.h"

#include "ref/ref.h"

/* len: of the first head, each one behind it has `less` tokens less, none if there are no more. */
typedef struct {
    int64_t rows, tokens, heads, dim, room, len, less;
} shape;

static const shape shapes[] = {
    {1, 1, 1, 16, 1, 1, 0},     {2, 5, 3, 30, 50, 33, 0},      {1, 16, 2, 104, 1100, 1025, 0},
    {2, 3, 2, 128, 700, 64, 0}, {1, 4, 1, 128, 2100, 2049, 0}, {2, 5, 3, 128, 1100, 1025, 400},
    {2, 4, 3, 30, 60, 55, 30},  {1, 4, 4, 64, 900, 700, 255},
};

static const shape large = {2, 16, 16, 128, 4096, 4096, 0};

#define MAX_HEADS 16

/* Every head's length; their sum. */
static int64_t lengths(const shape *s, int32_t *len)
{
    for (int64_t h = 0; h < s->heads; h++)
        len[h] = (int32_t)(s->len > h * s->less ? s->len - h * s->less : 0);
    return skv_ragged_start(len, s->heads);
}

/* q with one head more than is read, k likewise: strides that are not the dense ones. */
static skv_tensor queries(opcheck *t, const shape *s, skv_dtype type, float **q)
{
    skv_tensor x;

    *q = opcheck_normal(t, s->rows * s->tokens * (s->heads + 1) * s->dim, 1);
    x = OPCHECK_F(t, type, *q, s->rows, s->tokens, s->heads + 1, s->dim);
    x.shape[2] = s->heads;
    return x;
}

static skv_tensor keys(opcheck *t, const shape *s, float **k)
{
    skv_tensor x;

    *k = opcheck_normal(t, s->rows * (s->heads + 1) * s->room * s->dim, 1);
    x = OPCHECK_F(t, t->be->kv, *k, s->rows, s->heads + 1, s->room, s->dim);
    x.shape[1] = s->heads;
    x.shape[2] = s->room;
    return x;
}

static void name_case(opcheck *t, const shape *s)
{
    opcheck_case(t, "(%lld,%lld,%lld,%lld) over %lld, %lld less a head", (long long)s->rows,
                 (long long)s->tokens, (long long)s->heads, (long long)s->dim, (long long)s->len,
                 (long long)s->less);
}

static const float *query_at(const shape *s, const float *q, int64_t r, int64_t l, int64_t h)
{
    return q + ((r * s->tokens + l) * (s->heads + 1) + h) * s->dim;
}

static const float *key_at(const shape *s, const float *k, int64_t r, int64_t h)
{
    return k + (r * (s->heads + 1) + h) * s->room * s->dim;
}

/* Of key j of row r, head h. */
static void score(const shape *s, const float *q, const float *k, int64_t r, int64_t h, int64_t j,
                  double scale, double out[2])
{
    out[0] = out[1] = 0;
    for (int64_t l = 0; l < s->tokens; l++)
        for (int64_t d = 0; d < s->dim; d++) {
            const double term = scale * (double)query_at(s, q, r, l, h)[d] *
                                (double)key_at(s, k, r, h)[j * s->dim + d];

            out[0] += term;
            out[1] += fabs(term);
        }
}

static void scores_case(opcheck *t, const shape *s)
{
    int32_t len[MAX_HEADS];
    const int64_t row = lengths(s, len), n = s->rows * row;
    float *q, *k;
    double *want, *size;
    int64_t i = 0;
    skv_window_scores_args a = {.len = len, .scale = 1 / sqrtf((float)s->dim)};

    name_case(t, s);
    a.q = queries(t, s, SKV_F32, &q);
    a.k = keys(t, s, &k);
    a.s = OPCHECK_F(t, SKV_F32, opcheck_unset(t, n), s->rows, row);
    OPCHECK_RUN(t, skv_window_scores(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    for (int64_t list = 0; list < s->rows * s->heads; list++)
        for (int64_t j = 0; j < len[list % s->heads]; j++, i++) {
            double both[2];

            score(s, q, k, list / s->heads, list % s->heads, j, (double)a.scale, both);
            want[i] = both[0];
            size[i] = both[1];
        }
    /* random roundings of sums over the window and over D */
    opcheck_near(t, "s", &a.s, want, size, 4 * sqrt((double)(s->tokens + s->dim)) * OPCHECK_UNIT);
    len[0]++;
    opcheck_refused(t, "lists that do not add up", skv_window_scores(t->be, &a));
    len[0] = (int32_t)s->room + 1;
    a.s.shape[1] = skv_ragged_start(len, s->heads);
    a.s.stride[0] = a.s.shape[1];
    opcheck_refused(t, "scores beyond the keys", skv_window_scores(t->be, &a));
}

void check_window_scores(opcheck *t)
{
    if (t->perf) {
        scores_case(t, &large);
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        scores_case(t, &shapes[i]);
}

static void softmax_case(opcheck *t, const shape *s)
{
    int32_t len[MAX_HEADS];
    const int64_t row = lengths(s, len), n = s->rows * row;
    const int32_t index[3] = {(int32_t)(s->tokens - 1), 0, (int32_t)(s->tokens / 2)};
    const int32_t beyond = (int32_t)s->tokens;
    float *q, *k;
    double *want, *size, *p;
    skv_window_softmax_args a = {
        .len = len, .scale = 1 / sqrtf((float)s->dim), .index = index, .n = 3};

    name_case(t, s);
    a.q = queries(t, s, t->be->act, &q);
    a.k = keys(t, s, &k);
    a.s = OPCHECK_F(t, SKV_F32, opcheck_unset(t, n), s->rows, row);
    OPCHECK_RUN(t, skv_window_softmax(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    p = opcheck_doubles(t, s->len);
    for (int64_t list = 0; list < s->rows * s->heads; list++)
        for (int w = 0; w < a.n; w++) {
            const int64_t r = list / s->heads, h = list % s->heads;
            const int64_t at = r * row + skv_ragged_start(len, h);
            const double score_size =
                ref_softmax(p, query_at(s, q, r, index[w], h), key_at(s, k, r, h), len[h], s->dim,
                            (double)a.scale);

            for (int64_t j = 0; j < len[h]; j++) {
                want[at + j] += p[j];
                size[at + j] += p[j] * (2 + score_size);
            }
        }
    /* an error of a score is a relative one of its weight */
    opcheck_near(t, "s", &a.s, want, size, 4 * sqrt((double)(s->dim + s->len)) * OPCHECK_UNIT);
    a.index = &beyond;
    a.n = 1;
    opcheck_refused(t, "a query beyond the tokens", skv_window_softmax(t->be, &a));
}

void check_window_softmax(opcheck *t)
{
    if (t->perf) {
        softmax_case(t, &large);
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        softmax_case(t, &shapes[i]);
}

/* Sums (R,H+1,room), a head more than is used; every second head has had tokens before. */
static void columns_case(opcheck *t, const shape *s)
{
    int32_t len[MAX_HEADS], base[MAX_HEADS];
    const int64_t n = s->rows * (s->heads + 1) * s->room;
    float *q, *k, *sum;
    double *want, *size, *p;
    skv_attention_columns_args a = {.len = len, .base = base, .scale = 1 / sqrtf((float)s->dim)};

    name_case(t, s);
    (void)lengths(s, len);
    for (int64_t h = 0; h < s->heads; h++)
        base[h] = h % 2 ? 0 : len[h] / 2;
    a.q = queries(t, s, t->be->act, &q);
    a.k = keys(t, s, &k);
    sum = opcheck_uniform(t, n, 0, 1);
    a.sum = OPCHECK_F(t, SKV_F32, sum, s->rows, s->heads + 1, s->room);
    a.sum.shape[1] = s->heads;
    a.norm = OPCHECK_F(t, SKV_F32, opcheck_unset(t, s->rows * s->heads * s->tokens), s->rows,
                       s->heads, s->tokens);
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    p = opcheck_doubles(t, s->len);
    for (int64_t i = 0; i < n; i++)
        want[i] = (double)sum[i];
    OPCHECK_RUN(t, skv_attention_columns(t->be, &a));
    if (t->perf)
        return;
    for (int64_t list = 0; list < s->rows * s->heads; list++) {
        const int64_t r = list / s->heads, h = list % s->heads;
        double *y = want + (r * (s->heads + 1) + h) * s->room;
        double *magnitude = size + (y - want);

        for (int64_t j = 0; j < len[h]; j++) {
            y[j] *= j < base[h];
            magnitude[j] = y[j];
        }
        for (int64_t l = 0; l < s->tokens; l++) {
            const double score_size = ref_softmax(p, query_at(s, q, r, l, h), key_at(s, k, r, h),
                                                  len[h], s->dim, (double)a.scale);

            for (int64_t j = 0; j < len[h]; j++) {
                y[j] += p[j] / (double)s->tokens;
                magnitude[j] += p[j] * (2 + score_size) / (double)s->tokens;
            }
        }
    }
    a.sum.shape[1] = s->heads + 1;
    /* an error of a score is a relative one of its weight */
    opcheck_near(t, "sum", &a.sum, want, size, 4 * sqrt((double)(s->dim + s->len)) * OPCHECK_UNIT);
    a.sum.shape[1] = s->heads;
    base[0] = len[0] + 1;
    opcheck_refused(t, "more tokens before than there are", skv_attention_columns(t->be, &a));
}

void check_attention_columns(opcheck *t)
{
    /* queries and keys over two tiles' edges */
    static const shape many = {1, 150, 2, 64, 300, 290, 100}, wide = {2, 129, 3, 128, 200, 193, 7};

    if (t->perf) {
        columns_case(t, &(shape){2, 1024, 16, 128, 2048, 2048, 0});
        return;
    }
    columns_case(t, &many);
    columns_case(t, &wide);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        columns_case(t, &shapes[i]);
}
