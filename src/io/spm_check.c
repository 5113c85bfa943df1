/* Our own walk over a SentencePiece model file, before the library parses it.
 *
 * Beyond the protobuf's framing this covers what the library was found to trust: the length of a
 * piece (its trie builder recurses once a byte) and the normalisation map, a double array that its
 * search follows without looking at bounds. Here every state that a search can reach is visited. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "io/spm_shim.h"

#define MAX_PIECES      1000000
#define MAX_PIECE_BYTES 256
#define MAX_TRIE_BYTES  (1u << 20) /* T5's map has 0.2 MB */
#define MAX_KEY_BYTES   32         /* the library keeps at most 32 matches of nested keys */

typedef struct {
    const uint8_t *at, *end;
} span;

typedef struct {
    uint32_t number;
    int wire;       /* 0 varint, 1 eight bytes, 2 body, 5 four bytes */
    uint64_t value; /* of wire 0 */
    span body;      /* of the others */
} field;

typedef struct {
    const char *name;
    const uint8_t *file;
    int n_pieces;
} check;

static skv_status bad(const check *c, const uint8_t *at, const char *what)
{
    return skv_fail(SKV_E_FORMAT, "%s: not a valid SentencePiece model: byte %td: %s", c->name,
                    at - c->file, what);
}

static skv_status read_varint(const check *c, span *s, uint64_t *out)
{
    const uint8_t *first = s->at;

    *out = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (s->at == s->end)
            return bad(c, first, "a number is cut off");
        if (shift == 63 && *s->at > 1)
            break;
        *out |= (uint64_t)(*s->at & 0x7f) << shift;
        if (!(*s->at++ & 0x80))
            return SKV_OK;
    }
    return bad(c, first, "a number has more than 64 bits");
}

static skv_status read_field(const check *c, span *s, field *f)
{
    const uint8_t *first = s->at;
    uint64_t tag, n = 0;

    SKV_TRY(read_varint(c, s, &tag));
    if (tag >> 3 == 0 || tag > UINT32_MAX)
        return bad(c, first, "a field has an impossible number");
    f->number = (uint32_t)(tag >> 3);
    f->wire = (int)(tag & 7);
    f->value = 0;
    if (f->wire == 0)
        return read_varint(c, s, &f->value);
    if (f->wire == 2)
        SKV_TRY(read_varint(c, s, &n));
    else if (f->wire == 1 || f->wire == 5)
        n = f->wire == 1 ? 8 : 4;
    else
        return bad(c, first, "a field has an unknown wire type");
    if (n > (uint64_t)(s->end - s->at))
        return bad(c, first, "a field is longer than what holds it");
    f->body = (span){s->at, s->at + n};
    s->at += n;
    return SKV_OK;
}

static skv_status want_wire(const check *c, const field *f, const span *s, int wire)
{
    return f->wire == wire ? SKV_OK : bad(c, s->at, "the field before has the wrong wire type");
}

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static skv_status check_piece(check *c, span s)
{
    const uint8_t *first = s.at;
    bool named = false;

    while (s.at < s.end) {
        field f;

        SKV_TRY(read_field(c, &s, &f));
        if (f.number == 1) {
            const size_t n = f.wire == 2 ? (size_t)(f.body.end - f.body.at) : 0;

            SKV_TRY(want_wire(c, &f, &s, 2));
            if (n == 0 || n > MAX_PIECE_BYTES)
                return bad(c, first, "a piece is not of 1 to 256 bytes");
            if (!skv_utf8_is_valid((const char *)f.body.at, n))
                return bad(c, first, "a piece is not UTF-8");
            named = true;
        } else if (f.number == 2) {
            float score;

            SKV_TRY(want_wire(c, &f, &s, 5));
            memcpy(&score, f.body.at, sizeof score);
            if (!isfinite(score))
                return bad(c, first, "a piece's score is not finite");
        } else if (f.number == 3) {
            SKV_TRY(want_wire(c, &f, &s, 0));
            if (f.value != 1 && f.value != 2 && f.value != 3 && f.value != 5)
                return bad(c, first, "a piece is neither normal, unknown, control nor unused");
        }
    }
    if (!named)
        return bad(c, first, "a piece has no text");
    if (++c->n_pieces > MAX_PIECES)
        return bad(c, first, "more than a million pieces");
    return SKV_OK;
}

static skv_status check_trainer(const check *c, span s)
{
    while (s.at < s.end) {
        field f;

        SKV_TRY(read_field(c, &s, &f));
        if (f.number != 3)
            continue;
        SKV_TRY(want_wire(c, &f, &s, 0));
        if (f.value != 1)
            return bad(c, s.at, "not a unigram model");
    }
    return SKV_OK;
}

/* ------------------------------------------------------ normalisation map */

/* The double array: units of 32 bits. A state is a base; the unit at base^byte belongs to it when
 * its low byte is that byte and its top bit is clear; the unit at the base itself holds the value.
 */
typedef struct {
    const uint8_t *units;
    uint32_t n;
    span texts; /* replacements, NUL-terminated */
} map;

