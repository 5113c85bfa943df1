/* Datasets: making, writing and reading. What a file claims is checked in h5_check.c, which every
 * opening goes through. */
#include "io/h5.h"
#include "io/h5_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define SMALL_TEXTS ((size_t)1 << 20)

static hid_t file_type(skv_h5_type type)
{
    switch (type) {
    case SKV_H5_U8:
        return H5T_STD_U8LE;
    case SKV_H5_I32:
        return H5T_STD_I32LE;
    case SKV_H5_I64:
        return H5T_STD_I64LE;
    case SKV_H5_U64:
        return H5T_STD_U64LE;
    case SKV_H5_F32:
        return H5T_IEEE_F32LE;
    case SKV_H5_F64:
        return H5T_IEEE_F64LE;
    case SKV_H5_TEXT:
        break;
    }
    return -1;
}

hid_t skv_h5__text_type(size_t bytes)
{
    const hid_t t = H5Tcopy(H5T_C_S1);

    if (t >= 0 && H5Tset_size(t, bytes ? bytes : H5T_VARIABLE) >= 0 &&
        H5Tset_cset(t, H5T_CSET_UTF8) >= 0)
        return t;
    if (t >= 0 && H5Tclose(t) < 0)
        H5Eclear2(H5E_DEFAULT);
    return -1;
}

hid_t skv_h5__space(const skv_h5_layout *layout)
{
    hsize_t dims[SKV_H5_MAX_DIMS];

    for (int i = 0; i < layout->n_dims; i++)
        dims[i] = (hsize_t)layout->shape[i];
    return H5Screate_simple(layout->n_dims, dims, NULL);
}

skv_status skv_h5__make(skv_h5 *f, const char *name, const skv_h5_layout *layout, hid_t create)
{
    skv_status st = SKV_OK;
    const bool text = layout->type == SKV_H5_TEXT;
    const hid_t type = text ? skv_h5__text_type(layout->text_bytes) : file_type(layout->type);
    hid_t space = -1, links = -1, set = -1;

    space = skv_h5__space(layout);
    links = H5Pcreate(H5P_LINK_CREATE);
    if (type < 0 || space < 0 || links < 0 || H5Pset_create_intermediate_group(links, 1) < 0 ||
        H5Pset_obj_track_times(create, false) < 0) {
        st = skv_h5__fail(f, "%s: cannot prepare", name);
        goto done;
    }
    set = H5Dcreate2(f->file, name, type, space, links, create, H5P_DEFAULT);
    if (set < 0)
        st = skv_h5__fail(f, "%s: cannot make the dataset", name);
done:
    st = skv_h5__close(f, set, st);
    st = skv_h5__close(f, links, st);
    st = skv_h5__close(f, space, st);
    st = skv_h5__close(f, text ? type : -1, st);
    f->failed = f->failed || st != SKV_OK;
    if (st == SKV_OK && layout->long_name)
        st = skv_h5_set_text(f, name, "long_name", layout->long_name);
    if (st == SKV_OK && layout->units)
        st = skv_h5_set_text(f, name, "units", layout->units);
    return st;
}

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

