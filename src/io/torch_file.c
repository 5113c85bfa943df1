/* From pickle values to tensors. A legacy stream says only how many elements a storage has; their
 * size comes from the pickle, so storages are listed from there before any is located. */
#include "io/torch_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/escape.h"
#include "core/mem.h"
#include "io/pickle.h"
#include "io/zip_file.h"

#define NAME_BYTES 1024
#define MAX_DEPTH  64
#define MAX_VISITS 2000000
#define MAX_NUMEL  ((size_t)1 << 42) /* also of an expanded view; sums of these stay in int64_t */

static const uint8_t legacy_magic[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c,
                                       0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

struct skv_torch_file {
    skv_zip zip;
    bool is_zip;
    const char *path;
};

/* The bytes of one storage. */
typedef struct {
    const uint8_t *data;
    size_t bytes;
    size_t record;   /* of the zip; SIZE_MAX: none */
    const char *key; /* the rest: of a legacy stream */
    size_t key_bytes, element;
} storage;

typedef struct {
    skv_entries *out;
    skv_torch_file *file;
    const char *path;
    int shard;
    char prefix[NAME_BYTES]; /* of the zip's members: "archive/" */
    size_t prefix_bytes;
    storage *legacy; /* sorted by key */
    size_t n_legacy;
    int64_t visits;
} reader;

bool skv_torch_file_is(const uint8_t *data, size_t bytes)
{
    return (bytes >= 4 && memcmp(data, "PK\3\4", 4) == 0) ||
           (bytes >= sizeof legacy_magic && memcmp(data, legacy_magic, sizeof legacy_magic) == 0);
}

/* -------------------------------------------------------------------- storages */

typedef struct {
    const char *storage, *dtype; /* names in torch; NULL: it has no storage class of its own */
    size_t bytes;                /* of an element */
    int type;                    /* a skv_dtype, -1: none of ours */
    const char *text;
} storage_type;

static const storage_type types[] = {
    {"FloatStorage", "float32", 4, SKV_F32, "fp32"},
    {"HalfStorage", "float16", 2, SKV_F16, "fp16"},
    {"BFloat16Storage", "bfloat16", 2, SKV_BF16, "bf16"},
    {"DoubleStorage", "float64", 8, -1, "fp64"},
    {"ComplexFloatStorage", "complex64", 8, -1, "complex fp32"},
    {"ComplexDoubleStorage", "complex128", 16, -1, "complex fp64"},
    {"LongStorage", "int64", 8, -1, "i64"},
    {"IntStorage", "int32", 4, -1, "i32"},
    {"ShortStorage", "int16", 2, -1, "i16"},
    {"CharStorage", "int8", 1, -1, "i8"},
    {"ByteStorage", "uint8", 1, -1, "u8"},
    {"BoolStorage", "bool", 1, -1, "bool"},
    {"QInt8Storage", "qint8", 1, -1, "qint8"},
    {"QUInt8Storage", "quint8", 1, -1, "quint8"},
    {"QInt32Storage", "qint32", 4, -1, "qint32"},
    {"QUInt4x2Storage", "quint4x2", 1, -1, "quint4x2"},
    {"QUInt2x4Storage", "quint2x4", 1, -1, "quint2x4"},
    {"UntypedStorage", NULL, 1, -1, "bytes"},
    {NULL, "uint16", 2, -1, "u16"},
    {NULL, "uint32", 4, -1, "u32"},
    {NULL, "uint64", 8, -1, "u64"},
    {NULL, "float8_e4m3fn", 1, -1, "float8_e4m3fn"},
    {NULL, "float8_e5m2", 1, -1, "float8_e5m2"},
    {NULL, "float8_e4m3fnuz", 1, -1, "float8_e4m3fnuz"},
    {NULL, "float8_e5m2fnuz", 1, -1, "float8_e5m2fnuz"},
    {NULL, "float8_e8m0fnu", 1, -1, "float8_e8m0fnu"},
};

static bool is_name(const char *name, const skv_pickle_value *v)
{
    return name && strlen(name) == v->bytes && memcmp(name, v->text, v->bytes) == 0;
}

/* NULL: not known. */
static const storage_type *type_of(const skv_pickle_value *s)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (is_name(types[i].storage, s))
            return &types[i];
    return NULL;
}

