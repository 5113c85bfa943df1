#include "io/h5_write.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "io/h5_attr.h"
#include "io/h5_handle.h"
#include "io/h5_make.h"
#include "io/h5_set.h"

#define SMALL_TEXTS ((size_t)1 << 20)
#define PASS_BYTES  ((size_t)1 << 22) /* of nothing, at once */

/* Chunks and checksum; a dataset without entries stays contiguous. */
static herr_t set_chunks(hid_t create, const skv_h5_layout *layout)
{
    hsize_t chunk[SKV_H5_MAX_DIMS];
    const int64_t rows = layout->rows_per_chunk;
    const bool variable = layout->type == SKV_H5_TEXT && layout->text_bytes == 0;

    for (int i = 0; i < layout->n_dims; i++) {
        if (layout->shape[i] == 0)
            return 0;
        chunk[i] = (hsize_t)layout->shape[i];
    }
    if (rows <= 0)
        return 0;
    chunk[0] = (hsize_t)(rows < layout->shape[0] ? rows : layout->shape[0]);
    if (H5Pset_chunk(create, layout->n_dims, chunk) < 0)
        return -1;
    /* of variable texts only the pointers would be summed */
    return layout->checksum && !variable ? H5Pset_fletcher32(create) : 0;
}

skv_status skv_h5_make(skv_h5 *f, const char *name, const skv_h5_layout *layout)
{
    skv_status st;
    skv_h5__given given = {.type = layout->type, .rows = layout->shape[0]};
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);

    assert(layout->n_dims >= 1 && layout->n_dims <= SKV_H5_MAX_DIMS);
    if (create < 0 || set_chunks(create, layout) < 0)
        st = skv_h5__fail(f, "%s: cannot prepare", name);
    else
        st = skv_h5__make(f, name, layout, create);
    st = skv_h5__close(f, create, st);
    if (st == SKV_OK)
        st = skv_h5__row_bytes(&given.row_bytes, layout, 1);
    if (st == SKV_OK)
        st = skv_h5__remember(f, name, &given);
    f->failed = f->failed || st != SKV_OK;
    return st;
}

/* Texts of fixed length, side by side as in the file. */
static skv_status pack_texts(char **out, const skv_h5 *f, const char *name, const char *const *text,
                             size_t n, size_t bytes)
{
    char *packed = NULL;

    SKV_TRY(skv_alloc(&packed, n, bytes, name));
    for (size_t i = 0; i < n; i++) {
        const size_t length = strlen(text[i]);

        if (length >= bytes) {
            free(packed);
            return skv_fail(SKV_E_SHAPE, "%s: %s: a text of %zu bytes, room for %zu", f->path, name,
                            length, bytes - 1);
        }
        memcpy(packed + i * bytes, text[i], length);
    }
    *out = packed;
    return SKV_OK;
}

static skv_status write_selected(skv_h5__set *s, skv_h5 *f, const char *name, hid_t memory,
                                 const void *data)
{
    skv_status st = SKV_OK;
    const bool text = s->layout.type == SKV_H5_TEXT;
    const hid_t type = text ? s->type : skv_h5__memory_type(s->layout.type);
    char *packed = NULL;

    if (text && s->layout.text_bytes > 0) {
        SKV_TRY(pack_texts(&packed, f, name, data, (size_t)H5Sget_simple_extent_npoints(memory),
                           s->layout.text_bytes));
        data = packed;
    }
    if (H5Dwrite(s->set, type, memory, s->space, H5P_DEFAULT, data) < 0)
        st = skv_h5__fail(f, "%s: cannot write", name);
    free(packed);
    return st;
}

