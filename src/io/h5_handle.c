#include "io/h5_handle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"

skv_status skv_h5_init(void)
{
    /* no exit handler: it crashes on a file that a full disk keeps from being closed */
    (void)H5dont_atexit(); /* refuses a second call */
    /* the error stack belongs to a thread, so this is done anew for each file */
    if (H5open() < 0 || H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0 || H5PLset_loading_state(0) < 0)
        return skv_fail(SKV_E_H5, "HDF5: the library does not start");
    return SKV_OK;
}

typedef struct {
    char text[512];
    unsigned n;
    bool no_memory; /* says nothing of the file: the library may find less and less from here on */
    bool refused;   /* nor does a system that does not open it */
} reasons;

/* Keeps the two innermost descriptions; of one that quotes the system ("..., errno = 28, error
 * message = 'No space left on device', buf = ...") the quotation alone. */
static herr_t add_reason(unsigned n, const H5E_error2_t *e, void *user)
{
    static const char quotes[] = "error message = '";
    reasons *r = user;
    const char *system = e->desc ? strstr(e->desc, quotes) : NULL;
    const size_t used = strlen(r->text);

    (void)n;
    r->no_memory |= e->maj_num == H5E_RESOURCE && e->min_num == H5E_NOSPACE;
    r->refused |= system && e->maj_num == H5E_FILE && e->min_num == H5E_CANTOPENFILE;
    if (r->n < 2 && system) {
        system += strlen(quotes);
        snprintf(r->text, sizeof r->text, "%.*s", (int)strcspn(system, "'"), system);
        r->n = 2;
    } else if (r->n++ < 2 && e->desc) {
        snprintf(r->text + used, sizeof r->text - used, "%s%s", used ? "; " : "", e->desc);
    }
    return 0;
}

skv_status skv_h5__fail_at(const skv_h5 *f, const char *file, int line, const char *fmt, ...)
{
    char text[1024];
    reasons r = {.n = 0};
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, add_reason, &r);
    H5Eclear2(H5E_DEFAULT);
    return skv_fail_at(r.no_memory ? SKV_E_MEM
                       : r.refused ? SKV_E_IO
                                   : SKV_E_H5,
                       file, line, "%s: %s%s%s", f->path, text, r.text[0] ? ": " : "", r.text);
}

static herr_t close_object(hid_t id)
{
    switch (H5Iget_type(id)) {
    case H5I_DATASET:
        return H5Dclose(id);
    case H5I_DATASPACE:
        return H5Sclose(id);
    case H5I_DATATYPE:
        return H5Tclose(id);
    case H5I_ATTR:
        return H5Aclose(id);
    case H5I_GENPROP_LST:
        return H5Pclose(id);
    default:
        return H5Oclose(id);
    }
}

skv_status skv_h5__close(const skv_h5 *f, hid_t id, skv_status st)
{
    if (id < 0 || close_object(id) >= 0)
        return st;
    if (st == SKV_OK)
        return skv_h5__fail(f, f->aside ? "cannot write" : "cannot close an object of the file");
    H5Eclear2(H5E_DEFAULT);
    return st;
}

skv_status skv_h5__close_object(skv_h5 *f, skv_status st)
{
    const hid_t object = f->object;

    f->object = -1;
    free(f->object_name);
    f->object_name = NULL;
    return skv_h5__close(f, object, st);
}

skv_status skv_h5__new(skv_h5 **out, const char *path)
{
    skv_status st;
    skv_h5 *f = NULL;

    SKV_TRY(skv_h5_init());
    SKV_TRY(skv_alloc(&f, 1, sizeof *f, "an HDF5 file"));
    f->file = f->object = -1;
    f->made = (skv_aside){.fd = -1, .folder = -1};
    st = skv_text_copy(&f->path, path);
    if (st != SKV_OK) {
        skv_h5_close(f);
        return st;
    }
    *out = f;
    return SKV_OK;
}

