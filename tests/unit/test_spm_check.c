/* Hostile SentencePiece models. A model is made here field by field, sound first (the library
 * loads it and its map works), so that each refusal is due to the one thing then spoiled. Damaged
 * copies of a trained model are either refused or harmless: ids stay inside the vocabulary, and
 * under the address sanitizer nothing is read outside the file. */
#include "io/spm_shim.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "core/rng.h"

#define TRAINED    SKV_TEST_DATA "/tiny_t5/spiece.model"
#define UNITS      512 /* of the made map */
#define VALUE_UNIT 0x80

/* ---------------------------------------------------------- protobuf, written */

typedef struct {
    uint8_t at[8192];
    size_t n;
} text;

static void put(text *t, const void *bytes, size_t n)
{
    assert_true(t->n + n <= sizeof t->at);
    memcpy(t->at + t->n, bytes, n);
    t->n += n;
}

static void put_varint(text *t, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        put(t, &(uint8_t){(uint8_t)(v | 128)}, 1);
    put(t, &(uint8_t){(uint8_t)v}, 1);
}

static void put_number(text *t, uint32_t field, uint64_t v)
{
    put_varint(t, field << 3);
    put_varint(t, v);
}

static void put_body(text *t, uint32_t field, const void *bytes, size_t n)
{
    put_varint(t, field << 3 | 2);
    put_varint(t, n);
    put(t, bytes, n);
}

static void put_score(text *t, float score)
{
    put_varint(t, 2 << 3 | 5);
    put(t, &score, sizeof score);
}

static void put_piece(text *model, const char *piece, size_t n, float score, uint64_t type)
{
    text t = {.n = 0};

    put_body(&t, 1, piece, n);
    put_score(&t, score);
    put_number(&t, 3, type);
    put_body(model, 1, t.at, t.n);
}

/* ---------------------------------------------------------- a sound model */

/* The map's only key is "a", its text "bb". States are at 0x100 (after nothing) and 0x80. */
typedef struct {
    uint32_t bytes; /* of the units */
    uint32_t unit[UNITS];
    char texts[4];
} map;

static uint32_t unit_to(uint32_t place, uint32_t base, uint32_t label, bool leaf)
{
    return (place ^ base) << 10 | (uint32_t)leaf << 8 | label;
}

static map sound_map(void)
{
    map m = {.bytes = sizeof m.unit, .texts = "bb"};

    m.unit[0] = unit_to(0, 0x100, 0, false);
    m.unit[0x100 ^ 'a'] = unit_to(0x100 ^ 'a', VALUE_UNIT, 'a', true);
    m.unit[VALUE_UNIT] = 0x80000000;
    return m;
}

static void put_pieces(text *t)
{
    put_piece(t, "<unk>", 5, 0, 2);
    put_piece(t, "\xe2\x96\x81", 3, -2, 1);
    put_piece(t, "b", 1, -3, 1);
    put_piece(t, "bb", 2, -4, 1);
}

/* field 3: the normaliser, 5: the denormaliser */
static void put_normalizer(text *t, uint32_t field, const void *map_bytes, size_t n)
{
    text inner = {.n = 0};

    put_body(&inner, 2, map_bytes, n);
    put_body(t, field, inner.at, inner.n);
}

static text sound_model(void)
{
    text t = {.n = 0};
    map m = sound_map();

    put_pieces(&t);
    put_body(&t, 2, "\x18\x01", 2); /* model_type 1 */
    put_normalizer(&t, 3, &m, sizeof m);
    return t;
}

/* The check on a copy of exactly n bytes, so that a sanitizer sees every step outside. */
static skv_status check_copy(const void *bytes, size_t n, uint8_t **copy)
{
    skv_spm_info info = {0};
    skv_status st;

    *copy = malloc(n > 0 ? n : 1);
    assert_non_null(*copy);
    memcpy(*copy, bytes, n);
    st = skv_spm_check(&info, *copy, n, "made.model");
    assert_true(st != SKV_OK || info.n_pieces > 0);
    return st;
}

