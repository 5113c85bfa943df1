#include "eval/metrics/moments.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define MAX_DIMS 16384

skv_status skv_moments_create(skv_moments *out, int d)
{
    skv_status st;

    *out = (skv_moments){.d = d};
    if (d < 1 || d > MAX_DIMS)
        return skv_fail(SKV_E_ARG, "moments of %d dimensions", d);
    st = skv_alloc(&out->mean, (size_t)d, sizeof(double), "moments");
    if (st == SKV_OK)
        st = skv_alloc(&out->sum, (size_t)d * (size_t)d, sizeof(double), "moments");
    if (st != SKV_OK)
        skv_moments_clear(out);
    return st;
}

void skv_moments_clear(skv_moments *m)
{
    free(m->mean);
    free(m->sum);
    *m = (skv_moments){0};
}

/* Mean of the block, and the block less its mean, in double. */
static skv_status centre(double *mean, double *x, const float *from, int64_t n, int d)
{
    memset(mean, 0, (size_t)d * sizeof *mean);
    for (int64_t r = 0; r < n; r++)
        for (int i = 0; i < d; i++) {
            if (!isfinite(from[r * d + i]))
                return skv_fail(SKV_E_FORMAT, "a feature of a picture is not finite");
            mean[i] += from[r * d + i];
        }
    for (int i = 0; i < d; i++)
        mean[i] /= (double)n;
    for (int64_t r = 0; r < n; r++)
        for (int i = 0; i < d; i++)
            x[r * d + i] = from[r * d + i] - mean[i];
    return SKV_OK;
}

/* m <- m and a block of n vectors with this mean, whose centred products are in the lower triangle
 * of `sum` (Chan, Golub, LeVeque 1979). */
static void merge(skv_moments *m, const double *mean, const double *sum, int64_t n)
{
    const int d = m->d;
    const double a = (double)m->n, b = (double)n, share = b / (a + b), cross = a * share;

    for (int i = 0; i < d; i++)
        for (int j = 0; j <= i; j++) {
            const double di = mean[i] - m->mean[i], dj = mean[j] - m->mean[j];
            double *to = &m->sum[(size_t)i * (size_t)d + (size_t)j];

            *to += sum[(size_t)i * (size_t)d + (size_t)j] + cross * di * dj;
            m->sum[(size_t)j * (size_t)d + (size_t)i] = *to;
        }
    for (int i = 0; i < d; i++)
        m->mean[i] += share * (mean[i] - m->mean[i]);
    m->n += n;
}

skv_status skv_moments_add(skv_moments *m, const float *x, int64_t n)
{
    const int d = m->d, rows = (int)n;
    double *centred = NULL, *mean = NULL, *sum = NULL;
    skv_status st;

    if (n == 0)
        return SKV_OK;
    if (n < 0 || n > INT_MAX / d)
        return skv_fail(SKV_E_ARG, "a block of %lld vectors", (long long)n);
    SKV_TRY_GOTO(skv_alloc(&centred, (size_t)n * (size_t)d, sizeof *centred, "moments"), done);
    SKV_TRY_GOTO(skv_alloc(&mean, (size_t)d, sizeof *mean, "moments"), done);
    SKV_TRY_GOTO(skv_alloc(&sum, (size_t)d * (size_t)d, sizeof *sum, "moments"), done);
    SKV_TRY_GOTO(centre(mean, centred, x, n, d), done);
    openblas_set_num_threads(1);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, d, rows, 1.0, centred, d, 0.0, sum, d);
    merge(m, mean, sum, n);
done:
    free(centred);
    free(mean);
    free(sum);
    return st;
}

skv_status skv_moments_covariance(double *covariance, const skv_moments *m)
{
    const size_t n = (size_t)m->d * (size_t)m->d;

    if (m->n < 2)
        return skv_fail(SKV_E_ARG, "a covariance of %lld vectors: want 2 at least",
                        (long long)m->n);
    for (size_t i = 0; i < n; i++)
        covariance[i] = m->sum[i] / (double)(m->n - 1);
    return SKV_OK;
}
