#include "eval/metrics/pairs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "eval/metrics/picture_folder.h"

struct skv_pairs_owned {
    bool is_run;
    skv_run_file run;
    int *path; /* (n_sides) of the run */
    char *folder[2];
    skv_picture_folder list[2];
    const char **id;               /* (n) of folders */
    const skv_folder_picture **at; /* (n, 2) of folders */
    const char **side;             /* (n_sides) */
    uint8_t *usable;
};

static skv_status own(skv_pairs *out)
{
    *out = (skv_pairs){0};
    return skv_alloc(&out->owned, 1, sizeof *out->owned, "pairs");
}

void skv_pairs_close(skv_pairs *p)
{
    struct skv_pairs_owned *o = p->owned;

    if (o) {
        skv_run_file_close(&o->run);
        free(o->path);
        for (int i = 0; i < 2; i++) {
            free(o->folder[i]);
            skv_picture_folder_clear(&o->list[i]);
        }
        free((void *)o->id);
        free((void *)o->at);
        free((void *)o->side);
        free(o->usable);
        free(o);
    }
    *p = (skv_pairs){0};
}

const skv_run_file *skv_pairs_run(const skv_pairs *p)
{
    return p->owned && p->owned->is_run ? &p->owned->run : NULL;
}

const char *skv_pairs_reference(const skv_pairs *p)
{
    return p->no_reference ? "" : p->side[0];
}

const skv_run_path *skv_pairs_path(const skv_pairs *p, int side)
{
    return &p->owned->run.path[p->owned->path[side]];
}

/* --------------------------------------------------------------------- a run */

/* Whether `name` is a word of the comma-separated list. */
static bool listed(const char *list, const char *name)
{
    const size_t n = strlen(name);

    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == n && strncmp(p, name, n) == 0)
            return true;
    return false;
}

/* Every word of the list must be a path. */
static skv_status check_list(const skv_run_file *run, const char *list)
{
    char name[256];
    int path;

    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',') {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(p, ","), p);
        SKV_TRY(skv_run_file_find(&path, run, name));
    }
    return SKV_OK;
}

static skv_status choose_reference(skv_pairs *p, int *first, const skv_pairs_wish *wish)
{
    const skv_run_file *run = &p->owned->run;

    *first = run->reference;
    if (wish->reference)
        return skv_run_file_find(first, run, wish->reference);
    p->no_reference = *first < 0;
    if (*first < 0 && !wish->alone)
        return skv_fail(SKV_E_ARG,
                        "%s has no reference path to compare with: skv sample with the path full "
                        "adds one, or --reference NAME takes another",
                        run->folder);
    return SKV_OK;
}

static skv_status choose_sides(skv_pairs *p, const skv_pairs_wish *wish)
{
    struct skv_pairs_owned *o = p->owned;
    const skv_run_file *run = &o->run;
    const char *paths = wish->paths;
    int first;

    SKV_TRY(choose_reference(p, &first, wish));
    if (paths)
        SKV_TRY(check_list(run, paths));
    SKV_TRY(skv_alloc(&o->path, (size_t)run->n_paths, sizeof *o->path, "paths"));
    SKV_TRY(skv_alloc(&o->side, (size_t)run->n_paths, sizeof *o->side, "paths"));
    if (first >= 0)
        o->path[p->n_sides++] = first;
    for (int i = 0; i < run->n_paths; i++)
        if (i != first && (!paths || listed(paths, run->path[i].name)))
            o->path[p->n_sides++] = i;
    if (p->n_sides < (wish->alone ? 1 : 2))
        return skv_fail(SKV_E_ARG, "%s has nothing to compare with path %s", run->folder,
                        first < 0 ? "(none)" : run->path[first].name);
    for (int i = 0; i < p->n_sides; i++)
        o->side[i] = run->path[o->path[i]].name;
    p->side = o->side;
    return SKV_OK;
}

/* Bits can be compared when there are two sides at least, all of the same scales. */
static void find_bits(skv_pairs *p)
{
    const skv_run_path *a = skv_pairs_path(p, 0);
    const size_t bytes = (size_t)(a->n_scales + 1) * sizeof *a->scale_offset;

    p->n_scales = a->bits_bytes > 0 && p->n_sides > 1 && !p->no_reference ? a->n_scales : 0;
    for (int i = 1; i < p->n_sides && p->n_scales > 0; i++) {
        const skv_run_path *b = skv_pairs_path(p, i);

        if (b->bits_bytes != a->bits_bytes || b->n_scales != a->n_scales ||
            memcmp(a->scale_offset, b->scale_offset, bytes) != 0)
            p->n_scales = 0;
    }
}

/* Whether there are pictures of this path: in run.h5, or as PNGs, by the first usable row. */
static bool has_pictures(const skv_pairs *p, int side)
{
    const skv_run_path *path = skv_pairs_path(p, side);
    skv_run_name file;
    int64_t row = 0;

    while (row < p->n - 1 && !p->usable[row])
        row++;
    return path->in_h5 || (skv_run_name_image(&file, &p->owned->run.place, path->name, row,
                                              p->id[row]) == SKV_OK &&
                           access(file.path, F_OK) == 0);
}

/* Passes st on; the message of what a partial run.h5 has not says that it is partial. */
static skv_status of_part(skv_status st, const skv_run_file *run)
{
    if (st != SKV_OK && run->partial)
        skv_context("%s/run.h5 is partial (%s)", run->folder, run->partial);
    return st;
}