uint32_t skv_h5__crc_of(uint32_t crc, skv_h5_type type, const void *data, size_t bytes)
{
    const char *const *text = data;

    if (type != SKV_H5_TEXT)
        return skv_h5__crc(crc, data, bytes);
    for (size_t i = 0; i < bytes / sizeof *text; i++)
        crc = skv_h5__crc(crc, text[i], strlen(text[i]) + 1);
    return crc;
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

/* Selects rows [first, first+n) in s->space; *memory is a new dense space of that shape. */
static skv_status select_rows(hid_t *memory, const skv_h5__set *s, const skv_h5 *f,
                              const char *name, int64_t first, int64_t n)
{
    hsize_t start[SKV_H5_MAX_DIMS] = {0}, count[SKV_H5_MAX_DIMS];

    if (first < 0 || n < 0 || first > s->layout.shape[0] || n > s->layout.shape[0] - first)
        return skv_fail(SKV_E_SHAPE, "%s: %s: %lld rows from row %lld on, there are %lld", f->path,
                        name, (long long)n, (long long)first, (long long)s->layout.shape[0]);
    for (int i = 0; i < s->layout.n_dims; i++)
        count[i] = (hsize_t)s->layout.shape[i];
    start[0] = (hsize_t)first;
    count[0] = (hsize_t)n;
    *memory = H5Screate_simple(s->layout.n_dims, count, NULL);
    if (*memory < 0 || H5Sselect_hyperslab(s->space, H5S_SELECT_SET, start, NULL, count, NULL) < 0)
        return skv_h5__fail(f, "%s: cannot select rows", name);
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

skv_status skv_h5_write_rows(skv_h5 *f, const char *name, int64_t first, int64_t n,
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
    SKV_TRY_GOTO(select_rows(&memory, &s, f, name, first, n), done);
    if (n > 0)
        SKV_TRY_GOTO(write_selected(&s, f, name, memory, data), done);
done:
    st = skv_h5__close(f, memory, st);
    st = skv_h5__close_set(f, &s, st);
    f->failed = f->failed || st != SKV_OK;
    return st;
}

/* Fixed length where padding costs no more than four times the texts. */
static size_t choose_text_bytes(const char *const *text, size_t n)
{
    size_t longest = 0, sum = 0, padded = 0;

    for (size_t i = 0; i < n; i++) {
        const size_t bytes = strlen(text[i]) + 1;

        longest = bytes > longest ? bytes : longest;
        sum += bytes;
    }
    if (!skv_mul_size(&padded, longest, n))
        return 0;
    return padded <= SMALL_TEXTS || padded / 4 <= sum ? longest : 0;
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

/* One block: n pointers, then the texts. stride > 0: `from` is packed; otherwise it is pointers. */
static skv_status copy_texts(void *out, const skv_h5 *f, const char *name, const void *from,
                             size_t n, size_t stride)
{
    const char *const *pointers = from;
    const char *packed = from;
    char **block = NULL;
    size_t bytes = n * sizeof *block;
    char *at;

    for (size_t i = 0; i < n; i++) {
        const char *text = stride ? packed + i * stride : pointers[i] ? pointers[i] : "";
        const size_t length = stride ? strnlen(text, stride) : strlen(text);

        if (!skv_utf8_is_valid(text, length))
            return skv_fail(SKV_E_FORMAT, "%s: %s: text %zu is not UTF-8", f->path, name, i);
        bytes += length + 1;
    }
    SKV_TRY(skv_alloc(&block, bytes, 1, name));
    at = (char *)(block + n);
    for (size_t i = 0; i < n; i++) {
        const char *text = stride ? packed + i * stride : pointers[i] ? pointers[i] : "";
        const size_t length = stride ? strnlen(text, stride) : strlen(text);

        memcpy(at, text, length);
        block[i] = at;
        at += length + 1;
    }
    memcpy(out, &block, sizeof block);
    return SKV_OK;
}

static skv_status read_texts(void *out, const skv_h5 *f, const char *name, const skv_h5__set *s,
                             size_t n)
{
    skv_status st = SKV_OK;
    const size_t stride = s->layout.text_bytes;
    const hid_t type = skv_h5__text_type(stride);
    void *raw = NULL;

    SKV_TRY_GOTO(skv_alloc(&raw, n, stride ? stride : sizeof(char *), name), done);
    if (type < 0 || H5Dread(s->set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) < 0) {
        st = skv_h5__fail(f, "%s: cannot read", name);
        goto done;
    }
    st = copy_texts(out, f, name, raw, n, stride);
    if (!stride && H5Dvlen_reclaim(type, s->space, H5P_DEFAULT, raw) < 0 && st == SKV_OK)
        st = skv_h5__fail(f, "%s: cannot free its texts", name);
done:
    free(raw);
    return skv_h5__close(f, type, st);
}

/* Entries of variable length may all point at one large text, so their total is asked for first. */
static skv_status check_variable(const skv_h5 *f, const char *name, const skv_h5__set *s,
                                 size_t max_bytes)
{
    hsize_t bytes = 0;

    if (s->layout.text_bytes > 0)
        return SKV_OK;
    if (H5Dvlen_get_buf_size(s->set, s->type, s->space, &bytes) < 0)
        return skv_h5__fail(f, "%s: cannot read", name);
    if (bytes > max_bytes)
        return skv_fail(SKV_E_FORMAT, "%s: %s: too large to be read at once", f->path, name);
    return SKV_OK;
}

static skv_status check_crc(const void *data, skv_h5 *f, const char *name, const skv_h5_layout *has,
                            bool need_crc)
{
    int64_t want = 0;
    size_t bytes = 0;
    skv_status st = skv_h5_get_int(&want, f, name, "crc32");

    if (st == SKV_E_NOTFOUND && !need_crc)
        return SKV_OK;
    if (st == SKV_OK)
        st = skv_h5__row_bytes(&bytes, has, has->shape[0]);
    if (st == SKV_OK && want != (int64_t)skv_h5__crc_of(0, has->type, data, bytes))
        st = skv_fail(SKV_E_FORMAT, "%s: %s: the data do not have the checksum noted with them",
                      f->path, name);
    return st;
}

skv_status skv_h5_read(void *out, skv_h5 *f, const char *name, skv_h5_layout *want,
                       size_t max_bytes, bool need_crc)
{
    skv_status st = SKV_OK;
    skv_h5__set s;
    void *data = NULL;
    size_t bytes = 0, text_bytes = 0;

    SKV_TRY(skv_h5__open_set(&s, f, name));
    SKV_TRY_GOTO(skv_h5__compare(f, name, want, &s.layout), done);
    SKV_TRY_GOTO(skv_h5__row_bytes(&bytes, &s.layout, s.layout.shape[0]), done);
    if (want->type == SKV_H5_TEXT)
        text_bytes = bytes / sizeof(char *) * s.layout.text_bytes; /* within the file's length */
    if (bytes > max_bytes || text_bytes > max_bytes - bytes || s.is_virtual) {
        st = skv_fail(SKV_E_FORMAT, "%s: %s: %s to be read at once", f->path, name,
                      s.is_virtual ? "virtual, not" : "too large");
        goto done;
    }
    if (want->type == SKV_H5_TEXT) {
        SKV_TRY_GOTO(check_variable(f, name, &s, max_bytes), done);
        SKV_TRY_GOTO(read_texts(&data, f, name, &s, bytes / sizeof(char *)), done);
    } else {
        SKV_TRY_GOTO(skv_alloc(&data, bytes, 1, name), done);
        if (H5Dread(s.set, skv_h5__memory_type(want->type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) <
            0) {
            st = skv_h5__fail(f, "%s: cannot read", name);
            goto done;
        }
    }
    SKV_TRY_GOTO(check_crc(data, f, name, &s.layout, need_crc), done);
done:
    st = skv_h5__close_set(f, &s, st);
    if (st == SKV_OK)
        memcpy(out, &data, sizeof data);
    else
        free(data);
    return st;
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
    SKV_TRY_GOTO(select_rows(&memory, &s, f, name, first, n), done);
    if (s.is_virtual)
        SKV_TRY_GOTO(skv_h5__read_virtual(f, name, &s, first, n, data), done);
    else if (n > 0 && H5Dread(s.set, skv_h5__memory_type(want->type), memory, s.space, H5P_DEFAULT,
                              data) < 0)
        st = skv_h5__fail(f, "%s: cannot read rows", name);
done:
    st = skv_h5__close(f, memory, st);
    return skv_h5__close_set(f, &s, st);
}
