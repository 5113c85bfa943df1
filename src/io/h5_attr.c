#include "io/h5_attr.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "io/h5_group.h"
#include "io/h5_handle.h"

#define MAX_ATTRIBUTE ((size_t)60 << 10)  /* of numbers, and of texts of fixed length */
#define MAX_VARIABLE  ((size_t)512 << 20) /* texts of variable length lie elsewhere in the file */

/* Replaces or makes the attribute. Takes type and space over. */
static skv_status set(skv_h5 *f, const char *object, const char *key, hid_t type, hid_t space,
                      const void *value)
{
    skv_status st = SKV_OK;
    hid_t at = -1, attribute = -1;

    at = H5Oopen(f->file, object, H5P_DEFAULT);
    if (at >= 0 && H5Aexists(at, key) > 0 && H5Adelete(at, key) < 0)
        st = skv_h5__fail(f, "%s: cannot replace attribute \"%s\"", object, key);
    else if (at >= 0 && type >= 0 && space >= 0)
        attribute = H5Acreate2(at, key, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (st == SKV_OK && (attribute < 0 || H5Awrite(attribute, type, value) < 0))
        st = skv_h5__fail(f, "%s: cannot set attribute \"%s\"", object, key);
    st = skv_h5__close(f, attribute, st);
    st = skv_h5__close(f, at, st);
    st = skv_h5__close(f, space, st);
    st = skv_h5__close(f, type, st);
    f->failed = f->failed || st != SKV_OK;
    return st;
}

skv_status skv_h5_set_int(skv_h5 *f, const char *object, const char *key, int64_t v)
{
    return set(f, object, key, H5Tcopy(H5T_NATIVE_INT64), H5Screate(H5S_SCALAR), &v);
}

skv_status skv_h5_set_ints(skv_h5 *f, const char *object, const char *key, const int64_t *v, int n)
{
    const hsize_t dims[1] = {(hsize_t)n};

    return set(f, object, key, H5Tcopy(H5T_NATIVE_INT64), H5Screate_simple(1, dims, NULL), v);
}

skv_status skv_h5_set_real(skv_h5 *f, const char *object, const char *key, double v)
{
    return set(f, object, key, H5Tcopy(H5T_NATIVE_DOUBLE), H5Screate(H5S_SCALAR), &v);
}

skv_status skv_h5_set_text(skv_h5 *f, const char *object, const char *key, const char *v)
{
    if (strlen(v) > MAX_VARIABLE) {
        f->failed = true;
        return skv_fail(SKV_E_ARG, "%s: %s: attribute \"%s\" of %zu bytes, at most %zu", f->path,
                        object, key, strlen(v), MAX_VARIABLE);
    }
    SKV_TRY(set(f, object, key, skv_h5__text_type(0), H5Screate(H5S_SCALAR), &v));
    return f->label ? SKV_OK : skv_h5__remember_text(f, object, key, v);
}

typedef struct {
    hid_t attribute, type, space;
    size_t n; /* elements */
} opened;

static skv_status close_attribute(const skv_h5 *f, const opened *o, skv_status st)
{
    st = skv_h5__close(f, o->space, st);
    st = skv_h5__close(f, o->type, st);
    return skv_h5__close(f, o->attribute, st);
}

/* Of an open object; `name` is the object's, for messages. want: H5T_NO_CLASS takes any type. On
 * failure nothing is left open. */
static skv_status open_at(opened *o, const skv_h5 *f, hid_t object, const char *name,
                          const char *key, H5T_class_t want)
{
    const htri_t there = H5Aexists(object, key);
    hssize_t count = -1;
    skv_status st = SKV_OK;

    *o = (opened){-1, -1, -1, 0};
    if (there < 0)
        return skv_h5__fail(f, "%s: attribute \"%s\" cannot be looked up", name, key);
    if (there == 0)
        return skv_fail(SKV_E_NOTFOUND, "%s: %s: there is no attribute \"%s\"", f->path, name, key);
    o->attribute = H5Aopen(object, key, H5P_DEFAULT);
    o->type = o->attribute < 0 ? -1 : H5Aget_type(o->attribute);
    o->space = o->attribute < 0 ? -1 : H5Aget_space(o->attribute);
    count = o->space < 0 ? -1 : H5Sget_simple_extent_npoints(o->space);
    if (o->type < 0 || count < 0)
        st = skv_h5__fail(f, "%s: cannot open attribute \"%s\"", name, key);
    else if ((want != H5T_NO_CLASS && H5Tget_class(o->type) != want) ||
             count > (hssize_t)MAX_ATTRIBUTE || H5Tget_size(o->type) > MAX_ATTRIBUTE)
        st = skv_fail(SKV_E_FORMAT, "%s: %s: attribute \"%s\" is of another type", f->path, name,
                      key);
    o->n = (size_t)count;
    return st == SKV_OK ? st : close_attribute(f, o, st);
}

/* The same by the object's name. */
static skv_status open_attribute(opened *o, skv_h5 *f, const char *object, const char *key,
                                 H5T_class_t want)
{
    hid_t id = -1;

    SKV_TRY(skv_h5__open_object(&id, f, object));
    return open_at(o, f, id, object, key, want);
}

static skv_status read_one(void *out, const skv_h5 *f, const opened *o, const char *object,
                           const char *key, hid_t type)
{
    if (o->n != 1)
        return skv_fail(SKV_E_FORMAT, "%s: %s: attribute \"%s\" has %zu values, want one", f->path,
                        object, key, o->n);
    if (H5Aread(o->attribute, type, out) < 0)
        return skv_h5__fail(f, "%s: cannot read attribute \"%s\"", object, key);
    return SKV_OK;
}

static skv_status get_one(void *out, skv_h5 *f, const char *object, const char *key,
                          H5T_class_t want, hid_t type)
{
    opened o;

    SKV_TRY(open_attribute(&o, f, object, key, want));
    return close_attribute(f, &o, read_one(out, f, &o, object, key, type));
}

skv_status skv_h5_get_int(int64_t *out, skv_h5 *f, const char *object, const char *key)
{
    return get_one(out, f, object, key, H5T_INTEGER, H5T_NATIVE_INT64);
}

skv_status skv_h5__int_of(int64_t *out, const skv_h5 *f, hid_t object, const char *name,
                          const char *key)
{
    opened o;

    SKV_TRY(open_at(&o, f, object, name, key, H5T_INTEGER));
    return close_attribute(f, &o, read_one(out, f, &o, name, key, H5T_NATIVE_INT64));
}

skv_status skv_h5_get_real(double *out, skv_h5 *f, const char *object, const char *key)
{
    return get_one(out, f, object, key, H5T_FLOAT, H5T_NATIVE_DOUBLE);
}

static skv_status read_ints(int64_t **out, const skv_h5 *f, const opened *o, const char *object,
                            const char *key)
{
    int64_t *v = NULL;

    SKV_TRY(skv_alloc(&v, o->n, sizeof *v, key));
    if (H5Aread(o->attribute, H5T_NATIVE_INT64, v) < 0) {
        free(v);
        return skv_h5__fail(f, "%s: cannot read attribute \"%s\"", object, key);
    }
    *out = v;
    return SKV_OK;
}

skv_status skv_h5_get_ints(int64_t **out, int *n, skv_h5 *f, const char *object, const char *key)
{
    opened o;

    SKV_TRY(open_attribute(&o, f, object, key, H5T_INTEGER));
    *n = (int)o.n;
    return close_attribute(f, &o, read_ints(out, f, &o, object, key));
}

/* As they are written now: HDF5 allocates the text, and frees it. */
static skv_status read_variable(char **out, skv_h5 *f, const opened *o, const char *object,
                                const char *key)
{
    char *given = NULL;
    skv_status st;

    if (H5Aread(o->attribute, o->type, &given) < 0)
        return skv_h5__fail(f, "%s: cannot read attribute \"%s\"", object, key);
    if (given && strlen(given) > MAX_VARIABLE)
        st = skv_fail(SKV_E_FORMAT, "%s: %s: attribute \"%s\" is too long", f->path, object, key);
    else
        st = skv_alloc(out, given ? strlen(given) + 1 : 1, 1, key);
    if (st == SKV_OK && given)
        memcpy(*out, given, strlen(given));
    if (H5Dvlen_reclaim(o->type, o->space, H5P_DEFAULT, &given) < 0 && st == SKV_OK)
        st = skv_h5__fail(f, "%s: cannot free attribute \"%s\"", object, key);
    return st;
}

static skv_status read_text(char **out, skv_h5 *f, const opened *o, const char *object,
                            const char *key)
{
    skv_status st = SKV_OK;
    char *text = NULL;
    size_t bytes = 0;

    if (o->n != 1)
        return skv_fail(SKV_E_FORMAT, "%s: %s: attribute \"%s\" is a list, want one text", f->path,
                        object, key);
    SKV_TRY(skv_h5__text_bytes(&bytes, f, key, o->type));
    if (bytes == 0) {
        SKV_TRY(read_variable(&text, f, o, object, key));
    } else {
        SKV_TRY(skv_alloc(&text, bytes + 1, 1, key));
        if (H5Aread(o->attribute, o->type, text) < 0)
            st = skv_h5__fail(f, "%s: cannot read attribute \"%s\"", object, key);
    }
    if (st == SKV_OK && !skv_utf8_is_valid(text, strlen(text)))
        st = skv_fail(SKV_E_FORMAT, "%s: %s: attribute \"%s\" is not UTF-8", f->path, object, key);
    if (st == SKV_OK)
        *out = text;
    else
        free(text);
    return st;
}

skv_status skv_h5_get_text(char **out, skv_h5 *f, const char *object, const char *key)
{
    opened o;

    SKV_TRY(open_attribute(&o, f, object, key, H5T_STRING));
    return close_attribute(f, &o, read_text(out, f, &o, object, key));
}

skv_status skv_h5__try_attribute(skv_h5 *f, hid_t object, const char *name, const char *key)
{
    int64_t *numbers = NULL;
    double real = 0;
    char *text = NULL;
    opened o;
    skv_status st;

    SKV_TRY(open_at(&o, f, object, name, key, H5T_NO_CLASS));
    switch (H5Tget_class(o.type)) {
    case H5T_STRING:
        st = read_text(&text, f, &o, name, key);
        break;
    case H5T_FLOAT:
        st = read_one(&real, f, &o, name, key, H5T_NATIVE_DOUBLE);
        break;
    case H5T_INTEGER:
        st = read_ints(&numbers, f, &o, name, key);
        break;
    default:
        st = SKV_OK;
    }
    free(text);
    free(numbers);
    return close_attribute(f, &o, st);
}
