#include "eval/metrics/kid.h"

#include <cblas.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "core/parallel.h"

#define MAX_THREADS 16 /* each holds two subsets in double: 32 MB of Inception's features */

typedef struct {
    const skv_kid_sets *sets;
    uint64_t seed;
    int m;
    double *distance; /* of each subset */
} job;

/* What a subset needs. */
typedef struct {
    double *a, *b; /* (m,d) */
    double *dot;   /* (m,m) */
    int32_t *order;
} room;

static double kernel_sum(const job *j, const room *r, const double *x, const double *y,
                         bool diagonal)
{
    const int m = j->m, d = j->sets->d;
    double sum = 0;

    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, m, d, 1.0, x, d, y, d, 0.0, r->dot, m);
    for (int i = 0; i < m; i++) {
        double row = 0;

        for (int c = 0; c < m; c++) {
            const double k = r->dot[(size_t)i * (size_t)m + (size_t)c] / d + 1;

            if (diagonal || i != c)
                row += k * k * k;
        }
        sum += row;
    }
    return sum;
}

/* m of n numbers without replacement (the front of a shuffle), then those vectors in double. */
static void draw(double *to, int32_t *order, const job *j, int subset, int side)
{
    const float *x = side ? j->sets->x2 : j->sets->x1;
    const int64_t n = side ? j->sets->n2 : j->sets->n1;
    const int d = j->sets->d;

    for (int64_t i = 0; i < n; i++)
        order[i] = (int32_t)i;
    for (int i = 0; i < j->m && j->m < n; i++) {
        const double u =
            (double)skv_uniform(j->seed, (uint32_t)subset, (uint32_t)i, (uint32_t)side);
        const int64_t k = i + (int64_t)(u * (double)(n - i));
        const int32_t kept = order[i];

        order[i] = order[k];
        order[k] = kept;
    }
    for (int i = 0; i < j->m; i++)
        for (int c = 0; c < d; c++)
            to[(size_t)i * (size_t)d + (size_t)c] = x[(int64_t)order[i] * d + c];
}

static skv_status take_subset(void *ctx, int64_t i)
{
    const job *j = ctx;
    const size_t m = (size_t)j->m, numbers = m * (size_t)j->sets->d;
    const int64_t most = j->sets->n1 > j->sets->n2 ? j->sets->n1 : j->sets->n2;
    room r = {0};
    double within;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&r.a, numbers, sizeof *r.a, "KID"), done);
    SKV_TRY_GOTO(skv_alloc(&r.b, numbers, sizeof *r.b, "KID"), done);
    SKV_TRY_GOTO(skv_alloc(&r.dot, m * m, sizeof *r.dot, "KID"), done);
    SKV_TRY_GOTO(skv_alloc(&r.order, (size_t)most, sizeof *r.order, "KID"), done);
    draw(r.a, r.order, j, (int)i, 0);
    draw(r.b, r.order, j, (int)i, 1);
    within = kernel_sum(j, &r, r.a, r.a, false) + kernel_sum(j, &r, r.b, r.b, false);
    j->distance[i] = (within / (j->m - 1) - 2 * kernel_sum(j, &r, r.a, r.b, true) / j->m) / j->m;
done:
    free(r.a);
    free(r.b);
    free(r.dot);
    free(r.order);
    return st;
}

skv_status skv_kid(double *out, const skv_kid_sets *sets, uint64_t seed, int n_threads)
{
    const int64_t least = sets->n1 < sets->n2 ? sets->n1 : sets->n2;
    const int64_t most = sets->n1 < sets->n2 ? sets->n2 : sets->n1;
    double distance[SKV_KID_SUBSETS];
    job j = {.sets = sets,
             .seed = seed,
             .m = (int)(least < SKV_KID_SUBSET ? least : SKV_KID_SUBSET),
             .distance = distance};
    const int subsets = j.m == most ? 1 : SKV_KID_SUBSETS;

    if (least < 2 || most > INT32_MAX)
        return skv_fail(SKV_E_ARG, "KID of %lld and %lld pictures: want 2 at least",
                        (long long)sets->n1, (long long)sets->n2);
    openblas_set_num_threads(1);
    SKV_TRY(
        skv_parallel(n_threads < MAX_THREADS ? n_threads : MAX_THREADS, subsets, take_subset, &j));
    *out = 0;
    for (int i = 0; i < subsets; i++)
        *out += distance[i] / subsets;
    return SKV_OK;
}
