/* The machine alone, on hand-written streams: what it reads, and that it refuses the rest. */
#include "io/pickle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "write_checkpoint.h"

#include "cmocka_all.h"

static const char allowed[] =
    "IL().01BCGJKMNQRTUX]abcehjqrstu}\x80\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c"
    "\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96";

/* In a block of its own size, so that the sanitizers see a read past the end. */
static skv_status run(const void *pickle, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    const skv_pickle_value *root = NULL;
    skv_pickle *p = NULL;
    size_t used = 0;
    skv_status st;

    assert_non_null(copy);
    memcpy(copy, pickle, n);
    st = skv_pickle_run(&p, &root, &used, copy, n, "x.pth");
    assert_true(st != SKV_OK || (root && used <= n));
    skv_pickle_destroy(p);
    free(copy);
    return st;
}

static void add(test_bytes *b, const char *text)
{
    bytes_add(b, text, strlen(text));
}

static void refused(const void *pickle, size_t n, const char *why)
{
    assert_int_equal(run(pickle, n), SKV_E_FORMAT);
    if (!strstr(skv_message(), why) || !strstr(skv_message(), "x.pth"))
        fail_msg("\"%s\", want \"%s\"", skv_message(), why);
}

static void every_kind_of_value_reads(void **state)
{
    static const char pickle[] =
        "\x80\x02](NJ\xfe\xff\xff\xffK\xffM\xff\xffU\2ab\x88\x89\x8a\2\0\x80"
        "G\0\0\0\0\0\0\0\0(K\1tK\1\x85K\1K\2\x86K\1K\2K\3\x87}q\5X\1\0\0\0k"
        "h\5s](K\1K\2e)\x8a\0e.";
    static const struct {
        skv_pickle_type type;
        int64_t value; /* or the number of items */
    } want[] = {{SKV_PICKLE_NONE, 0},    {SKV_PICKLE_INT, -2},     {SKV_PICKLE_INT, 255},
                {SKV_PICKLE_INT, 65535}, {SKV_PICKLE_TEXT, 0},     {SKV_PICKLE_BOOL, 1},
                {SKV_PICKLE_BOOL, 0},    {SKV_PICKLE_INT, -32768}, {SKV_PICKLE_REAL, 0},
                {SKV_PICKLE_TUPLE, 1},   {SKV_PICKLE_TUPLE, 1},    {SKV_PICKLE_TUPLE, 2},
                {SKV_PICKLE_TUPLE, 3},   {SKV_PICKLE_DICT, 2},     {SKV_PICKLE_LIST, 2},
                {SKV_PICKLE_TUPLE, 0},   {SKV_PICKLE_INT, 0}};
    const size_t n_want = sizeof want / sizeof want[0];
    const skv_pickle_value *root;
    skv_pickle *p = NULL;
    size_t used = 0;

    (void)state;
    assert_int_equal(
        skv_pickle_run(&p, &root, &used, (const uint8_t *)pickle, sizeof pickle - 1, "x.pth"),
        SKV_OK);
    assert_int_equal(used, sizeof pickle - 1);
    assert_int_equal(root->type, SKV_PICKLE_LIST);
    assert_int_equal(root->n, n_want);
    for (size_t i = 0; i < n_want; i++) {
        const skv_pickle_value *v = root->item[i];
        const bool container =
            v->type == SKV_PICKLE_TUPLE || v->type == SKV_PICKLE_LIST || v->type == SKV_PICKLE_DICT;

        assert_int_equal(v->type, want[i].type);
        assert_int_equal(container ? (int64_t)v->n : v->integer, want[i].value);
    }
    assert_memory_equal(root->item[4]->text, "ab", 2);
    assert_ptr_equal(root->item[13]->item[1], root->item[13]); /* a dictionary that holds itself */
    skv_pickle_destroy(p);
}

static void opcodes_off_the_list_are_refused_by_number_and_byte(void **state)
{
    int n = 0;

    (void)state;
    for (int op = 0; op < 256; op++) {
        const uint8_t pickle[] = {0x80, 2, (uint8_t)op, '.'};
        char why[48];

        if (op != 0 && strchr(allowed, op))
            continue;
        snprintf(why, sizeof why, "byte 2: opcode 0x%02x is not allowed", (unsigned)op);
        refused(pickle, sizeof pickle, why);
        n++;
    }
    assert_int_equal(n, 256 - (int)strlen(allowed));
}

