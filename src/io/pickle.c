/* The pickle machine: what each opcode does. */
#include "io/pickle.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "io/pickle_machine.h"

#define MAX_MEMO ((size_t)1 << 20)

static skv_status take(skv_pickle *p, const uint8_t **out, size_t n)
{
    if (n > p->bytes - p->at)
        return skv_pickle__refuse(p, "the file ends inside it");
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

    SKV_TRY(skv_pickle__make(p, &v, type));
    v->integer = value;
    return skv_pickle__push(p, v);
}

static skv_status push_text(skv_pickle *p, size_t length_bytes)
{
    uint64_t n;
    const uint8_t *text;
    skv_pickle_value *v;

    SKV_TRY(take_number(p, &n, length_bytes));
    SKV_TRY(take(p, &text, (size_t)n));
    SKV_TRY(skv_pickle__make(p, &v, SKV_PICKLE_TEXT));
    v->text = (const char *)text;
    v->bytes = (size_t)n;
    return skv_pickle__push(p, v);
}

/* LONG1, LONG4: up to eight bytes are kept. */
static skv_status push_long(skv_pickle *p, size_t length_bytes)
{
    uint64_t n, value = 0;
    const uint8_t *b;
    skv_pickle_value *v;

    SKV_TRY(take_number(p, &n, length_bytes));
    SKV_TRY(take(p, &b, (size_t)n));
    for (size_t i = (size_t)n; i > 0 && n <= 8; i--)
        value = value << 8 | b[i - 1];
    if (n > 0 && n < 8 && (b[n - 1] & 0x80))
        value |= ~(uint64_t)0 << (8 * n);
    SKV_TRY(skv_pickle__make(p, &v, n <= 8 ? SKV_PICKLE_INT : SKV_PICKLE_REAL));
    v->integer = (int64_t)value;
    return skv_pickle__push(p, v);
}

static const skv_pickle_value built_in = {.type = SKV_PICKLE_TEXT, .text = "builtins", .bytes = 8};
static const skv_pickle_value bytes_name = {.type = SKV_PICKLE_TEXT, .text = "bytes", .bytes = 5};
static const skv_pickle_value set_name = {.type = SKV_PICKLE_TEXT, .text = "set", .bytes = 3};

/* A built-in value that no tensor is made of. */
static skv_status push_built_in(skv_pickle *p, const skv_pickle_value *name)
{
    skv_pickle_value *v;

    SKV_TRY(skv_pickle__make(p, &v, SKV_PICKLE_OPAQUE));
    v->text = built_in.text;
    v->bytes = built_in.bytes;
    v->key = name;
    return skv_pickle__push(p, v);
}

static skv_status push_bytes(skv_pickle *p, size_t length_bytes)
{
    const uint8_t *b;
    uint64_t n;

    SKV_TRY(take_number(p, &n, length_bytes));
    SKV_TRY(take(p, &b, (size_t)n));
    return push_built_in(p, &bytes_name);
}

/* The items above the last mark become the container's. */
static skv_status close_mark(skv_pickle *p, skv_pickle_value *v)
{
    size_t from;

    if (p->n_marks == 0)
        return skv_pickle__refuse(p, "no mark on the stack");
    from = p->marks[--p->n_marks];
    for (size_t i = from; i < p->depth; i++)
        SKV_TRY(skv_pickle__add_item(p, v, p->stack[i]));
    p->depth = from;
    return SKV_OK;
}

static skv_status push_tuple(skv_pickle *p, int n)
{
    skv_pickle_value *v, *item[3];

    SKV_TRY(skv_pickle__make(p, &v, SKV_PICKLE_TUPLE));
    if (n < 0)
        SKV_TRY(close_mark(p, v));
    for (int i = n - 1; i >= 0; i--)
        SKV_TRY(skv_pickle__pop(p, &item[i]));
    for (int i = 0; i < n; i++)
        SKV_TRY(skv_pickle__add_item(p, v, item[i]));
    return skv_pickle__push(p, v);
}