static uint32_t unit_offset(uint32_t unit)
{
    return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

static skv_status check_value(const check *c, const map *m, uint32_t base)
{
    const uint32_t value = read_u32(m->units + 4 * (size_t)base) & 0x7fffffff;

    if (value >= (uint64_t)(m->texts.end - m->texts.at))
        return bad(c, m->units, "the normalisation map points outside its texts");
    if ((m->texts.at[value] & 0xc0) == 0x80)
        return bad(c, m->units, "the normalisation map points into a character");
    return SKV_OK;
}

/* Adds the state that the unit at `place` leads to. */
static skv_status add_state(const check *c, const map *m, uint32_t place, uint32_t *states,
                            uint32_t *n)
{
    const uint32_t unit = read_u32(m->units + 4 * (size_t)place);
    const uint32_t base = place ^ unit_offset(unit);

    if ((base | 0xff) >= m->n)
        return bad(c, m->units, "the normalisation map leads outside itself");
    if ((unit >> 8) & 1)
        SKV_TRY(check_value(c, m, base));
    states[(*n)++] = base;
    return SKV_OK;
}

/* Level by level, one byte of a key each; `seen` holds the level at which a place was last met, so
 * that no level is longer than the array. */
static skv_status walk_map(const check *c, const map *m, uint32_t *work)
{
    uint32_t *now = work, *next = work + m->n, *seen = work + 2 * (size_t)m->n;
    uint32_t n_now = 0;

    SKV_TRY(add_state(c, m, 0, now, &n_now));
    for (uint32_t level = 1; n_now > 0; level++) {
        uint32_t n_next = 0, *swap = now;

        if (level > MAX_KEY_BYTES)
            return bad(c, m->units, "the normalisation map has a key of more than 32 bytes");
        for (uint32_t i = 0; i < n_now; i++)
            for (uint32_t byte = 1; byte < 256; byte++) {
                const uint32_t place = now[i] ^ byte;
                const uint32_t unit = read_u32(m->units + 4 * (size_t)place);

                if ((unit & 0x800000ff) != byte || seen[place] == level)
                    continue;
                seen[place] = level;
                SKV_TRY(add_state(c, m, place, next, &n_next));
            }
        now = next;
        next = swap;
        n_now = n_next;
    }
    return SKV_OK;
}

static skv_status check_texts(const check *c, span s)
{
    if (s.at == s.end || s.end[-1] != 0)
        return bad(c, s.at, "the normalisation map's texts do not end");
    while (s.at < s.end) {
        const uint8_t *stop = memchr(s.at, 0, (size_t)(s.end - s.at));

        if (!skv_utf8_is_valid((const char *)s.at, (size_t)(stop - s.at)))
            return bad(c, s.at, "a text of the normalisation map is not UTF-8");
        s.at = stop + 1;
    }
    return SKV_OK;
}

static skv_status check_map(const check *c, span s)
{
    uint32_t *work = NULL;
    uint32_t bytes;
    skv_status st;
    map m;

    if (s.at == s.end)
        return SKV_OK;
    if (s.end - s.at < 4)
        return bad(c, s.at, "the normalisation map is cut off");
    bytes = read_u32(s.at);
    if (bytes > MAX_TRIE_BYTES || bytes > (size_t)(s.end - s.at) - 4 || bytes % 1024 != 0 ||
        bytes == 0)
        return bad(c, s.at, "the normalisation map has an impossible size");
    m = (map){.units = s.at + 4, .n = bytes / 4, .texts = {s.at + 4 + bytes, s.end}};
    SKV_TRY(check_texts(c, m.texts));
    SKV_TRY(skv_alloc(&work, 3 * (size_t)m.n, sizeof *work, c->name));
    st = walk_map(c, &m, work);
    free(work);
    return st;
}

static skv_status check_normalizer(const check *c, span s)
{
    while (s.at < s.end) {
        field f;

        SKV_TRY(read_field(c, &s, &f));
        if (f.number != 2)
            continue;
        SKV_TRY(want_wire(c, &f, &s, 2));
        SKV_TRY(check_map(c, f.body));
    }
    return SKV_OK;
}

/* The library's own test sentences, which it encodes while loading; a wrong one is an error it
 * reports. Prompts hold no NUL, so walk_map does not follow that byte: no sentence may hold one. */
static skv_status check_self_test(const check *c, span s)
{
    while (s.at < s.end) {
        field f;

        SKV_TRY(read_field(c, &s, &f));
        if (f.number != 1)
            continue;
        SKV_TRY(want_wire(c, &f, &s, 2));
        while (f.body.at < f.body.end) {
            field inner;

            SKV_TRY(read_field(c, &f.body, &inner));
            if (inner.wire == 2 &&
                memchr(inner.body.at, 0, (size_t)(inner.body.end - inner.body.at)))
                return bad(c, inner.body.at, "a test sentence has a NUL");
        }
    }
    return SKV_OK;
}

skv_status skv_spm_check(skv_spm_info *info, const void *bytes, size_t n, const char *name)
{
    check c = {.name = name, .file = bytes};
    span s = {c.file, c.file + n};

    while (s.at < s.end) {
        field f;

        SKV_TRY(read_field(&c, &s, &f));
        if (f.number > 5)
            continue;
        SKV_TRY(want_wire(&c, &f, &s, 2));
        if (f.number == 1)
            SKV_TRY(check_piece(&c, f.body));
        else if (f.number == 2)
            SKV_TRY(check_trainer(&c, f.body));
        else if (f.number == 4)
            SKV_TRY(check_self_test(&c, f.body));
        else
            SKV_TRY(check_normalizer(&c, f.body));
    }
    if (c.n_pieces == 0)
        return skv_fail(SKV_E_FORMAT, "%s: not a valid SentencePiece model: no pieces", name);
    info->n_pieces = c.n_pieces;
    return SKV_OK;
}
