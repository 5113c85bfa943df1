/* Reading metrics.h5 for the report. Numbers of an older run, or of a path that was made anew, are
 * left out: they would stand beside pictures they were not made from. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/report/report_data.h"

#define NAME_BYTES 512
#define MAX_TABLE  ((size_t)1 << 30)
#define MAX_SCALES 64

static skv_status read_column(double **out, skv_h5 *f, const char *object, const char *column,
                              int64_t n)
{
    skv_h5_layout want = {.type = SKV_H5_F64, .n_dims = 1, .shape = {n}};
    char name[NAME_BYTES + 32];

    snprintf(name, sizeof name, "%s/%s", object, column);
    if (!skv_h5_has(f, name))
        return SKV_OK;
    return skv_h5_read(out, f, name, &want, MAX_TABLE, false);
}

static skv_status read_mean(double *out, skv_h5 *f, const char *object, const char *key)
{
    const skv_status st = skv_h5_get_real(out, f, object, key);

    if (st != SKV_E_NOTFOUND)
        return st;
    *out = NAN;
    return SKV_OK;
}

static skv_status read_means(skv_report_metrics *m, skv_h5 *f, const char *object)
{
    SKV_TRY(skv_h5_get_int(&m->n_pairs, f, object, "n_pairs"));
    SKV_TRY(skv_h5_get_int(&m->n_identical, f, object, "n_identical"));
    SKV_TRY(read_mean(&m->psnr, f, object, "psnr_mean"));
    SKV_TRY(read_mean(&m->psnr_finite, f, object, "psnr_mean_finite"));
    SKV_TRY(read_mean(&m->ssim, f, object, "ssim_mean"));
    SKV_TRY(read_mean(&m->lpips, f, object, "lpips_mean"));
    SKV_TRY(read_mean(&m->fid, f, object, "fid"));
    return read_mean(&m->kid, f, object, "kid");
}

static skv_status read_bits(skv_report_metrics *m, skv_h5 *f, const char *object)
{
    skv_h5_layout want = {.type = SKV_H5_F64, .n_dims = 1, .shape = {-1}};
    char name[NAME_BYTES + 32];

    snprintf(name, sizeof name, "%s/bits_equal_mean", object);
    if (!skv_h5_has(f, name))
        return SKV_OK;
    SKV_TRY(skv_h5_read(&m->bits, f, name, &want, MAX_TABLE, false));
    if (want.shape[0] > MAX_SCALES)
        return skv_fail(SKV_E_FORMAT, "metrics.h5: %s has %lld scales", name,
                        (long long)want.shape[0]);
    m->n_bits = (int)want.shape[0];
    return SKV_OK;
}

static skv_status read_path(skv_report_path *p, skv_report_data *d, skv_h5 *f)
{
    char object[NAME_BYTES], *digest = NULL;
    skv_status st;
    bool same;

    snprintf(object, sizeof object, "/metrics/%s", p->run->name);
    SKV_TRY(skv_h5_get_text(&digest, f, object, "digest"));
    same = strcmp(digest, p->run->digest) == 0;
    free(digest);
    if (!same) {
        d->n_stale++;
        return SKV_OK;
    }
    st = read_means(&p->m, f, object);
    if (st == SKV_OK)
        st = read_column(&p->m.psnr_of, f, object, "psnr", d->run.n);
    if (st == SKV_OK)
        st = read_column(&p->m.ssim_of, f, object, "ssim", d->run.n);
    if (st == SKV_OK)
        st = read_column(&p->m.lpips_of, f, object, "lpips", d->run.n);
    if (st == SKV_OK)
        st = read_bits(&p->m, f, object);
    p->m.there = st == SKV_OK;
    return st;
}

static skv_status read_all(skv_report_data *d, skv_h5 *f, const char *reference)
{
    char **names = NULL;
    skv_status st;
    int n = 0;

    for (int i = 0; i < d->run.n_paths; i++)
        if (strcmp(d->run.path[i].name, reference) == 0)
            d->reference = i;
    SKV_TRY_GOTO(skv_h5_get_text(&d->networks, f, "/", "networks"), done);
    SKV_TRY_GOTO(skv_h5_list(&names, &n, f, "/metrics"), done);
    for (int i = 0; i < d->run.n_paths; i++)
        for (int k = 0; k < n; k++)
            if (i != d->reference && strcmp(names[k], d->run.path[i].name) == 0)
                SKV_TRY_GOTO(read_path(&d->path[i], d, f), done);
    d->metrics = SKV_METRICS_READ;
done:
    free(names);
    return st;
}

skv_status skv_report__read_metrics(skv_report_data *d)
{
    char file[4096], *digest = NULL, *reference = NULL;
    skv_h5 *f = NULL;
    skv_status st;
    int known = -1;

    if ((size_t)snprintf(file, sizeof file, "%s/metrics.h5", d->run.folder) >= sizeof file)
        return skv_fail(SKV_E_ARG, "%s: path too long", d->run.folder);
    st = skv_h5_open(&f, file);
    if (st == SKV_E_NOTFOUND)
        return SKV_OK;
    SKV_TRY(st);
    SKV_TRY_GOTO(skv_h5_get_text(&digest, f, "/", "config_digest"), done);
    SKV_TRY_GOTO(skv_h5_get_text(&reference, f, "/", "reference"), done);
    for (int i = 0; i < d->run.n_paths; i++)
        if (strcmp(d->run.path[i].name, reference) == 0)
            known = i;
    d->metrics = SKV_METRICS_STALE;
    if (strcmp(digest, d->run.config_digest) == 0 && known >= 0)
        st = read_all(d, f, reference);
done:
    free(digest);
    free(reference);
    skv_h5_close(f);
    if (st == SKV_E_NOTFOUND) { /* something that every metrics.h5 of this version has */
        skv_context("%s is of another version of skv", file);
        st = SKV_E_FORMAT;
    }
    return st;
}
