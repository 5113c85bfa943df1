#include "calibrate/calibration_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "io/h5.h"

/* A file being written; `room` holds what a dataset is made of. */
typedef struct {
    const skv_calibration_file *file;
    const skv_calibration *c;
    const skv_measures *m;
    skv_h5 *f;
    double *room;
} writing;

#define N_DIMS(...) (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define WRITE(w, name, kind, data, text, unit, ...)                                                \
    skv_h5_write((w)->f, (name),                                                                   \
                 &(skv_h5_layout){.type = (kind),                                                  \
                                  .n_dims = N_DIMS(__VA_ARGS__),                                   \
                                  .shape = {__VA_ARGS__},                                          \
                                  .long_name = (text),                                             \
                                  .units = (unit)},                                                \
                 (data))

static skv_status write_head(writing *w)
{
    const skv_budgets_setup *s = w->file->setup;
    const skv_schedule *sch = &w->m->schedule;
    int32_t sides[2 * SKV_MAX_SCALES], tops[SKV_MAX_SCALES * SKV_STATS_TOPS];
    const char *names[SKV_STATS_TOPS];

    for (int si = 0; si < sch->n_scales; si++) {
        sides[2 * si] = sch->h[si];
        sides[2 * si + 1] = sch->w[si];
        for (int t = 0; t < w->m->n_tops; t++)
            tops[si * w->m->n_tops + t] = skv_measures_top(w->m, t, si);
    }
    for (int t = 0; t < w->m->n_tops; t++)
        names[t] = w->m->top[t].name;
    SKV_TRY(skv_h5_set_text(w->f, "/", "format", "skv calibration 1"));
    SKV_TRY(skv_h5_set_text(w->f, "/", "model", s->dims->name));
    SKV_TRY(skv_h5_set_real(w->f, "/", "ratio", sch->ratio));
    SKV_TRY(skv_h5_set_text(w->f, "/", "resolution", sch->resolution));
    SKV_TRY(skv_h5_set_text(w->f, "/", "identity", s->identity));
    SKV_TRY(skv_h5_set_int(w->f, "/", "pictures", w->c->n));
    SKV_TRY(skv_h5_set_int(w->f, "/", "samples", s->samples));
    SKV_TRY(skv_h5_set_int(w->f, "/", "queries", w->file->n_queries));
    SKV_TRY(skv_h5_set_text(w->f, "/", "index", skv_index_names[s->asi.index]));
    SKV_TRY(skv_h5_set_text(w->f, "/", "top", w->m->top[s->asi.top].name));
    SKV_TRY(WRITE(w, "/schedule", SKV_H5_I32, sides, "rows and columns of each scale's map",
                  "tokens", sch->n_scales, 2));
    SKV_TRY(WRITE(w, "/top", SKV_H5_TEXT, names, "numbers K' of positions, or their share", "1",
                  w->m->n_tops));
    SKV_TRY(WRITE(w, "/top_positions", SKV_H5_I32, tops, "K' at each scale", "positions",
                  sch->n_scales, w->m->n_tops));
    return WRITE(w, "/row", SKV_H5_I64, w->c->row, "row of each picture in the list of prompts",
                 "1", w->c->n);
}

/* One column of all heads, mean over pictures, to out (kinds, scales, layers, heads); column -1:
 * the mass on the current map. */
static void take_column(double *out, const writing *w, int column)
{
    const skv_measures *m = w->m;

    for (int kind = 0; kind < m->kinds; kind++)
        for (int si = 0; si < m->schedule.n_scales; si++)
            for (int l = 0; l < m->layers; l++)
                for (int h = 0; h < m->heads; h++)
                    *out++ = w->c->sum[skv_figures_at(m, kind, si, l, h) +
                                       (size_t)(column < 0 ? si : column)] /
                             (double)w->c->n;
}

/* n_tops columns from `first` on. */
static skv_status write_tops(writing *w, const char *name, int first, const char *text)
{
    const skv_measures *m = w->m;
    const size_t one = skv_figures(m) / (size_t)skv_columns(m);

    for (int t = 0; t < m->n_tops; t++)
        take_column(w->room + (size_t)t * one, w, first + t);
    return WRITE(w, name, SKV_H5_F64, w->room, text, "1", m->n_tops, m->kinds, m->schedule.n_scales,
                 m->layers, m->heads);
}

