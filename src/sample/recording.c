#include "sample/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/h5.h"
#include "model/bits.h"

#define MAX_BYTES ((size_t)1 << 30)

/* Reads a dataset of `type` and rank; extents go to shape (-1 in: any). Absent: *out stays NULL
 * when optional. */
static skv_status read(void *out, skv_h5 *f, const char *name, skv_h5_type type, int n_dims,
                       int64_t *shape, bool optional)
{
    skv_h5_layout want = {.type = type, .n_dims = n_dims};
    bool there = true;

    if (optional)
        SKV_TRY(skv_h5_has(&there, f, name));
    if (!there)
        return SKV_OK;
    memcpy(want.shape, shape, (size_t)n_dims * sizeof *shape);
    SKV_TRY(skv_h5_read(out, f, name, &want, MAX_BYTES, false));
    memcpy(shape, want.shape, (size_t)n_dims * sizeof *shape);
    return SKV_OK;
}

static skv_status read_by_scale(double *out, skv_h5 *f, const char *name, int n_scales)
{
    int64_t shape[1] = {n_scales};
    double *values = NULL;
    bool there = false;

    SKV_TRY(skv_h5_has(&there, f, name));
    if (!there) { /* full-size form: one attribute */
        SKV_TRY(skv_h5_get_real(&out[0], f, "/", name));
        for (int si = 1; si < n_scales; si++)
            out[si] = out[0];
        return SKV_OK;
    }
    SKV_TRY(read(&values, f, name, SKV_H5_F64, 1, shape, false));
    memcpy(out, values, (size_t)n_scales * sizeof *out);
    free(values);
    return SKV_OK;
}

/* The file's scale list must be one of the schedules. */
static skv_status read_schedule(skv_recording *r, skv_h5 *f, const char *path)
{
    int64_t shape[2] = {-1, 2};
    char *resolution = NULL;
    int32_t *sides = NULL;
    double ratio = 1.0;
    skv_status st;
    bool same;

    SKV_TRY_GOTO(skv_h5_get_text(&resolution, f, "/", "pn"), done);
    st = skv_h5_get_real(&ratio, f, "/", "ratio");
    if (st != SKV_OK && st != SKV_E_NOTFOUND) /* the full-size form is square */
        goto done;
    st = skv_schedule_make(&r->schedule, ratio, resolution);
    if (st != SKV_OK)
        skv_context("%s", path);
    SKV_TRY_GOTO(st, done);
    SKV_TRY_GOTO(read(&sides, f, "schedule", SKV_H5_I32, 2, shape, false), done);
    same = shape[0] == r->schedule.n_scales;
    for (int si = 0; same && si < r->schedule.n_scales; si++)
        same = sides[2 * si] == r->schedule.h[si] && sides[2 * si + 1] == r->schedule.w[si];
    if (!same)
        st = skv_fail(SKV_E_FORMAT, "%s: the schedule is not that of ratio %g at %s", path, ratio,
                      resolution);
done:
    free(resolution);
    free(sides);
    return st;
}

static skv_status read_guidance(skv_recording *r, skv_h5 *f)
{
    const int n = r->schedule.n_scales;
    int64_t insertion = 0;
    skv_status st;

    SKV_TRY(read_by_scale(r->guidance.cfg, f, "cfg", n));
    SKV_TRY(read_by_scale(r->guidance.tau, f, "tau", n));
    SKV_TRY(skv_h5_get_real(&r->guidance.top_p, f, "/", "top_p"));
    st = skv_h5_get_int(&insertion, f, "/", "cfg_insertion_layer");
    if (st != SKV_OK && st != SKV_E_NOTFOUND)
        return st;
    r->guidance.insertion = (int)insertion;
    for (int si = 0; si < n; si++)
        r->guided = r->guided || r->guidance.cfg[si] != 1.0;
    return SKV_OK;
}

static skv_status read_text(skv_recording *r, skv_h5 *f)
{
    int64_t shape[2] = {-1, -1}, tokens = 0;
    bool there = false;

    SKV_TRY(skv_h5_has(&there, f, "text"));
    if (!there) {
        SKV_TRY(skv_h5_get_int(&tokens, f, "/", "text_tokens"));
        r->n_text = (int)tokens;
        return SKV_OK;
    }
    SKV_TRY(read(&r->text, f, "text", SKV_H5_F32, 2, shape, false));
    r->n_text = (int)shape[0];
    r->text_width = (int)shape[1];
    shape[0] = -1;
    SKV_TRY(read(&r->negative, f, "negative_text", SKV_H5_F32, 2, shape, true));
    r->n_negative = r->negative ? (int)shape[0] : 0;
    return SKV_OK;
}