void skv_h5_close(skv_h5 *f)
{
    if (!f)
        return;
    if (skv_h5__close_object(f, SKV_OK) != SKV_OK || (f->file >= 0 && H5Fclose(f->file) < 0))
        H5Eclear2(H5E_DEFAULT);
    skv_aside_drop(&f->made);
    for (size_t i = 0; i < f->n_given; i++)
        free(f->given[i].name);
    for (size_t i = 0; i < f->n_texts; i++) {
        free(f->text[i].object);
        free(f->text[i].key);
    }
    free(f->given);
    free(f->text);
    free(f->aside);
    free(f->label);
    free(f->path);
    free(f);
}

void skv_h5__name_of_fd(char *out, int fd)
{
    snprintf(out, SKV_H5__FD_NAME, "/proc/self/fd/%d", fd); /* leaves room for a suffix */
}

skv_status skv_h5__remember(skv_h5 *f, const char *name, const skv_h5__given *given)
{
    SKV_TRY(skv_grow(&f->given, f->n_given, sizeof *f->given, f->path));
    f->given[f->n_given] = *given;
    SKV_TRY(skv_text_copy(&f->given[f->n_given].name, name));
    f->n_given++;
    return SKV_OK;
}

skv_status skv_h5__remember_text(skv_h5 *f, const char *object, const char *key, const char *text)
{
    skv_h5__given_text *t;

    SKV_TRY(skv_grow(&f->text, f->n_texts, sizeof *f->text, f->path));
    t = &f->text[f->n_texts++];
    *t = (skv_h5__given_text){.crc = skv_h5__crc(0, text, strlen(text) + 1)};
    SKV_TRY(skv_text_copy(&t->object, object));
    return skv_text_copy(&t->key, key);
}

/* ------------------------------------------------------------------ types and sizes */

size_t skv_h5_type_bytes(skv_h5_type type)
{
    static const size_t bytes[] = {1, 4, 8, 8, 4, 8, sizeof(char *)};

    return bytes[type];
}

hid_t skv_h5__memory_type(skv_h5_type type)
{
    switch (type) {
    case SKV_H5_U8:
        return H5T_NATIVE_UINT8;
    case SKV_H5_I32:
        return H5T_NATIVE_INT32;
    case SKV_H5_I64:
        return H5T_NATIVE_INT64;
    case SKV_H5_U64:
        return H5T_NATIVE_UINT64;
    case SKV_H5_F32:
        return H5T_NATIVE_FLOAT;
    case SKV_H5_F64:
        return H5T_NATIVE_DOUBLE;
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

skv_status skv_h5__text_bytes(size_t *out, const skv_h5 *f, const char *name, hid_t type)
{
    const htri_t variable = H5Tis_variable_str(type);

    *out = variable == 0 ? H5Tget_size(type) : 0;
    return variable > 0 || *out > 0 ? SKV_OK : skv_h5__fail(f, "%s: its type cannot be read", name);
}

hid_t skv_h5__space(const skv_h5_layout *layout)
{
    hsize_t dims[SKV_H5_MAX_DIMS];

    for (int i = 0; i < layout->n_dims; i++)
        dims[i] = (hsize_t)layout->shape[i];
    return H5Screate_simple(layout->n_dims, dims, NULL);
}

skv_status skv_h5__row_bytes(size_t *out, const skv_h5_layout *layout, int64_t rows)
{
    size_t n = skv_h5_type_bytes(layout->type);
    bool ok = rows >= 0 && skv_mul_size(&n, n, (size_t)rows);

    for (int i = 1; ok && i < layout->n_dims; i++)
        ok = layout->shape[i] >= 0 && skv_mul_size(&n, n, (size_t)layout->shape[i]);
    if (!ok)
        return skv_fail(SKV_E_SHAPE, "a dataset of more bytes than can be counted");
    *out = n;
    return SKV_OK;
}

uint32_t skv_h5__crc(uint32_t crc, const void *data, size_t bytes)
{
    const unsigned char *p = data;

    while (bytes > 0) {
        const size_t n = bytes < ((size_t)1 << 30) ? bytes : (size_t)1 << 30;

        crc = (uint32_t)crc32(crc, p, (uInt)n);
        p += n;
        bytes -= n;
    }
    return crc;
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
