#include "write_checkpoint.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void bytes_add(test_bytes *b, const void *data, size_t n)
{
    if (n == 0)
        return;
    if (b->n + n > b->room) {
        b->room = 2 * (b->n + n) + 256;
        b->data = realloc(b->data, b->room);
        assert(b->data);
    }
    memcpy(b->data + b->n, data, n);
    b->n += n;
}

static void add_text(test_bytes *b, const char *text)
{
    bytes_add(b, text, strlen(text));
}

static void add_number(test_bytes *b, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes_add(b, &(uint8_t){(uint8_t)(i < 8 ? value >> (8 * i) : 0)}, 1);
}

void bytes_save(const test_bytes *b, const char *path)
{
    FILE *f = fopen(path, "wb");

    assert(f && (b->n == 0 || fwrite(b->data, 1, b->n, f) == b->n));
    assert(fclose(f) == 0);
}

static size_t count(const test_tensor *t)
{
    size_t n = 1;

    for (int i = 0; i < t->ndim; i++)
        n *= (size_t)t->shape[i];
    return n;
}

static void convert(test_bytes *out, const test_tensor *t, skv_dtype type)
{
    const size_t bytes = count(t) * skv_dtype_bytes(type);
    void *p = malloc(bytes + 1);

    assert(p);
    skv_from_f32(p, type, t->data, count(t));
    bytes_add(out, p, bytes);
    free(p);
}

/* ------------------------------------------------------------------------ zip */

static void add_header(test_bytes *b, const char *name, uint32_t crc, size_t n, size_t extra)
{
    add_number(b, 0, 2); /* flags */
    add_number(b, 0, 2); /* stored */
    add_number(b, 0, 4); /* time, date */
    add_number(b, crc, 4);
    add_number(b, n, 4);
    add_number(b, n, 4);
    add_number(b, strlen(name), 2);
    add_number(b, extra, 2);
}

void zip_add(test_zip *z, const char *name, const void *data, size_t n)
{
    const uint32_t crc = (uint32_t)crc32(0, data, (uInt)n);
    const size_t at = z->file.n, head = at + 30 + strlen(name) + 4;
    const size_t pad = (64 - head % 64) % 64;

    add_text(&z->file, "PK\3\4");
    add_number(&z->file, 0, 2);
    add_header(&z->file, name, crc, n, pad + 4);
    add_text(&z->file, name);
    add_text(&z->file, "FB"); /* torch's own padding field */
    add_number(&z->file, pad, 2);
    for (size_t i = 0; i < pad; i++)
        add_text(&z->file, "Z");
    bytes_add(&z->file, data, n);

    add_text(&z->directory, "PK\1\2");
    add_number(&z->directory, 0, 4);
    add_header(&z->directory, name, crc, n, 0);
    add_number(&z->directory, 0, 2 + 2 + 2 + 4);
    add_number(&z->directory, at, 4);
    add_text(&z->directory, name);
    z->members++;
}

void zip_finish(test_bytes *out, test_zip *z)
{
    const size_t at = z->file.n, n = z->directory.n;

    bytes_add(&z->file, z->directory.data, n);
    add_text(&z->file, "PK\5\6");
    add_number(&z->file, 0, 4);
    add_number(&z->file, (uint64_t)z->members, 2);
    add_number(&z->file, (uint64_t)z->members, 2);
    add_number(&z->file, n, 4);
    add_number(&z->file, at, 4);
    add_number(&z->file, 0, 2);
    free(z->directory.data);
    *out = z->file;
    *z = (test_zip){0};
}

/* --------------------------------------------------------------------- pickle */

void pickle_text(test_bytes *p, const char *text)
{
    add_text(p, "X");
    add_number(p, strlen(text), 4);
    add_text(p, text);
}

void pickle_int(test_bytes *p, int64_t v)
{
    if (v >= INT32_MIN && v <= INT32_MAX) {
        add_text(p, "J");
        add_number(p, (uint64_t)v, 4);
    } else {
        add_text(p, "\x8a\x08");
        add_number(p, (uint64_t)v, 8);
    }
}

static void add_tuple(test_bytes *p, int n, const int64_t *v)
{
    add_text(p, "(");
    for (int i = 0; i < n; i++)
        pickle_int(p, v[i]);
    add_text(p, "t");
}