static void assert_refused(const text *t, const char *why)
{
    uint8_t *copy;

    assert_int_equal(check_copy(t->at, t->n, &copy), SKV_E_FORMAT);
    free(copy);
    assert_non_null(strstr(skv_message(), "made.model"));
    if (!strstr(skv_message(), why))
        fail_msg("\"%s\" does not say \"%s\"", skv_message(), why);
}

static void assert_map_refused(const map *m, size_t n, const char *why)
{
    for (uint32_t field = 3; field <= 5; field += 2) {
        text t = {.n = 0};

        put_pieces(&t);
        put_normalizer(&t, field, m, n);
        assert_refused(&t, why);
    }
}

/* ---------------------------------------------------------- cases */

static void sound_model_is_loaded_and_its_map_works(void **state)
{
    const text t = sound_model();
    skv_spm_info info = {0};
    skv_spm *m = NULL;
    int32_t ids[4];
    size_t end = 0;
    int n = 0;

    (void)state;
    assert_int_equal(skv_spm_check(&info, t.at, t.n, "made.model"), SKV_OK);
    assert_int_equal(info.n_pieces, 4);
    assert_int_equal(skv_spm_open(&m, t.at, t.n, "made.model"), SKV_OK);
    assert_int_equal(skv_spm_size(m), 4);
    assert_int_equal(skv_spm_encode(m, "a", 1, ids, 4, &n, &end), SKV_OK); /* ▁bb */
    assert_int_equal(n, 2);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 3);
    skv_spm_close(m);
}

static void framing_is_checked(void **state)
{
    static const struct {
        const char *bytes, *why;
        size_t n;
    } tails[] = {{"\x0a", "cut off", 1},             /* a piece, no length */
                 {"\x0a\x05\x0a\x01z", "longer", 5}, /* longer than the file */
                 {"\x0a\x03\x0a\x02z", "longer", 5}, /* longer than its piece */
                 {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "longer", 10},
                 {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "64 bits", 11},
                 {"\x02\x00", "impossible number", 2}, /* field 0 */
                 {"\xf8\xff\xff\xff\xff\x01\x00", "impossible number", 7},
                 {"\x0b", "wire type", 1}, /* a group */
                 {"\x0c", "wire type", 1},
                 {"\x0f", "wire type", 1},
                 {"\x08\x01", "wire type", 2}, /* pieces as a number */
                 {"\x18\x01", "wire type", 2},
                 {"\xc5\x3e\x01\x02", "longer", 4}}; /* an extension, 3 of 4 bytes */

    (void)state;
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        text t = sound_model();

        put(&t, tails[i].bytes, tails[i].n);
        assert_refused(&t, tails[i].why);
    }
}

static void unknown_fields_are_stepped_over(void **state)
{
    text t = sound_model();
    uint8_t *copy;

    (void)state;
    put_number(&t, 200, UINT64_MAX);
    put_body(&t, 1000, "\xff\xff\xff", 3);
    assert_int_equal(check_copy(t.at, t.n, &copy), SKV_OK);
    free(copy);
}

static void pieces_are_short_utf8_with_finite_scores(void **state)
{
    static const struct {
        const char *piece;
        size_t n;
        float score;
        uint64_t type;
    } bad[] = {{"", 0, 0, 1},          {"\xff", 1, 0, 1},      {"\xed\xa0\x80", 3, 0, 1},
               {"a\0b", 3, 0, 1},      {"c", 1, NAN, 1},       {"c", 1, INFINITY, 1},
               {"c", 1, -INFINITY, 1}, {"c", 1, 0, 0},         {"c", 1, 0, 6},
               {"c", 1, 0, 7},         {"c", 1, 0, UINT64_MAX}};
    char longest[257];
    uint8_t *copy;
    text t;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        t = sound_model();
        put_piece(&t, bad[i].piece, bad[i].n, bad[i].score, bad[i].type);
        assert_refused(&t, "piece");
    }
    memset(longest, 'c', sizeof longest);
    t = sound_model();
    put_piece(&t, longest, 256, 0, 1);
    assert_int_equal(check_copy(t.at, t.n, &copy), SKV_OK);
    free(copy);
    put_piece(&t, longest, 257, 0, 1);
    assert_refused(&t, "piece");
    t = sound_model();
    put_body(&t, 1, "\x18\x01", 2); /* a type and nothing else */
    assert_refused(&t, "text");
}