static const storage_type *dtype_of(const skv_pickle_tensor *t)
{
    for (size_t i = 0; t->type && i < sizeof types / sizeof types[0]; i++)
        if (is_name(types[i].dtype, t->type))
            return &types[i];
    return t->type ? NULL : type_of(t->storage);
}

static int by_key(const void *x, const void *y)
{
    const storage *a = x, *b = y;
    const int c = memcmp(a->key, b->key, a->key_bytes < b->key_bytes ? a->key_bytes : b->key_bytes);

    return c != 0 ? c : (a->key_bytes > b->key_bytes) - (a->key_bytes < b->key_bytes);
}

/* NULL: no such key. */
static storage *find_legacy(const reader *r, const skv_pickle_value *key)
{
    const storage wanted = {.key = key->text, .key_bytes = key->bytes};

    return r->n_legacy ? bsearch(&wanted, r->legacy, r->n_legacy, sizeof wanted, by_key) : NULL;
}

static skv_status find_storage(storage *out, const reader *r, const skv_pickle_value *s,
                               const char *tensor)
{
    const storage *legacy = find_legacy(r, s->key);
    char name[NAME_BYTES];
    skv_zip_record *record;
    int n;

    if (legacy && legacy->data) {
        *out = *legacy;
        return SKV_OK;
    }
    if (r->file->is_zip && s->key->bytes < 64) {
        n = snprintf(name, sizeof name, "%.*sdata/%.*s", (int)r->prefix_bytes, r->prefix,
                     (int)s->key->bytes, s->key->text);
        record =
            n > 0 && n < (int)sizeof name ? skv_zip_find(&r->file->zip, name, (size_t)n) : NULL;
        if (record) {
            *out = (storage){.data = record->data,
                             .bytes = record->bytes,
                             .record = (size_t)(record - r->file->zip.records)};
            return SKV_OK;
        }
    }
    return skv_fail(SKV_E_FORMAT, "%s: %s: its storage is not in the file", r->path, tensor);
}

/* A view into a storage (legacy): (key, offset, size) in elements. */
static skv_status apply_view(storage *at, const reader *r, const skv_pickle_value *view,
                             size_t element, const char *tensor)
{
    size_t offset, bytes;

    if (view->type != SKV_PICKLE_TUPLE || view->n != 3 || view->item[1]->type != SKV_PICKLE_INT ||
        view->item[1]->integer < 0 || view->item[2]->type != SKV_PICKLE_INT ||
        view->item[2]->integer < 0 ||
        !skv_mul_size(&offset, (size_t)view->item[1]->integer, element) ||
        !skv_mul_size(&bytes, (size_t)view->item[2]->integer, element) || offset > at->bytes ||
        bytes > at->bytes - offset)
        return skv_fail(SKV_E_FORMAT, "%s: %s: a view outside its storage", r->path, tensor);
    at->data += offset;
    at->bytes = bytes;
    return SKV_OK;
}

/* --------------------------------------------------------------------- tensors */

/* Largest element index a tensor touches, plus one; false on overflow. */
static bool extent(size_t *out, const skv_pickle_tensor *t, size_t *count)
{
    size_t last = (size_t)t->offset;

    if (!skv_entries_numel(count, t->ndim, t->shape) || *count > MAX_NUMEL)
        return false;
    if (*count == 0) {
        *out = 0;
        return true;
    }
    for (int i = 0; i < t->ndim; i++) {
        size_t step;

        if (!skv_mul_size(&step, (size_t)(t->shape[i] - 1), (size_t)t->stride[i]) ||
            !skv_add_size(&last, last, step))
            return false;
    }
    return skv_add_size(out, last, 1);
}

/* For a tensor that lies inside its storage; the strides of an empty one could be anything. */
static bool row_major(const skv_pickle_tensor *t, size_t count)
{
    int64_t dense = 1;

    if (count == 0)
        return true;
    for (int i = t->ndim - 1; i >= 0; i--) {
        if (t->shape[i] != 1 && t->stride[i] != dense)
            return false;
        dense *= t->shape[i];
    }
    return true;
}

#define WHAT_BYTES 512

