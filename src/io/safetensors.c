#include "io/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"

#define MAX_HEADER 100000000u
#define METADATA   "__metadata__"

typedef struct {
    const char *name;
    int bits;
    int type; /* a skv_dtype, -1: none of ours */
} file_type;

static const file_type types[] = {
    {"F32", 32, SKV_F32}, {"F16", 16, SKV_F16},   {"BF16", 16, SKV_BF16}, {"BOOL", 8, -1},
    {"U8", 8, -1},        {"I8", 8, -1},          {"F8_E5M2", 8, -1},     {"F8_E4M3", 8, -1},
    {"F8_E8M0", 8, -1},   {"F8_E4M3FNUZ", 8, -1}, {"F8_E5M2FNUZ", 8, -1}, {"I16", 16, -1},
    {"U16", 16, -1},      {"I32", 32, -1},        {"U32", 32, -1},        {"F64", 64, -1},
    {"I64", 64, -1},      {"U64", 64, -1},        {"C64", 64, -1},        {"F4", 4, -1},
    {"F6_E2M3", 6, -1},   {"F6_E3M2", 6, -1},
};

/* One tensor's place, to be put in order and held against its neighbours. */
typedef struct {
    size_t begin, end;
    const char *name;
} span;

static skv_status refuse(const char *path, const char *name, const char *why)
{
    return skv_fail(SKV_E_FORMAT, "%s: tensor %.200s: %s", path, name, why);
}

/* Plain non-negative integers only: 4.0 and 1e1 are reals to the parser and refused here. */
static skv_status read_size(size_t *out, const json_t *v, const char *path, const char *name)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return refuse(path, name, "dimensions and offsets must be plain non-negative integers");
    *out = (size_t)json_integer_value(v);
    return SKV_OK;
}

static skv_status read_shape(skv_entry *e, size_t *count, const json_t *shape, const char *path)
{
    if (!json_is_array(shape))
        return refuse(path, e->name, "\"shape\" is missing or not a list");
    if (json_array_size(shape) > SKV_ENTRY_DIMS)
        return refuse(path, e->name, "more than 8 dimensions");
    e->ndim = (int)json_array_size(shape);
    for (int i = 0; i < e->ndim; i++) {
        size_t n = 0;

        SKV_TRY(read_size(&n, json_array_get(shape, (size_t)i), path, e->name));
        e->shape[i] = (int64_t)n;
    }
    return skv_entries_numel(count, e->ndim, e->shape)
               ? SKV_OK
               : refuse(path, e->name, "its shape overflows 64 bits");
}

static skv_status read_entry(skv_entry *e, span *at, const json_t *o, const char *path)
{
    const char *dtype = json_string_value(json_object_get(o, "dtype"));
    const json_t *offsets = json_object_get(o, "data_offsets");
    const file_type *t = NULL;
    size_t count = 0, bits = 0;

    if (!json_is_object(o) || !dtype || json_array_size(offsets) != 2)
        return refuse(path, e->name, "want dtype, shape and two data_offsets");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, dtype) == 0)
            t = &types[i];
    if (!t)
        return skv_fail(SKV_E_FORMAT, "%s: tensor %.200s: unknown dtype %.40s", path, e->name,
                        dtype);
    SKV_TRY(read_shape(e, &count, json_object_get(o, "shape"), path));
    SKV_TRY(read_size(&at->begin, json_array_get(offsets, 0), path, e->name));
    SKV_TRY(read_size(&at->end, json_array_get(offsets, 1), path, e->name));
    if (at->end < at->begin)
        return refuse(path, e->name, "its data ends before it begins");
    if (!skv_mul_size(&bits, count, (size_t)t->bits) || bits % 8 != 0 ||
        bits / 8 != at->end - at->begin)
        return refuse(path, e->name, "its shape and dtype do not give its number of bytes");
    at->name = e->name;
    e->supported = t->type >= 0;
    e->dtype = t->type >= 0 ? (skv_dtype)t->type : SKV_F32;
    e->dtype_name = t->type >= 0 ? skv_dtype_name(e->dtype) : t->name;
    e->bytes = at->end - at->begin;
    return SKV_OK;
}

