/* The pickle machine. Values live in blocks until the end, so containers may share them or hold
 * themselves; whoever walks them bounds depth and visits. The bounds on values and items keep a
 * short pickle from growing a dictionary again and again out of one long list. */
#include "io/pickle.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define MAX_STACK  10000
#define MAX_MEMO   ((size_t)1 << 20)
#define MAX_VALUES ((size_t)1 << 21)
#define MAX_ITEMS  ((size_t)1 << 22) /* of all containers together */

typedef struct block {
    struct block *next;
    skv_pickle_value values[1024];
} block;

struct skv_pickle {
    const uint8_t *data;
    size_t bytes, at;
    const char *path;
    block *blocks;
    size_t in_block, n_values, n_items;
    skv_pickle_value *stack[MAX_STACK];
    size_t depth;
    size_t marks[MAX_STACK]; /* stack heights */
    size_t n_marks;
    skv_pickle_value **memo;
    size_t memo_room;
    skv_pickle_value storages; /* a list */
};

#define refuse(p, what)                                                                            \
    skv_fail(SKV_E_FORMAT, "%s: pickle, byte %zu: %s", (p)->path, (p)->at, (what))

static skv_status make(skv_pickle *p, skv_pickle_value **out, skv_pickle_type type)
{
    if (!p->blocks || p->in_block == sizeof p->blocks->values / sizeof p->blocks->values[0]) {
        block *b = NULL;

        if (p->n_values >= MAX_VALUES)
            return refuse(p, "too many values");
        SKV_TRY(skv_alloc(&b, 1, sizeof *b, p->path));
        b->next = p->blocks;
        p->blocks = b;
        p->in_block = 0;
    }
    *out = &p->blocks->values[p->in_block++];
    p->n_values++;
    (*out)->type = type;
    return SKV_OK;
}

static skv_status push(skv_pickle *p, skv_pickle_value *v)
{
    if (p->depth == MAX_STACK)
        return refuse(p, "the stack is too deep");
    p->stack[p->depth++] = v;
    return SKV_OK;
}

/* Only a mark's own operations may shrink the stack below that mark. */
static skv_status pop(skv_pickle *p, skv_pickle_value **out)
{
    const size_t floor = p->n_marks ? p->marks[p->n_marks - 1] : 0;

    if (p->depth <= floor)
        return refuse(p, "the stack is empty");
    *out = p->stack[--p->depth];
    return SKV_OK;
}

static skv_status add_item(skv_pickle *p, skv_pickle_value *v, skv_pickle_value *item)
{
    if (++p->n_items > MAX_ITEMS)
        return refuse(p, "containers of too many items");
    SKV_TRY(skv_grow(&v->item, v->n, sizeof *v->item, p->path));
    v->item[v->n++] = item;
    return SKV_OK;
}

static skv_status take(skv_pickle *p, const uint8_t **out, size_t n)
{
    if (n > p->bytes - p->at)
        return refuse(p, "the file ends inside it");
    *out = p->data + p->at;
    p->at += n;
    return SKV_OK;
}

/* Little-endian, n <= 8 bytes. */
static skv_status take_number(skv_pickle *p, uint64_t *out, size_t n)
{
    const uint8_t *b;

    SKV_TRY(take(p, &b, n));
    *out = 0;
    for (size_t i = n; i > 0; i--)
        *out = *out << 8 | b[i - 1];
    return SKV_OK;
}

static skv_status push_integer(skv_pickle *p, skv_pickle_type type, int64_t value)
{
    skv_pickle_value *v;

    SKV_TRY(make(p, &v, type));
    v->integer = value;
    return push(p, v);
}

static skv_status push_text(skv_pickle *p, size_t length_bytes)
{
    uint64_t n;
    const uint8_t *text;
    skv_pickle_value *v;

    SKV_TRY(take_number(p, &n, length_bytes));
    SKV_TRY(take(p, &text, (size_t)n));
    SKV_TRY(make(p, &v, SKV_PICKLE_TEXT));
    v->text = (const char *)text;
    v->bytes = (size_t)n;
    return push(p, v);
}

