#include "eval/metrics/statistics_file.h"

#include <math.h>
#include <stdlib.h>

#include "eval/metrics/moments.h"
#include "io/npz.h"

#define ASYMMETRY 1e-6 /* of the largest variance: the roundings of a product in float32 */

static skv_status check(const skv_kept_features *s, const char *path, int d)
{
    const size_t n = (size_t)d;
    double most = 0;

    for (size_t i = 0; i < n; i++) {
        const double variance = s->covariance[i * n + i];

        if (!isfinite(s->mean[i]) || !isfinite(variance) || variance < 0)
            return skv_fail(SKV_E_FORMAT,
                            "%s: feature %zu has mean %g and variance %g, want finite numbers and "
                            "a variance of 0 or more",
                            path, i, s->mean[i], variance);
        most = variance > most ? variance : most;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++) {
            const double a = s->covariance[i * n + k], b = s->covariance[k * n + i];

            if (!(fabs(a - b) <= ASYMMETRY * most))
                return skv_fail(SKV_E_FORMAT,
                                "%s: sigma is no covariance: it has %g at (%zu,%zu) and %g at "
                                "(%zu,%zu), want a symmetric matrix of finite numbers",
                                path, a, i, k, b, k, i);
        }
    return SKV_OK;
}

skv_status skv_statistics_read(skv_kept_features *out, const char *path, int d)
{
    skv_npz *f = NULL;
    skv_status st;

    *out = (skv_kept_features){0};
    SKV_TRY_GOTO(skv_npz_open(&f, path), done);
    SKV_TRY_GOTO(skv_npz_read(&out->mean, f, "mu", 1, (const int64_t[]){d}), done);
    SKV_TRY_GOTO(skv_npz_read(&out->covariance, f, "sigma", 2, (const int64_t[]){d, d}), done);
    st = check(out, path, d);
done:
    skv_npz_close(f);
    return st;
}

skv_status skv_statistics_write(const char *path, int d, const skv_feature_set *set)
{
    skv_npz_array array[] = {{"mu", 1, {d}, set->mean}, {"sigma", 2, {d, d}, set->covariance}};
    skv_moments m = {0};
    skv_status st = SKV_OK;

    if (!set->covariance) { /* all vectors are there instead */
        SKV_TRY_GOTO(skv_moments_create(&m, d), done);
        SKV_TRY_GOTO(skv_moments_add(&m, set->kept, set->n), done);
        SKV_TRY_GOTO(skv_moments_covariance(m.sum, &m), done);
        array[0].data = m.mean;
        array[1].data = m.sum;
    }
    st = skv_npz_write(path, array, 2);
done:
    skv_moments_clear(&m);
    return st;
}
