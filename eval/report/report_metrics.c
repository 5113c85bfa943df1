/* Reading metrics.h5. Numbers of another run, or of a path that was made anew since, are left out:
 * they would stand beside pictures they were not made from. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/report/report_internal.h"

#define NAME_BYTES 512
#define MAX_TABLE  ((size_t)1 << 30)
#define MAX_SCALES 64

typedef struct {
    const char *name, *long_name, *units;
    bool lower, of_pairs;
} known_metric;

static const known_metric known[] = {
    {"psnr", "PSNR against the reference path", "dB", false, true},
    {"ssim", "SSIM against the reference path", "", false, true},
    {"lpips", "LPIPS (alex) against the reference path", "", true, true},
    {"fid", "FID", "", true, false},
    {"kid", "KID", "", true, false},
};
#define N_KNOWN ((int)(sizeof known / sizeof *known))

static skv_status get_real(double *out, skv_h5 *f, const char *object, const char *key)
{
    const skv_status st = skv_h5_get_real(out, f, object, key);

    if (st != SKV_E_NOTFOUND)
        return st;
    *out = NAN;
    return SKV_OK;
}

static skv_status read_value(skv_report_value *v, skv_report *r, skv_h5 *f, const char *object,
                             const known_metric *k)
{
    skv_h5_layout rows = {.type = SKV_H5_F64, .n_dims = 1, .shape = {r->run.n}};
    char name[2 * NAME_BYTES];

    v->all = v->differing = NAN;
    if (!k->of_pairs)
        return get_real(&v->all, f, object, k->name);
    snprintf(name, sizeof name, "%s_mean", k->name);
    SKV_TRY(get_real(&v->all, f, object, name));
    snprintf(name, sizeof name, "%s_mean_finite", k->name);
    SKV_TRY(get_real(&v->differing, f, object, name));
    snprintf(name, sizeof name, "%s/%s", object, k->name);
    return skv_h5_has(f, name) ? skv_h5_read(&v->row, f, name, &rows, MAX_TABLE, false) : SKV_OK;
}

static skv_status read_bits(skv_report_result *result, skv_h5 *f, const char *object)
{
    skv_h5_layout want = {.type = SKV_H5_F64, .n_dims = 1, .shape = {-1}};
    char name[2 * NAME_BYTES];

    snprintf(name, sizeof name, "%s/bits_equal_mean", object);
    if (!skv_h5_has(f, name))
        return SKV_OK;
    SKV_TRY(skv_h5_read(&result->bits, f, name, &want, MAX_TABLE, false));
    if (want.shape[0] > MAX_SCALES)
        return skv_fail(SKV_E_FORMAT, "metrics.h5: %s has %lld scales", name,
                        (long long)want.shape[0]);
    result->n_bits = want.shape[0];
    return SKV_OK;
}

static skv_status read_path(skv_report *r, skv_h5 *f, int path)
{
    skv_report_result *result = &r->result[path];
    char object[NAME_BYTES], *digest = NULL;
    bool same;

    snprintf(object, sizeof object, "/metrics/%s", r->run.path[path].name);
    SKV_TRY(skv_h5_get_text(&digest, f, object, "digest"));
    same = strcmp(digest, r->run.path[path].digest) == 0;
    free(digest);
    if (!same)
        return SKV_OK;
    SKV_TRY(skv_h5_get_int(&result->n_pairs, f, object, "n_pairs"));
    SKV_TRY(skv_h5_get_int(&result->n_identical, f, object, "n_identical"));
    SKV_TRY(skv_alloc(&result->value, (size_t)r->n_metrics, sizeof *result->value, "report"));
    for (int m = 0; m < r->n_metrics; m++)
        SKV_TRY(read_value(&result->value[m], r, f, object, &known[m]));
    SKV_TRY(read_bits(result, f, object));
    result->measured = true;
    return SKV_OK;
}

static skv_status name_metrics(skv_report *r)
{
    SKV_TRY(skv_alloc(&r->metric, N_KNOWN, sizeof *r->metric, "report"));
    for (int m = 0; m < N_KNOWN; m++) {
        skv_report_metric *to = &r->metric[r->n_metrics++];

        *to = (skv_report_metric){strdup(known[m].name), strdup(known[m].long_name),
                                  strdup(known[m].units), known[m].lower};
        if (!to->name || !to->long_name || !to->units)
            return skv_fail(SKV_E_MEM, "report: out of memory");
    }
    return SKV_OK;
}

static skv_status read_paths(skv_report *r, skv_h5 *f)
{
    char **names = NULL;
    skv_status st;
    int n = 0;

    SKV_TRY(name_metrics(r));
    SKV_TRY_GOTO(skv_h5_get_text(&r->networks, f, "/", "networks"), done);
    SKV_TRY_GOTO(skv_h5_list(&names, &n, f, "/metrics"), done);
    for (int i = 0; i < r->run.n_paths; i++)
        for (int k = 0; k < n; k++)
            if (i != r->reference && strcmp(names[k], r->run.path[i].name) == 0)
                SKV_TRY_GOTO(read_path(r, f, i), done);
    r->state = "read";
done:
    free(names);
    return st;
}

skv_status skv_report__read_metrics(skv_report *r)
{
    char file[4096], *digest = NULL, *reference = NULL;
    skv_h5 *f = NULL;
    skv_status st;
    int known_path = -1;

    if ((size_t)snprintf(file, sizeof file, "%s/metrics.h5", r->run.folder) >= sizeof file)
        return skv_fail(SKV_E_ARG, "%s: path too long", r->run.folder);
    st = skv_h5_open_below(&f, file, 1);
    if (st == SKV_E_NOTFOUND)
        return SKV_OK;
    SKV_TRY(st);
    SKV_TRY_GOTO(skv_h5_get_text(&digest, f, "/", "config_digest"), done);
    SKV_TRY_GOTO(skv_h5_get_text(&reference, f, "/", "reference"), done);
    for (int i = 0; i < r->run.n_paths; i++)
        if (strcmp(r->run.path[i].name, reference) == 0)
            known_path = i;
    r->state = "old";
    if (strcmp(digest, r->run.config_digest) == 0 && known_path >= 0) {
        r->reference = known_path;
        st = read_paths(r, f);
    }
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
