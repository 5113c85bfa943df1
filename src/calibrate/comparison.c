#include "calibrate/comparison.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/h5.h"

#define MAX_BYTES ((size_t)1 << 20)

static skv_status read_set(skv_compared *out, int i, skv_h5 *f, const char *group,
                           const skv_measures *m, const char *path)
{
    skv_h5_layout want = {.type = SKV_H5_U8, .n_dims = 2, .shape = {-1, -1}};
    uint8_t *drafter = NULL;
    int64_t first = 0;
    char name[64];
    skv_status st = SKV_OK;

    snprintf(name, sizeof name, "%s/drafter", group);
    SKV_TRY(skv_h5_read(&drafter, f, name, &want, MAX_BYTES, false));
    if (want.shape[0] != m->schedule.n_scales || want.shape[1] != m->layers)
        st = skv_fail(SKV_E_SHAPE, "%s: is of %lld scales and %lld layers, want %d and %d", path,
                      (long long)want.shape[0], (long long)want.shape[1], m->schedule.n_scales,
                      m->layers);
    for (int si = 1; si < m->schedule.n_scales && st == SKV_OK; si++)
        for (int l = 0; l < m->layers; l++)
            if (drafter[si * m->layers + l])
                out->set[i].layers[si - 1] |= (uint64_t)1 << l;
    free(drafter);
    SKV_TRY(st);
    SKV_TRY(skv_h5_get_int(&first, f, group, "first_scale"));
    if (first < 1 || first >= m->schedule.n_scales)
        return skv_fail(SKV_E_FORMAT, "%s: first_scale of %s is %lld, want 1 to %d", path, group,
                        (long long)first, m->schedule.n_scales - 1);
    out->first[i] = (int)first;
    return SKV_OK;
}

static skv_status read_all(skv_compared *out, skv_h5 *f, const char *path, const skv_measures *m,
                           const double *percent, int n)
{
    double ratio = 0;
    char group[32], name[64];
    bool there;

    if (skv_h5_get_real(&ratio, f, "/", "ratio") != SKV_OK)
        return skv_fail(SKV_E_SHAPE, "%s: is an HDF5 file, but not a calibration", path);
    snprintf(out->name, sizeof out->name, "%.120s, ratio %g", path, ratio);
    for (int i = 0; i < n; i++) {
        snprintf(group, sizeof group, "/budget-%g", percent[i]);
        snprintf(name, sizeof name, "%s/drafter", group);
        SKV_TRY(skv_h5_has(&there, f, name));
        if (there)
            SKV_TRY(read_set(out, i, f, group, m, path));
    }
    return SKV_OK;
}

skv_status skv_compared_read(skv_compared *out, const char *path, const skv_measures *m,
                             const double *percent, int n)
{
    skv_h5 *f = NULL;
    skv_status st;

    *out = (skv_compared){.name = ""};
    SKV_TRY(skv_h5_open(&f, path));
    st = read_all(out, f, path, m, percent, n);
    skv_h5_close(f);
    return st;
}