/* Entries [first, first+n) of the first axis. */
static skv_status write_rows(skv_h5 *f, const char *name, int64_t first, int64_t n,
                             skv_h5_type type, const void *data)
{
    skv_status st = SKV_OK;
    skv_h5__set s;
    hid_t memory = -1;

    assert(f->aside);
    SKV_TRY(skv_h5__open_set(&s, f, name));
    if (s.layout.type != type) {
        st = skv_fail(SKV_E_ARG, "%s: %s: rows of another type than the dataset's", f->path, name);
        goto done;
    }
    SKV_TRY_GOTO(skv_h5__select_rows(&memory, &s, f, name, first, n), done);
    if (n > 0)
        SKV_TRY_GOTO(write_selected(&s, f, name, memory, data), done);
done:
    st = skv_h5__close(f, memory, st);
    st = skv_h5__close_set(f, &s, st);
    f->failed = f->failed || st != SKV_OK;
    return st;
}

/* From the end: the latest are asked for most. */
static skv_h5__given *find(const skv_h5 *f, const char *name)
{
    size_t i = f->n_given;

    while (i > 0 && strcmp(f->given[i - 1].name, name) != 0)
        i--;
    return i > 0 ? &f->given[i - 1] : NULL;
}

static skv_status append(skv_h5 *f, skv_h5__given *g, int64_t n, skv_h5_type type, const void *data)
{
    SKV_TRY(write_rows(f, g->name, g->used, n, type, data));
    g->used += n;
    g->crc = skv_h5__crc_of(g->crc, type, data, (size_t)n * g->row_bytes);
    return SKV_OK;
}

skv_status skv_h5_append(skv_h5 *f, const char *name, int64_t n, skv_h5_type type, const void *data)
{
    skv_h5__given *g = find(f, name);
    skv_status st;

    assert(g && !g->is_virtual);
    st = append(f, g, n, type, data);
    f->failed = f->failed || st != SKV_OK;
    return st;
}

skv_status skv_h5_pass(skv_h5 *f, const char *name, int64_t to)
{
    skv_h5__given *g = find(f, name);
    const int64_t fit = g->row_bytes > 0 ? (int64_t)(PASS_BYTES / g->row_bytes) : 1;
    const int64_t piece = fit < 1 ? 1 : fit < to - g->used ? fit : to - g->used;
    char *block = NULL;
    skv_status st = SKV_OK;

    assert(!g->is_virtual && g->type != SKV_H5_TEXT);
    if (to <= g->used)
        return SKV_OK;
    SKV_TRY(skv_alloc(&block, (size_t)piece, g->row_bytes, name));
    if (g->type == SKV_H5_F32 || g->type == SKV_H5_F64)
        memset(block, 0xff, (size_t)piece * g->row_bytes); /* NaN */
    while (g->used < to && st == SKV_OK) {
        const int64_t left = to - g->used;

        st = append(f, g, left < piece ? left : piece, g->type, block);
    }
    free(block);
    f->failed = f->failed || st != SKV_OK;
    return st;
}

size_t skv_h5_fixed_text_bytes(size_t n, size_t longest, size_t sum)
{
    size_t padded;

    if (!skv_mul_size(&padded, longest, n))
        return 0;
    return padded <= SMALL_TEXTS || padded / 4 <= sum ? longest : 0;
}

static size_t choose_text_bytes(const char *const *text, size_t n)
{
    size_t longest = 0, sum = 0;

    for (size_t i = 0; i < n; i++) {
        const size_t bytes = strlen(text[i]) + 1;

        longest = bytes > longest ? bytes : longest;
        sum += bytes;
    }
    return skv_h5_fixed_text_bytes(n, longest, sum);
}

skv_status skv_h5_write(skv_h5 *f, const char *name, const skv_h5_layout *layout, const void *data)
{
    skv_h5_layout l = *layout;
    size_t bytes = 0;

    SKV_TRY(skv_h5__row_bytes(&bytes, &l, l.shape[0]));
    if (l.type == SKV_H5_TEXT && l.text_bytes == 0)
        l.text_bytes = choose_text_bytes(data, bytes / sizeof(char *));
    SKV_TRY(skv_h5_make(f, name, &l));
    return skv_h5_append(f, name, l.shape[0], l.type, data);
}
