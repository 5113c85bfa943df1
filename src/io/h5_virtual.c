/* Virtual datasets: rows that stay in other files. The library reads a missing source as zeros and
 * takes any file name, so we resolve the sources ourselves, one file at a time. */
#include "io/h5_virtual.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "io/h5_handle.h"
#include "io/h5_make.h"
#include "io/h5_open.h"
#include "io/h5_read.h"
#include "io/h5_set.h"

/* In the file's own folder or below. */
static bool stays_below(const char *file)
{
    if (!file[0] || file[0] == '/' || strchr(file, '%')) /* the library expands %b */
        return false;
    for (const char *p = file; p; p = strchr(p, '/')) {
        p += *p == '/';
        if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || !p[2]))
            return false;
    }
    return true;
}

static skv_status add_source(hid_t create, const skv_h5 *f, const char *name,
                             const skv_h5_layout *layout, const skv_h5_source *s)
{
    skv_status st = SKV_OK;
    skv_h5_layout part = *layout;
    hsize_t start[SKV_H5_MAX_DIMS] = {0}, count[SKV_H5_MAX_DIMS];
    hid_t whole = -1, source = -1;

    if (!stays_below(s->file) || s->first < 0 || s->n < 1 || s->n > layout->shape[0] - s->first)
        return skv_fail(SKV_E_ARG, "%s: %s: source %s has no place in it", f->path, name, s->file);
    part.shape[0] = s->n;
    for (int i = 0; i < layout->n_dims; i++)
        count[i] = (hsize_t)part.shape[i];
    start[0] = (hsize_t)s->first;
    whole = skv_h5__space(layout);
    source = skv_h5__space(&part);
    if (whole < 0 || source < 0 ||
        H5Sselect_hyperslab(whole, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        H5Pset_virtual(create, whole, s->file, s->dataset, source) < 0)
        st = skv_h5__fail(f, "%s: cannot add source %s", name, s->file);
    st = skv_h5__close(f, whole, st);
    return skv_h5__close(f, source, st);
}

static uint32_t source_crc(uint32_t crc, const skv_h5_source *source)
{
    crc = skv_h5__crc(crc, source->file, strlen(source->file) + 1);
    crc = skv_h5__crc(crc, source->dataset, strlen(source->dataset) + 1);
    crc = skv_h5__crc(crc, &source->first, sizeof source->first);
    return skv_h5__crc(crc, &source->n, sizeof source->n);
}

skv_status skv_h5_make_virtual(skv_h5 *f, const char *name, const skv_h5_layout *layout,
                               const skv_h5_source *sources, int n_sources)
{
    skv_status st = SKV_OK;
    skv_h5__given given = {.type = layout->type, .is_virtual = true};
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);

    if (create < 0)
        return skv_h5__fail(f, "%s: cannot prepare", name);
    for (int i = 0; i < n_sources; i++) {
        SKV_TRY_GOTO(add_source(create, f, name, layout, &sources[i]), done);
        given.crc = source_crc(given.crc, &sources[i]);
        given.rows += sources[i].n;
    }
    SKV_TRY_GOTO(skv_h5__make(f, name, layout, create), done);
    SKV_TRY_GOTO(skv_h5__remember(f, name, &given), done);
done:
    st = skv_h5__close(f, create, st);
    f->failed = f->failed || st != SKV_OK;
    return st;
}

skv_status skv_h5_link(skv_h5 *f, const char *name, const char *file, const char *object)
{
    if (!stays_below(file))
        return skv_fail(SKV_E_ARG, "%s: link to %s, outside the folder", f->path, file);
    if (H5Lcreate_external(file, object, f->file, name, H5P_DEFAULT, H5P_DEFAULT) < 0) {
        f->failed = true;
        return skv_h5__fail(f, "%s: cannot link to %s", name, file);
    }
    return SKV_OK;
}

typedef struct {
    char file[512], dataset[512];
    int64_t first, n; /* rows of the virtual dataset */
} mapping;

static skv_status get_mapping(mapping *m, const skv_h5 *f, const char *name, const skv_h5__set *s,
                              size_t i)
{
    skv_status st = SKV_OK;
    hsize_t start[H5S_MAX_RANK], end[H5S_MAX_RANK];
    const hid_t space = H5Pget_virtual_vspace(s->create, i);
    ssize_t a = H5Pget_virtual_filename(s->create, i, m->file, sizeof m->file);
    ssize_t b = H5Pget_virtual_dsetname(s->create, i, m->dataset, sizeof m->dataset);
    bool ok;

    ok = space >= 0 && a > 0 && b > 0 && a < (ssize_t)sizeof m->file &&
         b < (ssize_t)sizeof m->dataset && stays_below(m->file) &&
         H5Sget_simple_extent_ndims(space) == s->layout.n_dims &&
         H5Sget_select_bounds(space, start, end) >= 0;
    for (int k = 1; ok && k < s->layout.n_dims; k++)
        ok = start[k] == 0 && end[k] + 1 == (hsize_t)s->layout.shape[k];
    if (!ok || end[0] >= (hsize_t)s->layout.shape[0])
        st = skv_h5__fail(f, "%s: virtual source %zu is none of ours", name, i);
    else
        m->first = (int64_t)start[0], m->n = (int64_t)(end[0] - start[0]) + 1;
    return skv_h5__close(f, space, st);
}