static skv_status read_policy(skv_recording *r, skv_h5 *f, const char *path)
{
    int64_t shape[2] = {-1, 4}, base = 0, *layers = NULL;
    int32_t *rows = NULL;
    char *cache = NULL;
    skv_status st = SKV_OK;
    int n = 0;

    if (r->full_size)
        return SKV_OK;
    SKV_TRY(skv_h5_get_text(&cache, f, "/", "cache"));
    r->scalekv = strcmp(cache, "scalekv") == 0;
    if (!r->scalekv && strcmp(cache, "full") != 0)
        st = skv_fail(SKV_E_FORMAT, "%s: cache \"%s\", want full or scalekv", path, cache);
    free(cache);
    if (st != SKV_OK || !r->scalekv)
        return st;
    SKV_TRY_GOTO(skv_h5_get_int(&base, f, "/", "base_capacity"), done);
    SKV_TRY_GOTO(skv_h5_get_ints(&layers, &n, f, "/", "drafters"), done);
    SKV_TRY_GOTO(read(&rows, f, "budget", SKV_H5_I32, 2, shape, false), done);
    if (n > SKV_MAX_DEPTH || shape[0] > SKV_RECORDING_ROWS) {
        st = skv_fail(SKV_E_FORMAT, "%s: %d drafters and %lld budget rows are too many", path, n,
                      (long long)shape[0]);
        goto done;
    }
    r->base = (int)base;
    for (r->n_drafters = 0; r->n_drafters < n; r->n_drafters++)
        r->drafters[r->n_drafters] = (int)layers[r->n_drafters];
    for (r->n_budget = 0; r->n_budget < (int)shape[0]; r->n_budget++) {
        const int32_t *row = rows + 4 * (ptrdiff_t)r->n_budget;

        r->budget[r->n_budget] = (skv_budget_row){row[0], row[1], row[2], row[3]};
    }
done:
    free(layers);
    free(rows);
    return st;
}

/* Bits a byte each (tiny form), or packed (full-size form: whole bytes a token). */
static skv_status read_bits(skv_recorded_scale *s, skv_h5 *f, const char *name, bool packed)
{
    int64_t shape[2] = {s->tokens, -1};
    uint8_t *raw = NULL;
    skv_status st;

    SKV_TRY(read(&raw, f, name, SKV_H5_U8, 2, shape, false));
    if (!packed) {
        s->bit = raw;
        s->bits = shape[1];
        return SKV_OK;
    }
    s->bits = 8 * shape[1];
    st = skv_alloc(&s->bit, (size_t)(s->tokens * s->bits), 1, name);
    if (st == SKV_OK)
        skv_bits_unpack(s->bit, raw, (size_t)(s->tokens * s->bits));
    free(raw);
    return st;
}

static skv_status read_kept(skv_recorded_scale *s, skv_h5 *f, const char *group, bool full_size)
{
    char name[128];

    for (int l = 0; l < SKV_MAX_DEPTH; l++) {
        int64_t *shape = s->kept_shape[l];

        shape[0] = shape[1] = shape[2] = -1;
        snprintf(name, sizeof name, "%s/layer%d", group, l);
        SKV_TRY(read(&s->kept[l], f, name, SKV_H5_I32, full_size ? 2 : 3, shape, true));
    }
    return SKV_OK;
}

static skv_status read_scale(skv_recording *r, skv_h5 *f, int si, const char *path)
{
    skv_recorded_scale *s = &r->scale[si];
    int64_t logits[3] = {-1, -1, 2}, block[3] = {-1, -1, -1}, tokens[1] = {-1};
    char name[96], group[32];

    s->tokens = skv_schedule_tokens(&r->schedule, si);
    snprintf(group, sizeof group, "scale%d", si);
    snprintf(name, sizeof name, "%s/bits", group);
    SKV_TRY(read_bits(s, f, name, r->full_size));
    logits[1] = s->bits;
    snprintf(name, sizeof name, "%s/token", group);
    SKV_TRY(read(&s->token, f, name, SKV_H5_I32, 1, tokens, true));
    logits[0] = s->token ? tokens[0] : s->tokens;
    snprintf(name, sizeof name, r->full_size ? "%s/logits_full" : "%s/logits", group);
    SKV_TRY(read(&s->logits, f, name, SKV_H5_F32, 3, logits, false));
    s->n_logits = logits[0];
    for (int64_t i = 0; s->token && i < s->n_logits; i++)
        if (s->token[i] < 0 || s->token[i] >= s->tokens)
            return skv_fail(SKV_E_FORMAT, "%s: %s: token %d is outside the map", path, name,
                            s->token[i]);
    if (!r->full_size) {
        snprintf(name, sizeof name, "%s/block0", group);
        block[1] = s->tokens;
        SKV_TRY(read(&s->block0, f, name, SKV_H5_F32, 3, block, true));
        snprintf(name, sizeof name, "%s/kept", group);
        return read_kept(s, f, name, false);
    }
    snprintf(name, sizeof name, "%s/logits_scalekv", group);
    SKV_TRY(read(&s->logits_scalekv, f, name, SKV_H5_F32, 3, logits, false));
    SKV_TRY(skv_h5_get_real(&s->nmse, f, group, "nmse_bf16_full"));
    SKV_TRY(skv_h5_get_real(&s->nmse_scalekv, f, group, "nmse_bf16_scalekv"));
    snprintf(name, sizeof name, "kept/%s", group);
    return read_kept(s, f, name, true);
}

