/* From pickles to tensors: both containers, and files whose parts contradict each other. */
#include "io/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "temp_folder.h"
#include "write_checkpoint.h"

#include "cmocka_all.h"

#define P2 "\x80\x02"

static const float values[12] = {0, 1, -1, 0.5f, 65504, 1e-3f, 3, 4, 5, 6, 7, 8};
static const test_piece twelve = {"FloatStorage", "0", 12, 0, 2, {3, 4}, {4, 1}, false, 0, 0};

static void add(test_bytes *b, const char *text)
{
    bytes_add(b, text, strlen(text));
}

/* Opens the bytes as a file and frees them; *ck is NULL on failure. */
static skv_status opens(skv_checkpoint **ck, test_bytes *b)
{
    const char *path = temp_path("x.pth");
    skv_status st;

    *ck = NULL;
    bytes_save(b, path);
    free(b->data);
    *b = (test_bytes){0};
    st = skv_checkpoint_open(ck, path);
    assert_true((st == SKV_OK) == (*ck != NULL));
    return st;
}

static void refused(test_bytes *b, skv_status want, const char *why)
{
    skv_checkpoint *ck;

    assert_int_equal(opens(&ck, b), want);
    if (!strstr(skv_message(), why) || !strstr(skv_message(), "x.pth"))
        fail_msg("\"%s\", want \"%s\"", skv_message(), why);
}

/* {"w": piece} */
static void pickle_one(test_bytes *p, const test_piece *piece)
{
    add(p, P2 "}");
    pickle_text(p, "w");
    pickle_piece(p, piece);
    add(p, "s.");
}

/* An archive of one tensor, its storage the first n values; other: one more member. */
static void archive(test_bytes *out, const test_piece *piece, size_t n, const char *other,
                    const char *content)
{
    test_bytes p = {0};
    test_zip z = {0};

    pickle_one(&p, piece);
    zip_add(&z, "archive/data.pkl", p.data, p.n);
    if (other)
        zip_add(&z, other, content, strlen(content));
    zip_add(&z, "archive/data/0", values, n * sizeof *values);
    zip_finish(out, &z);
    free(p.data);
}

static void legacy(test_bytes *out, const test_piece *piece, const char *keys, size_t n)
{
    const uint64_t count = n;

    legacy_begin(out);
    pickle_one(out, piece);
    add(out, P2 "](");
    for (; *keys; keys++)
        pickle_text(out, (const char[2]){*keys, '\0'});
    add(out, "e.");
    bytes_add(out, &count, sizeof count);
    bytes_add(out, values, n * sizeof *values);
}

static void legacy_storages_follow_the_list_of_keys(void **state)
{
    static const test_tensor two[2] = {{"x.weight", 2, {3, 4}, values}, {"y", 1, {5}, values + 2}};
    skv_checkpoint *ck;
    test_bytes b;

    (void)state;
    for (int type = SKV_F32; type <= SKV_BF16; type++) {
        make_torch_legacy(&b, two, 2, (skv_dtype)type);
        assert_int_equal(opens(&ck, &b), SKV_OK);
        assert_string_equal(skv_checkpoint_format(ck), "PyTorch legacy");
        for (int t = 0; t < 2; t++) {
            const skv_entry *e = skv_checkpoint_find(ck, two[t].name);
            const size_t n = t ? 5 : 12;
            uint8_t want[48];

            assert_non_null(e);
            assert_true(e->supported && (int)e->dtype == type && e->ndim == two[t].ndim);
            skv_from_f32(want, e->dtype, two[t].data, n);
            assert_int_equal(e->bytes, n * skv_dtype_bytes(e->dtype));
            assert_memory_equal(e->data, want, e->bytes);
            assert_int_equal(skv_checkpoint_verify(ck, e), SKV_OK); /* there is no sum */
        }
        skv_checkpoint_close(ck);
    }
}

