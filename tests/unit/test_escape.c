#include "core/escape.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

static void assert_shown(const char *text, const char *want)
{
    char out[256];

    assert_int_equal(skv_escape(out, sizeof out, text), strlen(want));
    assert_string_equal(out, want);
}

static void plain_text_stays(void **state)
{
    (void)state;
    assert_shown("", "");
    assert_shown("a cat, \\ caf\xc3\xa9 \xe7\x8c\xab \xf0\x9f\x90\x88",
                 "a cat, \\ caf\xc3\xa9 \xe7\x8c\xab \xf0\x9f\x90\x88");
}

static void what_drives_a_terminal_or_turns_text_is_shown(void **state)
{
    (void)state;
    assert_shown("\x1b[2J\a\r\n\t\x7f", "\\x1b[2J\\x07\\x0d\\n\\t\\x7f");
    assert_shown("\xc2\x9b\xc2\x80\xc2\xa0", "\\u009b\\u0080\xc2\xa0");
    assert_shown("\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f",
                 "\\u2028\\u202e\\u2066\\u200f");
}

static void bytes_that_are_no_utf8_are_shown(void **state)
{
    (void)state;
    assert_shown("\x9b"
                 "1m",
                 "\\x9b1m");
    assert_shown("\xff\xc3", "\\xff\\xc3");          /* cut at the end */
    assert_shown("\xc0\xaf", "\\xc0\\xaf");          /* overlong */
    assert_shown("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
}

static void a_small_buffer_cuts_at_a_whole_character(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(skv_escape(out, 6,
                                "ab\x1b"
                                "c"),
                     7);
    assert_string_equal(out, "ab"); /* neither a part of \x1b nor the c behind it */
    assert_int_equal(skv_escape(out, 1, "x"), 1);
    assert_string_equal(out, "");
    assert_int_equal(skv_escape(out, 3, "a\xc3\xa9"), 3);
    assert_string_equal(out, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays),
        cmocka_unit_test(what_drives_a_terminal_or_turns_text_is_shown),
        cmocka_unit_test(bytes_that_are_no_utf8_are_shown),
        cmocka_unit_test(a_small_buffer_cuts_at_a_whole_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
