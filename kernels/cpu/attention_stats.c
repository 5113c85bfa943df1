/* Where queries look: a tile is one row's head, its queries one after another, so that one query's
 * weights are all that is held. */
#include "kernels/cpu/cpu_internal.h"

#include <math.h>
#include <string.h>

typedef struct {
    const skv_attention_stats_args *a;
} job;

/* w[j] = exp(score - largest score); *sum = Σ w, *spread = Σ w·(largest score - score), *squares =
 * Σ w². A probability is w/sum, so the entropy is ln(sum) + spread/sum. room: n numbers. */
static void weigh(float *w, float *room, int64_t n, double *sum, double *spread, double *squares)
{
    float most = -INFINITY;

    for (int64_t j = 0; j < n; j++)
        most = w[j] > most ? w[j] : most;
    for (int64_t j = 0; j < n; j++)
        room[j] = w[j] - most;
    skv_cpu__exp(w, room, n);
    *sum = *spread = *squares = 0;
    for (int64_t j = 0; j < n; j++) {
        *sum += (double)w[j];
        *spread -= (double)w[j] * (double)room[j];
        *squares += (double)w[j] * (double)w[j];
    }
}

static double sum_of(const float *w, int64_t from, int64_t to)
{
    double sum = 0;

    for (int64_t j = from; j < to; j++)
        sum += (double)w[j];
    return sum;
}

/* The sum of the n largest of w[0..len); weights are not negative, so they order as their bits do.
 * rank: room for len of them. */
static double largest(const float *w, uint32_t *rank, int64_t len, int64_t n)
{
    int64_t ties = 0;
    uint32_t last;
    float value;
    double sum = 0;

    if (n >= len)
        return sum_of(w, 0, len);
    memcpy(rank, w, (size_t)len * sizeof *rank);
    last = skv_cpu__nth_greatest(rank, len, n, &ties);
    memcpy(&value, &last, sizeof value);
    for (int64_t j = 0; j < len; j++)
        sum += rank[j] > last ? (double)w[j] : 0.0;
    return sum + (double)ties * (double)value;
}

/* Adds the figures of the query whose scores are w to y, and its probabilities to the columns. */
static void add_query(const skv_attention_stats_args *a, float *w, double *y, double *column)
{
    double sum, spread, squares, past;
    float *room = w + a->len;

    weigh(w, room, a->len, &sum, &spread, &squares);
    past = sum_of(w, 0, a->history);
    for (int s = 0; s < a->n_sources; s++)
        *y++ += sum_of(w, a->edge[s], a->edge[s + 1]) / sum;
    for (int t = 0; t < a->n_top; t++) {
        const double top = largest(w, (uint32_t *)room, a->history, a->top[t]);

        y[t] += top / sum;
        y[a->n_top + t] += past > 0 ? top / past : 0;
    }
    y += 2 * a->n_top;
    y[0] += log(sum) + spread / sum;
    y[1] += squares / (sum * sum);
    for (int64_t j = 0; j < a->len; j++)
        column[j] += (double)w[j] / sum;
}

static void one_head(void *ctx, int64_t i, void *scratch)
{
    const skv_attention_stats_args *a = ((const job *)ctx)->a;
    const int64_t heads = a->q.shape[2], dim = a->q.shape[3], h = i % heads, r = i / heads;
    const int64_t width = a->y.shape[2];
    const float *q = skv_f32(&a->q) + r * a->q.stride[0] + h * a->q.stride[2];
    const float *k = skv_f32(&a->k) + r * a->k.stride[0] + h * a->k.stride[1];
    double *y = (double *)a->y.data + i * width, *column = (double *)a->column.data + i * a->len;
    float *w = scratch;
    double squared = 0;

    memset(y, 0, (size_t)width * sizeof *y);
    memset(column, 0, (size_t)a->len * sizeof *column);
    for (int64_t n = 0; n < a->n; n++) {
        skv_cpu__products(w, q + (a->index ? a->index[n] : n) * a->q.stride[1], k, a->len, dim,
                          a->scale);
        add_query(a, w, y, column);
    }
    for (int64_t c = 0; c < width; c++)
        y[c] /= a->n;
    for (int64_t j = 0; j < a->len; j++)
        squared += column[j] / a->n * (column[j] / a->n);
    y[width - 1] -= squared;
}

skv_status skv_cpu_attention_stats(skv_backend *be, const skv_attention_stats_args *a)
{
    job j = {.a = a};

    if (2 * (size_t)a->len * sizeof(float) > SKV_CPU_SCRATCH)
        return skv_fail(SKV_E_UNSUPPORTED, "attention_stats: %d keys are too many", a->len);
    skv_cpu__parallel(be, a->q.shape[0] * a->q.shape[2], one_head, &j);
    return SKV_OK;
}
