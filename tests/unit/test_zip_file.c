/* Archives changed field by field; the directory is always found through the end record. */
#include "io/zip_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "write_checkpoint.h"

#include "cmocka_all.h"

#define END 22

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put(uint8_t *p, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static void make(test_bytes *out)
{
    test_zip z = {0};

    zip_add(&z, "a/one", "first member", 12);
    zip_add(&z, "a/data/0", "zero", 4);
    zip_finish(out, &z);
}

/* The first header of the central directory; the first local header is at 0. */
static uint8_t *central(const test_bytes *b)
{
    return b->data + get32(b->data + b->n - 6);
}

/* Opens the bytes in a block of their own size and frees both. */
static skv_status opens(test_bytes *b)
{
    uint8_t *copy = malloc(b->n ? b->n : 1);
    skv_zip zip = {0};
    skv_status st;

    assert_non_null(copy);
    if (b->n > 0)
        memcpy(copy, b->data, b->n);
    st = skv_zip_open(&zip, copy, b->n, "x.pth");
    for (size_t i = 0; st == SKV_OK && i < zip.n; i++)
        st = skv_zip_check(&zip, &zip.records[i]);
    skv_zip_close(&zip);
    free(copy);
    free(b->data);
    *b = (test_bytes){0};
    return st;
}

static void refused(test_bytes *b, const char *why)
{
    const skv_status st = opens(b);

    assert_true(st == SKV_E_FORMAT || st == SKV_E_UNSUPPORTED);
    if (!strstr(skv_message(), why) || !strstr(skv_message(), "x.pth"))
        fail_msg("\"%s\", want \"%s\"", skv_message(), why);
}

static void members_are_found_and_their_sums_checked(void **state)
{
    test_bytes b;
    skv_zip zip;
    skv_zip_record *r;

    (void)state;
    make(&b);
    assert_int_equal(skv_zip_open(&zip, b.data, b.n, "x.pth"), SKV_OK);
    assert_int_equal(zip.n, 2);
    assert_null(skv_zip_find(&zip, "a/on", 4));
    assert_null(skv_zip_find(&zip, "a/one/", 6));
    assert_null(skv_zip_find(&zip, "", 0));
    r = skv_zip_find(&zip, "a/one", 5);
    assert_non_null(r);
    assert_int_equal(r->bytes, 12);
    assert_memory_equal(r->data, "first member", 12);
    assert_int_equal((size_t)(r->data - b.data) % 64, 0); /* as torch aligns them */
    assert_int_equal(skv_zip_check(&zip, r), SKV_OK);
    r = skv_zip_find(&zip, "a/data/0", 8);
    assert_non_null(r);
    b.data[r->data - b.data] ^= 1;
    assert_int_equal(skv_zip_check(&zip, r), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "a/data/0 is damaged"));
    skv_zip_close(&zip);
    free(b.data);
}