void pickle_piece(test_bytes *p, const test_piece *t)
{
    char text[64];

    add_text(p, "ctorch._utils\n_rebuild_tensor_v2\n((");
    pickle_text(p, "storage");
    snprintf(text, sizeof text, "ctorch\n%s\n", t->storage);
    add_text(p, text);
    pickle_text(p, t->key);
    pickle_text(p, "cpu");
    pickle_int(p, t->elements);
    if (t->view) {
        add_text(p, "(");
        pickle_text(p, "view");
        pickle_int(p, t->view_at);
        pickle_int(p, t->view_elements);
        add_text(p, "t");
    }
    add_text(p, "tQ");
    pickle_int(p, t->offset);
    add_tuple(p, t->ndim, t->shape);
    add_tuple(p, t->ndim, t->stride);
    add_text(p, "\x89"
                "ccollections\nOrderedDict\n)RtR");
}

static void add_tensor(test_bytes *p, const test_tensor *t, size_t key, skv_dtype type)
{
    static const char *const storages[] = {"FloatStorage", "HalfStorage", "BFloat16Storage"};
    char text[24];
    test_piece piece = {.storage = storages[type],
                        .key = text,
                        .elements = (int64_t)count(t),
                        .ndim = t->ndim,
                        .stride = {1, 1, 1, 1}};

    memcpy(piece.shape, t->shape, sizeof piece.shape);
    for (int i = t->ndim - 2; i >= 0; i--) /* torch counts an empty extent as one */
        piece.stride[i] = piece.stride[i + 1] * (t->shape[i + 1] ? t->shape[i + 1] : 1);
    snprintf(text, sizeof text, "%zu", key);
    pickle_piece(p, &piece);
}

void make_torch_zip(test_bytes *out, const test_tensor *t, size_t n, skv_dtype type,
                    const char *wrapper)
{
    test_bytes p = {0};
    test_zip z = {0};
    char name[64];

    add_text(&p, "\x80\x02}(");
    if (wrapper) {
        pickle_text(&p, wrapper);
        add_text(&p, "}(");
    }
    for (size_t i = 0; i < n; i++) {
        pickle_text(&p, t[i].name);
        add_tensor(&p, &t[i], i, type);
    }
    if (wrapper) {
        add_text(&p, "u");
        pickle_text(&p, "epoch");
        pickle_int(&p, 7);
    }
    add_text(&p, "u.");
    zip_add(&z, "archive/data.pkl", p.data, p.n);
    zip_add(&z, "archive/version", "3\n", 2);
    for (size_t i = 0; i < n; i++) {
        test_bytes data = {0};

        convert(&data, &t[i], type);
        snprintf(name, sizeof name, "archive/data/%zu", i);
        zip_add(&z, name, data.data, data.n);
        free(data.data);
    }
    free(p.data);
    zip_finish(out, &z);
}

/* --------------------------------------------------------------------- legacy */

void legacy_begin(test_bytes *out)
{
    *out = (test_bytes){0};
    add_text(out, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
    add_text(out, "\x80\x02M\xe9\x03.");
    add_text(out, "\x80\x02}");
    pickle_text(out, "little_endian");
    add_text(out, "\x88s.");
}

void make_torch_legacy(test_bytes *out, const test_tensor *t, size_t n, skv_dtype type)
{
    char key[24];

    assert(n <= 10); /* so that the order of keys as texts is that of the numbers */
    legacy_begin(out);
    add_text(out, "\x80\x02}(");
    for (size_t i = 0; i < n; i++) {
        pickle_text(out, t[i].name);
        add_tensor(out, &t[i], i, type);
    }
    add_text(out, "u.\x80\x02](");
    for (size_t i = 0; i < n; i++) {
        snprintf(key, sizeof key, "%zu", i);
        pickle_text(out, key);
    }
    add_text(out, "e.");
    for (size_t i = 0; i < n; i++) {
        add_number(out, count(&t[i]), 8);
        convert(out, &t[i], type);
    }
}

/* ---------------------------------------------------------------- safetensors */

void make_safetensors(test_bytes *out, const test_tensor *t, size_t n, skv_dtype type)
{
    static const char *const names[] = {"F32", "F16", "BF16"};
    test_bytes header = {0}, data = {0};
    char text[256];

    add_text(&header, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = 0; i < n; i++) {
        const size_t begin = data.n;

        convert(&data, &t[i], type);
        snprintf(text, sizeof text, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", t[i].name,
                 names[type]);
        add_text(&header, text);
        for (int d = 0; d < t[i].ndim; d++) {
            snprintf(text, sizeof text, "%s%lld", d ? "," : "", (long long)t[i].shape[d]);
            add_text(&header, text);
        }
        snprintf(text, sizeof text, "],\"data_offsets\":[%zu,%zu]}", begin, data.n);
        add_text(&header, text);
    }
    add_text(&header, "}");
    while (header.n % 8)
        add_text(&header, " ");
    *out = (test_bytes){0};
    add_number(out, header.n, 8);
    bytes_add(out, header.data, header.n);
    bytes_add(out, data.data, data.n);
    free(header.data);
    free(data.data);
}