static void a_legacy_view_is_a_part_of_its_storage(void **state)
{
    test_piece piece = {"FloatStorage", "0", 12, 1, 1, {3}, {1}, true, 4, 6};
    skv_checkpoint *ck;
    test_bytes b;

    (void)state;
    legacy(&b, &piece, "0", 12);
    assert_int_equal(opens(&ck, &b), SKV_OK);
    assert_memory_equal(skv_checkpoint_find(ck, "w")->data, values + 5, 3 * sizeof *values);
    skv_checkpoint_close(ck);
    piece.offset = 4; /* within the storage, beyond the view */
    legacy(&b, &piece, "0", 12);
    refused(&b, SKV_E_FORMAT, "reaches beyond");
    piece.view_elements = 9;
    legacy(&b, &piece, "0", 12);
    refused(&b, SKV_E_FORMAT, "view outside");
    piece.view_at = INT64_MAX / 2;
    legacy(&b, &piece, "0", 12);
    refused(&b, SKV_E_FORMAT, "view outside");
    piece.view_at = -1;
    legacy(&b, &piece, "0", 12);
    refused(&b, SKV_E_FORMAT, "view outside");
}

static void legacy_streams_that_contradict_themselves_are_refused(void **state)
{
    test_piece piece = twelve;
    test_bytes b;

    (void)state;
    legacy(&b, &piece, "0", 11);
    refused(&b, SKV_E_FORMAT, "of 12 elements has 44 bytes");
    legacy(&b, &piece, "", 12);
    refused(&b, SKV_E_FORMAT, "56 bytes follow");
    legacy(&b, &piece, "00", 12);
    refused(&b, SKV_E_FORMAT, "listed twice");
    legacy(&b, &piece, "01", 12);
    refused(&b, SKV_E_FORMAT, "belongs to no tensor");
    legacy(&b, &piece, "0", 12);
    bytes_add(&b, "", 1);
    refused(&b, SKV_E_FORMAT, "1 bytes follow");
    legacy(&b, &piece, "0", 12);
    memset(b.data + b.n - 56, 0xff, 8); /* 2^64 - 1 elements */
    refused(&b, SKV_E_FORMAT, "cut off");
    legacy(&b, &piece, "0", 12);
    b.data[b.n - 56 + 7] = 0x40; /* 2^62 and some: 4 bytes each overflow */
    refused(&b, SKV_E_FORMAT, "cut off");
    legacy_begin(&b);
    add(&b, P2 "}.");
    add(&b, P2 "}.");
    refused(&b, SKV_E_FORMAT, "not a list of storage keys");
    legacy(&b, &piece, "0", 12);
    b.data[18] = 0xea; /* protocol 1002 */
    refused(&b, SKV_E_UNSUPPORTED, "1001");
    legacy(&b, &piece, "0", 12);
    *(uint8_t *)memchr(b.data, 0x88, 64) = 0x89; /* little_endian false */
    refused(&b, SKV_E_UNSUPPORTED, "little-endian");
}

static void one_storage_has_one_element_size(void **state)
{
    test_piece half = {"HalfStorage", "0", 24, 0, 1, {24}, {1}, false, 0, 0};
    const uint64_t count = 12;
    test_bytes b;

    (void)state;
    legacy_begin(&b);
    add(&b, P2 "}(");
    pickle_text(&b, "a");
    pickle_piece(&b, &twelve);
    pickle_text(&b, "b");
    pickle_piece(&b, &half);
    add(&b, "u." P2 "]");
    pickle_text(&b, "0");
    add(&b, "a.");
    bytes_add(&b, &count, sizeof count);
    bytes_add(&b, values, sizeof values);
    refused(&b, SKV_E_FORMAT, "elements of two sizes");
}