static int count_parts(const char *file)
{
    int n = 1;

    for (; *file; file++)
        n += *file == '/';
    return n;
}

/* Rows [first, first+n) of the virtual dataset, all of them within m, from its file. */
static skv_status read_part(const skv_h5 *f, const mapping *m, const skv_h5_layout *layout,
                            int64_t first, int64_t n, void *data)
{
    skv_status st = SKV_OK;
    skv_h5_layout part = *layout, has;
    skv_h5 *source = NULL;
    char *path = NULL, *folder = NULL;
    char *slash;

    SKV_TRY_GOTO(skv_text_copy(&folder, f->path), done);
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    SKV_TRY_GOTO(skv_path_join(&path, slash ? folder : NULL, m->file), done);
    SKV_TRY_GOTO(skv_h5_open_below(&source, path, count_parts(m->file)), done);
    part.shape[0] = m->n;
    SKV_TRY_GOTO(skv_h5_describe(&has, source, m->dataset), done);
    if (has.rows_per_chunk < 0) { /* a virtual source could lead back to us */
        st =
            skv_fail(SKV_E_UNSUPPORTED, "%s: %s: virtual datasets of virtual ones are not accepted",
                     path, m->dataset);
        goto done;
    }
    SKV_TRY_GOTO(skv_h5_read_rows(source, m->dataset, &part, first - m->first, n, data), done);
done:
    skv_h5_close(source);
    free(path);
    free(folder);
    return st;
}

static skv_status sum_sources(uint32_t *crc, int64_t *rows, const skv_h5 *f, const char *name,
                              const skv_h5__set *s)
{
    size_t n_mappings = 0;

    *crc = 0;
    *rows = 0;
    if (!s->is_virtual || H5Pget_virtual_count(s->create, &n_mappings) < 0)
        return skv_h5__fail(f, "%s: no list of sources", name);
    for (size_t i = 0; i < n_mappings; i++) {
        mapping m;

        SKV_TRY(get_mapping(&m, f, name, s, i));
        *crc = source_crc(*crc, &(skv_h5_source){m.file, m.dataset, m.first, m.n});
        *rows += m.n;
    }
    return SKV_OK;
}

skv_status skv_h5__sources_crc(uint32_t *crc, int64_t *rows, skv_h5 *f, const char *name)
{
    skv_h5__set s;

    SKV_TRY(skv_h5__open_set(&s, f, name));
    return skv_h5__close_set(f, &s, sum_sources(crc, rows, f, name, &s));
}

static skv_status read_virtual(skv_h5 *f, const char *name, const skv_h5__set *s, int64_t first,
                               int64_t n, void *data)
{
    size_t n_mappings = 0, row_bytes = 0;
    int64_t at = first;
    mapping m;

    if (H5Pget_virtual_count(s->create, &n_mappings) < 0)
        return skv_h5__fail(f, "%s: no list of sources", name);
    SKV_TRY(skv_h5__row_bytes(&row_bytes, &s->layout, 1));
    while (at < first + n) {
        const int64_t before = at;

        for (size_t i = 0; i < n_mappings && at < first + n; i++) {
            int64_t count;

            SKV_TRY(get_mapping(&m, f, name, s, i));
            if (at < m.first || at >= m.first + m.n)
                continue;
            count = m.first + m.n < first + n ? m.first + m.n - at : first + n - at;
            SKV_TRY(read_part(f, &m, &s->layout, at, count,
                              (char *)data + (size_t)(at - first) * row_bytes));
            at += count;
        }
        if (at == before)
            return skv_fail(SKV_E_FORMAT, "%s: %s: row %lld has no source", f->path, name,
                            (long long)at);
    }
    return SKV_OK;
}

skv_status skv_h5_read_rows(skv_h5 *f, const char *name, skv_h5_layout *want, int64_t first,
                            int64_t n, void *data)
{
    skv_status st = SKV_OK;
    skv_h5__set s;
    hid_t memory = -1;

    assert(want->type != SKV_H5_TEXT);
    SKV_TRY(skv_h5__open_set(&s, f, name));
    SKV_TRY_GOTO(skv_h5__compare(f, name, want, &s.layout), done);
    SKV_TRY_GOTO(skv_h5__select_rows(&memory, &s, f, name, first, n), done);
    if (s.is_virtual)
        SKV_TRY_GOTO(read_virtual(f, name, &s, first, n, data), done);
    else if (n > 0 && H5Dread(s.set, skv_h5__memory_type(want->type), memory, s.space, H5P_DEFAULT,
                              data) < 0)
        st = skv_h5__fail(f, "%s: cannot read rows", name);
done:
    st = skv_h5__close(f, memory, st);
    return skv_h5__close_set(f, &s, st);
}
