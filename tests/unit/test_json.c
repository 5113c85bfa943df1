#include "core/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "failing_alloc.h"

static json_t *parse(const char *text)
{
    json_t *v = NULL;

    assert_int_equal(skv_json_parse(&v, text, strlen(text), "test"), SKV_OK);
    return v;
}

/* Parsed and printed again. */
static void same(const char *text, skv_json_form form)
{
    json_t *v = parse(text);
    char *printed = NULL;

    assert_int_equal(skv_json_print(&printed, v, form), SKV_OK);
    assert_string_equal(printed, text);
    free(printed);
    json_decref(v);
}

static void reals_are_printed_as_they_were_given(void **state)
{
    (void)state;
    same("[0.97,0.1,-2.5,3.0,0.0,-0.0,1e+300,1e-05,123456789.125]", SKV_JSON_COMPACT);
    same("[0.30000000000000004,0.1234567890123456,2.2250738585072014e-308]", SKV_JSON_COMPACT);
}

static void every_real_reads_back(void **state)
{
    uint64_t x = 88172645463325252u;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        json_t *v, *back;
        char *text = NULL;
        double d;

        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        memcpy(&d, &x, sizeof d);
        if (!isfinite(d))
            continue;
        v = json_pack("[f]", d);
        assert_int_equal(skv_json_print(&text, v, SKV_JSON_COMPACT), SKV_OK);
        back = parse(text);
        assert_true(json_is_real(json_array_get(back, 0)));
        assert_true(json_real_value(json_array_get(back, 0)) == d);
        free(text);
        json_decref(v);
        json_decref(back);
    }
}

static void the_forms_differ_in_blanks_and_order_alone(void **state)
{
    json_t *v = parse("{\"b\":[1,{}],\"a\":{\"d\":[],\"c\":\"x\\\"\\u0001\"}}");
    char *text = NULL;

    (void)state;
    same("{\"b\":[1,{}],\"a\":{\"d\":[],\"c\":\"x\\\"\\u0001\"}}", SKV_JSON_COMPACT);
    assert_int_equal(skv_json_print(&text, v, SKV_JSON_SORTED), SKV_OK);
    assert_string_equal(text, "{\"a\":{\"c\":\"x\\\"\\u0001\",\"d\":[]},\"b\":[1,{}]}");
    free(text);
    assert_int_equal(skv_json_print(&text, v, SKV_JSON_INDENTED), SKV_OK);
    assert_string_equal(text, "{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": {\n    \"d\": [],\n"
                              "    \"c\": \"x\\\"\\u0001\"\n  }\n}");
    free(text);
    json_decref(v);
}

static void the_short_form_is_ascii_with_few_digits(void **state)
{
    json_t *v = parse("{\"a\":[0.30000001192092896,2.0,1e-05],\"b\":\"\xc3\xa9\"}");
    char *text = NULL;

    (void)state;
    assert_int_equal(skv_json_print(&text, v, SKV_JSON_SHORT), SKV_OK);
    assert_string_equal(text, "{\"a\":[0.30000001,2.0,1e-05],\"b\":\"\\u00E9\"}");
    free(text);
    json_decref(v);
}

static void a_maker_keeps_order_and_takes_over(void **state)
{
    skv_json_maker o = skv_json_object(), list = skv_json_array();
    json_t *root = NULL;
    char *text = NULL;

    (void)state;
    skv_json_append(&list, json_integer(1));
    skv_json_put(&o, "z", skv_json_text(NULL));
    skv_json_put(&o, "list", skv_json_take(&list));
    assert_int_equal(skv_json_finish(&root, &o, "test"), SKV_OK);
    o = skv_json_extend(root);
    skv_json_put(&o, "a", skv_json_text("x"));
    assert_int_equal(skv_json_finish(NULL, &o, "test"), SKV_OK);
    assert_int_equal(skv_json_print(&text, root, SKV_JSON_COMPACT), SKV_OK);
    assert_string_equal(text, "{\"z\":null,\"list\":[1],\"a\":\"x\"}");
    free(text);
    json_decref(root);
}

static void the_first_failure_is_named(void **state)
{
    skv_json_maker o = skv_json_object(), list = skv_json_array();
    json_t *root = NULL;

    (void)state;
    skv_json_append(&list, json_integer(1));
    skv_json_append(&list, json_real(NAN)); /* no JSON */
    skv_json_put(&o, "good", json_true());
    skv_json_put(&o, "numbers", skv_json_take(&list));
    skv_json_put(&o, "note", json_string("\xff"));
    assert_int_equal(skv_json_finish(&root, &o, "the settings"), SKV_E_MEM);
    assert_null(root);
    assert_non_null(strstr(skv_message(), "the settings: \"numbers\""));
}

/* jansson calls it an invalid token, or nothing. */
static void too_little_memory_is_no_fault_of_the_text(void **state)
{
    static const char text[] = "{\"a\": [1, 2.5, \"text\"], \"b\": {\"c\": null}}";
    skv_status st = SKV_E_MEM;
    json_t *v = NULL;
    long n;

    (void)state;
    for (n = 0; st != SKV_OK; n++) {
        failing_alloc(n);
        st = skv_json_parse(&v, text, sizeof text - 1, "a.json");
        failing_alloc(-1);
        assert_true(st == SKV_OK || st == SKV_E_MEM);
    }
    assert_true(n > 10);
    json_decref(v);
    assert_int_equal(skv_json_parse(&v, text, sizeof text - 2, "a.json"), SKV_E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_little_memory_is_no_fault_of_the_text),
        cmocka_unit_test(reals_are_printed_as_they_were_given),
        cmocka_unit_test(every_real_reads_back),
        cmocka_unit_test(the_forms_differ_in_blanks_and_order_alone),
        cmocka_unit_test(the_short_form_is_ascii_with_few_digits),
        cmocka_unit_test(a_maker_keeps_order_and_takes_over),
        cmocka_unit_test(the_first_failure_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