/* Tensors outside the dictionaries are none of ours, but their bytes are in the file. */
static void storages_of_ignored_tensors_are_stepped_over(void **state)
{
    const test_piece other = {"LongStorage", "0", 1, 0, 1, {1}, {1}, false, 0, 0};
    const uint64_t counts[2] = {1, 12}, number = 77;
    test_piece piece = twelve;
    skv_checkpoint *ck;
    test_bytes b;

    (void)state;
    piece.key = "1";
    legacy_begin(&b);
    add(&b, P2 "}(");
    pickle_text(&b, "optimizer");
    add(&b, "]");
    pickle_piece(&b, &other);
    add(&b, "a");
    pickle_text(&b, "w");
    pickle_piece(&b, &piece);
    add(&b, "u." P2 "](");
    pickle_text(&b, "0");
    pickle_text(&b, "1");
    add(&b, "e.");
    bytes_add(&b, &counts[0], 8);
    bytes_add(&b, &number, 8);
    bytes_add(&b, &counts[1], 8);
    bytes_add(&b, values, sizeof values);
    assert_int_equal(opens(&ck, &b), SKV_OK);
    assert_int_equal(skv_checkpoint_count(ck), 1);
    assert_memory_equal(skv_checkpoint_at(ck, 0)->data, values, sizeof values);
    skv_checkpoint_close(ck);
}

/* A dictionary that holds itself twice has 2^64 ways down to depth 64. */
static void dictionaries_that_hold_themselves_end_in_a_refusal(void **state)
{
    static const char loop[] = P2 "}q\1X\1\0\0\0ah\1sX\1\0\0\0bh\1s.";
    test_bytes b;
    test_zip z = {0};

    (void)state;
    legacy_begin(&b);
    bytes_add(&b, loop, sizeof loop - 1);
    add(&b, P2 "].");
    refused(&b, SKV_E_FORMAT, "nested too deep or too often");
    zip_add(&z, "archive/data.pkl", loop, sizeof loop - 1);
    zip_finish(&b, &z);
    refused(&b, SKV_E_FORMAT, "nested too deep or too often");
}

/* 2^17 names of one tensor, each of 730 bytes, out of a pickle of 2 KB: 96 MB. */
static void names_that_multiply_end_in_a_refusal(void **state)
{
    enum { LEVELS = 17 };
    char key[350];
    test_bytes p = {0}, b;
    test_zip z = {0};

    (void)state;
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    add(&p, P2 "}");
    pickle_text(&p, "w");
    pickle_piece(&p, &twelve);
    add(&p, "q\1s");
    pickle_text(&p, "list");
    add(&p, "]");
    /* from the inside out: {"a": v, "b": v}, remembered as the next v and put into the list */
    for (int i = 1; i <= LEVELS; i++) {
        const uint8_t get[2] = {'h', (uint8_t)i}, next[3] = {'q', (uint8_t)(i + 1), 'a'};

        add(&p, "}");
        for (int k = 0; k < 2; k++) {
            key[0] = (char)('a' + k);
            pickle_text(&p, i <= 2 ? key : (const char[2]){key[0], '\0'});
            bytes_add(&p, get, sizeof get);
            add(&p, "s");
        }
        bytes_add(&p, next, sizeof next);
    }
    add(&p, "s");
    pickle_text(&p, "many");
    bytes_add(&p, (const uint8_t[]){'h', LEVELS + 1, 's', '.'}, 4);
    zip_add(&z, "archive/data.pkl", p.data, p.n);
    zip_add(&z, "archive/data/0", values, sizeof values);
    zip_finish(&b, &z);
    free(p.data);
    refused(&b, SKV_E_FORMAT, "names of more than");
}