#define P2 "\x80\x02"
#define CASE(text, why)                                                                            \
    {                                                                                              \
        text, sizeof(text) - 1, why                                                                \
    }

/* *root of the stream; the pickle borrows b's bytes. */
static skv_pickle *reads(const skv_pickle_value **root, const test_bytes *b)
{
    skv_pickle *p = NULL;
    size_t used = 0;

    if (skv_pickle_run(&p, root, &used, b->data, b->n, "x.pth") != SKV_OK)
        fail_msg("%s", skv_message());
    assert_int_equal(used, b->n);
    return p;
}

static bool is_value(const skv_pickle_value *v, const char *module, const char *name)
{
    return v->bytes == strlen(module) && memcmp(v->text, module, v->bytes) == 0 &&
           v->key->bytes == strlen(name) && memcmp(v->key->text, name, v->key->bytes) == 0;
}

/* Nothing is called, whatever the name: what it would make is a value without content. */
static void what_an_unknown_name_makes_is_opaque(void **state)
{
    static const struct {
        const char *module, *name;
    } names[] = {{"os", "system"},
                 {"builtins", "eval"},
                 {"torch", "load"},
                 {"torch.storage", "_load_from_bytes"},
                 {"collections", "OrderedDict "},
                 {"numpy.core.multiarray", "scalar"},
                 {"argparse", "Namespace"},
                 {"torch._utils", "_rebuild_qtensor"},
                 {"", ""}};
    static const char *const ways[] = {")R.", ")\x81.", ")}\x92.", ")R}b.", ")R)R."};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t k = 0; k < sizeof ways / sizeof ways[0]; k++) {
            const skv_pickle_value *root;
            test_bytes b = {0};
            skv_pickle *p;

            add(&b, P2 "c");
            add(&b, names[i].module);
            add(&b, "\n");
            add(&b, names[i].name);
            add(&b, "\n");
            add(&b, ways[k]);
            p = reads(&root, &b);
            assert_int_equal(root->type, SKV_PICKLE_OPAQUE);
            assert_true(is_value(root, names[i].module, names[i].name));
            skv_pickle_destroy(p);
            free(b.data);
        }
}

#define P4 "\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00"

static skv_pickle *reads_text(const skv_pickle_value **root, test_bytes *b, const char *text,
                              size_t n)
{
    bytes_add(b, text, n);
    return reads(root, b);
}
#define READS(root, b, text) reads_text(root, b, text, sizeof(text) - 1)

/* Protocol 1 has no mark of its own, and writes integers and truth in digits. */
static void protocol_1_reads_as_2_does(void **state)
{
    const skv_pickle_value *root, *list;
    test_bytes b = {0};
    skv_pickle *p = READS(&root, &b,
                          "ccollections\nOrderedDict\nq\0)Rq\1(X\1\0\0\0aq\2I01\n"
                          "X\1\0\0\0bq\3](K\1I-7\nL1099511627776L\nL1180591620717411303424L\n"
                          "I00\neu.");

    (void)state;
    assert_int_equal(root->n, 4);
    assert_int_equal(root->item[1]->type, SKV_PICKLE_BOOL);
    assert_int_equal(root->item[1]->integer, 1);
    list = root->item[3];
    assert_int_equal(list->n, 5);
    assert_int_equal(list->item[1]->integer, -7);
    assert_int_equal(list->item[2]->integer, 1099511627776);
    assert_int_equal(list->item[3]->type, SKV_PICKLE_REAL);
    assert_int_equal(list->item[4]->type, SKV_PICKLE_BOOL);
    skv_pickle_destroy(p);
    free(b.data);
}