/* Whether items of a list or dictionary may go into v. Classes derived from these two are pickled
 * as an object that gets items, so an opaque value becomes the container that it is used as. */
static bool takes_items(skv_pickle_value *v, skv_pickle_type type)
{
    if (v->type == SKV_PICKLE_OPAQUE)
        v->type = type;
    return v->type == type;
}

/* APPENDS, SETITEMS: what lies above the mark goes into the container below it. */
static skv_status extend(skv_pickle *p, skv_pickle_type type)
{
    skv_pickle_value above = {0}, *v;
    skv_status st = close_mark(p, &above);

    if (st == SKV_OK)
        st = skv_pickle__pop(p, &v);
    if (st == SKV_OK && (!takes_items(v, type) || (type == SKV_PICKLE_DICT && above.n % 2 != 0)))
        st = skv_pickle__refuse(p, "items for a value that is not such a container");
    for (size_t i = 0; st == SKV_OK && i < above.n; i++)
        st = skv_pickle__add_item(p, v, above.item[i]);
    free(above.item);
    return st == SKV_OK ? skv_pickle__push(p, v) : st;
}

static skv_status add_one(skv_pickle *p, skv_pickle_type type)
{
    skv_pickle_value *value, *key = NULL, *v;

    SKV_TRY(skv_pickle__pop(p, &value));
    if (type == SKV_PICKLE_DICT)
        SKV_TRY(skv_pickle__pop(p, &key));
    SKV_TRY(skv_pickle__pop(p, &v));
    if (!takes_items(v, type))
        return skv_pickle__refuse(p, "an item for a value that is not such a container");
    if (key)
        SKV_TRY(skv_pickle__add_item(p, v, key));
    SKV_TRY(skv_pickle__add_item(p, v, value));
    return skv_pickle__push(p, v);
}

static skv_status memo_put(skv_pickle *p, uint64_t i)
{
    if (p->depth == 0 || i >= MAX_MEMO)
        return skv_pickle__refuse(p, "an empty stack to remember, or too many memo entries");
    if (i >= p->memo_room) {
        const size_t room = (size_t)i * 2 + 256;
        skv_pickle_value **grown = realloc(p->memo, room * sizeof *grown);

        if (!grown)
            return skv_fail(SKV_E_MEM, "%s: out of memory", p->path);
        memset(grown + p->memo_room, 0, (room - p->memo_room) * sizeof *grown);
        p->memo = grown;
        p->memo_room = room;
    }
    p->n_memo += !p->memo[i];
    p->memo[i] = p->stack[p->depth - 1];
    return SKV_OK;
}

static skv_status memo_get(skv_pickle *p, size_t index_bytes)
{
    uint64_t i;

    SKV_TRY(take_number(p, &i, index_bytes));
    if (i >= p->memo_room || !p->memo[i])
        return skv_pickle__refuse(p, "a memo entry that does not exist");
    return skv_pickle__push(p, p->memo[i]);
}

/* -------------------------------------------------------------------- opcodes */

static skv_status push_empty(skv_pickle *p, skv_pickle_type type)
{
    skv_pickle_value *v;

    SKV_TRY(skv_pickle__make(p, &v, type));
    return skv_pickle__push(p, v);
}

/* A line of GLOBAL's two. */
static skv_status take_line(skv_pickle *p, skv_pickle_value **out)
{
    const uint8_t *text = p->data + p->at, *end = memchr(text, '\n', p->bytes - p->at);

    if (!end)
        return skv_pickle__refuse(p, "the file ends inside it");
    SKV_TRY(skv_pickle__make(p, out, SKV_PICKLE_TEXT));
    (*out)->text = (const char *)text;
    (*out)->bytes = (size_t)(end - text);
    p->at += (*out)->bytes + 1;
    return SKV_OK;
}

static skv_status global(skv_pickle *p)
{
    skv_pickle_value *module, *name;

    SKV_TRY(take_line(p, &module));
    SKV_TRY(take_line(p, &name));
    return skv_pickle__push_name(p, module, name);
}