/* "an object of argparse.Namespace": the name of an opaque value, or a text, behind `of`. */
static const char *describe(char *out, const char *of, const skv_pickle_value *v)
{
    const bool has_name = v->type == SKV_PICKLE_OPAQUE;
    const skv_pickle_value *name = has_name ? v->key : v;
    char plain[WHAT_BYTES / 4];
    size_t used = (size_t)snprintf(plain, sizeof plain, "%s", of);

    if (has_name)
        used += (size_t)snprintf(plain + used, sizeof plain - used, "%.*s.",
                                 (int)(v->bytes < 60 ? v->bytes : 60), v->text);
    if (used < sizeof plain)
        snprintf(plain + used, sizeof plain - used, "%.*s",
                 (int)(name->bytes < sizeof plain ? name->bytes : sizeof plain), name->text);
    skv_escape(out, WHAT_BYTES, plain);
    return out;
}

/* What stands under a name and is no tensor, for whoever wants one there. */
static skv_status add_other(reader *r, const char *name, const char *of, const skv_pickle_value *v)
{
    char what[WHAT_BYTES];

    return skv_entries_add_other(r->out, name, describe(what, of, v), r->path);
}

static skv_status add_tensor(reader *r, const char *name, const skv_pickle_tensor *t)
{
    const storage_type *type = dtype_of(t), *stored_as = type_of(t->storage);
    skv_entry e = {.name = name, .ndim = t->ndim, .shard = r->shard};
    size_t stored, last, count;
    storage at;

    if (!type || !stored_as)
        return add_other(r, name, "a tensor of torch.", stored_as ? t->type : t->storage);
    SKV_TRY(find_storage(&at, r, t->storage, name));
    e.record = at.record;
    if (!skv_mul_size(&stored, (size_t)t->storage->integer, stored_as->bytes) || stored != at.bytes)
        return skv_fail(SKV_E_FORMAT, "%s: %s: its storage of %lld elements has %zu bytes", r->path,
                        name, (long long)t->storage->integer, at.bytes);
    if (t->storage->view)
        SKV_TRY(apply_view(&at, r, t->storage->view, stored_as->bytes, name));
    if (!extent(&last, t, &count) || last > at.bytes / type->bytes ||
        (size_t)t->offset > at.bytes / type->bytes)
        return skv_fail(SKV_E_FORMAT, "%s: %s: reaches beyond its storage", r->path, name);
    memcpy(e.shape, t->shape, sizeof t->shape);
    e.supported = type->type >= 0 && row_major(t, count);
    e.dtype = type->type >= 0 ? (skv_dtype)type->type : SKV_F32;
    e.dtype_name = type->type >= 0 && !e.supported ? "not row-major" : type->text;
    e.data = at.data + (size_t)t->offset * type->bytes;
    e.bytes = e.supported ? count * type->bytes : 0;
    return skv_entries_add(r->out, &e, r->path);
}

static skv_status walk(reader *r, const skv_pickle_value *v, char *name, size_t used, int depth);

/* The members of a dictionary, under its name. */
static skv_status walk_members(reader *r, const skv_pickle_value *v, char *name, size_t used,
                               int depth)
{
    for (size_t i = 0; i < v->n; i += 2) {
        const skv_pickle_value *key = v->item[i], *item = v->item[i + 1];

        if (item->type != SKV_PICKLE_TENSOR && item->type != SKV_PICKLE_DICT &&
            item->type != SKV_PICKLE_OPAQUE)
            continue;
        if (key->type != SKV_PICKLE_TEXT || key->bytes == 0)
            continue;
        if (memchr(key->text, '\0', key->bytes) || used + key->bytes + 2 > NAME_BYTES) {
            if (item->type != SKV_PICKLE_TENSOR)
                continue;
            return skv_fail(SKV_E_FORMAT, "%s: a tensor's name is too long or has a NUL", r->path);
        }
        memcpy(name + used, key->text, key->bytes);
        name[used + key->bytes] = item->type == SKV_PICKLE_DICT ? '.' : '\0';
        SKV_TRY(walk(r, item, name, used + key->bytes + 1, depth + 1));
    }
    return SKV_OK;
}

/* NULL: the object has no such member that is a dictionary. */
static const skv_pickle_value *member(const skv_pickle_value *object, const char *key)
{
    const skv_pickle_value *s = object->state;

    for (size_t i = 0; s && i < s->n; i += 2)
        if (s->item[i]->type == SKV_PICKLE_TEXT && is_name(key, s->item[i]) &&
            s->item[i + 1]->type == SKV_PICKLE_DICT)
            return s->item[i + 1];
    return NULL;
}