static void only_unigram_models_with_pieces_are_taken(void **state)
{
    text t = sound_model();

    (void)state;
    put_body(&t, 2, "\x18\x02", 2); /* BPE; the last one counts */
    assert_refused(&t, "unigram");
    t.n = 0;
    assert_refused(&t, "no pieces");
    put_body(&t, 2, "\x18\x01", 2);
    assert_refused(&t, "no pieces");
}

/* The library encodes these while loading, and no state is checked for the byte 0. */
static void a_test_sentence_with_a_nul_is_refused(void **state)
{
    text t = sound_model(), sample = {.n = 0}, all = {.n = 0};

    (void)state;
    put_body(&sample, 1, "a\0a", 3);
    put_body(&all, 1, sample.at, sample.n);
    put_body(&t, 4, all.at, all.n);
    assert_refused(&t, "NUL");
}

static void maps_of_impossible_sizes_are_refused(void **state)
{
    static const uint32_t sizes[] = {0,    1,          1023,       1025,
                                     3072, 0x7ffffc00, 0xfffffc00, sizeof(uint32_t) * UNITS + 4};
    map m = sound_map();

    (void)state;
    assert_map_refused(&m, 3, "cut off");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        m.bytes = sizes[i];
        assert_map_refused(&m, sizeof m, "size");
    }
    m = sound_map();
    assert_map_refused(&m, sizeof m - sizeof m.texts, "texts");
}

static void maps_that_lead_outside_are_refused(void **state)
{
    map m = sound_map();

    (void)state;
    m.unit[0] = unit_to(0, UNITS, 0, false);
    assert_map_refused(&m, sizeof m, "outside itself");
    m = sound_map();
    m.unit[0] = 0x1fffff << 10 | 1 << 9; /* an offset of 2^29 */
    assert_map_refused(&m, sizeof m, "outside itself");
    m = sound_map();
    m.unit[0x100 ^ 'a'] = unit_to(0x100 ^ 'a', UNITS, 'a', false);
    assert_map_refused(&m, sizeof m, "outside itself");
    m = sound_map();
    m.unit[0x100 ^ 0xff] = unit_to(0x100 ^ 0xff, UNITS, 0xff, false); /* another byte */
    assert_map_refused(&m, sizeof m, "outside itself");
}

static void maps_with_wrong_texts_are_refused(void **state)
{
    map m = sound_map();

    (void)state;
    m.unit[VALUE_UNIT] = 0x80000000 | sizeof m.texts;
    assert_map_refused(&m, sizeof m, "outside its texts");
    m.unit[VALUE_UNIT] = UINT32_MAX;
    assert_map_refused(&m, sizeof m, "outside its texts");
    m = sound_map();
    memcpy(m.texts, "bbb", 3);
    m.texts[3] = 'b';
    assert_map_refused(&m, sizeof m, "do not end");
    m = sound_map();
    m.texts[0] = (char)0xc3;
    assert_map_refused(&m, sizeof m, "UTF-8");
    memcpy(m.texts, "\xc3\xa9", 3);
    m.unit[VALUE_UNIT] = 0x80000001;
    assert_map_refused(&m, sizeof m, "into a character");
}

