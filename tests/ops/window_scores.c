/* window_scores, window_softmax: queries and keys with gaps, lengths around a tile. */
#include "opcheck.h"

#include <math.h>

#include "ref/ref.h"

typedef struct {
    int64_t rows, tokens, heads, dim, room, len;
} shape;

static const shape shapes[] = {
    {1, 1, 1, 16, 1, 1},     {2, 5, 3, 30, 50, 33},      {1, 16, 2, 104, 1100, 1025},
    {2, 3, 2, 128, 700, 64}, {1, 4, 1, 128, 2100, 2049},
};

static const shape large = {2, 16, 16, 128, 4096, 4096};

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
    x.shape[2] = s->len;
    return x;
}

static void name_case(opcheck *t, const shape *s)
{
    opcheck_case(t, "(%lld,%lld,%lld,%lld) over %lld", (long long)s->rows, (long long)s->tokens,
                 (long long)s->heads, (long long)s->dim, (long long)s->len);
}

static const float *query_at(const shape *s, const float *q, int64_t r, int64_t l, int64_t h)
{
    return q + ((r * s->tokens + l) * (s->heads + 1) + h) * s->dim;
}

static const float *key_at(const shape *s, const float *k, int64_t r, int64_t h)
{
    return k + (r * (s->heads + 1) + h) * s->room * s->dim;
}

static void score(const shape *s, const float *q, const float *k, int64_t at, double scale,
                  double out[2])
{
    const int64_t j = at % s->len, h = at / s->len % s->heads, r = at / s->len / s->heads;

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
    const int64_t n = s->rows * s->heads * s->len;
    float *q, *k;
    double *want, *size;
    skv_window_scores_args a = {.scale = 1 / sqrtf((float)s->dim)};

    name_case(t, s);
    a.q = queries(t, s, SKV_F32, &q);
    a.k = keys(t, s, &k);
    a.s = OPCHECK_F(t, SKV_F32, opcheck_unset(t, n), s->rows, s->heads, s->len);
    OPCHECK_RUN(t, skv_window_scores(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    for (int64_t i = 0; i < n; i++) {
        double both[2];

        score(s, q, k, i, (double)a.scale, both);
        want[i] = both[0];
        size[i] = both[1];
    }
    /* random roundings of sums over the window and over D */
    opcheck_near(t, "s", &a.s, want, size, 4 * sqrt((double)(s->tokens + s->dim)) * OPCHECK_UNIT);
    a.s.shape[2] = s->room + 1;
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
    const int64_t n = s->rows * s->heads * s->len;
    const int32_t index[3] = {(int32_t)(s->tokens - 1), 0, (int32_t)(s->tokens / 2)};
    float *q, *k;
    double *want, *size, *p;
    skv_window_softmax_args a = {.scale = 1 / sqrtf((float)s->dim), .index = index, .n = 3};

    name_case(t, s);
    a.q = queries(t, s, t->be->act, &q);
    a.k = keys(t, s, &k);
    a.s = OPCHECK_F(t, SKV_F32, opcheck_unset(t, n), s->rows, s->heads, s->len);
    OPCHECK_RUN(t, skv_window_softmax(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    p = opcheck_doubles(t, s->len);
    for (int64_t i = 0; i < s->rows * s->heads; i++)
        for (int w = 0; w < a.n; w++) {
            const int64_t r = i / s->heads, h = i % s->heads;
            const double score_size =
                ref_softmax(p, query_at(s, q, r, index[w], h), key_at(s, k, r, h), s->len, s->dim,
                            (double)a.scale);

            for (int64_t j = 0; j < s->len; j++) {
                want[i * s->len + j] += p[j];
                size[i * s->len + j] += p[j] * (2 + score_size);
            }
        }
    /* an error of a score is a relative one of its weight */
    opcheck_near(t, "s", &a.s, want, size, 4 * sqrt((double)(s->dim + s->len)) * OPCHECK_UNIT);
    opcheck_refused(t, "a query beyond the tokens",
                    skv_window_softmax(
                        t->be, &(skv_window_softmax_args){
                                   a.s, a.q, a.k, (const int32_t[1]){(int32_t)s->tokens}, 1, 1}));
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