/* Protocol 4 numbers what it remembers, names by two texts, and has shorter texts. */
static void later_protocols_read_as_2_does(void **state)
{
    const skv_pickle_value *root;
    test_bytes b = {0};
    skv_pickle *p = READS(&root, &b,
                          P4 "}\x94(\x8c\001a\x94K\1\x8d\1\0\0\0\0\0\0\0b\x94"
                             "\x8f\x94(K\1K\2\x90\x8c\001c(K\1\x91\x8c\001dC\2xy\x8c\001e"
                             "\x96\1\0\0\0\0\0\0\0z\x8c\001fh\1\x8c\001g"
                             "\x8c\x0b"
                             "collections\x8c\x0bOrderedDict\x93)R\x8c\001h"
                             "\x8b\1\0\0\0\xffu.");

    (void)state;
    assert_int_equal(root->type, SKV_PICKLE_DICT);
    assert_int_equal(root->n, 16);
    assert_int_equal(root->item[3]->type,
                     SKV_PICKLE_OPAQUE); /* a set, a frozen set, two of bytes */
    assert_int_equal(root->item[5]->type, SKV_PICKLE_OPAQUE);
    assert_int_equal(root->item[7]->type, SKV_PICKLE_OPAQUE);
    assert_int_equal(root->item[9]->type, SKV_PICKLE_OPAQUE);
    assert_true(is_value(root->item[3], "builtins", "set"));
    assert_ptr_equal(root->item[11], root->item[0]); /* the second that was remembered */
    assert_int_equal(root->item[13]->type, SKV_PICKLE_DICT);
    assert_int_equal(root->item[15]->integer, -1);
    skv_pickle_destroy(p);
    free(b.data);
    for (char n = 2; n <= 5; n++)
        assert_int_equal(run((const char[]){'\x80', n, 'N', '.'}, 4), SKV_OK);
}

static void dictionaries_of_other_classes_are_dictionaries(void **state)
{
    static const char *const made[] = {
        "ccollections\ndefaultdict\nc__builtin__\nint\n\x85R", "ccollections\nOrderedDict\n)R",
        "ceasydict\nEasyDict\n)\x81", "ccollections\nOrderedDict\n)\x81"};

    (void)state;
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        const skv_pickle_value *root;
        test_bytes b = {0};
        skv_pickle *p;

        add(&b, P2);
        add(&b, made[i]);
        add(&b, "(U\1wK\7u}b.");
        p = reads(&root, &b);
        assert_int_equal(root->type, SKV_PICKLE_DICT);
        assert_int_equal(root->n, 2);
        assert_int_equal(root->item[1]->integer, 7);
        skv_pickle_destroy(p);
        free(b.data);
    }
}

