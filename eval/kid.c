#include "eval/kid.h"

#include <cblas.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"

typedef struct {
    int d, m;
    double *a, *b; /* (m,d) the subset */
    double *dot;   /* (m,m) */
} job;

static double kernel_sum(const job *j, const double *x, const double *y, bool diagonal)
{
    double sum = 0;

    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, j->m, j->m, j->d, 1.0, x, j->d, y, j->d,
                0.0, j->dot, j->m);
    for (int r = 0; r < j->m; r++) {
        double row = 0;

        for (int c = 0; c < j->m; c++) {
            const double k = j->dot[(size_t)r * (size_t)j->m + (size_t)c] / j->d + 1;

            if (diagonal || r != c)
                row += k * k * k;
        }
        sum += row;
    }
    return sum;
}

static double distance(const job *j)
{
    const double within = kernel_sum(j, j->a, j->a, false) + kernel_sum(j, j->b, j->b, false);

    return (within / (j->m - 1) - 2 * kernel_sum(j, j->a, j->b, true) / j->m) / j->m;
}

/* m of n numbers without replacement (the front of a shuffle), then those vectors in double. */
static void draw(double *to, int32_t *order, const float *x, int64_t n, const job *j, uint64_t seed,
                 int subset, int side)
{
    for (int64_t i = 0; i < n; i++)
        order[i] = (int32_t)i;
    for (int i = 0; i < j->m && j->m < n; i++) {
        const double u = (double)skv_uniform(seed, (uint32_t)subset, (uint32_t)i, (uint32_t)side);
        const int64_t k = i + (int64_t)(u * (double)(n - i));
        const int32_t kept = order[i];

        order[i] = order[k];
        order[k] = kept;
    }
    for (int i = 0; i < j->m; i++)
        for (int c = 0; c < j->d; c++)
            to[(size_t)i * (size_t)j->d + (size_t)c] = x[(int64_t)order[i] * j->d + c];
}

skv_status skv_kid(double *out, int d, const float *x1, int64_t n1, const float *x2, int64_t n2,
                   uint64_t seed)
{
    const int64_t least = n1 < n2 ? n1 : n2, most = n1 < n2 ? n2 : n1;
    job j = {.d = d, .m = (int)(least < SKV_KID_SUBSET ? least : SKV_KID_SUBSET)};
    const int subsets = j.m == most ? 1 : SKV_KID_SUBSETS;
    int32_t *order = NULL;
    skv_status st;

    if (least < 2 || most > INT32_MAX)
        return skv_fail(SKV_E_ARG, "KID of %lld and %lld pictures: want 2 at least", (long long)n1,
                        (long long)n2);
    SKV_TRY_GOTO(skv_alloc(&j.a, (size_t)j.m * (size_t)d, sizeof(double), "KID"), done);
    SKV_TRY_GOTO(skv_alloc(&j.b, (size_t)j.m * (size_t)d, sizeof(double), "KID"), done);
    SKV_TRY_GOTO(skv_alloc(&j.dot, (size_t)j.m * (size_t)j.m, sizeof(double), "KID"), done);
    SKV_TRY_GOTO(skv_alloc(&order, (size_t)most, sizeof *order, "KID"), done);
    openblas_set_num_threads(1);
    *out = 0;
    for (int i = 0; i < subsets; i++) {
        draw(j.a, order, x1, n1, &j, seed, i, 0);
        draw(j.b, order, x2, n2, &j, seed, i, 1);
        *out += distance(&j) / subsets;
    }
done:
    free(j.a);
    free(j.b);
    free(j.dot);
    free(order);
    return st;
}