static skv_status stack_global(skv_pickle *p)
{
    skv_pickle_value *module, *name;

    SKV_TRY(skv_pickle__pop(p, &name));
    SKV_TRY(skv_pickle__pop(p, &module));
    return skv_pickle__push_name(p, module, name);
}

/* REDUCE, NEWOBJ; NEWOBJ_EX has a dictionary of arguments above the tuple. */
static skv_status call(skv_pickle *p, bool keywords)
{
    skv_pickle_value *args, *name, *by_name;

    if (keywords)
        SKV_TRY(skv_pickle__pop(p, &by_name));
    SKV_TRY(skv_pickle__pop(p, &args));
    SKV_TRY(skv_pickle__pop(p, &name));
    return skv_pickle__push_call(p, name, args);
}

/* The state of an object. Of an opaque one its members are kept, alone or before those in slots;
 * others, such as a dictionary's _metadata, nobody needs. */
static skv_status build(skv_pickle *p)
{
    skv_pickle_value *state, *v;

    SKV_TRY(skv_pickle__pop(p, &state));
    SKV_TRY(skv_pickle__pop(p, &v));
    if (v->type != SKV_PICKLE_DICT && v->type != SKV_PICKLE_LIST && v->type != SKV_PICKLE_OPAQUE &&
        v->type != SKV_PICKLE_TENSOR)
        return skv_pickle__refuse(p, "a state for a value that has none");
    if (state->type == SKV_PICKLE_TUPLE && state->n == 2)
        state = state->item[0];
    if (v->type == SKV_PICKLE_OPAQUE && state->type == SKV_PICKLE_DICT)
        v->state = state;
    return skv_pickle__push(p, v);
}

/* POP: a mark where it is uppermost. */
static skv_status drop(skv_pickle *p)
{
    skv_pickle_value *v;

    if (p->n_marks > 0 && p->marks[p->n_marks - 1] == p->depth) {
        p->n_marks--;
        return SKV_OK;
    }
    return skv_pickle__pop(p, &v);
}

/* POP_MARK; ADDITEMS, where a set lies below the mark; FROZENSET, which makes one. */
static skv_status drop_to_mark(skv_pickle *p)
{
    if (p->n_marks == 0)
        return skv_pickle__refuse(p, "no mark on the stack");
    p->depth = p->marks[--p->n_marks];
    return SKV_OK;
}

static skv_status add_to_set(skv_pickle *p)
{
    skv_pickle_value *v;

    SKV_TRY(drop_to_mark(p));
    SKV_TRY(skv_pickle__pop(p, &v));
    if (v->type != SKV_PICKLE_OPAQUE)
        return skv_pickle__refuse(p, "items for a value that is not a set");
    return skv_pickle__push(p, v);
}

/* A number of bytes for all that follows until the next frame; nothing here depends on it. */
static skv_status frame(skv_pickle *p)
{
    uint64_t n;

    SKV_TRY(take_number(p, &n, 8));
    return n <= p->bytes - p->at ? SKV_OK : skv_pickle__refuse(p, "the file ends inside a frame");
}

static skv_status put(skv_pickle *p, size_t index_bytes)
{
    uint64_t i;

    SKV_TRY(take_number(p, &i, index_bytes));
    return memo_put(p, i);
}

static skv_status protocol(skv_pickle *p)
{
    uint64_t n;

    SKV_TRY(take_number(p, &n, 1));
    return n >= 2 && n <= 5 && p->at == 2
               ? SKV_OK
               : skv_pickle__refuse(p, "a pickle protocol that is not 1 to 5, or set twice");
}

/* INT, LONG of protocol 1: decimal digits in a line, those of LONG with an L behind them; 00 and 01
 * are false and true. */
