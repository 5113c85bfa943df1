/* What a hostile file claims of a dataset is checked before anything of it is read or allocated. */
#include "io/h5_set.h"

#include <string.h>

#include "core/mem.h"
#include "io/h5_group.h"

#define MAX_RATIO       1100 /* deflate makes at most 1032 bytes of one */
#define MAX_CHUNK_BYTES ((uint64_t)1 << 30)

/* The known type that the file's type is, either byte order. */
static skv_status find_type(skv_h5_layout *out, const skv_h5 *f, const char *name, hid_t type)
{
    const hid_t known[][2] = {
        {H5T_STD_U8LE, H5T_STD_U8BE},     {H5T_STD_I32LE, H5T_STD_I32BE},
        {H5T_STD_I64LE, H5T_STD_I64BE},   {H5T_STD_U64LE, H5T_STD_U64BE},
        {H5T_IEEE_F32LE, H5T_IEEE_F32BE}, {H5T_IEEE_F64LE, H5T_IEEE_F64BE},
    };

    if (H5Tget_class(type) == H5T_STRING) {
        out->type = SKV_H5_TEXT;
        return skv_h5__text_bytes(&out->text_bytes, f, name, type);
    }
    if (H5Tequal(type, H5T_STD_I16LE) > 0 || H5Tequal(type, H5T_STD_I16BE) > 0) {
        out->type = SKV_H5_I32; /* HDF5 widens it on reading */
        return SKV_OK;
    }
    for (int t = 0; t < SKV_H5_TEXT; t++) {
        if (H5Tequal(type, known[t][0]) > 0 || H5Tequal(type, known[t][1]) > 0) {
            out->type = (skv_h5_type)t;
            return SKV_OK;
        }
    }
    return skv_fail(SKV_E_FORMAT, "%s: %s: its type is not accepted", f->path, name);
}