/* A state that leads to itself: matches without end, of which the library has room for 32. */
static void maps_with_endless_keys_are_refused(void **state)
{
    map m = sound_map();

    (void)state;
    m.unit[VALUE_UNIT ^ 'a'] = unit_to(VALUE_UNIT ^ 'a', VALUE_UNIT, 'a', true);
    assert_map_refused(&m, sizeof m, "32 bytes");
}

/* ---------------------------------------------------------- damaged copies */

/* Whatever the check lets pass, the library loads or refuses, and encodes into its vocabulary. */
static bool refused_or_harmless(const void *bytes, size_t n)
{
    static const char sentence[] = "  A photo of caf\xc3\xa9s \xef\xac\x81 \xe2\x91\xa0 "
                                   "\xf0\x9f\x98\x80\xe3\x80\x80zzz ";
    int32_t ids[256];
    uint8_t *copy;
    skv_spm *m = NULL;
    size_t end = 0;
    int n_ids = 0;

    if (check_copy(bytes, n, &copy) != SKV_OK) {
        free(copy);
        return true;
    }
    if (skv_spm_open(&m, copy, n, "made.model") == SKV_OK &&
        skv_spm_encode(m, sentence, sizeof sentence - 1, ids, 256, &n_ids, &end) == SKV_OK) {
        for (int i = 0; i < n_ids && i < 256; i++)
            assert_in_range(ids[i], 0, skv_spm_size(m) - 1);
        assert_true(end <= sizeof sentence - 1);
    }
    skv_spm_close(m);
    free(copy);
    return false;
}

static void truncated_models_are_refused_or_harmless(void **state)
{
    char *bytes = NULL;
    size_t n = 0;
    int refused = 0, tried = 0;

    (void)state;
    assert_int_equal(skv_file_read(&bytes, &n, TRAINED, 1 << 20), SKV_OK);
    for (size_t cut = 1; cut < n; cut += cut < 200 || cut > n - 200 ? 1 : 997, tried++)
        refused += refused_or_harmless(bytes, n - cut);
    assert_true(refused > tried / 2); /* the rest ends between two fields */
    free(bytes);
}

static void flipped_bits_are_refused_or_harmless(void **state)
{
    char *bytes = NULL;
    size_t n = 0;
    int refused = 0;

    (void)state;
    assert_int_equal(skv_file_read(&bytes, &n, TRAINED, 1 << 20), SKV_OK);
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t word[4];
        size_t at[3];

        /* one to three bits: the first ones near the front, where the pieces are */
        skv_philox(word, (uint32_t[4]){i, 0, 0, 0}, (uint32_t[2]){1, 2});
        for (uint32_t k = 0; k < 1 + i % 3; k++) {
            at[k] = word[k] % (i % 2 ? n : 20000);
            bytes[at[k]] = (char)(bytes[at[k]] ^ (1 << (word[3] >> (3 * k) & 7)));
        }
        refused += refused_or_harmless(bytes, n);
        for (uint32_t k = 0; k < 1 + i % 3; k++)
            bytes[at[k]] = (char)(bytes[at[k]] ^ (1 << (word[3] >> (3 * k) & 7)));
    }
    assert_in_range(refused, 100, 599); /* both happen */
    assert_false(refused_or_harmless(bytes, n));
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_model_is_loaded_and_its_map_works),
        cmocka_unit_test(framing_is_checked),
        cmocka_unit_test(unknown_fields_are_stepped_over),
        cmocka_unit_test(pieces_are_short_utf8_with_finite_scores),
        cmocka_unit_test(only_unigram_models_with_pieces_are_taken),
        cmocka_unit_test(a_test_sentence_with_a_nul_is_refused),
        cmocka_unit_test(maps_of_impossible_sizes_are_refused),
        cmocka_unit_test(maps_that_lead_outside_are_refused),
        cmocka_unit_test(maps_with_wrong_texts_are_refused),
        cmocka_unit_test(maps_with_endless_keys_are_refused),
        cmocka_unit_test(truncated_models_are_refused_or_harmless),
        cmocka_unit_test(flipped_bits_are_refused_or_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