skv_status skv_pairs_open_run(skv_pairs *out, const char *folder, const skv_pairs_wish *wish)
{
    struct skv_pairs_owned *o;

    SKV_TRY(own(out));
    o = out->owned;
    o->is_run = true;
    SKV_TRY(wish->partial ? skv_run_file_open_partial(&o->run, folder)
                          : skv_run_file_open(&o->run, folder));
    SKV_TRY(of_part(choose_sides(out, wish), &o->run));
    out->n = o->run.n;
    out->id = (const char *const *)o->run.id;
    SKV_TRY(skv_alloc(&o->usable, (size_t)out->n, 1, "rows"));
    for (int64_t i = 0; i < out->n; i++) {
        o->usable[i] = o->run.status[i] == 0;
        out->n_usable += o->usable[i];
    }
    out->usable = o->usable;
    out->concurrent = true;
    for (int i = 0; i < out->n_sides; i++) {
        if (skv_pairs_path(out, i)->in_h5)
            out->concurrent = false; /* HDF5 is for one thread */
        if (!has_pictures(out, i))
            out->no_pictures = out->side[i];
    }
    find_bits(out);
    if (out->n_usable == 0)
        return of_part(skv_fail(SKV_E_FORMAT, "%s: no row of this run was sampled", folder),
                       &o->run);
    if (out->no_pictures && out->n_scales == 0)
        return skv_fail(SKV_E_NOTFOUND, "%s: path %s has neither pictures nor bits to compare",
                        folder, out->no_pictures);
    return SKV_OK;
}

static bool same_sides(const skv_pairs *p, const skv_run_file *now)
{
    const skv_run_file *then = &p->owned->run;

    if (now->n != then->n || now->n_missing != then->n_missing ||
        strcmp(now->config_digest, then->config_digest) != 0)
        return false;
    for (int i = 0; i < p->n_sides; i++) {
        int at = 0;

        if (skv_run_file_find(&at, now, p->side[i]) != SKV_OK ||
            strcmp(now->path[at].digest, skv_pairs_path(p, i)->digest) != 0)
            return false;
    }
    return true;
}

skv_status skv_pairs_check_run(const skv_pairs *p)
{
    skv_run_file now = {0};
    skv_status st;

    if (!p->owned->is_run)
        return SKV_OK;
    st = skv_run_file_open_partial(&now, p->owned->run.folder);
    if (st == SKV_OK && !same_sides(p, &now))
        st = skv_fail(SKV_E_STOPPED,
                      "%s/run.h5 has been replaced while its pictures were compared: run the same "
                      "command again for the new ones",
                      p->owned->run.folder);
    skv_run_file_close(&now);
    return st;
}

/* --------------------------------------------------------------- two folders */

static skv_status pair_names(skv_pairs *p)
{
    struct skv_pairs_owned *o = p->owned;
    const skv_picture_folder *a = &o->list[0], *b = &o->list[1];
    int64_t i = 0, j = 0;

    SKV_TRY(skv_alloc(&o->id, (size_t)a->n, sizeof *o->id, "pairs"));
    SKV_TRY(skv_alloc(&o->at, (size_t)a->n, 2 * sizeof *o->at, "pairs"));
    while (i < a->n || j < b->n) {
        const int order = i == a->n   ? 1
                          : j == b->n ? -1
                                      : strcmp(a->picture[i].id, b->picture[j].id);
        const int only = order < 0 ? 0 : 1;

        if (order == 0) {
            o->at[2 * p->n] = &a->picture[i];
            o->at[2 * p->n + 1] = &b->picture[j];
            o->id[p->n++] = a->picture[i].id;
        } else {
            if (!p->unpaired[only])
                p->unpaired[only] = order < 0 ? a->picture[i].file : b->picture[j].file;
            p->n_unpaired[only]++;
        }
        i += order <= 0;
        j += order >= 0;
    }
    p->id = o->id;
    p->n_usable = p->n;
    if (p->n == 0)
        return skv_fail(SKV_E_NOTFOUND, "%s and %s have no file name in common", o->folder[0],
                        o->folder[1]);
    SKV_TRY(skv_alloc(&o->usable, (size_t)p->n, 1, "pairs"));
    memset(o->usable, 1, (size_t)p->n);
    p->usable = o->usable;
    return SKV_OK;
}

skv_status skv_pairs_open_folders(skv_pairs *out, const char *a, const char *b)
{
    struct skv_pairs_owned *o;

    SKV_TRY(own(out));
    o = out->owned;
    SKV_TRY(skv_text_copy(&o->folder[0], a));
    SKV_TRY(skv_text_copy(&o->folder[1], b));
    for (int i = 0; i < 2; i++) {
        SKV_TRY(skv_picture_folder_list(&o->list[i], o->folder[i]));
        SKV_TRY(skv_picture_folder_unique(&o->list[i]));
        out->n_left_out[i] = o->list[i].n_left_out;
        out->left_out[i] = o->list[i].left_out;
        out->n_lossy[i] = o->list[i].n_lossy;
    }
    SKV_TRY(pair_names(out));
    SKV_TRY(skv_alloc(&o->side, 2, sizeof *o->side, "pairs"));
    o->side[0] = o->folder[0];
    o->side[1] = o->folder[1];
    out->side = o->side;
    out->n_sides = 2;
    out->concurrent = true;
    return SKV_OK;
}

/* ------------------------------------------------------------ pictures, bits */

skv_status skv_pairs_picture(skv_picture *out, const skv_pairs *p, int side, int64_t row)
{
    const struct skv_pairs_owned *o = p->owned;

    if (o->is_run)
        return skv_run_file_picture(out, &o->run, o->path[side], row);
    return skv_picture_read(out, o->at[2 * row + side]->file);
}

skv_status skv_pairs_bits(uint8_t *bits, const skv_pairs *p, int side, int64_t row)
{
    return skv_run_file_bits(bits, &p->owned->run, p->owned->path[side], row);
}