static skv_status read_picture(skv_recording *r, skv_h5 *f)
{
    int64_t rgb[3] = {-1, -1, 3}, step = 8;

    r->z_shape[0] = r->z_shape[1] = r->z_shape[2] = -1;
    r->decoded_shape[0] = 3;
    r->decoded_shape[1] = r->decoded_shape[2] = -1;
    if (r->full_size) {
        r->step = 8;
        SKV_TRY(skv_h5_get_real(&r->image_mse, f, "/", "image_mse_bf16"));
        return read(&r->decoded, f, "image_grid", SKV_H5_F32, 3, r->decoded_shape, false);
    }
    SKV_TRY(read(&r->z, f, "z", SKV_H5_F32, 3, r->z_shape, true));
    SKV_TRY(read(&r->decoded, f, "decoded", SKV_H5_F32, 3, r->decoded_shape, false));
    SKV_TRY(skv_h5_get_int(&step, f, "decoded", "step"));
    r->step = (int)step;
    return read(&r->rgb, f, "image_rgb", SKV_H5_U8, 3, rgb, true);
}

/* The recorded picture has the schedule's sides. */
static skv_status check_picture(const skv_recording *r, const char *path)
{
    const skv_schedule *s = &r->schedule;
    const int64_t h = s->h[s->n_scales - 1] * SKV_TOKEN_STRIDE;
    const int64_t w = s->w[s->n_scales - 1] * SKV_TOKEN_STRIDE;

    if (r->step < 1 || r->decoded_shape[1] != h / r->step || r->decoded_shape[2] != w / r->step)
        return skv_fail(SKV_E_FORMAT,
                        "%s: the picture is (%lld,%lld) at step %d, want %lld by %lld", path,
                        (long long)r->decoded_shape[1], (long long)r->decoded_shape[2], r->step,
                        (long long)h, (long long)w);
    return SKV_OK;
}

skv_status skv_recording_read(skv_recording *out, const char *path)
{
    skv_recording r = {0};
    skv_h5 *f = NULL;
    char *model = NULL;
    skv_status st;

    SKV_TRY(skv_h5_open(&f, path));
    st = skv_h5_get_text(&model, f, "/", "model");
    if (st == SKV_E_NOTFOUND)
        st = skv_fail(SKV_E_SHAPE, "%s: is an HDF5 file, but not a recording", path);
    SKV_TRY_GOTO(st, done);
    r.full_size = strncmp(model, "infinity_", 9) == 0;
    snprintf(r.model, sizeof r.model, "%s", r.full_size ? model : "");
    SKV_TRY_GOTO(read_schedule(&r, f, path), done);
    SKV_TRY_GOTO(read_guidance(&r, f), done);
    SKV_TRY_GOTO(read_text(&r, f), done);
    SKV_TRY_GOTO(read_policy(&r, f, path), done);
    for (int si = 0; si < r.schedule.n_scales; si++)
        SKV_TRY_GOTO(read_scale(&r, f, si, path), done);
    SKV_TRY_GOTO(read_picture(&r, f), done);
    SKV_TRY_GOTO(check_picture(&r, path), done);
    *out = r;
    r = (skv_recording){0};
done:
    free(model);
    skv_recording_clear(&r);
    skv_h5_close(f);
    return st;
}

void skv_recording_clear(skv_recording *r)
{
    for (int si = 0; si < SKV_MAX_SCALES; si++) {
        skv_recorded_scale *s = &r->scale[si];

        free(s->bit);
        free(s->token);
        free(s->logits);
        free(s->logits_scalekv);
        free(s->block0);
        for (int l = 0; l < SKV_MAX_DEPTH; l++)
            free(s->kept[l]);
    }
    free(r->text);
    free(r->negative);
    free(r->z);
    free(r->decoded);
    free(r->rgb);
    *r = (skv_recording){0};
}