/* LONG1: up to eight bytes are kept. The legacy magic has ten and was checked before. */
static skv_status push_long(skv_pickle *p)
{
    uint64_t n, value = 0;
    const uint8_t *b;
    skv_pickle_value *v;

    SKV_TRY(take_number(p, &n, 1));
    SKV_TRY(take(p, &b, (size_t)n));
    if (n > 10)
        return refuse(p, "an integer of more than 10 bytes");
    for (size_t i = (size_t)n; i > 0 && n <= 8; i--)
        value = value << 8 | b[i - 1];
    if (n > 0 && n < 8 && (b[n - 1] & 0x80))
        value |= ~(uint64_t)0 << (8 * n);
    SKV_TRY(make(p, &v, n <= 8 ? SKV_PICKLE_INT : SKV_PICKLE_REAL));
    v->integer = (int64_t)value;
    return push(p, v);
}

/* The items above the last mark become the container's. */
static skv_status close_mark(skv_pickle *p, skv_pickle_value *v)
{
    size_t from;

    if (p->n_marks == 0)
        return refuse(p, "no mark on the stack");
    from = p->marks[--p->n_marks];
    for (size_t i = from; i < p->depth; i++)
        SKV_TRY(add_item(p, v, p->stack[i]));
    p->depth = from;
    return SKV_OK;
}

static skv_status push_tuple(skv_pickle *p, int n)
{
    skv_pickle_value *v, *item[3];

    SKV_TRY(make(p, &v, SKV_PICKLE_TUPLE));
    if (n < 0)
        SKV_TRY(close_mark(p, v));
    for (int i = n - 1; i >= 0; i--)
        SKV_TRY(pop(p, &item[i]));
    for (int i = 0; i < n; i++)
        SKV_TRY(add_item(p, v, item[i]));
    return push(p, v);
}

/* APPENDS, SETITEMS: what lies above the mark goes into the container below it. */
static skv_status extend(skv_pickle *p, skv_pickle_type type)
{
    skv_pickle_value above = {0}, *v;
    skv_status st = close_mark(p, &above);

    if (st == SKV_OK)
        st = pop(p, &v);
    if (st == SKV_OK && (v->type != type || (type == SKV_PICKLE_DICT && above.n % 2 != 0)))
        st = refuse(p, "items for a value that is not such a container");
    for (size_t i = 0; st == SKV_OK && i < above.n; i++)
        st = add_item(p, v, above.item[i]);
    free(above.item);
    return st == SKV_OK ? push(p, v) : st;
}

static skv_status add_one(skv_pickle *p, skv_pickle_type type)
{
    skv_pickle_value *value, *key = NULL, *v;

    SKV_TRY(pop(p, &value));
    if (type == SKV_PICKLE_DICT)
        SKV_TRY(pop(p, &key));
    SKV_TRY(pop(p, &v));
    if (v->type != type)
        return refuse(p, "an item for a value that is not such a container");
    if (key)
        SKV_TRY(add_item(p, v, key));
    SKV_TRY(add_item(p, v, value));
    return push(p, v);
}

static skv_status memo_put(skv_pickle *p, size_t index_bytes)
{
    uint64_t i;

    SKV_TRY(take_number(p, &i, index_bytes));
    if (p->depth == 0 || i >= MAX_MEMO)
        return refuse(p, "an empty stack to remember, or too many memo entries");
    if (i >= p->memo_room) {
        const size_t room = (size_t)i * 2 + 256;
        skv_pickle_value **grown = realloc(p->memo, room * sizeof *grown);

        if (!grown)
            return skv_fail(SKV_E_MEM, "%s: out of memory", p->path);
        memset(grown + p->memo_room, 0, (room - p->memo_room) * sizeof *grown);
        p->memo = grown;
        p->memo_room = room;
    }
    p->memo[i] = p->stack[p->depth - 1];
    return SKV_OK;
}

static skv_status memo_get(skv_pickle *p, size_t index_bytes)
{
    uint64_t i;

    SKV_TRY(take_number(p, &i, index_bytes));
    if (i >= p->memo_room || !p->memo[i])
        return refuse(p, "a memo entry that does not exist");
    return push(p, p->memo[i]);
}

/* --------------------------------------------------------------- allowed names */

