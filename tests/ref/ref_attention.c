/* Softmax and attention of one query. */
#include "ref/ref.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    const float *q, *k;
    const double *bias;
    int64_t n, dim, stride;
    double scale;
} scores;

/* p = softmax of the scores; returns the largest sum of magnitudes in one. */
static double soften(double *p, const scores *s)
{
    double most = -INFINITY, sum = 0, size = 0;

    for (int64_t j = 0; j < s->n; j++) {
        double magnitude = 0;

        p[j] = s->bias ? s->bias[j] : 0.0;
        magnitude = fabs(p[j]);
        for (int64_t d = 0; d < s->dim; d++) {
            const double term = (double)s->q[d] * (double)s->k[j * s->stride + d] * s->scale;

            p[j] += term;
            magnitude += fabs(term);
        }
        most = fmax(most, p[j]);
        size = fmax(size, magnitude);
    }
    for (int64_t j = 0; j < s->n; j++) {
        p[j] = exp(p[j] - most);
        sum += p[j];
    }
    for (int64_t j = 0; j < s->n; j++)
        p[j] /= sum;
    return size;
}

double ref_softmax(double *p, const float *q, const float *k, int64_t n, int64_t dim, double scale)
{
    return soften(p, &(scores){.q = q, .k = k, .n = n, .dim = dim, .stride = dim, .scale = scale});
}

void ref_attention(const ref_attention_args *a)
{
    double *p = calloc((size_t)a->n, sizeof *p);
    double size;

    if (p == NULL)
        exit(1);
    size = soften(p, &(scores){.q = a->q,
                               .k = a->k,
                               .bias = a->bias,
                               .n = a->n,
                               .dim = a->dim,
                               .stride = a->stride,
                               .scale = a->scale});
    for (int64_t d = 0; d < a->dim; d++) {
        a->o[d] = 0;
        a->size[d] = 0;
        for (int64_t j = 0; j < a->n; j++) {
            a->o[d] += p[j] * (double)a->v[j * a->stride + d];
            a->size[d] += p[j] * fabs((double)a->v[j * a->stride + d]) * (2.0 + size);
        }
    }
    free(p);
}