static int by_place(const void *a, const void *b)
{
    const span *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* No holes, no overlap, and the last ends with the file. */
static skv_status check_places(span *spans, size_t n, size_t buffer, const char *path)
{
    size_t at = 0;

    qsort(spans, n, sizeof *spans, by_place);
    for (size_t i = 0; i < n; i++) {
        if (spans[i].begin != at)
            return refuse(path, spans[i].name, "does not begin where the one before it ended");
        at = spans[i].end;
    }
    if (at != buffer)
        return skv_fail(SKV_E_FORMAT, "%s: tensors end at byte %zu of a buffer of %zu", path, at,
                        buffer);
    return SKV_OK;
}

static skv_status check_metadata(const json_t *m, const char *path)
{
    const char *key;
    json_t *v;

    if (json_is_null(m))
        return SKV_OK;
    if (!json_is_object(m))
        return skv_fail(SKV_E_FORMAT, "%s: __metadata__ is not an object", path);
    json_object_foreach((json_t *)(uintptr_t)m, key, v)
    {
        if (!json_is_string(v))
            return skv_fail(SKV_E_FORMAT, "%s: __metadata__ \"%.100s\" is not a string", path, key);
    }
    return SKV_OK;
}

/* Tensors that share their numbers are stored once; __metadata__ says under which name the others
 * of them are to be found. root's tensors have been checked. */
static skv_status add_aliases(skv_entries *out, const json_t *root, const uint8_t *buffer,
                              const char *path, int shard)
{
    json_t *metadata = json_object_get(root, METADATA), *name;
    const char *alias;

    json_object_foreach(metadata, alias, name)
    {
        const json_t *tensor = json_object_get(root, json_string_value(name));
        skv_entry e = {.name = alias, .shard = shard, .record = SIZE_MAX};
        span at;

        if (!alias[0] || !tensor || tensor == metadata || json_object_get(root, alias))
            continue;
        SKV_TRY(read_entry(&e, &at, tensor, path));
        e.data = buffer + at.begin;
        SKV_TRY(skv_entries_add(out, &e, path));
    }
    return SKV_OK;
}

static skv_status read_tensors(skv_entries *out, json_t *root, const uint8_t *buffer, size_t bytes,
                               const char *path, int shard)
{
    const size_t most = json_object_size(root);
    span *spans = NULL;
    const char *name;
    json_t *value;
    skv_status st;
    size_t n = 0;

    SKV_TRY(skv_alloc(&spans, most, sizeof *spans, path));
    json_object_foreach(root, name, value)
    {
        skv_entry e = {.name = name, .shard = shard, .record = SIZE_MAX};

        if (strcmp(name, METADATA) == 0) {
            SKV_TRY_GOTO(check_metadata(value, path), done);
            continue;
        }
        SKV_TRY_GOTO(read_entry(&e, &spans[n], value, path), done);
        if (spans[n].end > bytes) {
            st = refuse(path, name, "its data lies beyond the file's end");
            goto done;
        }
        e.data = buffer + spans[n].begin;
        SKV_TRY_GOTO(skv_entries_add(out, &e, path), done);
        n++;
    }
    SKV_TRY_GOTO(check_places(spans, n, bytes, path), done);
    st = add_aliases(out, root, buffer, path, shard);
done:
    free(spans);
    return st;
}

/* Of a text, what a message shows of its first line. */
static int text_bytes(const uint8_t *data, size_t bytes)
{
    int n = 0;

    while ((size_t)n < bytes && n < 40 && data[n] >= ' ' && data[n] < 0x7f)
        n++;
    return n;
}

/* The first bytes are a text's: eight letters are no length that a header could have. */
static bool is_text(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < 64 && i < bytes; i++)
        if (!data[i] || data[i] == 0x7f || (data[i] < ' ' && !strchr("\t\n\r", data[i])))
            return false;
    return true;
}

skv_status skv_safetensors_read(skv_entries *out, const uint8_t *data, size_t bytes,
                                const char *path, int shard)
{
    uint64_t header = 0;
    json_t *root = NULL;
    skv_status st;

    if (bytes < 8)
        return skv_fail(SKV_E_FORMAT, "%s: %zu bytes are too few for a safetensors file", path,
                        bytes);
    for (int i = 7; i >= 0; i--)
        header = header << 8 | data[i];
    if (data[0] == 0x80 && data[1] >= 2 && data[1] <= 5)
        return skv_fail(SKV_E_FORMAT,
                        "%s: a pickle that torch.save did not write: want a PyTorch "
                        "file or safetensors",
                        path);
    if (is_text(data, bytes))
        return skv_fail(SKV_E_FORMAT,
                        "%s: a text that begins \"%.*s\": want a PyTorch file or "
                        "safetensors",
                        path, text_bytes(data, bytes), (const char *)data);
    if (header > MAX_HEADER || header > bytes - 8)
        return skv_fail(SKV_E_FORMAT,
                        "%s: neither a PyTorch file nor safetensors, or cut: a header of %llu "
                        "bytes in a file of %zu",
                        path, (unsigned long long)header, bytes);
    if (header == 0 || data[8] != '{')
        return skv_fail(SKV_E_FORMAT, "%s: the header does not begin with {", path);
    SKV_TRY(skv_json_parse(&root, (const char *)data + 8, (size_t)header, path));
    st = read_tensors(out, root, data + 8 + header, bytes - 8 - (size_t)header, path, shard);
    json_decref(root);
    return st;
}