static const char *const globals[] = {"collections OrderedDict",
                                      "torch._utils _rebuild_tensor_v2",
                                      "torch._utils _rebuild_tensor",
                                      "torch._utils _rebuild_parameter",
                                      "torch FloatStorage",
                                      "torch HalfStorage",
                                      "torch BFloat16Storage",
                                      "torch DoubleStorage",
                                      "torch ComplexFloatStorage",
                                      "torch ComplexDoubleStorage",
                                      "torch LongStorage",
                                      "torch IntStorage",
                                      "torch ShortStorage",
                                      "torch CharStorage",
                                      "torch ByteStorage",
                                      "torch BoolStorage"};

static skv_status push_global(skv_pickle *p)
{
    char name[128];
    size_t used = 0;
    skv_pickle_value *v;

    for (int lines = 0; lines < 2 && used < sizeof name - 1;) {
        const uint8_t *b;

        SKV_TRY(take(p, &b, 1));
        lines += *b == '\n';
        name[used++] = *b == '\n' ? (lines == 1 ? ' ' : '\0') : (char)*b;
    }
    name[used] = '\0';
    for (size_t i = 0; i < sizeof globals / sizeof globals[0]; i++) {
        if (strlen(globals[i]) + 1 != used || memcmp(globals[i], name, used) != 0)
            continue;
        SKV_TRY(make(p, &v, SKV_PICKLE_GLOBAL));
        v->text = globals[i];
        v->bytes = strlen(globals[i]);
        return push(p, v);
    }
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)name[i] < 0x20 || (unsigned char)name[i] > 0x7e)
            name[i] = name[i] ? '?' : '\0';
    return skv_fail(SKV_E_FORMAT, "%s: pickle, byte %zu: \"%s\" is not an allowed name", p->path,
                    p->at, name);
}

static bool is_global(const skv_pickle_value *v, const char *name)
{
    return v->type == SKV_PICKLE_GLOBAL && strcmp(v->text, name) == 0;
}

static bool is_text(const skv_pickle_value *v, const char *text)
{
    return v->type == SKV_PICKLE_TEXT && v->bytes == strlen(text) &&
           memcmp(v->text, text, v->bytes) == 0;
}

/* ('storage', type, key, device, number of elements[, view]) */
static skv_status push_storage(skv_pickle *p)
{
    skv_pickle_value *id, *v;

    SKV_TRY(pop(p, &id));
    if (id->type != SKV_PICKLE_TUPLE || (id->n != 5 && id->n != 6) ||
        !is_text(id->item[0], "storage") || id->item[1]->type != SKV_PICKLE_GLOBAL ||
        strncmp(id->item[1]->text, "torch ", 6) != 0 || id->item[2]->type != SKV_PICKLE_TEXT ||
        id->item[4]->type != SKV_PICKLE_INT || id->item[4]->integer < 0)
        return refuse(p, "a persistent id that is not a storage");
    SKV_TRY(make(p, &v, SKV_PICKLE_STORAGE));
    v->text = id->item[1]->text + 6;
    v->bytes = id->item[1]->bytes - 6;
    v->key = id->item[2];
    v->integer = id->item[4]->integer;
    v->view = id->n == 6 && id->item[5]->type != SKV_PICKLE_NONE ? id->item[5] : NULL;
    SKV_TRY(add_item(p, &p->storages, v));
    return push(p, v);
}

static skv_status read_dims(const skv_pickle *p, int *ndim, int64_t *out, const skv_pickle_value *v)
{
    if (v->type != SKV_PICKLE_TUPLE || v->n > SKV_PICKLE_DIMS)
        return refuse(p, "a tensor's shape is not a tuple of at most 8");
    *ndim = (int)v->n;
    for (size_t i = 0; i < v->n; i++) {
        if (v->item[i]->type != SKV_PICKLE_INT || v->item[i]->integer < 0)
            return refuse(p, "a tensor's shape or stride is negative or not an integer");
        out[i] = v->item[i]->integer;
    }
    return SKV_OK;
}