static skv_status write_column(writing *w, const char *name, int column, const char *text,
                               const char *units)
{
    const skv_measures *m = w->m;

    take_column(w->room, w, column);
    return WRITE(w, name, SKV_H5_F64, w->room, text, units, m->kinds, m->schedule.n_scales,
                 m->layers, m->heads);
}

static skv_status write_heads(writing *w)
{
    const skv_measures *m = w->m;
    const int scales = m->schedule.n_scales;
    double *out = w->room;

    for (size_t at = 0; at < skv_figures(m); at += (size_t)skv_columns(m))
        for (int s = 0; s < scales; s++)
            *out++ = w->c->sum[at + (size_t)s] / (double)w->c->n;
    SKV_TRY(WRITE(w, "/mass", SKV_H5_F64, w->room, "attention by source scale", "1", m->kinds,
                  scales, m->layers, m->heads, scales));
    SKV_TRY(write_column(w, "/current_ratio", -1, "CAR: attention on the current map", "1"));
    SKV_TRY(write_tops(w, "/history_topk", skv_column_top(m),
                       "HTK: attention on the K' best positions of earlier scales"));
    SKV_TRY(write_tops(w, "/history_share", skv_column_share(m),
                       "HTK over the attention on all earlier scales"));
    SKV_TRY(write_column(w, "/entropy", skv_column_entropy(m), "entropy of attention", "nat"));
    SKV_TRY(write_column(w, "/column_variance", skv_column_entropy(m) + 1,
                         "variance over queries of a key's attention, summed over keys", "1"));
    skv_calibration_heat(w->c, w->room);
    return WRITE(w, "/heatkv_score", SKV_H5_F64, w->room,
                 "attention on a source scale, mean over later scales, conditional rows", "1",
                 scales, m->layers, m->heads);
}

/* Index and Z-scores of all K' and kinds of rows. */
static skv_status write_index(writing *w, skv_index index, const char *name, const char *z_name)
{
    const skv_measures *m = w->m;
    const int scales = m->schedule.n_scales;
    const size_t one = (size_t)scales * (size_t)m->layers;
    const size_t all = one * (size_t)m->kinds * (size_t)m->n_tops;
    double *mean = w->room + 2 * all, *value = w->room, *z = w->room + all;
    skv_asi asi;

    skv_brief_mean(mean, w->c, NULL, w->c->n);
    for (int t = 0; t < m->n_tops; t++)
        for (int kind = 0; kind < m->kinds; kind++) {
            skv_asi_make(&asi, m, mean, &(skv_asi_choice){(skv_which_rows)kind, index, t});
            for (int si = 0; si < scales; si++, value += m->layers, z += m->layers) {
                memcpy(value, asi.value[si], (size_t)m->layers * sizeof *value);
                memcpy(z, asi.z[si], (size_t)m->layers * sizeof *z);
            }
        }
    SKV_TRY(WRITE(w, name, SKV_H5_F64, w->room, "attention selectivity index", "1", m->n_tops,
                  m->kinds, scales, m->layers));
    return WRITE(w, z_name, SKV_H5_F64, w->room + all, "Z-score of the index over layers", "1",
                 m->n_tops, m->kinds, scales, m->layers);
}

/* The calibrations that have a budget of this percent, too. */
static skv_status write_compared(writing *w, const skv_calibrated *b, const char *group)
{
    const skv_budgets_setup *s = w->file->setup;
    const char *names[SKV_MAX_COMPARED];
    double overlap[SKV_MAX_COMPARED];
    char name[64];
    int n = 0;

    for (int k = 0; k < s->n_compared; k++)
        if (b->with_compared[k] >= 0) {
            names[n] = s->compared[k].name;
            overlap[n++] = b->with_compared[k];
        }
    if (n == 0)
        return SKV_OK;
    snprintf(name, sizeof name, "%s/others", group);
    SKV_TRY(WRITE(w, name, SKV_H5_TEXT, names, "calibrations compared with", "1", n));
    snprintf(name, sizeof name, "%s/overlap_with_others", group);
    return WRITE(w, name, SKV_H5_F64, overlap, "overlap of their sets with this one", "1", n);
}