static skv_status push_decimal(skv_pickle *p, bool is_long)
{
    skv_pickle_value *line;
    char text[24], *end;
    size_t n;
    long long value;

    SKV_TRY(take_line(p, &line));
    n = line->bytes - (is_long && line->bytes > 0 && line->text[line->bytes - 1] == 'L');
    if (n >= sizeof text) /* of more than 64 bits, as PyTorch's magic number is */
        return push_empty(p, SKV_PICKLE_REAL);
    snprintf(text, sizeof text, "%.*s", (int)n, line->text);
    if (n == 0 || strlen(text) != n || text[strspn(text, "-0123456789")])
        return skv_pickle__refuse(p, "an integer that is not one");
    if (!is_long && n == 2 && text[0] == '0' && (text[1] == '0' || text[1] == '1'))
        return push_integer(p, SKV_PICKLE_BOOL, text[1] == '1');
    errno = 0;
    value = strtoll(text, &end, 10);
    if (*end)
        return skv_pickle__refuse(p, "an integer that is not one");
    return errno ? push_empty(p, SKV_PICKLE_REAL) : push_integer(p, SKV_PICKLE_INT, value);
}

/* The opcodes of protocols 3 to 5, and the rare ones of 1 and 2. */
static skv_status step_further(skv_pickle *p, uint8_t opcode)
{
    switch (opcode) {
    case 'I':
        return push_decimal(p, false);
    case 'L':
        return push_decimal(p, true);
    case '0':
        return drop(p);
    case '1':
        return drop_to_mark(p);
    case 0x81: /* NEWOBJ */
        return call(p, false);
    case 0x92: /* NEWOBJ_EX */
        return call(p, true);
    case 'C': /* SHORT_BINBYTES */
        return push_bytes(p, 1);
    case 'B': /* BINBYTES */
        return push_bytes(p, 4);
    case 0x8e: /* BINBYTES8 */
    case 0x96: /* BYTEARRAY8 */
        return push_bytes(p, 8);
    case 0x8c: /* SHORT_BINUNICODE */
        return push_text(p, 1);
    case 0x8d: /* BINUNICODE8 */
        return push_text(p, 8);
    case 0x8f: /* EMPTY_SET */
        return push_built_in(p, &set_name);
    case 0x90: /* ADDITEMS */
        return add_to_set(p);
    case 0x91: /* FROZENSET */
        SKV_TRY(drop_to_mark(p));
        return push_built_in(p, &set_name);
    case 0x93: /* STACK_GLOBAL */
        return stack_global(p);
    case 0x94: /* MEMOIZE */
        return memo_put(p, p->n_memo);
    case 0x95:
        return frame(p);
    default:
        p->at--;
        return skv_fail(SKV_E_FORMAT, "%s: pickle, byte %zu: opcode 0x%02x is not allowed", p->path,
                        p->at, opcode);
    }
}

static skv_status step(skv_pickle *p, uint8_t opcode)
{
    uint64_t n = 0;

    switch (opcode) {
    case 0x80:
        return protocol(p);
    case '(': /* MARK */
        if (p->n_marks == SKV_PICKLE_STACK)
            return skv_pickle__refuse(p, "too many marks");
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
    case 0x8a: /* LONG1 */
        return push_long(p, 1);
    case 0x8b: /* LONG4 */
        return push_long(p, 4);
    case 'G': /* BINFLOAT */
        SKV_TRY(take_number(p, &n, 8));
        return push_empty(p, SKV_PICKLE_REAL);
    case 'U': /* SHORT_BINSTRING */
        return push_text(p, 1);
    case 'T': /* BINSTRING */
    case 'X': /* BINUNICODE */
        return push_text(p, 4);
    case 'c':
        return global(p);
    case 'q': /* BINPUT */
        return put(p, 1);
    case 'r': /* LONG_BINPUT */
        return put(p, 4);
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
        return skv_pickle__push_storage(p);
    case 'R': /* REDUCE */
        return call(p, false);
    case 'b': /* BUILD */
        return build(p);
    default:
        return step_further(p, opcode);
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
    SKV_TRY_GOTO(skv_pickle__pop(p, &v), done);
    if (p->depth != 0 || p->n_marks != 0)
        st = skv_pickle__refuse(p, "values are left over at its end");
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
    skv_pickle__free_values(p);
    free(p->memo);
    free(p);
}