/* _rebuild_tensor[_v2](storage, offset, shape, stride, ...) */
static skv_status push_tensor(skv_pickle *p, const skv_pickle_value *args, size_t at_least)
{
    skv_pickle_value *v;
    int strides = 0;

    if (args->n < at_least || args->item[0]->type != SKV_PICKLE_STORAGE ||
        args->item[1]->type != SKV_PICKLE_INT || args->item[1]->integer < 0)
        return refuse(p, "a tensor without storage or offset");
    SKV_TRY(make(p, &v, SKV_PICKLE_TENSOR));
    SKV_TRY(skv_alloc(&v->tensor, 1, sizeof *v->tensor, p->path));
    v->tensor->storage = args->item[0];
    v->tensor->offset = args->item[1]->integer;
    SKV_TRY(read_dims(p, &v->tensor->ndim, v->tensor->shape, args->item[2]));
    SKV_TRY(read_dims(p, &strides, v->tensor->stride, args->item[3]));
    if (strides != v->tensor->ndim)
        return refuse(p, "a tensor whose shape and stride have different lengths");
    return push(p, v);
}

/* OrderedDict() or OrderedDict([[key, value], ...]) as Python 2 wrote it. */
static skv_status push_dict(skv_pickle *p, const skv_pickle_value *args)
{
    skv_pickle_value *v;

    SKV_TRY(make(p, &v, SKV_PICKLE_DICT));
    if (args->n > 1 || (args->n == 1 && args->item[0]->type != SKV_PICKLE_LIST))
        return refuse(p, "an OrderedDict of something else than a list");
    for (size_t i = 0; args->n == 1 && i < args->item[0]->n; i++) {
        skv_pickle_value *pair = args->item[0]->item[i];

        if ((pair->type != SKV_PICKLE_LIST && pair->type != SKV_PICKLE_TUPLE) || pair->n != 2)
            return refuse(p, "an OrderedDict's item is not a pair");
        SKV_TRY(add_item(p, v, pair->item[0]));
        SKV_TRY(add_item(p, v, pair->item[1]));
    }
    return push(p, v);
}

/* No call is made: the few known names stand for values we build ourselves. */
static skv_status reduce(skv_pickle *p)
{
    skv_pickle_value *args, *name;

    SKV_TRY(pop(p, &args));
    SKV_TRY(pop(p, &name));
    if (args->type != SKV_PICKLE_TUPLE)
        return refuse(p, "REDUCE without a tuple");
    if (is_global(name, "collections OrderedDict"))
        return push_dict(p, args);
    if (is_global(name, "torch._utils _rebuild_tensor_v2"))
        return push_tensor(p, args, 6);
    if (is_global(name, "torch._utils _rebuild_tensor"))
        return push_tensor(p, args, 4);
    if (is_global(name, "torch._utils _rebuild_parameter") && args->n >= 1 &&
        args->item[0]->type == SKV_PICKLE_TENSOR)
        return push(p, args->item[0]);
    return refuse(p, "REDUCE of a name that is not allowed");
}

/* Only a dictionary's {'_metadata': ...}, which nobody needs. */
static skv_status build(skv_pickle *p)
{
    skv_pickle_value *state, *v;

    SKV_TRY(pop(p, &state));
    SKV_TRY(pop(p, &v));
    if (v->type != SKV_PICKLE_DICT || state->type != SKV_PICKLE_DICT || state->n != 2 ||
        !is_text(state->item[0], "_metadata"))
        return refuse(p, "BUILD of something else than a dictionary's _metadata");
    return push(p, v);
}

static skv_status push_empty(skv_pickle *p, skv_pickle_type type)
{
    skv_pickle_value *v;

    SKV_TRY(make(p, &v, type));
    return push(p, v);
}

