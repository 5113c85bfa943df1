/* Text and numbers of the report's page. */
#include "eval/report/report_html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

#define REPLACED "\xef\xbf\xbd"
#define ELLIPSIS "\xe2\x80\xa6"

static void assert_text(const char *in, size_t max_bytes, const char *want)
{
    skv_html h = {0};

    skv_html_raw(&h, "");
    skv_html_text(&h, in, max_bytes);
    assert_false(h.failed);
    assert_string_equal(h.text, want);
    assert_int_equal(h.bytes, strlen(want));
    free(h.text);
}

static void markup_and_quotes_are_escaped(void **state)
{
    (void)state;
    assert_text("<a href='x' b=\"y\">&amp;", 100,
                "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;amp;");
    assert_text("a\tb\nc\x7f \xc2\x85", 100, "a b c   ");
    assert_text("caf\xc3\xa9 \xf0\x9f\x98\x80", 100, "caf\xc3\xa9 \xf0\x9f\x98\x80");
}

static void bytes_that_are_no_utf8_are_replaced(void **state)
{
    (void)state;
    assert_text("\xff", 100, REPLACED);
    assert_text("\xc3(", 100, REPLACED "(");
    assert_text("\xc0\xaf", 100, REPLACED REPLACED);              /* overlong */
    assert_text("\xed\xa0\x80", 100, REPLACED REPLACED REPLACED); /* a surrogate */
    assert_text("\xf4\x90\x80\x80", 100, REPLACED REPLACED REPLACED REPLACED);
    assert_text("\xe2\x82", 100, REPLACED REPLACED); /* cut by the text's end */
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    assert_text("abcdef", 6, "abcdef");
    assert_text("abcdefg", 6, "abcdef" ELLIPSIS);
    assert_text("a\xc3\xa9\xc3\xa9", 4, "a\xc3\xa9" ELLIPSIS);
    assert_text("<<<", 2, "&lt;&lt;" ELLIPSIS);
    assert_text("abc", 0, ELLIPSIS);
}

static void assert_number(void (*write)(skv_html *, double), double v, const char *want)
{
    skv_html h = {0};

    write(&h, v);
    assert_string_equal(h.text, want);
    free(h.text);
}

static void two_decimals(skv_html *h, double v)
{
    skv_html_real(h, v, 2);
}

static void numbers_are_never_words_of_printf(void **state)
{
    (void)state;
    assert_number(two_decimals, NAN, "\xe2\x80\x93");
    assert_number(two_decimals, -NAN, "\xe2\x80\x93");
    assert_number(two_decimals, INFINITY, "\xe2\x88\x9e");
    assert_number(two_decimals, -INFINITY, "\xe2\x88\x92\xe2\x88\x9e");
    assert_number(two_decimals, -0.001, "0.00");
    assert_number(two_decimals, -1.5,
                  "\xe2\x88\x92"
                  "1.50");
    assert_number(skv_html_short, NAN, "\xe2\x80\x93");
    assert_number(skv_html_short, INFINITY, "\xe2\x88\x9e");
}

static void short_numbers_have_three_digits(void **state)
{
    (void)state;
    assert_number(skv_html_short, 0, "0");
    assert_number(skv_html_short, 0.01234, "0.0123");
    assert_number(skv_html_short, 0.4844, "0.484");
    assert_number(skv_html_short, 0.9996, "1.00");
    assert_number(skv_html_short, 1.184, "1.18");
    assert_number(skv_html_short, 11.69, "11.7");
    assert_number(skv_html_short, 99.96, "100");
    assert_number(skv_html_short, 2431.4, "2431");
}

static void assert_count(int64_t v, const char *want)
{
    skv_html h = {0};

    skv_html_count(&h, v);
    assert_string_equal(h.text, want);
    free(h.text);
}

static void counts_are_grouped_from_five_digits_on(void **state)
{
    (void)state;
    assert_count(0, "0");
    assert_count(9999, "9999");
    assert_count(40504, "40\xe2\x80\xaf"
                        "504");
    assert_count(-1234567, "\xe2\x88\x92"
                           "1\xe2\x80\xaf"
                           "234\xe2\x80\xaf"
                           "567");
    assert_count(INT64_MIN, "\xe2\x88\x92"
                            "9\xe2\x80\xaf"
                            "223\xe2\x80\xaf"
                            "372\xe2\x80\xaf"
                            "036\xe2\x80\xaf"
                            "854\xe2\x80\xaf"
                            "775\xe2\x80\xaf"
                            "808");
}

static void assert_base64(const char *bytes, const char *want)
{
    skv_html h = {0};

    skv_html_base64(&h, (const uint8_t *)bytes, strlen(bytes));
    assert_string_equal(h.text, want);
    free(h.text);
}

/* The vectors of RFC 4648, section 10. */
static void base64_is_that_of_its_standard(void **state)
{
    (void)state;
    assert_base64("", "");
    assert_base64("f", "Zg==");
    assert_base64("fo", "Zm8=");
    assert_base64("foo", "Zm9v");
    assert_base64("foob", "Zm9vYg==");
    assert_base64("fooba", "Zm9vYmE=");
    assert_base64("foobar", "Zm9vYmFy");
    assert_base64("\xfb\xff\xbf", "+/+/");
}

static void a_page_grows_as_it_must(void **state)
{
    skv_html h = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        skv_html_f(&h, "%05d", i);
    assert_false(h.failed);
    assert_int_equal(h.bytes, 500000);
    assert_memory_equal(h.text + 499990, "9999899999", 11);
    free(h.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_and_quotes_are_escaped),
        cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(numbers_are_never_words_of_printf),
        cmocka_unit_test(short_numbers_have_three_digits),
        cmocka_unit_test(counts_are_grouped_from_five_digits_on),
        cmocka_unit_test(base64_is_that_of_its_standard),
        cmocka_unit_test(a_page_grows_as_it_must),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
