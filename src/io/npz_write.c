/* Stored members, the local headers in front with the sizes and sums that the directory repeats, as
 * any zip reader wants them. Nothing in the file depends on the time. */
#include "io/npz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/aside.h"
#include "core/mem.h"

#define LOCAL_BYTES   30U
#define CENTRAL_BYTES 46U
#define END_BYTES     22U
#define NAME_BYTES    64U
#define ALIGN         64U /* of an array's numbers, in the member */
#define HEADER_BYTES  256U
#define DATE          0x0021U /* 1980-01-01 */
#define VERSION       20U

/* A member that was written. */
typedef struct {
    char name[NAME_BYTES];
    uint32_t crc, bytes, begin;
} entry;

static void put(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* Magic to newline, a multiple of ALIGN bytes: numpy's version 1. */
static size_t make_header(uint8_t out[HEADER_BYTES], const skv_npz_array *a)
{
    char text[HEADER_BYTES];
    size_t n = (size_t)snprintf(text, sizeof text,
                                "{'descr': '<f8', 'fortran_order': False, 'shape': ("),
           all;

    for (int i = 0; i < a->n_dims; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%lld%s", (long long)a->shape[i],
                              i + 1 < a->n_dims ? ", "
                              : a->n_dims == 1  ? ","
                                                : "");
    n += (size_t)snprintf(text + n, sizeof text - n, "), }");
    all = (10 + n + 1 + ALIGN - 1) / ALIGN * ALIGN;
    memset(out, ' ', all);
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    put(out + 8, all - 10, 2);
    memcpy(out + 10, text, n);
    out[all - 1] = '\n';
    return all;
}

/* The fields that local and central headers share: from the version needed to the name's length. */
static void put_common(uint8_t *p, const entry *e)
{
    put(p, VERSION, 2);
    put(p + 2, 0, 6); /* flags, method, time */
    put(p + 8, DATE, 2);
    put(p + 10, e->crc, 4);
    put(p + 14, e->bytes, 4);
    put(p + 18, e->bytes, 4);
    put(p + 22, strlen(e->name), 2);
    put(p + 24, 0, 2);
}

static skv_status write_member(const skv_aside *to, entry *e, const skv_npz_array *a)
{
    uint8_t local[LOCAL_BYTES + NAME_BYTES] = {'P', 'K', 3, 4}, head[HEADER_BYTES];
    const size_t head_bytes = make_header(head, a);
    const size_t bytes = e->bytes - head_bytes;

    e->crc = (uint32_t)crc32(crc32(0, head, (uInt)head_bytes), (const Bytef *)a->data, (uInt)bytes);
    put_common(local + 4, e);
    memcpy(local + LOCAL_BYTES, e->name, strlen(e->name));
    SKV_TRY(skv_aside_write(to, local, LOCAL_BYTES + strlen(e->name)));
    SKV_TRY(skv_aside_write(to, head, head_bytes));
    return skv_aside_write(to, a->data, bytes);
}

static skv_status write_directory(const skv_aside *to, const entry *e, int n, uint32_t begin)
{
    uint8_t end[END_BYTES] = {'P', 'K', 5, 6};
    size_t bytes = 0;

    for (int i = 0; i < n; i++) {
        uint8_t central[CENTRAL_BYTES + NAME_BYTES] = {'P', 'K', 1, 2, VERSION};
        const size_t name = strlen(e[i].name);

        put_common(central + 6, &e[i]);
        put(central + 42, e[i].begin, 4);
        memcpy(central + CENTRAL_BYTES, e[i].name, name);
        SKV_TRY(skv_aside_write(to, central, CENTRAL_BYTES + name));
        bytes += CENTRAL_BYTES + name;
    }
    put(end + 8, (uint64_t)n, 2);
    put(end + 10, (uint64_t)n, 2);
    put(end + 12, bytes, 4);
    put(end + 16, begin, 4);
    return skv_aside_write(to, end, sizeof end);
}

/* Names, sizes and places of all members; *end: where the directory begins. */
static skv_status plan(entry *e, uint32_t *end, const char *path, const skv_npz_array *array, int n)
{
    uint8_t head[HEADER_BYTES];
    size_t at = 0;

    for (int i = 0; i < n; i++) {
        size_t bytes = sizeof(double);

        for (int k = 0; k < array[i].n_dims; k++)
            if (!skv_mul_size(&bytes, bytes, (size_t)array[i].shape[k]))
                bytes = INT32_MAX;
        snprintf(e[i].name, sizeof e[i].name, "%.*s.npy", (int)NAME_BYTES - 8, array[i].name);
        e[i].begin = (uint32_t)at;
        bytes += make_header(head, &array[i]);
        at += LOCAL_BYTES + strlen(e[i].name) + bytes;
        if (bytes > INT32_MAX || at > INT32_MAX)
            return skv_fail(SKV_E_ARG, "%s: arrays of 2 GiB and more are not written", path);
        e[i].bytes = (uint32_t)bytes;
    }
    *end = (uint32_t)at;
    return SKV_OK;
}

skv_status skv_npz_write(const char *path, const skv_npz_array *array, int n)
{
    entry *e = NULL;
    skv_aside to = {.fd = -1};
    uint32_t end = 0;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&e, (size_t)n + 1, sizeof *e, path), done);
    SKV_TRY_GOTO(plan(e, &end, path, array, n), done);
    SKV_TRY_GOTO(skv_aside_create(&to, path, 0), done);
    for (int i = 0; i < n; i++)
        SKV_TRY_GOTO(write_member(&to, &e[i], &array[i]), drop);
    SKV_TRY_GOTO(write_directory(&to, e, n, end), drop);
    st = skv_aside_commit(&to);
drop:
    skv_aside_drop(&to);
done:
    free(e);
    return st;
}
