/* attention_stats: all queries and some, no history, fewer keys than a top sum wants, equal
 * probabilities, sources without keys, strides with gaps. */
#include "opcheck.h"

#include <math.h>
#include <stdlib.h>

#include "ref/ref.h"

#define N_SOURCES 4
#define N_TOP     3

/* some: queries of a list, 0: all. */
typedef struct {
    int64_t rows, tokens, heads, dim;
    int history, some;
    float deviation; /* of queries; 0: all probabilities are equal */
} shape;

static const shape shapes[] = {
    {1, 1, 1, 16, 0, 0, 1},    {2, 6, 3, 30, 5, 0, 1},  {1, 20, 2, 104, 1300, 3, 0.5F},
    {2, 35, 2, 128, 70, 7, 1}, {1, 9, 2, 64, 33, 0, 0},
};

static const shape large = {2, 4096, 16, 128, 6425, 64, 0.3F};

static const int32_t top[N_TOP] = {1, 16, 64};

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

/* What one query adds to each column but the last, from its probabilities; p is sorted. */
static void add_query(double *y, double *p, const int32_t *edge, int history, int len)
{
    double past = 0;

    for (int s = 0; s < N_SOURCES; s++)
        for (int j = edge[s]; j < edge[s + 1]; j++)
            y[s] += p[j];
    for (int j = 0; j < len; j++)
        y[N_SOURCES + 2 * N_TOP] -= p[j] > 0 ? p[j] * log(p[j]) : 0;
    for (int j = 0; j < history; j++)
        past += p[j];
    qsort(p, (size_t)history, sizeof *p, descending);
    for (int t = 0; t < N_TOP; t++) {
        double sum = 0;

        for (int j = 0; j < history && j < top[t]; j++)
            sum += p[j];
        y[N_SOURCES + t] += sum;
        y[N_SOURCES + N_TOP + t] += past > 0 ? sum / past : 0;
    }
}

/* One head's columns, and each key's sum; returns the largest Σ|q·k|·scale of a score. */
static double reference(opcheck *t, double *y, double *sum, const skv_attention_stats_args *a,
                        const float *q, const float *k)
{
    const int64_t heads = a->q.stride[1] / a->q.shape[3];
    const int len = a->len, width = N_SOURCES + 2 * N_TOP + 2, dim = (int)a->q.shape[3];
    double *p = opcheck_doubles(t, len);
    double most = 0;

    for (int i = 0; i < a->n; i++) {
        const int64_t token = a->index ? a->index[i] : i;
        const double size = ref_softmax(p, q + token * heads * dim, k, len, dim, (double)a->scale);

        most = size > most ? size : most;
        for (int j = 0; j < len; j++) {
            sum[j] += p[j];
            y[width - 1] += p[j] * p[j];
        }
        add_query(y, p, a->edge, a->history, len);
    }
    for (int c = 0; c < width; c++)
        y[c] /= a->n;
    for (int j = 0; j < len; j++)
        y[width - 1] -= sum[j] / a->n * (sum[j] / a->n);
    return most;
}

static void refusals(opcheck *t, skv_attention_stats_args a, int32_t *edge)
{
    const int32_t beyond = (int32_t)a.q.shape[1];

    edge[N_SOURCES]--;
    opcheck_refused(t, "sources that leave keys out", skv_attention_stats(t->be, &a));
    edge[N_SOURCES]++;
    a.index = &beyond;
    a.n = 1;
    opcheck_refused(t, "a query beyond the tokens", skv_attention_stats(t->be, &a));
    a.index = NULL;
    a.n = (int)a.q.shape[1] + 1;
    opcheck_refused(t, "more queries than tokens", skv_attention_stats(t->be, &a));
    a.n = (int)a.q.shape[1];
    a.history = a.len + 1;
    opcheck_refused(t, "more earlier keys than keys", skv_attention_stats(t->be, &a));
}

static void stats_case(opcheck *t, const shape *s)
{
    const int width = N_SOURCES + 2 * N_TOP + 2, len = s->history + (int)s->tokens;
    const int64_t n = s->rows * s->heads * width, room = len + 3;
    int32_t edge[N_SOURCES + 1] = {0, s->history / 3, s->history / 3, s->history, len};
    int32_t *index;
    float *q, *k;
    double *want, *size, *sum, *sum_size;
    skv_attention_stats_args a = {.edge = edge,
                                  .top = top,
                                  .n = s->some ? s->some : (int)s->tokens,
                                  .n_sources = N_SOURCES,
                                  .n_top = N_TOP,
                                  .history = s->history,
                                  .len = len,
                                  .scale = 1};

    opcheck_case(t, "(%lld,%lld,%lld,%lld) after %d, %d queries", (long long)s->rows,
                 (long long)s->tokens, (long long)s->heads, (long long)s->dim, s->history, a.n);
    index = opcheck_ints(t, s->some);
    for (int i = 0; i < s->some; i++)
        index[i] = (int32_t)((int64_t)(s->some - 1 - i) * (s->tokens - 1) / s->some);
    a.index = s->some ? index : NULL;
    q = opcheck_normal(t, s->rows * s->tokens * (s->heads + 1) * s->dim, s->deviation);
    k = opcheck_normal(t, s->rows * (s->heads + 1) * room * s->dim, 1);
    a.q = OPCHECK_F(t, t->be->act, q, s->rows, s->tokens, s->heads + 1, s->dim);
    a.k = OPCHECK_F(t, t->be->kv, k, s->rows, s->heads + 1, room, s->dim);
    a.q.shape[2] = a.k.shape[1] = s->heads;
    a.y = OPCHECK_RAW(t, SKV_F64, opcheck_doubles(t, n), s->rows, s->heads, width);
    a.column = OPCHECK_RAW(t, SKV_F64, opcheck_doubles(t, s->rows * s->heads * len), s->rows,
                           s->heads, len);
    OPCHECK_RUN(t, skv_attention_stats(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    sum = opcheck_doubles(t, s->rows * s->heads * len);
    sum_size = opcheck_doubles(t, s->rows * s->heads * len);
    for (int64_t i = 0; i < s->rows * s->heads; i++) {
        const int64_t r = i / s->heads, h = i % s->heads;
        double *y = want + i * width;
        const double most =
            reference(t, y, sum + i * len, &a, q + (r * s->tokens * (s->heads + 1) + h) * s->dim,
                      k + (r * (s->heads + 1) + h) * room * s->dim);

        for (int c = 0; c < width; c++) /* a score's error is a relative one of its weight */
            size[i * width + c] = (c < width - 2 ? 1 : c < width - 1 ? y[c] + 1 : 1) * (2 + most);
        for (int j = 0; j < len; j++)
            sum_size[i * len + j] = sum[i * len + j] * (2 + most);
    }
    opcheck_near(t, "y", &a.y, want, size, 4 * sqrt((double)s->dim) * OPCHECK_UNIT);
    opcheck_near(t, "column", &a.column, sum, sum_size, 4 * sqrt((double)s->dim) * OPCHECK_UNIT);
    refusals(t, a, edge);
}

void check_attention_stats(opcheck *t)
{
    if (t->perf) {
        stats_case(t, &large);
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        stats_case(t, &shapes[i]);
}