static void only_row_major_tensors_are_supported(void **state)
{
    static const struct {
        int ndim;
        int64_t shape[4], stride[4], offset;
        bool supported;
    } known[] = {
        {2, {3, 4}, {4, 1}, 0, true},
        {2, {4, 3}, {1, 4}, 0, false},       /* transposed */
        {2, {3, 2}, {4, 1}, 0, false},       /* columns of a wider one */
        {2, {2, 4}, {4, 1}, 4, true},        /* rows of it */
        {2, {5, 4}, {0, 1}, 0, false},       /* repeated */
        {3, {1, 3, 4}, {99, 4, 1}, 0, true}, /* the stride of an extent of 1 is nobody's */
        {0, {0}, {0}, 11, true},
        {2, {0, 4}, {4, 1}, 0, true},
        {2, {4, 0}, {1, 1}, 12, true},
        {3, {0, 1 << 30, 1 << 30}, {INT64_C(1) << 60, 1 << 30, 1}, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        test_piece piece = {"FloatStorage", "0", 12, known[i].offset, known[i].ndim, {0}, {0},
                            false,          0,   0};
        const skv_entry *e;
        skv_checkpoint *ck;
        test_bytes b;

        memcpy(piece.shape, known[i].shape, sizeof piece.shape);
        memcpy(piece.stride, known[i].stride, sizeof piece.stride);
        archive(&b, &piece, 12, NULL, NULL);
        assert_int_equal(opens(&ck, &b), SKV_OK);
        e = skv_checkpoint_find(ck, "w");
        assert_int_equal(e->supported, known[i].supported);
        assert_string_equal(e->dtype_name, known[i].supported ? "fp32" : "not row-major");
        assert_int_equal(skv_checkpoint_verify(ck, e), SKV_OK);
        skv_checkpoint_close(ck);
    }
}

static void numbers_that_reach_outside_are_refused(void **state)
{
    static const struct {
        int ndim;
        int64_t shape[4], stride[4], offset;
    } known[] = {
        {1, {13}, {1}, 0},
        {1, {1}, {1}, 12},
        {1, {0}, {1}, 13},
        {1, {2}, {12}, 0},
        {1, {2}, {INT64_MAX}, 0},
        {1, {1}, {1}, INT64_MAX},
        {2, {2, 2}, {INT64_MAX, INT64_MAX}, 0},
        {2, {3, 3}, {INT64_MAX, INT64_MAX}, 5},
        {2, {INT64_MAX, 2}, {0, 0}, 0},
        {2, {INT64_C(1) << 32, INT64_C(1) << 32}, {0, 0}, 0},
        {2, {INT64_C(1) << 32, INT64_C(1) << 30}, {0, 0}, 0}, /* counted, but more than 2^42 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        test_piece piece = {"FloatStorage", "0", 12, known[i].offset, known[i].ndim, {0}, {0},
                            false,          0,   0};
        test_bytes b;

        memcpy(piece.shape, known[i].shape, sizeof piece.shape);
        memcpy(piece.stride, known[i].stride, sizeof piece.stride);
        archive(&b, &piece, 12, NULL, NULL);
        refused(&b, SKV_E_FORMAT, "w: reaches beyond its storage");
    }
}

static void a_storage_is_as_long_as_its_record(void **state)
{
    static const int64_t elements[] = {11, 13, 24, INT64_C(1) << 62, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        test_piece piece = {"FloatStorage", "0", elements[i], 0, 1, {1}, {1}, false, 0, 0};
        test_bytes b;

        archive(&b, &piece, 12, NULL, NULL);
        refused(&b, SKV_E_FORMAT, "elements has 48 bytes");
    }
}

static void types_that_we_cannot_read_are_told_by_name(void **state)
{
    static const struct {
        const char *storage, *name;
        int64_t elements;
    } known[] = {{"DoubleStorage", "fp64", 6},
                 {"LongStorage", "i64", 6},
                 {"IntStorage", "i32", 12},
                 {"ShortStorage", "i16", 24},
                 {"CharStorage", "i8", 48},
                 {"ByteStorage", "u8", 48},
                 {"BoolStorage", "bool", 48},
                 {"ComplexFloatStorage", "complex fp32", 6},
                 {"ComplexDoubleStorage", "complex fp64", 3}};

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const int64_t n = known[i].elements;
        test_piece piece = {known[i].storage, "0", n, 0, 1, {n}, {1}, false, 0, 0};
        skv_checkpoint *ck;
        test_bytes b;

        archive(&b, &piece, 12, NULL, NULL);
        assert_int_equal(opens(&ck, &b), SKV_OK);
        assert_false(skv_checkpoint_at(ck, 0)->supported);
        assert_string_equal(skv_checkpoint_at(ck, 0)->dtype_name, known[i].name);
        skv_checkpoint_close(ck);
    }
}

/* An archive of this pickle alone, and a storage "0" of the first 12 values. */
static void archive_of(test_bytes *out, const char *pickle, size_t n)
{
    test_zip z = {0};

    zip_add(&z, "archive/data.pkl", pickle, n);
    zip_add(&z, "archive/data/0", values, 12 * sizeof *values);
    zip_finish(out, &z);
}
#define ARCHIVE(b, pickle) archive_of(b, pickle, sizeof(pickle) - 1)

#define UNTYPED                                                                                    \
    "(U\7storagectorch.storage\nUntypedStorage\nU\1"                                               \
    "0NK\x30tQ"
#define V3 "ctorch._utils\n_rebuild_tensor_v3\n(" UNTYPED

/* The offset and shape of an untyped storage count elements of the type that is said. */
static void a_tensor_of_an_untyped_storage_has_the_type_that_it_says(void **state)
{
    const skv_entry *e;
    skv_checkpoint *ck;
    test_bytes b;

    (void)state;
    ARCHIVE(&b, P2 "}(U\1a" V3 "K\2K\3\x85K\1\x85\x89}ctorch\nfloat32\ntR"
                   "U\1b" V3 "K\0K\x30\x85K\1\x85\x89}ctorch\nfloat8_e5m2\ntR"
                   "U\1c" V3 "K\0K\1\x85K\1\x85\x89}ctorch\nint3\ntRu.");
    assert_int_equal(opens(&ck, &b), SKV_OK);
    assert_int_equal(skv_checkpoint_count(ck), 2);
    e = skv_checkpoint_find(ck, "a");
    assert_true(e->supported);
    assert_memory_equal(e->data, values + 2, 3 * sizeof *values);
    assert_string_equal(skv_checkpoint_find(ck, "b")->dtype_name, "float8_e5m2");
    assert_string_equal(skv_checkpoint_find_other(ck, "c"), "a tensor of torch.int3");
    skv_checkpoint_close(ck);
    ARCHIVE(&b, P2 "}U\1a" V3 "K\0K\x0d\x85K\1\x85\x89}ctorch\nfloat32\ntRs.");
    refused(&b, SKV_E_FORMAT, "a: reaches beyond its storage");
}

/* A tensor with attributes, and a parameter with a state, are the tensor. */
static void what_python_adds_to_a_tensor_is_passed_over(void **state)
{
    static const char *const made[] = {"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_"
                                       "rebuild_tensor_v2\nctorch\nTensor\n",
                                       "ctorch._utils\n_rebuild_parameter_with_state\n("
                                       "ctorch._utils\n_rebuild_tensor_v2\n"};
    static const char tensor[] = "((U\7storagectorch\nFloatStorage\nU\1"
                                 "0NK\x0ctQK\0K\x0c\x85K\1\x85\x89}t";

    (void)state;
    for (int i = 0; i < 2; i++) {
        test_bytes p = {0}, b;
        skv_checkpoint *ck;

        add(&p, P2 "}U\1w");
        add(&p, made[i]);
        bytes_add(&p, tensor, sizeof tensor - 1);
        add(&p, i == 0 ? "}tRs." : "R\x88}}tRs.");
        archive_of(&b, (const char *)p.data, p.n);
        free(p.data);
        assert_int_equal(opens(&ck, &b), SKV_OK);
        assert_memory_equal(skv_checkpoint_find(ck, "w")->data, values, sizeof values);
        skv_checkpoint_close(ck);
    }
}

#define FLOATS                                                                                     \
    "ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\nU\1"                     \
    "0NK\x0ctQK\0K\x0c\x85K\1\x85\x89}tR"
#define MODULE(name) "cmine\n" name "\n)\x81}(U\x0b_parameters"

/* torch.save(model): as the object itself, or under a key. */
static void a_whole_module_has_the_names_of_its_state_dict(void **state)
{
    static const char inside[] = MODULE(
        "Net") "}U\1wN"
               "sU\x08_buffersccollections\nOrderedDict\n)R"
               "U\1b" FLOATS "sU\x08_modules}(U\4head" MODULE(
                   "Linear") "}(U\6weight" FLOATS
                             "U\4biasNuU\x08_buffers}U\x08_modules}ubU\4noneNuU\x08trainingI01\nub";
    static const char *const before[] = {P2, P2 "}U\5model"}, *const after[] = {".", "s."};
    static const char *const place[] = {"", "model."};

    (void)state;
    for (int i = 0; i < 2; i++) {
        test_bytes p = {0}, b;
        skv_checkpoint *ck;
        char name[40];

        add(&p, before[i]);
        bytes_add(&p, inside, sizeof inside - 1);
        add(&p, after[i]);
        archive_of(&b, (const char *)p.data, p.n);
        free(p.data);
        if (opens(&ck, &b) != SKV_OK)
            fail_msg("%s", skv_message());
        assert_int_equal(skv_checkpoint_count(ck), 2);
        snprintf(name, sizeof name, "%shead.weight", place[i]);
        assert_memory_equal(skv_checkpoint_find(ck, name)->data, values, sizeof values);
        snprintf(name, sizeof name, "%sb", place[i]);
        assert_non_null(skv_checkpoint_find(ck, name));
        skv_checkpoint_close(ck);
    }
}

/* A module that holds itself. */
static void modules_without_end_are_refused(void **state)
{
    test_bytes b;

    (void)state;
    ARCHIVE(&b,
            P2 "cmine\nNet\n)\x81q\1}(U\x0b_parameters}U\x08_buffers}U\x08_modules}U\1mh\1sub.");
    refused(&b, SKV_E_FORMAT, "nested too deep");
}

static void what_is_no_tensor_is_remembered_by_its_name(void **state)
{
    skv_checkpoint *ck;
    test_bytes b;

    (void)state;
    ARCHIVE(&b, P2 "}(U\5modelcmine\nNet\n)\x81}U\1aNsbU\1m}U\1q"
                   "ctorch._utils\n_rebuild_qtensor\n)RsU\2lrcnumpy\nfloat64\n)Ru.");
    assert_int_equal(opens(&ck, &b), SKV_OK);
    assert_int_equal(skv_checkpoint_count(ck), 0);
    assert_string_equal(skv_checkpoint_find_other(ck, "model"), "an object of mine.Net");
    assert_string_equal(skv_checkpoint_find_other(ck, "m.q"),
                        "an object of torch._utils._rebuild_qtensor");
    assert_null(skv_checkpoint_find_other(ck, "m"));
    skv_checkpoint_close(ck);
    ARCHIVE(&b, P2 "cmine\nN\x1bt\n)\x81}b.");
    refused(&b, SKV_E_UNSUPPORTED, "an object of mine.N\\x1bt, want a dictionary");
    ARCHIVE(&b, P2 "c__torch__.net\nNet\n)\x81}b.");
    refused(&b, SKV_E_UNSUPPORTED, "a TorchScript module");
}

static void archives_whose_members_contradict_each_other_are_refused(void **state)
{
    test_piece piece = twelve;
    skv_checkpoint *ck;
    test_bytes b;
    test_zip z = {0};

    (void)state;
    archive(&b, &piece, 12, "archive/byteorder", "little");
    assert_int_equal(opens(&ck, &b), SKV_OK);
    skv_checkpoint_close(ck);
    archive(&b, &piece, 12, "archive/byteorder", "big");
    refused(&b, SKV_E_UNSUPPORTED, "byte order");
    archive(&b, &piece, 12, "other/data.pkl", P2 "}.");
    refused(&b, SKV_E_FORMAT, "two data.pkl");
    piece.key = "1";
    archive(&b, &piece, 12, NULL, NULL);
    refused(&b, SKV_E_FORMAT, "w: its storage is not in the file");
    piece.key = "../data.pkl";
    archive(&b, &piece, 12, NULL, NULL);
    refused(&b, SKV_E_FORMAT, "w: its storage is not in the file");
    zip_add(&z, "archive/data.pkl", P2 "}.}.", 6);
    zip_finish(&b, &z);
    refused(&b, SKV_E_FORMAT, "2 bytes follow the end");
    zip_add(&z, "arr_0.npy", "", 0);
    zip_finish(&b, &z);
    refused(&b, SKV_E_FORMAT, "numpy (.npz)");
    zip_add(&z, "archive/notdata.pkl", P2 "}.", 4);
    zip_finish(&b, &z);
    refused(&b, SKV_E_FORMAT, "no data.pkl");
}

static void the_pickle_s_sum_is_checked_at_once_a_tensor_s_when_asked(void **state)
{
    skv_checkpoint *ck;
    test_bytes b;

    (void)state;
    archive(&b, &twelve, 12, NULL, NULL);
    b.data[64 + 3] ^= 1; /* in data.pkl */
    refused(&b, SKV_E_FORMAT, "archive/data.pkl is damaged");
    archive(&b, &twelve, 12, "archive/version", "3\n");
    for (size_t i = 0; i + sizeof values <= b.n; i++)
        if (memcmp(b.data + i, values, sizeof values) == 0)
            b.data[i + 7] ^= 1;
    assert_int_equal(opens(&ck, &b), SKV_OK);
    assert_int_equal(skv_checkpoint_verify(ck, skv_checkpoint_find(ck, "w")), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "archive/data/0 is damaged"));
    assert_int_equal(skv_checkpoint_verify(ck, skv_checkpoint_find(ck, "w")), SKV_E_FORMAT);
    skv_checkpoint_close(ck);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, temp_folder_make, temp_folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(legacy_storages_follow_the_list_of_keys),
        IN_FOLDER(a_legacy_view_is_a_part_of_its_storage),
        IN_FOLDER(legacy_streams_that_contradict_themselves_are_refused),
        IN_FOLDER(one_storage_has_one_element_size),
        IN_FOLDER(storages_of_ignored_tensors_are_stepped_over),
        IN_FOLDER(dictionaries_that_hold_themselves_end_in_a_refusal),
        IN_FOLDER(names_that_multiply_end_in_a_refusal),
        IN_FOLDER(only_row_major_tensors_are_supported),
        IN_FOLDER(numbers_that_reach_outside_are_refused),
        IN_FOLDER(a_storage_is_as_long_as_its_record),
        IN_FOLDER(types_that_we_cannot_read_are_told_by_name),
        IN_FOLDER(a_tensor_of_an_untyped_storage_has_the_type_that_it_says),
        IN_FOLDER(what_python_adds_to_a_tensor_is_passed_over),
        IN_FOLDER(a_whole_module_has_the_names_of_its_state_dict),
        IN_FOLDER(modules_without_end_are_refused),
        IN_FOLDER(what_is_no_tensor_is_remembered_by_its_name),
        IN_FOLDER(archives_whose_members_contradict_each_other_are_refused),
        IN_FOLDER(the_pickle_s_sum_is_checked_at_once_a_tensor_s_when_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
