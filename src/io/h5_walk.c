/* What our readers refuse anyway (other types, links, filters) is passed over. */
#include "io/h5_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "io/h5_attr.h"
#include "io/h5_group.h"
#include "io/h5_handle.h"
#include "io/h5_open.h"
#include "io/h5_read.h"
#include "io/h5_set.h"
#include "io/h5_virtual.h"

#define MAX_DEPTH   8
#define MAX_OBJECTS 1000000
#define MAX_TEXT    ((size_t)64 << 30) /* as readers do; a file cannot ask for more than it holds */
#define MAX_READ                                                                                   \
    ((size_t)16 << 20) /* of numbers: the rest is the library's filters on chunks                  \
                        * whose places and sizes were walked through */

typedef struct {
    skv_h5 *f;
    bool sealed; /* made by this program, or meant to be taken for it */
    const char *but;
    int n_objects;
} walk;

/* What our readers refuse is not damage, except in a sealed file: all of that must be as we write
 * it. */
static skv_status only_damage(const walk *w, skv_status st)
{
    return w->sealed || st == SKV_E_H5 || skv_may_pass(st) ? st : SKV_OK;
}

/* ---------------------------------------------------------------- attributes */

typedef struct {
    const walk *w;
    const char *object;
    skv_status st;
} visit;

static herr_t visit_attribute(hid_t object, const char *key, const H5A_info_t *info, void *ctx)
{
    visit *v = ctx;

    (void)info;
    v->st = only_damage(v->w, skv_h5__try_attribute(v->w->f, object, v->object, key));
    return v->st == SKV_OK ? 0 : -1;
}

static skv_status walk_attributes(const walk *w, const char *object, hid_t id)
{
    visit v = {.w = w, .object = object, .st = SKV_OK};

    if (H5Aiterate2(id, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_attribute, &v) >= 0)
        return SKV_OK;
    H5Eclear2(H5E_DEFAULT);
    return v.st != SKV_OK ? v.st
                          : skv_h5__fail(w->f, "%s: its attributes cannot be listed", object);
}

/* ------------------------------------------------------------------ datasets */

static skv_status walk_rows(skv_h5 *f, const char *name, skv_h5_layout *l, int64_t first, int64_t n)
{
    size_t bytes = 0;
    void *data = NULL;
    skv_status st;

    SKV_TRY(skv_h5__row_bytes(&bytes, l, n));
    if (bytes == 0)
        return SKV_OK;
    SKV_TRY(skv_alloc(&data, bytes, 1, name));
    st = skv_h5_read_rows(f, name, l, first, n, data);
    free(data);
    return st;
}

/* Of a long dataset of numbers both ends are read. */
static skv_status walk_numbers(skv_h5 *f, const char *name, skv_h5_layout *l)
{
    size_t row = 0;
    int64_t n = l->shape[0];

    SKV_TRY(skv_h5__row_bytes(&row, l, 1));
    if (row == 0 || n == 0 || row > MAX_READ)
        return SKV_OK;
    if ((uint64_t)n <= MAX_READ / row)
        return walk_rows(f, name, l, 0, n);
    n = (int64_t)(MAX_READ / row / 2);
    n = n < 1 ? 1 : n;
    SKV_TRY(walk_rows(f, name, l, 0, n));
    return walk_rows(f, name, l, l->shape[0] - n, n);
}

static skv_status walk_dataset(const walk *w, const char *name)
{
    skv_h5 *f = w->f;
    skv_h5__set s;
    skv_h5_layout l;
    uint32_t crc = 0;
    int64_t rows = 0;
    void *data = NULL;
    skv_status st = SKV_OK;
    bool whole;

    SKV_TRY(skv_h5__open_set(&s, f, name));
    l = s.layout;
    whole = !s.is_virtual && (l.type == SKV_H5_TEXT || w->sealed);
    if (whole)
        st = skv_h5__read_set(&data, f, name, &s, &l, MAX_TEXT, false);
    free(data);
    st = skv_h5__close_set(f, &s, st);
    if (st != SKV_OK || whole)
        return st;
    if (l.rows_per_chunk < 0) /* virtual: its sources are looked at when they are opened */
        return skv_h5__sources_crc(&crc, &rows, f, name);
    return walk_numbers(f, name, &l);
}

/* -------------------------------------------------------------------- objects */

static skv_status walk_group(walk *w, const char *group, int depth);

static skv_status walk_object(walk *w, const char *name, int depth)
{
    const skv_status links = skv_h5__check_links(w->f, name);
    H5I_type_t kind;
    skv_status st;
    hid_t id;

    if (links != SKV_OK)
        return only_damage(w, links);
    if (w->n_objects++ >= MAX_OBJECTS)
        return skv_fail(SKV_E_FORMAT, "%s: more than %d objects", w->f->path, MAX_OBJECTS);
    id = H5Oopen(w->f->file, name, H5P_DEFAULT);
    if (id < 0)
        return skv_h5__fail(w->f, "%s: cannot be opened", name);
    kind = H5Iget_type(id);
    st = walk_attributes(w, name, id);
    st = skv_h5__close(w->f, id, st);
    if (st == SKV_OK && kind == H5I_DATASET && strcmp(name, w->but) != 0)
        st = only_damage(w, walk_dataset(w, name));
    if (st == SKV_OK && kind == H5I_GROUP && depth < MAX_DEPTH)
        st = walk_group(w, name, depth + 1);
    return st;
}

static skv_status walk_group(walk *w, const char *group, int depth)
{
    char **names = NULL, name[1024];
    skv_status st = SKV_OK;
    int n = 0;

    SKV_TRY(skv_h5_list(&names, &n, w->f, group));
    for (int i = 0; i < n && st == SKV_OK; i++)
        if (snprintf(name, sizeof name, "%s/%s", strcmp(group, "/") == 0 ? "" : group, names[i]) <
            (int)sizeof name)
            st = walk_object(w, name, depth);
    free(names);
    return st;
}

skv_status skv_h5__walk(int fd, const char *path, bool sealed, const char *but)
{
    walk w = {.sealed = sealed, .but = but};
    skv_status st;

    SKV_TRY(skv_h5__enter(&w.f, path, &(skv_h5__entry){.fd = fd, .ours = true}));
    st = walk_object(&w, "/", 0);
    skv_h5_close(w.f);
    return st;
}
