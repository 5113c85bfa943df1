#include "core/digest.h"

#include <string.h>

#include "cmocka_all.h"

static const char *text_of(skv_digest d)
{
    static char text[SKV_DIGEST_BYTES];

    return skv_digest_text(text, d);
}

static void a_digest_is_xxh3_128(void **state)
{
    (void)state; /* what xxhsum -H2 prints for no bytes */
    assert_string_equal(text_of(skv_digest_of("", 0)), "99aa06d3014798d86001c324468d497f");
}

static void where_parts_end_counts(void **state)
{
    const skv_digest none = {0};
    const skv_digest a = skv_digest_add(skv_digest_add(none, "ab", 2), "c", 1);
    const skv_digest b = skv_digest_add(skv_digest_add(none, "a", 1), "bc", 2);
    const skv_digest c = skv_digest_add(skv_digest_add(none, "c", 1), "ab", 2);
    const skv_digest empty = skv_digest_add(skv_digest_add(a, "", 0), "", 0);

    (void)state;
    assert_false(skv_digest_equal(a, b));
    assert_false(skv_digest_equal(a, c));
    assert_false(skv_digest_equal(empty, skv_digest_add(a, "", 0)));
    assert_true(skv_digest_equal(a, skv_digest_add(skv_digest_add(none, "ab", 2), "c", 1)));
}

static void parts_of_any_length_give_the_digest_of_all(void **state)
{
    static char all[5000];

    (void)state;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)(i * i >> 3);
    for (size_t part = 1; part < sizeof all; part = part * 3 + 1) {
        skv_digest_parts *p = NULL;

        assert_int_equal(skv_digest_begin(&p), SKV_OK);
        for (size_t at = 0; at < sizeof all; at += part)
            skv_digest_more(p, all + at, part < sizeof all - at ? part : sizeof all - at);
        assert_true(skv_digest_equal(skv_digest_end(p), skv_digest_of(all, sizeof all)));
    }
}

static void the_text_tells_its_form(void **state)
{
    (void)state;
    assert_true(skv_digest_is_text(text_of((skv_digest){0, 1})));
    assert_string_equal(text_of((skv_digest){0, 1}), "00000000000000000000000000000001");
    assert_false(skv_digest_is_text("730557de1a231f66"));
    assert_false(skv_digest_is_text("formula:tiny_f16 of thirty-two b"));
    assert_false(skv_digest_is_text(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_is_xxh3_128),
        cmocka_unit_test(parts_of_any_length_give_the_digest_of_all),
        cmocka_unit_test(where_parts_end_counts),
        cmocka_unit_test(the_text_tells_its_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
