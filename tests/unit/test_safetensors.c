/* What tests/data/tiny_t5_bad (read by test_checkpoint) does not hold. */
#include "io/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "write_checkpoint.h"

#include "cmocka_all.h"

/* A file of this header and n zero bytes, read into *list (which may be NULL). */
static skv_status reads(skv_entries *list, const char *header, size_t n)
{
    const size_t h = strlen(header);
    uint8_t *file = calloc(8 + h + n, 1);
    skv_entries mine = {0};
    skv_status st;

    assert_non_null(file);
    for (int i = 0; i < 8; i++)
        file[i] = (uint8_t)((uint64_t)h >> (8 * i));
    memcpy(file + 8, header, h);
    st = skv_safetensors_read(&mine, file, 8 + h + n, "x.safetensors", 0);
    free(file);
    if (list)
        *list = mine;
    else
        skv_entries_clear(&mine);
    return st;
}

static void refused(const char *header, size_t n, const char *why)
{
    assert_int_equal(reads(NULL, header, n), SKV_E_FORMAT);
    if (!strstr(skv_message(), why) || !strstr(skv_message(), "x.safetensors"))
        fail_msg("\"%s\", want \"%s\"", skv_message(), why);
}

#define ENTRY(name, dtype, shape, begin, end)                                                      \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" begin "," end \
    "]}"

static void every_dtype_has_its_size(void **state)
{
    static const struct {
        const char *name;
        int bits;
    } known[] = {{"BOOL", 8},    {"U8", 8},     {"I8", 8},   {"F8_E5M2", 8},     {"F8_E4M3", 8},
                 {"F8_E8M0", 8}, {"I16", 16},   {"U16", 16}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
                 {"F16", 16},    {"BF16", 16},  {"I32", 32}, {"U32", 32},        {"F32", 32},
                 {"I64", 64},    {"U64", 64},   {"F64", 64}, {"C64", 64},        {"F4", 4},
                 {"F6_E2M3", 6}, {"F6_E3M2", 6}};

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *name = known[i].name;
        skv_entries list;
        char header[160];

        snprintf(header, sizeof header,
                 "{\"w\":{\"dtype\":\"%s\",\"shape\":[2,4],\"data_offsets\":[0,%d]}}", name,
                 known[i].bits);
        assert_int_equal(reads(&list, header, (size_t)known[i].bits), SKV_OK); /* 8 elements */
        assert_int_equal(list.entry[0].bytes, known[i].bits);
        assert_int_equal(list.entry[0].supported, strcmp(name, "F32") == 0 ||
                                                      strcmp(name, "F16") == 0 ||
                                                      strcmp(name, "BF16") == 0);
        skv_entries_clear(&list);
        assert_int_equal(reads(NULL, header, (size_t)known[i].bits + 1), SKV_E_FORMAT);
    }
    refused("{" ENTRY("w", "F4", "3", "0", "1") "}", 1, "number of bytes"); /* 12 bits */
    assert_int_equal(reads(NULL, "{" ENTRY("w", "F6_E2M3", "4", "0", "3") "}", 3), SKV_OK);
}

static void what_the_format_allows_is_read(void **state)
{
    static const struct {
        const char *header;
        size_t bytes, tensors;
    } known[] = {
        {"{}", 0, 0},
        {"{}      ", 0, 0},
        {"{\"__metadata__\":{\"a\":\"b\"}}", 0, 0},
        {"{" ENTRY("w", "F32", "", "0", "4") "}", 4, 1}, /* a scalar */
        /* empty tensors share an offset, here also with the one that follows */
        {"{" ENTRY("a", "F32", "0", "4", "4") "," ENTRY("b", "F32", "2,0", "4", "4") "," ENTRY(
             "c", "F32", "1", "0", "4") "," ENTRY("d", "F32", "1", "4", "8") "}",
         8, 4},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":{\"x\":-1.5}}}", 1,
         1},
        {"{" ENTRY("", "U8", "1", "0", "1") "}", 1, 1},
        {"{" ENTRY("w", "U8", "1,1,1,1,1,1,1,1", "0", "1") "}", 1, 1},
        {"{ \"w\" : {\"shape\":[ 1 ],\n\"data_offsets\":[0 , 1],\"dtype\":\"U8\"} }", 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        skv_entries list;

        if (reads(&list, known[i].header, known[i].bytes) != SKV_OK)
            fail_msg("%s: %s", known[i].header, skv_message());
        assert_int_equal(list.n, known[i].tensors);
        skv_entries_clear(&list);
    }
}