static skv_status write_budget(writing *w, const skv_calibrated *b)
{
    const int scales = w->m->schedule.n_scales, layers = w->m->layers;
    const skv_stability *s = &b->stability;
    uint8_t drafter[SKV_MAX_SCALES * SKV_MAX_DEPTH] = {0};
    char group[32], name[64];

    snprintf(group, sizeof group, "/budget-%g", b->percent);
    for (int si = 1; si < scales; si++)
        for (int l = 0; l < layers; l++) {
            drafter[si * layers + l] = s->set.layers[si - 1] >> l & 1;
            w->room[si * layers + l] = s->chosen[si][l];
        }
    for (int l = 0; l < layers; l++)
        w->room[l] = 0;
    snprintf(name, sizeof name, "%s/drafter", group);
    SKV_TRY(WRITE(w, name, SKV_H5_U8, drafter, "drafters of the scales on a cut cache", "1", scales,
                  layers));
    snprintf(name, sizeof name, "%s/chosen", group);
    SKV_TRY(WRITE(w, name, SKV_H5_F64, w->room, "share of resamples with this drafter", "1", scales,
                  layers));
    snprintf(name, sizeof name, "%s/prompts", group);
    SKV_TRY(WRITE(w, name, SKV_H5_I32, s->size, "prompts of a resample", "1", s->n_sizes));
    snprintf(name, sizeof name, "%s/overlap_by_prompts", group);
    SKV_TRY(WRITE(w, name, SKV_H5_F64, s->by_size, "mean overlap with the set", "1", s->n_sizes));
    snprintf(name, sizeof name, "%s/overlap_by_top", group);
    SKV_TRY(
        WRITE(w, name, SKV_H5_F64, s->by_top, "overlap of the sets by each K'", "1", w->m->n_tops));
    SKV_TRY(write_compared(w, b, group));
    SKV_TRY(skv_h5_set_int(w->f, group, "tokens", b->base));
    SKV_TRY(skv_h5_set_int(w->f, group, "floor", b->floor));
    SKV_TRY(skv_h5_set_int(w->f, group, "first_scale", b->first));
    SKV_TRY(skv_h5_set_real(w->f, group, "same_set", s->same));
    SKV_TRY(skv_h5_set_real(w->f, group, "overlap_unconditional", s->uncond));
    SKV_TRY(skv_h5_set_real(w->f, group, "overlap_both", s->both));
    return skv_h5_set_real(w->f, group, "overlap_one_seed", s->seeds);
}

/* Percents that have a budget. */
static skv_status write_percents(writing *w)
{
    double percent[SKV_MAX_PERCENTS];
    int n = 0;

    for (int i = 0; i < w->file->n_budgets; i++)
        if (w->file->budget[i].budget)
            percent[n++] = w->file->budget[i].percent;
    if (n == 0)
        return SKV_OK;
    SKV_TRY(WRITE(w, "/percent", SKV_H5_F64, percent, "budgets", "percent of the full cache", n));
    for (int i = 0; i < w->file->n_budgets; i++)
        if (w->file->budget[i].budget)
            SKV_TRY(write_budget(w, &w->file->budget[i]));
    return SKV_OK;
}

static skv_status write_all(writing *w)
{
    const skv_measures *m = w->m;

    SKV_TRY(write_head(w));
    SKV_TRY(write_heads(w));
    SKV_TRY(write_index(w, SKV_INDEX_ASI, "/asi", "/z"));
    SKV_TRY(write_index(w, SKV_INDEX_RENORMALISED, "/asi_renormalised", "/z_renormalised"));
    SKV_TRY(WRITE(w, "/picture", SKV_H5_F64, w->c->brief,
                  "means over heads by picture: CAR, HTK by K', their shares", "1", w->c->n,
                  m->kinds, m->schedule.n_scales, m->layers, skv_brief_columns(m)));
    return write_percents(w);
}

skv_status skv_calibration_write(const skv_calibration_file *f, const char *folder)
{
    writing w = {.file = f, .c = f->setup->calibration, .m = &f->setup->calibration->what};
    char path[4096];
    skv_status st;

    if (snprintf(path, sizeof path, "%s/calibration.h5", folder) >= (int)sizeof path)
        return skv_fail(SKV_E_ARG, "%s/calibration.h5: the name is too long", folder);
    SKV_TRY_GOTO(skv_alloc(&w.room, skv_figures(w.m) + 4 * skv_briefs(w.m), sizeof *w.room,
                           "a calibration's file"),
                 done);
    SKV_TRY_GOTO(skv_h5_create(&w.f, path), done);
    SKV_TRY_GOTO(write_all(&w), done);
    st = skv_h5_commit(&w.f);
done:
    skv_h5_close(w.f);
    free(w.room);
    return st;
}