/* A whole torch.nn.Module: its state_dict has the names of its members, and those of the modules
 * inside it behind their names. */
static const char *const module_members[] = {"_parameters", "_buffers", "_modules"};

static bool is_module(const skv_pickle_value *v)
{
    for (int i = 0; v->type == SKV_PICKLE_OPAQUE && i < 3; i++)
        if (!member(v, module_members[i]))
            return false;
    return v->type == SKV_PICKLE_OPAQUE;
}

/* Tensors of nested dictionaries and modules, and names under which something unknown stands;
 * everything else in a checkpoint is ignored. `used` bytes of the name end in '.' or NUL. */
static skv_status walk(reader *r, const skv_pickle_value *v, char *name, size_t used, int depth)
{
    if (++r->visits > MAX_VISITS || depth > MAX_DEPTH)
        return skv_fail(SKV_E_FORMAT, "%s: dictionaries nested too deep or too often", r->path);
    if (v->type == SKV_PICKLE_TENSOR)
        return add_tensor(r, name, v->tensor);
    if (v->type == SKV_PICKLE_DICT)
        return walk_members(r, v, name, used, depth);
    if (v->type == SKV_PICKLE_OPAQUE && !is_module(v))
        return add_other(r, name, "an object of ", v);
    if (used > 0)
        name[used - 1] = '.';
    for (int i = 0; v->type == SKV_PICKLE_OPAQUE && i < 3; i++)
        SKV_TRY(walk_members(r, member(v, module_members[i]), name, used, depth));
    return SKV_OK;
}

static bool is_script(const skv_pickle_value *root)
{
    static const char module[] = "__torch__";

    return root->bytes >= sizeof module - 1 && memcmp(root->text, module, sizeof module - 1) == 0;
}

/* The tensors of the file's object. */
static skv_status walk_object(reader *r, const skv_pickle_value *root)
{
    char name[NAME_BYTES] = "", what[WHAT_BYTES];

    if (root->type == SKV_PICKLE_OPAQUE && !is_module(root))
        return skv_fail(
            SKV_E_UNSUPPORTED,
            "%s: %s, want a dictionary of tensors: save the model's state_dict()", r->path,
            describe(what, is_script(root) ? "a TorchScript module, " : "an object of ", root));
    return walk(r, root, name, 0, 0);
}

/* ----------------------------------------------------------------------- forms */

/* A zip of another program. */
static skv_status no_pickle(const reader *r)
{
    static const char numpy[] = ".npy";
    const skv_zip *zip = &r->file->zip;
    const size_t n = sizeof numpy - 1;

    if (zip->n > 0 && zip->records[0].name_bytes > n &&
        memcmp(zip->records[0].name + zip->records[0].name_bytes - n, numpy, n) == 0)
        return skv_fail(SKV_E_FORMAT, "%s: an archive of numpy (.npz), want one of torch.save",
                        r->path);
    return skv_fail(SKV_E_FORMAT, "%s: the archive has no data.pkl, so torch.save did not write it",
                    r->path);
}

/* The one member "<folder>/data.pkl"; its folder is the prefix of all others. */
static skv_status find_pickle(skv_zip_record **out, reader *r)
{
    static const char name[] = "data.pkl";
    const size_t n = sizeof name - 1;

    *out = NULL;
    for (size_t i = 0; i < r->file->zip.n; i++) {
        skv_zip_record *m = &r->file->zip.records[i];

        if (m->name_bytes < n || m->name_bytes - n >= sizeof r->prefix ||
            memcmp(m->name + m->name_bytes - n, name, n) != 0 ||
            (m->name_bytes > n && m->name[m->name_bytes - n - 1] != '/'))
            continue;
        if (*out)
            return skv_fail(SKV_E_FORMAT, "%s: the archive has two data.pkl", r->path);
        r->prefix_bytes = m->name_bytes - n;
        memcpy(r->prefix, m->name, r->prefix_bytes);
        *out = m;
    }
    return *out ? SKV_OK : no_pickle(r);
}