/* One field changed, of the local header, the central one (of the same member) or the end. */
static void a_field_that_lies_is_refused(void **state)
{
    enum { LOCAL, CENTRAL, LAST };
    static const struct {
        int where, at, bytes;
        uint64_t value;
        const char *why;
    } known[] = {
        {LOCAL, 0, 1, 'Q', "no local header"},
        {LOCAL, 6, 2, 1, "contradicts"}, /* encrypted, in the local header only */
        {LOCAL, 8, 2, 8, "contradicts"}, /* deflated */
        {LOCAL, 14, 4, 1, "contradicts"},
        {LOCAL, 14, 4, 0, "contradicts"}, /* no CRC without flag bit 3 */
        {LOCAL, 18, 4, 11, "contradicts"},
        {LOCAL, 22, 4, 13, "contradicts"},
        {LOCAL, 26, 2, 4, "contradicts"},
        {LOCAL, 26, 2, 0xffff, "reaches past"},
        {LOCAL, 28, 2, 0xffff, "reaches past"},
        {LOCAL, 30, 1, 'b', "contradicts"}, /* another name */
        {CENTRAL, 0, 1, 'Q', "fewer members"},
        {CENTRAL, 8, 2, 1, "is encrypted"},
        {CENTRAL, 10, 2, 12, "other than by deflate"},
        {CENTRAL, 10, 2, 8, "contradicts"}, /* deflated, in the directory only */
        {CENTRAL, 16, 4, 7, "contradicts"},
        {CENTRAL, 20, 4, 13, "want equal ones"},
        {CENTRAL, 24, 4, 13, "want equal ones"},
        {CENTRAL, 24, 4, 0xffffffff, "saturated"},
        {CENTRAL, 28, 2, 0, "name is empty"},
        {CENTRAL, 28, 2, 0xffff, "past the central directory"},
        {CENTRAL, 30, 2, 0xffff, "past the central directory"},
        {CENTRAL, 30, 2, 3, "past its header"},
        {CENTRAL, 32, 2, 0xffff, "past the central directory"},
        {CENTRAL, 42, 4, 1, "no local header"},
        {CENTRAL, 42, 4, 0x7fffffff, "no local header"},
        {CENTRAL, 46, 1, '/', "absolute"},
        {CENTRAL, 47, 1, '\n', "control"},
        {CENTRAL, 47, 1, '\\', "control"},
        {CENTRAL, 48, 2, 0x2e2e, "\"..\""},
        {LAST, 0, 1, 'Q', "not an end record"},
        {LAST, 4, 2, 1, "several disks"},
        {LAST, 8, 2, 1, "several disks"},
        {LAST, 8, 4, 0x00010001, "more than its members"},
        {LAST, 8, 4, 0x00030003, "more members"},
        {LAST, 8, 4, 0xffffffff, "more members"},
        {LAST, 12, 4, 1, "does not end"},
        {LAST, 16, 4, 0x7fffffff, "does not end"},
        {LAST, 20, 2, 1, "not an end record"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        test_bytes b;
        uint8_t *base[3];

        make(&b);
        base[LOCAL] = b.data;
        base[CENTRAL] = central(&b);
        base[LAST] = b.data + b.n - END;
        put(base[known[i].where] + known[i].at, known[i].value, known[i].bytes);
        refused(&b, known[i].why);
    }
}

/* torch writes CRC and sizes behind the data: zeros in the local header under flag bit 3. */
static void deferred_sums_and_sizes_are_the_directory_s(void **state)
{
    test_bytes b;

    (void)state;
    make(&b);
    put(b.data + 6, 8, 2);
    put(b.data + 14, 0, 8);
    put(b.data + 22, 0, 4);
    assert_int_equal(opens(&b), SKV_OK);
    make(&b);
    put(b.data + 6, 8, 2);
    put(b.data + 14, 5, 4); /* there, and wrong */
    refused(&b, "contradicts");
}

/* An archive of one member, `text` deflated. */
static void make_deflated(test_bytes *out, const char *text)
{
    const size_t n = strlen(text);
    uint8_t packed[256];
    z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)text,
                  .avail_in = (uInt)n,
                  .next_out = packed,
                  .avail_out = sizeof packed};
    test_zip file = {0};

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    zip_add(&file, "mu.npy", packed, z.total_out);
    assert_int_equal(deflateEnd(&z), Z_OK);
    zip_finish(out, &file);
    for (int i = 0; i < 2; i++) {
        uint8_t *head = i ? central(out) + 2 : out->data;

        put(head + 8, 8, 2);
        put(head + 14, crc32(0, (const uint8_t *)text, (uInt)n), 4);
        put(head + 22, n, 4);
    }
}

/* What a deflated member holds: `want`, or the reason why it is refused. */
static void deflated_gives(test_bytes *b, const char *want, const char *why)
{
    uint8_t *content = NULL;
    skv_zip zip;
    skv_status st = skv_zip_open(&zip, b->data, b->n, "x.npz");

    if (st != SKV_OK)
        fail_msg("%s", skv_message());
    st = skv_zip_read(&content, &zip, &zip.records[0], 64);
    assert_int_equal(st, want ? SKV_OK : SKV_E_FORMAT);
    if (want)
        assert_memory_equal(content, want, strlen(want));
    else if (!strstr(skv_message(), why))
        fail_msg("\"%s\", want \"%s\"", skv_message(), why);
    free(content);
    skv_zip_close(&zip);
    free(b->data);
    *b = (test_bytes){0};
}

static void deflated_members_are_inflated_to_what_their_headers_say(void **state)
{
    const char *text = "four and four and four and four";
    test_bytes b;

    (void)state;
    make_deflated(&b, text);
    deflated_gives(&b, text, NULL);
    make_deflated(&b, "");
    deflated_gives(&b, "", NULL);
    make_deflated(&b, text);
    b.data[64] ^= 0x55; /* where the data begin */
    deflated_gives(&b, NULL, "mu.npy is damaged");
    make_deflated(&b, text);
    put(b.data + 14, 1, 4);
    put(central(&b) + 16, 1, 4);
    deflated_gives(&b, NULL, "CRC-32");
    for (int off = -1; off <= 1; off += 2) {
        make_deflated(&b, text);
        put(b.data + 22, strlen(text) + (size_t)off, 4);
        put(central(&b) + 24, strlen(text) + (size_t)off, 4);
        deflated_gives(&b, NULL, "does not inflate");
    }
    make_deflated(&b, text);
    put(b.data + 22, 65, 4);
    put(central(&b) + 24, 65, 4);
    deflated_gives(&b, NULL, "65 bytes, want at most 64");
}

static void a_wrong_sum_in_both_headers_is_damage(void **state)
{
    test_bytes b;

    (void)state;
    make(&b);
    put(b.data + 14, 7, 4);
    put(central(&b) + 16, 7, 4);
    refused(&b, "a/one is damaged");
}

static void nothing_may_stand_before_or_behind_the_archive(void **state)
{
    test_bytes good, b = {0};

    (void)state;
    make(&good);
    bytes_add(&b, good.data, good.n);
    bytes_add(&b, "\n", 1);
    refused(&b, "not an end record");
    bytes_add(&b, good.data, good.n); /* two end records: the last one's offsets are off */
    bytes_add(&b, good.data, good.n);
    refused(&b, "does not end");
    bytes_add(&b, "#!/bin/sh\n", 10); /* prepended, with the offsets made right */
    bytes_add(&b, good.data, good.n);
    put(b.data + b.n - 6, get32(b.data + b.n - 6) + 10, 4);
    put(central(&b) + 42, 10, 4);
    put(central(&b) + 46 + 5 + 42, get32(central(&b) + 46 + 5 + 42) + 10, 4);
    refused(&b, "before the first member");
    free(good.data);
}

