/* What was added in parts of any length is read back from any place, in memory or in the file. */
#include "core/spool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cmocka_all.h"

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i ^ (i >> 7) ^ (i >> 19));
}

static void add_until(skv_spool *s, size_t all)
{
    static uint8_t part[70001];

    for (size_t n = 1; s->n < all; n = n * 7 % sizeof part + 1) {
        const size_t bytes = n < all - s->n ? n : all - s->n;

        for (size_t i = 0; i < bytes; i++)
            part[i] = byte_at(s->n + i);
        assert_int_equal(skv_spool_add(s, part, bytes, "bytes"), SKV_OK);
    }
}

static void assert_all(const skv_spool *s)
{
    static uint8_t read[70001];

    for (size_t at = 0; at < s->n; at += sizeof read - 1000) {
        const size_t bytes = s->n - at < sizeof read ? s->n - at : sizeof read;

        assert_int_equal(skv_spool_read(s, at, bytes, read, "bytes"), SKV_OK);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(read[i], byte_at(at + i));
    }
    assert_int_equal(skv_spool_read(s, s->n, 0, read, "bytes"), SKV_OK);
}

static void parts_are_read_from_file_and_memory(void **state)
{
    skv_spool s = {0};

    (void)state;
    add_until(&s, 12345);
    assert_false(s.has_file);
    assert_all(&s);
    add_until(&s, 3 * SKV_SPOOL_BYTES + 12345);
    assert_true(s.has_file);
    assert_int_equal(s.held.n, 12345);
    assert_true(s.held.room < 2 * SKV_SPOOL_BYTES);
    assert_all(&s);
    skv_spool_clear(&s);
    assert_int_equal(s.n, 0);
}

static void a_folder_that_is_not_there_is_said(void **state)
{
    const char *folder = getenv("TMPDIR");
    char *before = folder ? strdup(folder) : NULL;
    skv_spool s = {0};

    (void)state;
    add_until(&s, SKV_SPOOL_BYTES);
    assert_int_equal(setenv("TMPDIR", "/nowhere", 1), 0);
    assert_int_equal(skv_spool_add(&s, "x", 1, "the prompts"), SKV_E_IO);
    assert_non_null(strstr(skv_message(), "/nowhere"));
    assert_non_null(strstr(skv_message(), "the prompts"));
    assert_all(&s);
    skv_spool_clear(&s);
    assert_int_equal(before ? setenv("TMPDIR", before, 1) : unsetenv("TMPDIR"), 0);
    free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_are_read_from_file_and_memory),
                                       cmocka_unit_test(a_folder_that_is_not_there_is_said)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