static skv_status check_stored(const reader *r)
{
    for (size_t i = 0; i < r->file->zip.n; i++) {
        const skv_zip_record *m = &r->file->zip.records[i];

        if (m->deflated)
            return skv_fail(SKV_E_UNSUPPORTED,
                            "%s: zip archive: %.*s is compressed, want stored members, as "
                            "torch.save writes them",
                            r->path, (int)m->name_bytes, m->name);
    }
    return SKV_OK;
}

/* Newer archives say how their numbers are laid out. */
static skv_status check_byte_order(const reader *r)
{
    static const char little[] = "little";
    char name[NAME_BYTES + 16];
    const int n = snprintf(name, sizeof name, "%.*sbyteorder", (int)r->prefix_bytes, r->prefix);
    skv_zip_record *m = skv_zip_find(&r->file->zip, name, (size_t)n);

    if (!m)
        return SKV_OK;
    SKV_TRY(skv_zip_check(&r->file->zip, m));
    if (m->bytes != sizeof little - 1 || memcmp(m->data, little, m->bytes) != 0)
        return skv_fail(SKV_E_UNSUPPORTED, "%s: its byte order is not little-endian", r->path);
    return SKV_OK;
}

static skv_status read_zip(reader *r, const uint8_t *data, size_t bytes)
{
    const skv_pickle_value *root;
    skv_pickle *p = NULL;
    skv_zip_record *member = NULL;
    size_t used = 0;
    skv_status st;

    SKV_TRY(skv_zip_open(&r->file->zip, data, bytes, r->path));
    r->file->is_zip = true;
    SKV_TRY(find_pickle(&member, r));
    SKV_TRY(check_stored(r));
    SKV_TRY(check_byte_order(r));
    SKV_TRY(skv_zip_check(&r->file->zip, member));
    SKV_TRY(skv_pickle_run(&p, &root, &used, member->data, member->bytes, r->path));
    if (used == member->bytes)
        st = walk_object(r, root);
    else
        st = skv_fail(SKV_E_FORMAT, "%s: %zu bytes follow the end of data.pkl's pickle", r->path,
                      member->bytes - used);
    skv_pickle_destroy(p);
    return st;
}

/* What the pickle says of the storages: each key once, with the size of its elements. */
static skv_status list_storages(reader *r, const skv_pickle *object)
{
    size_t n = 0, kept = 0;
    const skv_pickle_value *const *s = skv_pickle_storages(object, &n);

    SKV_TRY(skv_alloc(&r->legacy, n, sizeof *r->legacy, r->path));
    for (size_t i = 0; i < n; i++) {
        const storage_type *t = type_of(s[i]);

        if (!t)
            return skv_fail(SKV_E_UNSUPPORTED,
                            "%s: a legacy stream with torch.%.*s, whose size is not known", r->path,
                            (int)(s[i]->bytes < 100 ? s[i]->bytes : 100), s[i]->text);
        r->legacy[i] = (storage){.record = SIZE_MAX,
                                 .key = s[i]->key->text,
                                 .key_bytes = s[i]->key->bytes,
                                 .element = t->bytes};
    }
    if (n > 0)
        qsort(r->legacy, n, sizeof *r->legacy, by_key);
    for (size_t i = 0; i < n; i++) {
        const bool again = kept > 0 && by_key(&r->legacy[kept - 1], &r->legacy[i]) == 0;

        if (again && r->legacy[kept - 1].element != r->legacy[i].element)
            return skv_fail(SKV_E_FORMAT, "%s: a storage has elements of two sizes", r->path);
        if (!again)
            r->legacy[kept++] = r->legacy[i];
    }
    r->n_legacy = kept;
    return SKV_OK;
}

/* One storage at data[0..bytes): an element count and the elements; *used bytes of it. False:
 * the file ends inside it. */
static bool read_storage(size_t *used, storage *s, const uint8_t *data, size_t bytes)
{
    uint64_t count = 0;

    if (bytes < 8)
        return false;
    for (int b = 7; b >= 0; b--)
        count = count << 8 | data[b];
    if (!skv_mul_size(&s->bytes, (size_t)count, s->element) || s->bytes > bytes - 8)
        return false;
    s->data = data + 8;
    *used = 8 + s->bytes;
    return true;
}