static skv_status find_extents(skv_h5_layout *out, const skv_h5 *f, const char *name, hid_t space)
{
    hsize_t dims[H5S_MAX_RANK];

    out->n_dims = H5Sget_simple_extent_ndims(space);
    if (out->n_dims < 1 || out->n_dims > SKV_H5_MAX_DIMS ||
        H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        return skv_fail(SKV_E_FORMAT, "%s: %s: %d dimensions, 1 to %d are possible", f->path, name,
                        out->n_dims, SKV_H5_MAX_DIMS);
    for (int i = 0; i < out->n_dims; i++) {
        if (dims[i] > INT64_MAX / 2)
            return skv_fail(SKV_E_FORMAT, "%s: %s: extent %d is impossible", f->path, name, i);
        out->shape[i] = (int64_t)dims[i];
    }
    return SKV_OK;
}

/* *ratio: how much longer than stored the data may be. */
static skv_status check_filters(uint64_t *ratio, skv_h5_layout *out, const skv_h5 *f,
                                const char *name, hid_t create)
{
    const int n = H5Pget_nfilters(create);

    *ratio = 1;
    if (n < 0)
        return skv_h5__fail(f, "%s: no list of filters", name);
    for (int i = 0; i < n; i++) {
        unsigned flags = 0, config = 0;
        size_t n_values = 0;
        const H5Z_filter_t id =
            H5Pget_filter2(create, (unsigned)i, &flags, &n_values, NULL, 0, NULL, &config);

        if (id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_SHUFFLE && id != H5Z_FILTER_FLETCHER32)
            return skv_fail(SKV_E_UNSUPPORTED, "%s: %s: filter %d is not accepted", f->path, name,
                            (int)id);
        if (id == H5Z_FILTER_DEFLATE)
            *ratio *= MAX_RATIO;
        out->checksum = out->checksum || id == H5Z_FILTER_FLETCHER32;
    }
    return SKV_OK;
}

static skv_status check_chunks(skv_h5_layout *out, const skv_h5 *f, const char *name,
                               const skv_h5__set *s)
{
    hsize_t chunk[H5S_MAX_RANK];
    uint64_t bytes = H5Tget_size(s->type);

    if (H5Pget_chunk(s->create, H5S_MAX_RANK, chunk) != out->n_dims)
        return skv_h5__fail(f, "%s: no chunk sizes", name);
    for (int i = 0; i < out->n_dims; i++) {
        if (chunk[i] == 0 || bytes > MAX_CHUNK_BYTES / chunk[i])
            return skv_fail(SKV_E_FORMAT, "%s: %s: chunks of more than 1 GiB", f->path, name);
        if (chunk[i] > (hsize_t)out->shape[i]) /* HDF5 would read past the chunk */
            return skv_fail(SKV_E_FORMAT, "%s: %s: chunks larger than the dataset", f->path, name);
        bytes *= chunk[i];
    }
    out->rows_per_chunk = (int64_t)chunk[0];
    return SKV_OK;
}

/* The file must hold the bytes that the dataset claims, so a small file cannot ask for much memory.
 */
static skv_status check_storage(const skv_h5 *f, const char *name, const skv_h5__set *s,
                                uint64_t ratio)
{
    const uint64_t stored = H5Dget_storage_size(s->set);
    size_t need = H5Tget_size(s->type);
    bool ok = true;

    for (int i = 0; ok && i < s->layout.n_dims; i++)
        ok = skv_mul_size(&need, need, (size_t)s->layout.shape[i]);
    if (!ok || stored > f->length || need / ratio > stored)
        return skv_fail(SKV_E_FORMAT, "%s: %s: %llu bytes stored in a file of %llu are too few",
                        f->path, name, (unsigned long long)stored, (unsigned long long)f->length);
    return SKV_OK;
}

static skv_status check_set(skv_h5__set *s, const skv_h5 *f, const char *name)
{
    uint64_t ratio = 1;
    H5D_layout_t form;

    SKV_TRY(find_type(&s->layout, f, name, s->type));
    SKV_TRY(find_extents(&s->layout, f, name, s->space));
    form = H5Pget_layout(s->create);
    s->is_virtual = form == H5D_VIRTUAL;
    if (s->is_virtual)
        s->layout.rows_per_chunk = -1;
    if (form != H5D_COMPACT && form != H5D_CONTIGUOUS && form != H5D_CHUNKED && !s->is_virtual)
        return skv_fail(SKV_E_UNSUPPORTED, "%s: %s: unknown storage layout", f->path, name);
    if (H5Pget_external_count(s->create) != 0)
        return skv_fail(SKV_E_UNSUPPORTED, "%s: %s: external storage is not accepted", f->path,
                        name);
    SKV_TRY(check_filters(&ratio, &s->layout, f, name, s->create));
    if (form == H5D_CHUNKED)
        SKV_TRY(check_chunks(&s->layout, f, name, s));
    if (f->aside || s->is_virtual) /* being written; or its sources are checked */
        return SKV_OK;
    return check_storage(f, name, s, ratio);
}

skv_status skv_h5__open_set(skv_h5__set *s, skv_h5 *f, const char *name)
{
    skv_status st;

    *s = (skv_h5__set){-1, -1, -1, -1, {0}, false};
    SKV_TRY(skv_h5__check_links(f, name));
    s->set = H5Dopen2(f->file, name, H5P_DEFAULT);
    if (s->set < 0)
        return skv_h5__fail(f, "%s: not a dataset that can be opened", name);
    s->type = H5Dget_type(s->set);
    s->space = H5Dget_space(s->set);
    s->create = H5Dget_create_plist(s->set);
    if (s->type < 0 || s->space < 0 || s->create < 0)
        st = skv_h5__fail(f, "%s: a dataset without description", name);
    else
        st = check_set(s, f, name);
    return st == SKV_OK ? st : skv_h5__close_set(f, s, st);
}

skv_status skv_h5__close_set(const skv_h5 *f, skv_h5__set *s, skv_status st)
{
    st = skv_h5__close(f, s->create, st);
    st = skv_h5__close(f, s->space, st);
    st = skv_h5__close(f, s->type, st);
    st = skv_h5__close(f, s->set, st);
    *s = (skv_h5__set){-1, -1, -1, -1, {0}, false};
    return st;
}

skv_status skv_h5__compare(const skv_h5 *f, const char *name, skv_h5_layout *want,
                           const skv_h5_layout *has)
{
    static const char *const words[] = {"u8", "i32", "i64", "u64", "f32", "f64", "text"};

    if (want->type != has->type)
        return skv_fail(SKV_E_FORMAT, "%s: %s: want %s, file has %s", f->path, name,
                        words[want->type], words[has->type]);
    if (want->n_dims != has->n_dims)
        return skv_fail(SKV_E_SHAPE, "%s: %s: want %d dimensions, file has %d", f->path, name,
                        want->n_dims, has->n_dims);
    for (int i = 0; i < want->n_dims; i++)
        if (want->shape[i] >= 0 && want->shape[i] != has->shape[i])
            return skv_fail(SKV_E_SHAPE, "%s: %s: want extent %lld on axis %d, file has %lld",
                            f->path, name, (long long)want->shape[i], i, (long long)has->shape[i]);
    memcpy(want->shape, has->shape, sizeof want->shape);
    want->text_bytes = has->text_bytes;
    return SKV_OK;
}

skv_status skv_h5__select_rows(hid_t *memory, const skv_h5__set *s, const skv_h5 *f,
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