static skv_status step(skv_pickle *p, uint8_t opcode)
{
    uint64_t n = 0;

    switch (opcode) {
    case 0x80: /* PROTO */
        SKV_TRY(take_number(p, &n, 1));
        return n == 2 && p->at == 2 ? SKV_OK
                                    : refuse(p, "a pickle protocol that is not 2, or set twice");
    case '(': /* MARK */
        if (p->n_marks == MAX_STACK)
            return refuse(p, "too many marks");
        p->marks[p->n_marks++] = p->depth;
        return SKV_OK;
    case 'N':
        return push_empty(p, SKV_PICKLE_NONE);
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        return push_integer(p, SKV_PICKLE_BOOL, opcode == 0x88);
    case '}':
        return push_empty(p, SKV_PICKLE_DICT);
    case ']':
        return push_empty(p, SKV_PICKLE_LIST);
    case ')':
        return push_empty(p, SKV_PICKLE_TUPLE);
    case 't':
        return push_tuple(p, -1);
    case 0x85: /* TUPLE1 .. TUPLE3 */
    case 0x86:
    case 0x87:
        return push_tuple(p, opcode - 0x84);
    case 'J': /* BININT, signed */
        SKV_TRY(take_number(p, &n, 4));
        return push_integer(p, SKV_PICKLE_INT, (int32_t)(uint32_t)n);
    case 'K': /* BININT1 */
        SKV_TRY(take_number(p, &n, 1));
        return push_integer(p, SKV_PICKLE_INT, (int64_t)n);
    case 'M': /* BININT2 */
        SKV_TRY(take_number(p, &n, 2));
        return push_integer(p, SKV_PICKLE_INT, (int64_t)n);
    case 0x8a:
        return push_long(p);
    case 'G': /* BINFLOAT */
        SKV_TRY(take_number(p, &n, 8));
        return push_empty(p, SKV_PICKLE_REAL);
    case 'U': /* SHORT_BINSTRING */
        return push_text(p, 1);
    case 'T': /* BINSTRING */
    case 'X': /* BINUNICODE */
        return push_text(p, 4);
    case 'c':
        return push_global(p);
    case 'q': /* BINPUT */
        return memo_put(p, 1);
    case 'r': /* LONG_BINPUT */
        return memo_put(p, 4);
    case 'h': /* BINGET */
        return memo_get(p, 1);
    case 'j': /* LONG_BINGET */
        return memo_get(p, 4);
    case 'a': /* APPEND */
        return add_one(p, SKV_PICKLE_LIST);
    case 'e': /* APPENDS */
        return extend(p, SKV_PICKLE_LIST);
    case 's': /* SETITEM */
        return add_one(p, SKV_PICKLE_DICT);
    case 'u': /* SETITEMS */
        return extend(p, SKV_PICKLE_DICT);
    case 'Q': /* BINPERSID */
        return push_storage(p);
    case 'R':
        return reduce(p);
    case 'b':
        return build(p);
    default:
        p->at--;
        return skv_fail(SKV_E_FORMAT, "%s: pickle, byte %zu: opcode 0x%02x is not allowed", p->path,
                        p->at, opcode);
    }
}

skv_status skv_pickle_run(skv_pickle **out, const skv_pickle_value **root, size_t *used,
                          const uint8_t *data, size_t bytes, const char *path)
{
    skv_pickle *p = NULL;
    skv_pickle_value *v = NULL;
    skv_status st;
    const uint8_t *opcode;

    SKV_TRY(skv_alloc(&p, 1, sizeof *p, path));
    p->data = data;
    p->bytes = bytes;
    p->path = path;
    for (;;) {
        SKV_TRY_GOTO(take(p, &opcode, 1), done);
        if (*opcode == '.')
            break;
        SKV_TRY_GOTO(step(p, *opcode), done);
    }
    SKV_TRY_GOTO(pop(p, &v), done);
    if (p->depth != 0 || p->n_marks != 0)
        st = refuse(p, "values are left over at its end");
    SKV_TRY_GOTO(st, done);
    *root = v;
    *used = p->at;
    *out = p;
    p = NULL;
done:
    skv_pickle_destroy(p);
    return st;
}

const skv_pickle_value *const *skv_pickle_storages(const skv_pickle *p, size_t *n)
{
    *n = p->storages.n;
    return (const skv_pickle_value *const *)p->storages.item;
}

void skv_pickle_destroy(skv_pickle *p)
{
    if (!p)
        return;
    while (p->blocks) {
        block *b = p->blocks;

        p->blocks = b->next;
        for (size_t i = 0; i < sizeof b->values / sizeof b->values[0]; i++) {
            free(b->values[i].item);
            free(b->values[i].tensor);
        }
        free(b);
    }
    free(p->storages.item);
    free(p->memo);
    free(p);
}
