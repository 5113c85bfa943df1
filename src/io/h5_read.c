#include "io/h5_read.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "io/h5_attr.h"
#include "io/h5_handle.h"
#include "io/h5_set.h"

skv_status skv_h5_describe(skv_h5_layout *out, skv_h5 *f, const char *name)
{
    skv_h5__set s;

    SKV_TRY(skv_h5__open_set(&s, f, name));
    *out = s.layout;
    return skv_h5__close_set(f, &s, SKV_OK);
}

skv_status skv_h5_expect(skv_h5 *f, const char *name, skv_h5_layout *want)
{
    skv_h5_layout has;

    SKV_TRY(skv_h5_describe(&has, f, name));
    return skv_h5__compare(f, name, want, &has);
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

static skv_status check_crc(const void *data, skv_h5 *f, const char *name, const skv_h5__set *s,
                            bool need_crc)
{
    int64_t want = 0;
    size_t bytes = 0;
    skv_status st = skv_h5__int_of(&want, f, s->set, name, "crc32");

    if (st == SKV_E_NOTFOUND && !need_crc)
        return SKV_OK;
    if (st == SKV_OK)
        st = skv_h5__row_bytes(&bytes, &s->layout, s->layout.shape[0]);
    if (st == SKV_OK && want != (int64_t)skv_h5__crc_of(0, s->layout.type, data, bytes))
        st = skv_fail(SKV_E_FORMAT, "%s: %s: the data do not have the checksum noted with them",
                      f->path, name);
    return st;
}

skv_status skv_h5__read_set(void *out, skv_h5 *f, const char *name, const skv_h5__set *s,
                            skv_h5_layout *want, size_t max_bytes, bool need_crc)
{
    skv_status st = SKV_OK;
    void *data = NULL;
    size_t bytes = 0, text_bytes = 0;

    SKV_TRY(skv_h5__compare(f, name, want, &s->layout));
    SKV_TRY(skv_h5__row_bytes(&bytes, &s->layout, s->layout.shape[0]));
    if (want->type == SKV_H5_TEXT)
        text_bytes = bytes / sizeof(char *) * s->layout.text_bytes; /* within the file's length */
    if (bytes > max_bytes || text_bytes > max_bytes - bytes || s->is_virtual)
        return skv_fail(SKV_E_FORMAT, "%s: %s: %s to be read at once", f->path, name,
                        s->is_virtual ? "virtual, not" : "too large");
    if (want->type == SKV_H5_TEXT) {
        SKV_TRY(check_variable(f, name, s, max_bytes));
        SKV_TRY(read_texts(&data, f, name, s, bytes / sizeof(char *)));
    } else {
        SKV_TRY(skv_alloc(&data, bytes, 1, name));
        if (H5Dread(s->set, skv_h5__memory_type(want->type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) <
            0)
            st = skv_h5__fail(f, "%s: cannot read", name);
    }
    if (st == SKV_OK)
        st = check_crc(data, f, name, s, need_crc);
    if (st == SKV_OK)
        memcpy(out, &data, sizeof data);
    else
        free(data);
    return st;
}

skv_status skv_h5_read(void *out, skv_h5 *f, const char *name, skv_h5_layout *want,
                       size_t max_bytes, bool need_crc)
{
    skv_h5__set s;
    void *data = NULL;
    skv_status st;

    SKV_TRY(skv_h5__open_set(&s, f, name));
    st = skv_h5__read_set(&data, f, name, &s, want, max_bytes, need_crc);
    st = skv_h5__close_set(f, &s, st);
    if (st == SKV_OK)
        memcpy(out, &data, sizeof data);
    else
        free(data);
    return st;
}
