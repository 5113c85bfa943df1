/* S = F·Fᵀ for both; then tr sqrt(S1·S2) = the sum of the singular values of F1ᵀ·F2. From moments
 * F = V·sqrt(W) of the eigenvectors; from features F = the centred vectors / sqrt(n-1). */
#include "eval/metrics/frechet.h"

#include <cblas.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/metrics/lapack.h"

/* One side. */
typedef struct {
    double *v; /* d×rank, column-major: one vector of d after another */
    int rank;
    double trace;
    const double *mean; /* (d) */
    double *own_mean;
} factor;

static skv_status check_finite(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return skv_fail(SKV_E_FORMAT, "Fréchet distance: a moment is not finite");
    return SKV_OK;
}

static skv_status eigen(double *a, double *w, int d)
{
    double *work = NULL, best = 0;
    int *iwork = NULL, ibest = 0, n = -1, ni = -1, info = 0;
    skv_status st;

    dsyevd_("V", "L", &d, a, &d, w, &best, &n, &ibest, &ni, &info);
    n = (int)best;
    ni = ibest;
    SKV_TRY_GOTO(skv_alloc(&work, (size_t)n, sizeof *work, "eigenvalues"), done);
    SKV_TRY_GOTO(skv_alloc(&iwork, (size_t)ni, sizeof *iwork, "eigenvalues"), done);
    dsyevd_("V", "L", &d, a, &d, w, work, &n, iwork, &ni, &info);
    if (info != 0)
        st = skv_fail(SKV_E_BLAS, "dsyevd: no eigenvalues of a covariance (info %d)", info);
done:
    free(work);
    free(iwork);
    return st;
}

static skv_status factor_of_covariance(factor *out, int d, const double *covariance)
{
    const size_t n = (size_t)d * (size_t)d;
    double *v = NULL, *w = NULL, least;
    int first = 0;
    skv_status st;

    SKV_TRY_GOTO(check_finite(covariance, n), done);
    SKV_TRY_GOTO(skv_alloc(&v, n, sizeof *v, "covariance"), done);
    SKV_TRY_GOTO(skv_alloc(&w, (size_t)d, sizeof *w, "eigenvalues"), done);
    memcpy(v, covariance, n * sizeof *v);
    SKV_TRY_GOTO(eigen(v, w, d), done);
    least = w[d - 1] * d * DBL_EPSILON;
    while (first < d && !(w[first] > least && w[first] > 0))
        first++;
    for (int i = first; i < d; i++)
        for (int k = 0; k < d; k++)
            v[(size_t)i * (size_t)d + (size_t)k] *= sqrt(w[i]);
    out->rank = d - first;
    memmove(v, v + (size_t)first * (size_t)d, (size_t)out->rank * (size_t)d * sizeof *v);
    out->v = v;
    v = NULL;
done:
    free(v);
    free(w);
    return st;
}

/* Centred and scaled vectors; their mean goes to `mean`, which is zeroed. */
static skv_status factor_of_features(factor *out, double *mean, int d, const float *x, int64_t n)
{
    const double scale = 1 / sqrt((double)(n - 1));
    double *v = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&v, (size_t)n * (size_t)d, sizeof *v, "features"));
    for (int64_t r = 0; r < n; r++)
        for (int i = 0; i < d; i++)
            mean[i] += x[r * d + i];
    for (int i = 0; i < d; i++)
        mean[i] /= (double)n;
    st = check_finite(mean, (size_t)d);
    if (st != SKV_OK) {
        free(v);
        return st;
    }
    for (int64_t r = 0; r < n; r++)
        for (int i = 0; i < d; i++)
            v[r * d + i] = (x[r * d + i] - mean[i]) * scale;
    out->v = v;
    out->rank = (int)n;
    return SKV_OK;
}