static void two_members_of_one_name_are_refused(void **state)
{
    test_bytes b;
    test_zip z = {0};

    (void)state;
    zip_add(&z, "a/data.pkl", "1", 1);
    zip_add(&z, "a/data/0", "2", 1);
    zip_add(&z, "a/data.pkl", "3", 1);
    zip_finish(&b, &z);
    refused(&b, "two members named a/data.pkl");
}

/* A member inside another's data, each true by itself. */
static void overlapping_members_are_refused(void **state)
{
    test_bytes b;
    test_zip inner = {0}, outer = {0};
    size_t shift;

    (void)state;
    zip_add(&inner, "a/inner", "bomb", 4);
    zip_add(&outer, "a/outer", inner.file.data, inner.file.n);
    shift = outer.file.n - inner.file.n;
    put(inner.directory.data + 42, shift, 4);
    bytes_add(&outer.directory, inner.directory.data, inner.directory.n);
    outer.members++;
    free(inner.file.data);
    free(inner.directory.data);
    zip_finish(&b, &outer);
    refused(&b, "overlap");

    make(&b); /* one local header for both entries */
    put(central(&b) + 46 + 5 + 42, 0, 4);
    refused(&b, "contradicts");
}

/* The archive with zip64 records before its end record. */
static void make64(test_bytes *out, uint64_t n, uint64_t bytes_shift, uint64_t at_shift)
{
    uint8_t record[56] = {'P', 'K', 6, 6}, locator[20] = {'P', 'K', 6, 7}, end[END];
    uint32_t at;

    make(out);
    at = get32(out->data + out->n - 6);
    memcpy(end, out->data + out->n - END, END);
    out->n -= END;
    put(record + 4, 44, 8);
    put(record + 24, n, 8);
    put(record + 32, n, 8);
    put(record + 40, get32(end + 12) + bytes_shift, 8);
    put(record + 48, at + at_shift, 8);
    put(locator + 8, out->n, 8);
    put(locator + 16, 1, 4);
    put(end + 8, 0xffffffff, 4);
    put(end + 12, 0xffffffff, 4);
    put(end + 16, 0xffffffff, 4);
    bytes_add(out, record, sizeof record);
    bytes_add(out, locator, sizeof locator);
    bytes_add(out, end, sizeof end);
}

static void zip64_records_are_read_where_they_are_consistent(void **state)
{
    test_bytes b;

    (void)state;
    make64(&b, 2, 0, 0);
    assert_int_equal(opens(&b), SKV_OK);
    make64(&b, 3, 0, 0);
    refused(&b, "more members");
    make64(&b, UINT64_MAX, 0, 0);
    refused(&b, "more members");
    make64(&b, 2, 1, 0);
    refused(&b, "does not end");
    make64(&b, 1, UINT64_C(0) - 1, 1);
    refused(&b, "fewer members"); /* a directory that begins a byte late */
    make64(&b, 2, 0, UINT64_C(1) << 63);
    refused(&b, "does not end");
    make64(&b, 2, 0, 0);
    put(b.data + b.n - 12, 3, 2); /* the short record has a number of its own */
    put(b.data + b.n - 14, 3, 2);
    refused(&b, "contradicts the end record");
    make64(&b, 2, 0, 0);
    put(b.data + b.n - END - 20 + 8, 0, 8); /* the locator points elsewhere */
    refused(&b, "not where its locator says");
    make64(&b, 2, 0, 0);
    put(b.data + b.n - END - 20 - 56 + 4, 45, 8);
    refused(&b, "not where its locator says");
    make64(&b, 2, 0, 0);
    put(b.data + b.n - END - 20 - 56 + 20, 1, 4);
    refused(&b, "several disks");
}

static void an_archive_cut_anywhere_is_refused(void **state)
{
    test_bytes good;

    (void)state;
    make(&good);
    for (size_t n = 0; n < good.n; n++) {
        test_bytes b = {0};

        bytes_add(&b, good.data, n);
        assert_int_equal(opens(&b), SKV_E_FORMAT);
    }
    free(good.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_and_their_sums_checked),
        cmocka_unit_test(a_field_that_lies_is_refused),
        cmocka_unit_test(deferred_sums_and_sizes_are_the_directory_s),
        cmocka_unit_test(deflated_members_are_inflated_to_what_their_headers_say),
        cmocka_unit_test(a_wrong_sum_in_both_headers_is_damage),
        cmocka_unit_test(nothing_may_stand_before_or_behind_the_archive),
        cmocka_unit_test(two_members_of_one_name_are_refused),
        cmocka_unit_test(overlapping_members_are_refused),
        cmocka_unit_test(zip64_records_are_read_where_they_are_consistent),
        cmocka_unit_test(an_archive_cut_anywhere_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