static void what_would_confuse_a_machine_that_trusts_is_refused(void **state)
{
    static const struct {
        const char *pickle;
        size_t n;
        const char *why;
    } known[] = {
        CASE(P2 "]K\1K\2s.", "not such a container"),  /* SETITEM on a list */
        CASE(P2 "}K\1a.", "not such a container"),     /* APPEND to a dictionary */
        CASE(P2 ")K\1a.", "not such a container"),     /* APPEND to a tuple */
        CASE(P2 "N(K\1K\2u.", "not such a container"), /* SETITEMS on None */
        CASE(P2 "K\1(K\2e.", "not such a container"),  /* APPENDS to a number */
        CASE(P2 "}(K\1u.", "not such a container"),    /* a key without value */
        CASE(P2 "K\1(a.", "stack is empty"),           /* an item below the mark */
        CASE(P2 "a.", "stack is empty"),
        CASE(P2 "\x85.", "stack is empty"),
        CASE(P2 "K\1(\x85.", "stack is empty"),
        CASE(P2 "t.", "no mark"),
        CASE(P2 "K\1e.", "no mark"),
        CASE(P2 "K\1K\2.", "left over"),
        CASE(P2 "(K\1.", "left over"),
        CASE(P2 "q\1N.", "stack to remember"),
        CASE(P2 "Nr\0\0\x10\0.", "too many memo entries"), /* memo 2^20 */
        CASE(P2 "Nr\xff\xff\xff\xff.", "too many memo entries"),
        CASE(P2 "h\0.", "a memo entry that does not exist"),
        CASE(P2 "Nq\1j\2\0\0\0.", "a memo entry that does not exist"),
        CASE(P2 "\x8b\0\0\0\x80N.", "ends inside"), /* LONG4 of 2 GiB */
        CASE(P2 "X\xff\xff\xff\xff"
                "a.",
             "ends inside"),
        CASE(P2 "T\xff\xff\xff\x7f"
                "a.",
             "ends inside"),
        CASE(P2 "U\xff"
                "a.",
             "ends inside"),
        CASE(P2 P2 "N.", "protocol"),
        CASE("I1x\n.", "an integer that is not one"),
        CASE("I\n.", "an integer that is not one"),
        CASE("L1-2L\n.", "an integer that is not one"),
        CASE("I1", "ends inside"),
        CASE("\x80\x01N.", "protocol"),
        CASE("\x80\x06N.", "protocol"),
        CASE(P2 "K\1)R.", "not a name"), /* call of a number */
        CASE(P2 "ccollections\nOrderedDict\nK\1R.", "without a tuple"),
        CASE(P2 "cos\nsystem.", "ends inside"), /* a name of one line */
        CASE(P2 "U\1aK\1\x93.", "not made of two texts"),
        CASE(P2 "N(K\1\x90.", "not a set"),
        CASE(P2 "K\1\x90.", "no mark"),
        CASE(P2 "0.", "stack is empty"),
        CASE(P2 "1.", "no mark"),
        CASE(P2 "\x94.", "stack to remember"),
        CASE("\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", "inside a frame"),
        CASE(P2 "\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
                "a.",
             "ends inside"),
        CASE(P2 "ctorch._utils\n_rebuild_tensor_v3\n)R.", "without storage"),
        CASE(P2 "ctorch._utils\n_rebuild_tensor_v2\n)R.", "without storage"),
        CASE(P2 "ctorch._utils\n_rebuild_parameter\n)R.", "without a tensor"),
        CASE(P2 "ctorch._utils\n_rebuild_parameter\nN\x85R.", "without a tensor"),
        CASE(P2 "ccollections\nOrderedDict\nK\1\x85R.", "else than pairs"),
        CASE(P2 "ccollections\nOrderedDict\n]K\1a\x85R.", "not a pair"),
        CASE(P2 "ccollections\nOrderedDict\n](](K\1ee\x85R.", "not a pair"),
        CASE(P2 "N}b.", "has none"),
        CASE(P2 "K\1}b.", "has none"),
        CASE(P2 "NQ.", "not a storage"),
        CASE(P2 "(U\7storageNU\1"
                "0NK\1tQ.",
             "not a storage"),
        CASE(P2 "(U\7storagectorch\nFloatStorage\nK\0NK\1tQ.", "without key"),
        CASE(P2 "(U\7storagectorch\nFloatStorage\nU\1"
                "0NJ\xff\xff\xff\xfftQ.",
             "without key"),
        CASE(P2 "(U\7storagectorch\nFloatStorage\nU\1"
                "0N\x8a\x09"
                "123456789tQ.",
             "without key"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        refused(known[i].pickle, known[i].n, known[i].why);
}

/* _rebuild_tensor_v2 of a good storage with these arguments for offset, shape, stride. */
static skv_status tensor(const char *numbers, size_t n)
{
    test_bytes b = {0};
    skv_status st;

    add(&b, P2 "ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\nU\1"
               "0NK\4tQ");
    bytes_add(&b, numbers, n);
    add(&b, "\x89NtR.");
    st = run(b.data, b.n);
    free(b.data);
    return st;
}
#define TENSOR(text) tensor(text, sizeof(text) - 1)

static void a_tensor_s_numbers_are_small_tuples_of_non_negative_integers(void **state)
{
    (void)state;
    assert_int_equal(TENSOR("K\0(K\2K\2t(K\2K\1t"), SKV_OK);
    assert_int_equal(TENSOR("K\0))"), SKV_OK); /* a scalar */
    assert_int_equal(TENSOR("J\xff\xff\xff\xff))"), SKV_E_FORMAT);
    assert_int_equal(TENSOR("N))"), SKV_E_FORMAT);
    assert_int_equal(TENSOR("K\0(J\xff\xff\xff\xfft(K\1t"), SKV_E_FORMAT);
    assert_int_equal(TENSOR("K\0(K\4t(J\xff\xff\xff\xfft"), SKV_E_FORMAT); /* negative stride */
    assert_int_equal(TENSOR("K\0(K\4t(K\1K\1t"), SKV_E_FORMAT);
    assert_int_equal(TENSOR("K\0](K\4e(K\1t"), SKV_E_FORMAT);
    assert_int_equal(TENSOR("K\0(\x89t(K\1t"), SKV_E_FORMAT); /* False is not a number here */
    assert_int_equal(TENSOR("K\0(K\1K\1K\1K\1K\1K\1K\1K\1K\1t(K\1K\1K\1K\1K\1K\1K\1K\1K\1t"),
                     SKV_E_FORMAT);
    assert_int_equal(TENSOR("K\0(\x8a\x09"
                            "123456789t(K\1t"),
                     SKV_E_FORMAT);
}

static void a_stream_that_is_cut_is_refused_at_every_byte(void **state)
{
    const test_piece piece = {"HalfStorage", "0", 6, 0, 2, {2, 3}, {3, 1}, true, 0, 6};
    test_bytes b = {0};

    (void)state;
    add(&b, P2 "}");
    pickle_text(&b, "w");
    pickle_piece(&b, &piece);
    add(&b, "s.");
    assert_int_equal(run(b.data, b.n), SKV_OK);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(run(b.data, n), SKV_E_FORMAT);
    free(b.data);
}

static void repeated(const char *head, const char *piece, size_t times, const char *why)
{
    test_bytes b = {0};

    add(&b, head);
    for (size_t i = 0; i < times; i++)
        add(&b, piece);
    add(&b, ".");
    refused(b.data, b.n, why);
    free(b.data);
}

static void bombs_are_refused_before_they_grow(void **state)
{
    test_bytes b = {0};

    (void)state;
    repeated(P2, "N", 10001, "stack is too deep");
    repeated(P2, "(", 10001, "too many marks");
    repeated(P2 "]", "Na", (size_t)1 << 21, "too many values");
    repeated(P2 "Nq\1]", "h\1a", ((size_t)1 << 22) + 1, "too many items");
    /* a list of 8000 pairs, turned into a dictionary 1000 times: 128 MB out of 30 KB */
    add(&b, P2 "ccollections\nOrderedDict\nq\1](K\1K\1\x86q\2");
    for (int i = 1; i < 8000; i++)
        add(&b, "h\2");
    add(&b, "e\x85q\3]");
    for (int i = 0; i < 1000; i++)
        add(&b, "h\1h\3Ra");
    add(&b, ".");
    refused(b.data, b.n, "too many items");
    free(b.data);
}

/* Wherever a storage ends up, its file holds its bytes. */
static void every_storage_is_listed(void **state)
{
    const test_piece piece[2] = {{"HalfStorage", "7", 6, 0, 1, {6}, {1}, false, 0, 0},
                                 {"FloatStorage", "9", 2, 0, 1, {2}, {1}, false, 0, 0}};
    const skv_pickle_value *const *list;
    const skv_pickle_value *root;
    skv_pickle *p = NULL;
    test_bytes b = {0};
    size_t used, n = 0;

    (void)state;
    add(&b, P2 "](");
    pickle_piece(&b, &piece[0]);
    add(&b, "}K\1");
    pickle_piece(&b, &piece[1]);
    add(&b, "se.");
    assert_int_equal(skv_pickle_run(&p, &root, &used, b.data, b.n, "x.pth"), SKV_OK);
    list = skv_pickle_storages(p, &n);
    assert_int_equal(n, 2);
    assert_true(list[0]->key->text[0] == '7' && list[0]->integer == 6);
    assert_true(list[1]->key->text[0] == '9' && list[1]->integer == 2);
    skv_pickle_destroy(p);
    free(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_reads),
        cmocka_unit_test(opcodes_off_the_list_are_refused_by_number_and_byte),
        cmocka_unit_test(what_an_unknown_name_makes_is_opaque),
        cmocka_unit_test(protocol_1_reads_as_2_does),
        cmocka_unit_test(later_protocols_read_as_2_does),
        cmocka_unit_test(dictionaries_of_other_classes_are_dictionaries),
        cmocka_unit_test(what_would_confuse_a_machine_that_trusts_is_refused),
        cmocka_unit_test(a_tensor_s_numbers_are_small_tuples_of_non_negative_integers),
        cmocka_unit_test(a_stream_that_is_cut_is_refused_at_every_byte),
        cmocka_unit_test(bombs_are_refused_before_they_grow),
        cmocka_unit_test(every_storage_is_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