/* Sum of the singular values of m (rows×columns, column-major), which is destroyed. */
static skv_status nuclear_norm(double *out, double *m, int rows, int columns)
{
    const int least = rows < columns ? rows : columns, one = 1;
    double *s = NULL, *work = NULL, best = 0, none = 0;
    int *iwork = NULL, n = -1, info = 0;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&s, (size_t)least, sizeof *s, "singular values"), done);
    SKV_TRY_GOTO(skv_alloc(&iwork, 8 * (size_t)least, sizeof *iwork, "singular values"), done);
    dgesdd_("N", &rows, &columns, m, &rows, s, &none, &one, &none, &one, &best, &n, iwork, &info);
    n = (int)best;
    SKV_TRY_GOTO(skv_alloc(&work, (size_t)n, sizeof *work, "singular values"), done);
    dgesdd_("N", &rows, &columns, m, &rows, s, &none, &one, &none, &one, work, &n, iwork, &info);
    if (info != 0)
        st = skv_fail(SKV_E_BLAS, "dgesdd: no singular values (info %d)", info);
    *out = 0;
    for (int i = least - 1; i >= 0 && st == SKV_OK; i--) /* the small ones first */
        *out += s[i];
done:
    free(s);
    free(work);
    free(iwork);
    return st;
}

static skv_status trace_of_root(double *out, int d, const factor *f1, const factor *f2)
{
    double *m = NULL;
    skv_status st;

    *out = 0;
    if (f1->rank == 0 || f2->rank == 0)
        return SKV_OK;
    SKV_TRY(skv_alloc(&m, (size_t)f1->rank * (size_t)f2->rank, sizeof *m, "Fréchet distance"));
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, f1->rank, f2->rank, d, 1.0, f1->v, d,
                f2->v, d, 0.0, m, f1->rank);
    st = nuclear_norm(out, m, f1->rank, f2->rank);
    free(m);
    return st;
}

static double square_distance(const double *a, const double *b, int d)
{
    double sum = 0;

    for (int i = 0; i < d; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static skv_status finish(skv_frechet *f)
{
    const double distance = f->mean_term + f->trace1 + f->trace2 - 2 * f->trace_sqrt;

    if (!isfinite(distance))
        return skv_fail(SKV_E_FORMAT, "Fréchet distance: features too large to be compared");
    f->distance = distance > 0 ? distance : 0; /* equal sets: -1e-13 or so */
    return SKV_OK;
}

static double square_norm(const factor *f, int d)
{
    double sum = 0;

    for (int r = 0; r < f->rank; r++) {
        double row = 0;

        for (int i = 0; i < d; i++)
            row +=
                f->v[(size_t)r * (size_t)d + (size_t)i] * f->v[(size_t)r * (size_t)d + (size_t)i];
        sum += row;
    }
    return sum;
}

/* Fills *out, which the caller frees also after a failure. */
static skv_status factor_of(factor *out, int d, const skv_feature_set *s)
{
    if (s->covariance) {
        SKV_TRY(check_finite(s->mean, (size_t)d));
        SKV_TRY(factor_of_covariance(out, d, s->covariance));
        out->mean = s->mean;
        for (int i = 0; i < d; i++)
            out->trace += s->covariance[(size_t)i * (size_t)d + (size_t)i];
        return SKV_OK;
    }
    if (s->n < 2 || s->n != s->n_kept || s->n > INT_MAX / d)
        return skv_fail(SKV_E_ARG, "Fréchet distance of %lld vectors: want 2 at least",
                        (long long)s->n);
    SKV_TRY(skv_alloc(&out->own_mean, (size_t)d, sizeof *out->own_mean, "features"));
    SKV_TRY(factor_of_features(out, out->own_mean, d, s->kept, s->n));
    out->mean = out->own_mean;
    out->trace = square_norm(out, d);
    return SKV_OK;
}

skv_status skv_frechet_distance(skv_frechet *out, int d, const skv_feature_set *a,
                                const skv_feature_set *b)
{
    factor f1 = {0}, f2 = {0};
    skv_status st;

    *out = (skv_frechet){0};
    openblas_set_num_threads(1);
    SKV_TRY_GOTO(factor_of(&f1, d, a), done);
    SKV_TRY_GOTO(factor_of(&f2, d, b), done);
    SKV_TRY_GOTO(trace_of_root(&out->trace_sqrt, d, &f1, &f2), done);
    out->mean_term = square_distance(f1.mean, f2.mean, d);
    out->trace1 = f1.trace;
    out->trace2 = f2.trace;
    st = finish(out);
done:
    free(f1.v);
    free(f1.own_mean);
    free(f2.v);
    free(f2.own_mean);
    return st;
}
