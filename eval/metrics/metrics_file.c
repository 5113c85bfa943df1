#include "eval/metrics/metrics_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 512

/* Two folders are called by their last part: a name inside the file cannot hold a slash. */
static const char *object_name(const skv_metrics *m, int side)
{
    const char *name = m->pairs->side[side], *slash = strrchr(name, '/');

    if (skv_pairs_run(m->pairs))
        return name;
    return slash && slash[1] ? slash + 1 : "compared";
}

static skv_status write_rows(skv_h5 *f, const skv_metrics *m, int side, const char *what,
                             const char *long_name, const char *units, const double *data)
{
    const skv_h5_layout layout = {.type = SKV_H5_F64,
                                  .n_dims = 1,
                                  .shape = {m->result->n},
                                  .long_name = long_name,
                                  .units = units};
    char name[NAME_BYTES];

    if (!data)
        return SKV_OK;
    snprintf(name, sizeof name, "/metrics/%s/%s", object_name(m, side), what);
    return skv_h5_write(f, name, &layout, data);
}

static skv_status write_bits(skv_h5 *f, const skv_metrics *m, int side, const skv_eval_side *s)
{
    const skv_h5_layout rows = {.type = SKV_H5_F64,
                                .n_dims = 2,
                                .shape = {m->result->n, m->result->n_scales},
                                .long_name = "share of the bits equal to the reference's, by scale",
                                .units = "1"};
    const skv_h5_layout mean = {.type = SKV_H5_F64,
                                .n_dims = 1,
                                .shape = {m->result->n_scales},
                                .long_name = "mean of bits_equal over the pictures",
                                .units = "1"};
    char name[NAME_BYTES];

    if (m->result->n_scales == 0)
        return SKV_OK;
    snprintf(name, sizeof name, "/metrics/%s/bits_equal", object_name(m, side));
    SKV_TRY(skv_h5_write(f, name, &rows, s->bits_equal));
    snprintf(name, sizeof name, "/metrics/%s/bits_equal_mean", object_name(m, side));
    return skv_h5_write(f, name, &mean, s->bits_mean);
}

typedef struct {
    const char *key;
    double value;
} real;

#define N_REALS 6

static void reals_of(real out[N_REALS], const skv_eval_side *s)
{
    const real all[N_REALS] = {{"psnr_mean", s->psnr_mean},
                               {"psnr_mean_finite", s->psnr_mean_finite},
                               {"ssim_mean", s->ssim_mean},
                               {"lpips_mean", s->lpips_mean},
                               {"fid", s->fid},
                               {"kid", s->kid}};

    memcpy(out, all, sizeof all);
}

static skv_status write_attributes(skv_h5 *f, const skv_metrics *m, int side,
                                   const skv_eval_side *s)
{
    char object[NAME_BYTES];
    real reals[N_REALS];

    snprintf(object, sizeof object, "/metrics/%s", object_name(m, side));
    if (skv_pairs_run(m->pairs))
        SKV_TRY(skv_h5_set_text(f, object, "digest", skv_pairs_path(m->pairs, side)->digest));
    SKV_TRY(skv_h5_set_int(f, object, "n_pairs", s->n_pairs));
    SKV_TRY(skv_h5_set_int(f, object, "n_identical", s->n_identical));
    reals_of(reals, s);
    for (int i = 0; i < N_REALS; i++)
        if (!isnan(reals[i].value))
            SKV_TRY(skv_h5_set_real(f, object, reals[i].key, reals[i].value));
    return SKV_OK;
}

static skv_status write_all(skv_h5 *f, const skv_metrics *m)
{
    const skv_run_file *run = skv_pairs_run(m->pairs);
    const skv_h5_layout ids = {.type = SKV_H5_TEXT,
                               .n_dims = 1,
                               .shape = {m->result->n},
                               .long_name = "id of the picture",
                               .units = ""};

    SKV_TRY(skv_h5_write(f, "/metrics/id", &ids, m->pairs->id));
    SKV_TRY(skv_h5_set_text(f, "/", "skv", m->version));
    SKV_TRY(skv_h5_set_text(f, "/", "networks", m->networks));
    SKV_TRY(skv_h5_set_text(f, "/", "reference", m->pairs->side[0]));
    SKV_TRY(skv_h5_set_text(f, "/", "config_digest", run ? run->config_digest : ""));
    for (int side = 1; side < m->result->n_sides; side++) {
        const skv_eval_side *s = &m->result->side[side];

        SKV_TRY(write_rows(f, m, side, "psnr", "PSNR against the reference path", "dB", s->psnr));
        SKV_TRY(write_rows(f, m, side, "ssim", "SSIM against the reference path", "1", s->ssim));
        SKV_TRY(write_rows(f, m, side, "lpips", "LPIPS (alex) against the reference path", "1",
                           s->lpips));
        SKV_TRY(write_bits(f, m, side, s));
        SKV_TRY(write_attributes(f, m, side, s));
    }
    return SKV_OK;
}

skv_status skv_metrics_write_h5(const skv_metrics *m, const char *path)
{
    skv_h5 *f = NULL;
    skv_status st;

    SKV_TRY(skv_h5_create(&f, path));
    SKV_TRY_GOTO(write_all(f, m), done);
    st = skv_h5_commit(&f);
done:
    skv_h5_close(f);
    return st;
}

/* ---------------------------------------------------------------------- JSON */

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *side_json(const skv_metrics *m, int side)
{
    const skv_eval_side *s = &m->result->side[side];
    json_t *o = json_pack("{s:s, s:I, s:I}", "name", m->pairs->side[side], "pairs",
                          (json_int_t)s->n_pairs, "identical", (json_int_t)s->n_identical);
    json_t *bits = json_array();
    real reals[N_REALS];

    reals_of(reals, s);
    for (int i = 0; i < N_REALS; i++)
        json_object_set_new(o, reals[i].key, number(reals[i].value));
    for (int i = 0; i < m->result->n_scales; i++)
        json_array_append_new(bits, number(s->bits_mean[i]));
    json_object_set_new(o, "bits_equal_mean", bits);
    return o;
}

skv_status skv_metrics_json(json_t **out, const skv_metrics *m)
{
    json_t *paths = json_array(), *root;

    for (int side = 1; side < m->result->n_sides; side++)
        json_array_append_new(paths, side_json(m, side));
    root = json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "skv", m->version, "networks", m->networks,
                     "reference", m->pairs->side[0], "pictures", (json_int_t)m->result->n, "failed",
                     (json_int_t)(m->result->n - m->pairs->n_usable), "paths", paths);
    if (!root)
        return skv_fail(SKV_E_MEM, "metrics: out of memory");
    *out = root;
    return SKV_OK;
}