/* After the pickles: the storages of the listed keys, in the list's order. */
static skv_status read_storages(reader *r, const skv_pickle_value *keys, const uint8_t *data,
                                size_t bytes)
{
    size_t at = 0;

    if (keys->type != SKV_PICKLE_LIST)
        return skv_fail(SKV_E_FORMAT, "%s: not a list of storage keys", r->path);
    for (size_t i = 0; i < keys->n; i++) {
        const skv_pickle_value *key = keys->item[i];
        storage *s = key->type == SKV_PICKLE_TEXT ? find_legacy(r, key) : NULL;
        size_t used = 0;

        if (!s)
            return skv_fail(SKV_E_FORMAT, "%s: storage %zu belongs to no tensor", r->path, i);
        if (s->data)
            return skv_fail(SKV_E_FORMAT, "%s: storage %zu is listed twice", r->path, i);
        if (!read_storage(&used, s, data + at, bytes - at))
            return skv_fail(SKV_E_FORMAT, "%s: storage %zu is cut off", r->path, i);
        at += used;
    }
    if (at != bytes)
        return skv_fail(SKV_E_FORMAT, "%s: %zu bytes follow the last storage", r->path, bytes - at);
    return SKV_OK;
}

static bool little_endian(const skv_pickle_value *v)
{
    static const char key[] = "little_endian";

    for (size_t i = 0; v->type == SKV_PICKLE_DICT && i < v->n; i += 2)
        if (v->item[i]->type == SKV_PICKLE_TEXT && v->item[i]->bytes == sizeof key - 1 &&
            memcmp(v->item[i]->text, key, sizeof key - 1) == 0)
            return v->item[i + 1]->type == SKV_PICKLE_BOOL && v->item[i + 1]->integer == 1;
    return false;
}

/* Five pickles: magic, protocol, machine, object, storage keys; then the storages. */
static skv_status read_legacy(reader *r, const uint8_t *data, size_t bytes)
{
    enum { MAGIC, PROTOCOL, MACHINE, OBJECT, KEYS, N_PICKLES };
    skv_pickle *p[N_PICKLES] = {NULL};
    const skv_pickle_value *root[N_PICKLES];
    skv_status st = SKV_OK;
    size_t at = 0;

    for (int i = 0; i < N_PICKLES; i++) {
        size_t used = 0;

        SKV_TRY_GOTO(skv_pickle_run(&p[i], &root[i], &used, data + at, bytes - at, r->path), done);
        at += used;
    }
    if (root[PROTOCOL]->type != SKV_PICKLE_INT || root[PROTOCOL]->integer != 1001 ||
        !little_endian(root[MACHINE])) {
        st = skv_fail(SKV_E_UNSUPPORTED, "%s: a legacy stream that is not 1001 and little-endian",
                      r->path);
        goto done;
    }
    SKV_TRY_GOTO(list_storages(r, p[OBJECT]), done);
    SKV_TRY_GOTO(read_storages(r, root[KEYS], data + at, bytes - at), done);
    SKV_TRY_GOTO(walk_object(r, root[OBJECT]), done);
done:
    for (int i = 0; i < N_PICKLES; i++)
        skv_pickle_destroy(p[i]);
    return st;
}

skv_status skv_torch_file_read(skv_entries *out, skv_torch_file **file, const char **kind,
                               const uint8_t *data, size_t bytes, const char *path, int shard)
{
    reader r = {.out = out, .path = path, .shard = shard};
    skv_status st;

    SKV_TRY(skv_alloc(&r.file, 1, sizeof *r.file, path));
    r.file->path = path;
    if (data[0] == 'P') {
        *kind = "PyTorch zip";
        st = read_zip(&r, data, bytes);
    } else {
        *kind = "PyTorch legacy";
        st = read_legacy(&r, data, bytes);
    }
    free(r.legacy);
    if (st == SKV_OK)
        *file = r.file;
    else
        skv_torch_file_close(r.file);
    return st;
}

skv_status skv_torch_file_verify(skv_torch_file *file, size_t record)
{
    return file->is_zip ? skv_zip_check(&file->zip, &file->zip.records[record]) : SKV_OK;
}

void skv_torch_file_close(skv_torch_file *file)
{
    if (!file)
        return;
    if (file->is_zip)
        skv_zip_close(&file->zip);
    free(file);
}
