/* A member "<name>.npy" is an array: magic, version, length of a header, the header (a literal of
 * Python: a dictionary of three keys), the numbers. What the header says is believed only where it
 * is what the caller wants. */
#include "io/npz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "io/zip_file.h"

#define MAX_FILE   ((size_t)1 << 30)
#define MAX_HEADER 4096U
#define NAME_BYTES 128
#define LIST_BYTES 256

struct skv_npz {
    char *path, *data;
    skv_zip zip;
};

/* What a header says. */
typedef struct {
    char descr[16];
    bool fortran, has_descr, has_order, has_shape;
    int n_dims;
    int64_t shape[SKV_NPZ_MAX_DIMS];
} header;

/* An array being read. */
typedef struct {
    const char *path, *name;
    const uint8_t *data;
    size_t bytes;
} member;

skv_status skv_npz_open(skv_npz **out, const char *path)
{
    skv_npz *f = NULL;
    size_t bytes = 0;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&f, 1, sizeof *f, path), done);
    SKV_TRY_GOTO(skv_text_copy(&f->path, path), done);
    SKV_TRY_GOTO(skv_file_read(&f->data, &bytes, path, MAX_FILE), done);
    SKV_TRY_GOTO(skv_zip_open(&f->zip, (const uint8_t *)f->data, bytes, f->path), done);
    *out = f;
    f = NULL;
done:
    skv_npz_close(f);
    return st;
}

void skv_npz_close(skv_npz *f)
{
    if (!f)
        return;
    skv_zip_close(&f->zip);
    free(f->data);
    free(f->path);
    free(f);
}

/* -------------------------------------------------------------------- the header */

static skv_status bad(const member *m, const char *what)
{
    return skv_fail(SKV_E_FORMAT, "%s: %s: %s", m->path, m->name, what);
}

static const char *skip_spaces(const char *p)
{
    return p + strspn(p, " \n");
}

/* 'text' or "text" without escapes; NULL: it is not one, or longer than fits. */
static const char *parse_text(char *out, size_t room, const char *p)
{
    const char quote = *p;
    const char *end = quote == '\'' || quote == '"' ? strchr(p + 1, quote) : NULL;

    if (!end || (size_t)(end - p - 1) >= room || memchr(p, '\\', (size_t)(end - p)))
        return NULL;
    snprintf(out, room, "%.*s", (int)(end - p - 1), p + 1);
    return end + 1;
}

static const char *parse_word(bool *out, const char *p)
{
    *out = strncmp(p, "True", 4) == 0;
    return *out ? p + 4 : strncmp(p, "False", 5) == 0 ? p + 5 : NULL;
}

/* "(2048, 2048)", "(2048,)", "()"; NULL: no tuple, or of more dimensions than are read here. */
static const char *parse_shape(header *h, const char *p)
{
    if (*p++ != '(')
        return NULL;
    for (p = skip_spaces(p); *p != ')'; p = skip_spaces(p)) {
        int64_t v = 0;
        int digits = 0;

        for (; *p >= '0' && *p <= '9' && digits < 18; p++, digits++)
            v = 10 * v + (*p - '0');
        p = skip_spaces(p);
        if (digits == 0 || h->n_dims == SKV_NPZ_MAX_DIMS || (*p != ',' && *p != ')'))
            return NULL;
        h->shape[h->n_dims++] = v;
        p += *p == ',';
    }
    return p + 1;
}

/* One "key: value" of the dictionary; NULL: it cannot be read, or stands there twice. */
static const char *parse_item(header *h, const char *p)
{
    char key[16];
    bool *seen;

    p = parse_text(key, sizeof key, p);
    if (!p || *(p = skip_spaces(p)) != ':')
        return NULL;
    p = skip_spaces(p + 1);
    if (strcmp(key, "descr") == 0) {
        seen = &h->has_descr;
        p = parse_text(h->descr, sizeof h->descr, p);
    } else if (strcmp(key, "fortran_order") == 0) {
        seen = &h->has_order;
        p = parse_word(&h->fortran, p);
    } else if (strcmp(key, "shape") == 0 && !h->has_shape) {
        seen = &h->has_shape;
        p = parse_shape(h, p);
    } else {
        return NULL;
    }
    if (*seen)
        return NULL;
    *seen = true;
    return p;
}

static bool parse_header(header *h, const char *p)
{
    *h = (header){0};
    p = skip_spaces(p);
    if (*p++ != '{')
        return false;
    for (p = skip_spaces(p); *p != '}'; p = skip_spaces(p)) {
        p = parse_item(h, p);
        if (!p || (*(p = skip_spaces(p)) != ',' && *p != '}'))
            return false;
        p += *p == ',';
    }
    return *skip_spaces(p + 1) == '\0' && h->has_descr && h->has_order && h->has_shape;
}

/* *at: where the numbers begin. */
static skv_status read_header(header *h, size_t *at, const member *m)
{
    char text[MAX_HEADER + 1];
    const uint8_t *p = m->data;
    const bool wide = m->bytes > 6 && p[6] >= 2; /* versions 2 and 3: a length of four bytes */
    const size_t begin = wide ? 12 : 10;
    size_t n = 0;

    if (m->bytes < begin || memcmp(p, "\x93NUMPY", 6) != 0 || p[6] < 1 || p[6] > 3)
        return bad(m, "no array of numpy (version 1 to 3 of .npy)");
    for (size_t i = begin; i-- > 8;)
        n = n << 8 | p[i];
    if (n > MAX_HEADER || n > m->bytes - begin)
        return bad(m, "its header is longer than the member, or than 4096 bytes");
    memcpy(text, p + begin, n);
    text[n] = '\0';
    if (strlen(text) != n || !parse_header(h, text))
        return bad(m, "its header is not the dictionary of descr, fortran_order and shape that "
                      "numpy writes");
    *at = begin + n;
    return SKV_OK;
}