static void what_two_readers_could_read_differently_is_refused(void **state)
{
    static const struct {
        const char *header;
        size_t bytes;
        const char *why;
    } known[] = {
        {"[]", 0, "begin with {"},
        {"\xef\xbb\xbf{}", 0, "begin with {"},
        {"\n{}", 0, "begin with {"},
        {"{}x", 0, "line 1"},
        {"{}{}", 0, "line 1"},
        {"{", 0, "line 1"},
        {"{\"w\":1}", 0, "want dtype"},
        {"{\"w\":null}", 0, "want dtype"},
        {"{\"w\":[]}", 0, "want dtype"},
        {"{\"__metadata__\":[]}", 0, "not an object"},
        {"{\"__metadata__\":{\"a\":null}}", 0, "not a string"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate"},
        {"{\"w\":{\"dtype\":\"U8\",\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
         "duplicate"},
        {"{\"w\\u0000\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "line 1"},
        {"{\"\\ud83d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "line 1"},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,1]}}", 1, "want dtype"},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1]}}", 1, "want dtype"},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":{\"0\":0,\"1\":1}}}", 1,
         "want dtype"},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1, "not a list"},
        {"{\"w\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "want dtype"},
        {"{" ENTRY("w", "U8", "\"1\"", "0", "1") "}", 1, "integers"},
        {"{" ENTRY("w", "U8", "true", "0", "1") "}", 1, "integers"},
        {"{" ENTRY("w", "U8", "01", "0", "1") "}", 1, "line 1"},
        {"{" ENTRY("w", "U8", "1", "-1", "0") "}", 1, "integers"},
        {"{" ENTRY("w", "U8", "1", "0", "18446744073709551617") "}", 1, "line 1"},
        {"{" ENTRY("w", "u8", "1", "0", "1") "}", 1, "unknown dtype u8"},
        {"{" ENTRY("w", "F32", "4611686018427387904,4", "0", "0") "}", 0, "overflows"},
        {"{" ENTRY("w", "F32", "4611686018427387904,3,0", "0", "0") "}", 0, "overflows"},
        {"{" ENTRY("w", "U8", "1,1,1,1,1,1,1,1,1", "0", "1") "}", 1, "8 dimensions"},
        {"{" ENTRY("w", "U8", "2", "0", "2") "}", 1, "beyond the file"},
        {"{" ENTRY("a", "F32", "0", "8", "8") "}", 0, "beyond the file"},
        {"{" ENTRY("a", "F32", "0", "4", "4") "," ENTRY("b", "F32", "2", "0", "8") "}", 8,
         "does not begin"},
        {"{}", 1, "end at byte 0 of a buffer of 1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        refused(known[i].header, known[i].bytes, known[i].why);
}

static void deep_and_long_headers_are_survived(void **state)
{
    enum { N = 1000000 };
    char *header = malloc(N + 100);
    skv_entries list;

    (void)state;
    assert_non_null(header);
    memcpy(header, "{\"w\":", 5);
    memset(header + 5, '[', N);
    header[5 + N] = '\0';
    refused(header, 0, "depth");
    memcpy(header, "{\"", 2);
    memset(header + 2, 'n', N); /* a name of 1 MB is a name */
    strcpy(header + 2 + N, "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}");
    assert_int_equal(reads(&list, header, 1), SKV_OK);
    assert_int_equal(strlen(list.entry[0].name), N);
    skv_entries_clear(&list);
    refused(header, 2, "tensors end at byte 1");
    free(header);
}

/* Tied weights are stored once; whoever asks for the other name finds the same bytes. */
static void an_alias_is_the_tensor_that_it_names(void **state)
{
    skv_entries list;

    (void)state;
    assert_int_equal(reads(&list,
                           "{\"__metadata__\":{\"format\":\"pt\",\"b\":\"a\",\"c\":\"nowhere\","
                           "\"d\":\"__metadata__\",\"a\":\"a\",\"\":\"a\"}," ENTRY("a", "F32", "2",
                                                                                   "0", "8") "}",
                           8),
                     SKV_OK);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.entry[1].name, "b");
    assert_ptr_equal(list.entry[1].data, list.entry[0].data);
    assert_int_equal(list.entry[1].bytes, 8);
    skv_entries_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alias_is_the_tensor_that_it_names),
        cmocka_unit_test(every_dtype_has_its_size),
        cmocka_unit_test(what_the_format_allows_is_read),
        cmocka_unit_test(what_two_readers_could_read_differently_is_refused),
        cmocka_unit_test(deep_and_long_headers_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
