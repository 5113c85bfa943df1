#include "run/run_json.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

static skv_status read_it(const char *text)
{
    skv_run_json r;
    skv_status st;

    assert_int_equal(skv_file_write(temp_path("run.json"), text, strlen(text)), SKV_OK);
    st = skv_run_json_read(&r, temp_folder());
    skv_run_json_clear(&r);
    return st;
}

#define REST "\"common\":{},\"settings\":{},\"digest\":\"d\""

static void a_good_file_is_read(void **state)
{
    skv_run_json r;
    static const char text[] =
        "{" REST ",\"rows\":5,\"groups\":3,\"paths\":{\"full\":{},\"scalekv-10\":{}}}";

    (void)state;
    assert_int_equal(skv_file_write(temp_path("run.json"), text, strlen(text)), SKV_OK);
    assert_int_equal(skv_run_json_read(&r, temp_folder()), SKV_OK);
    assert_int_equal(r.n_rows, 5);
    assert_int_equal(r.n_groups, 3);
    assert_int_equal(json_object_size(r.paths), 2);
    assert_string_equal(r.digest, "d");
    skv_run_json_clear(&r);
}

static void numbers_that_cannot_be_are_refused(void **state)
{
    static const char *const numbers[] = {"\"rows\":5,\"groups\":0",
                                          "\"rows\":5,\"groups\":6",
                                          "\"rows\":0,\"groups\":0",
                                          "\"rows\":5,\"groups\":-1",
                                          "\"rows\":5,\"groups\":\"3\"",
                                          "\"rows\":5",
                                          "\"rows\":2000000000000,\"groups\":2"};
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(text, sizeof text, "{" REST ",%s,\"paths\":{\"full\":{}}}", numbers[i]);
        assert_int_equal(read_it(text), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "run.json"));
    }
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const names[] = {"../../w", "..", "", ".", "a/b", "/etc", "Full", "a b"};
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(text, sizeof text, "{" REST ",\"rows\":5,\"groups\":3,\"paths\":{\"%s\":{}}}",
                 names[i]);
        assert_int_equal(read_it(text), SKV_E_FORMAT);
    }
}

static void parts_that_are_missing_or_of_another_kind_are_named(void **state)
{
    skv_run_json r;

    (void)state;
    assert_int_equal(read_it("[]"), SKV_E_FORMAT);
    assert_int_equal(read_it("{}"), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "common"));
    assert_int_equal(read_it("{" REST ",\"rows\":5,\"groups\":3,\"paths\":[]}"), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "paths"));
    assert_int_equal(read_it("{" REST ",\"rows\":5,\"groups\":3,\"paths\":{}}"), SKV_E_FORMAT);
    assert_int_equal(skv_run_json_read(&r, temp_path("none")), SKV_E_ARG);
    skv_run_json_clear(&r);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(a_good_file_is_read),
        CASE(numbers_that_cannot_be_are_refused),
        CASE(names_that_lead_elsewhere_are_refused),
        CASE(parts_that_are_missing_or_of_another_kind_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