/* -------------------------------------------------------------------- the numbers */

static void shape_text(char out[LIST_BYTES], int n_dims, const int64_t *shape)
{
    size_t at = (size_t)snprintf(out, LIST_BYTES, "(");

    for (int i = 0; i < n_dims; i++)
        at += (size_t)snprintf(out + at, LIST_BYTES - at, "%s%lld", i ? "," : "",
                               (long long)shape[i]);
    snprintf(out + at, LIST_BYTES - at, ")");
}

static skv_status check_header(const header *h, const member *m, int n_dims, const int64_t *shape)
{
    char found[LIST_BYTES], want[LIST_BYTES];
    const bool is_float = (h->descr[0] == '<' || h->descr[0] == '>') && h->descr[1] == 'f' &&
                          (h->descr[2] == '4' || h->descr[2] == '8') && h->descr[3] == '\0';

    if (!is_float)
        return skv_fail(SKV_E_FORMAT, "%s: %s is of numpy's type \"%s\", want float32 or float64",
                        m->path, m->name, h->descr);
    if (h->n_dims == n_dims && memcmp(h->shape, shape, (size_t)n_dims * sizeof *shape) == 0)
        return SKV_OK;
    shape_text(found, h->n_dims, h->shape);
    shape_text(want, n_dims, shape);
    return skv_fail(SKV_E_SHAPE, "%s: %s has the shape %s, want %s", m->path, m->name, found, want);
}

static double number_at(const uint8_t *p, bool big, int bytes)
{
    uint64_t bits = 0;
    uint32_t half;
    double d;
    float f;

    for (int i = 0; i < bytes; i++)
        bits |= (uint64_t)p[big ? bytes - 1 - i : i] << (8 * i);
    if (bytes == 8) {
        memcpy(&d, &bits, sizeof d);
        return d;
    }
    half = (uint32_t)bits;
    memcpy(&f, &half, sizeof f);
    return f;
}

/* Element i of the row-major order, in the order of columns: the first index runs fastest. */
static size_t fortran_place(size_t i, int n_dims, const int64_t *shape)
{
    size_t place = 0, index[SKV_NPZ_MAX_DIMS];

    for (int k = n_dims - 1; k >= 0; k--) {
        index[k] = i % (size_t)shape[k];
        i /= (size_t)shape[k];
    }
    for (int k = n_dims - 1; k >= 0; k--)
        place = place * (size_t)shape[k] + index[k];
    return place;
}

static skv_status read_array(double **out, const member *m, int n_dims, const int64_t *shape)
{
    header h;
    size_t at = 0, n = 1, width;
    double *v = NULL;

    SKV_TRY(read_header(&h, &at, m));
    SKV_TRY(check_header(&h, m, n_dims, shape));
    for (int i = 0; i < n_dims; i++)
        n *= (size_t)shape[i];
    width = h.descr[2] == '4' ? 4 : 8;
    if (m->bytes - at != n * width)
        return skv_fail(SKV_E_FORMAT, "%s: %s has %zu bytes of numbers, its header says %zu",
                        m->path, m->name, m->bytes - at, n * width);
    SKV_TRY(skv_alloc(&v, n, sizeof *v, m->path));
    for (size_t i = 0; i < n; i++)
        v[i] = number_at(m->data + at + width * (h.fortran ? fortran_place(i, n_dims, shape) : i),
                         h.descr[0] == '>', (int)width);
    *out = v;
    return SKV_OK;
}

static skv_status no_array(const skv_npz *f, const char *name)
{
    char list[LIST_BYTES] = "none";
    size_t at = 0;

    for (size_t i = 0; i < f->zip.n && at < sizeof list - 1; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%.*s", i ? ", " : "",
                               (int)f->zip.records[i].name_bytes, f->zip.records[i].name);
    return skv_fail(SKV_E_NOTFOUND, "%s: no array %s; it has: %s", f->path, name, list);
}

skv_status skv_npz_read(double **out, const skv_npz *f, const char *name, int n_dims,
                        const int64_t *shape)
{
    char full[NAME_BYTES];
    const int n = snprintf(full, sizeof full, "%s.npy", name);
    const skv_zip_record *r = skv_zip_find(&f->zip, full, (size_t)n);
    size_t most = 8;
    uint8_t *content = NULL;
    skv_status st;

    if (!r)
        return no_array(f, name);
    for (int i = 0; i < n_dims; i++)
        if (!skv_mul_size(&most, most, (size_t)shape[i]))
            return skv_fail(SKV_E_SHAPE, "%s: an array %s too large to be read", f->path, name);
    SKV_TRY(skv_zip_read(&content, &f->zip, r, most + MAX_HEADER + 12));
    st = read_array(out, &(member){f->path, name, content, r->bytes}, n_dims, shape);
    free(content);
    return st;
}
