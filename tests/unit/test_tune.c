/* The table of measured algorithms, and RUN/tune.json. */
#include "sample/tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "temp_folder.h"

static skv_backend *be;

static int open_backend(void **state)
{
    return skv_backend_open_cpu(&be, 1) == SKV_OK ? temp_folder_make(state) : 1;
}

static int close_backend(void **state)
{
    skv_backend_destroy(be);
    be = NULL;
    return temp_folder_remove(state);
}

static void an_entry_replaces_the_older_one_of_its_key(void **state)
{
    skv_tuning t = {.measuring = false};
    char key[32];

    (void)state;
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "shape %d", i % 100);
        assert_int_equal(skv_tuning_set(&t, key, i), SKV_OK);
    }
    assert_int_equal(t.n, 100);
    assert_int_equal(skv_tuning_find(&t, "shape 0"), 100);
    assert_int_equal(skv_tuning_find(&t, "shape 99"), 199);
    assert_int_equal(skv_tuning_find(&t, "shape 100"), -1);
    skv_tuning_clear(&t);
    assert_int_equal(skv_tuning_find(&t, "shape 0"), -1);
}

static void a_key_that_is_too_long_is_refused(void **state)
{
    skv_tuning t = {.measuring = false};
    char key[SKV_TUNING_KEY + 1];

    (void)state;
    memset(key, 'x', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    assert_int_equal(skv_tuning_set(&t, key, 1), SKV_E_ARG);
    assert_int_equal(t.n, 0);
    skv_tuning_clear(&t);
}

static void what_is_written_is_read_again(void **state)
{
    const char *folder = temp_folder();
    char *text = NULL;
    size_t bytes = 0;

    (void)state;
    assert_int_equal(skv_tune_read(&text, &bytes, folder), SKV_E_NOTFOUND);
    assert_int_equal(skv_tuning_set(&be->tuning, "matmul 1 2 3", 4), SKV_OK);
    assert_int_equal(skv_tuning_set(&be->tuning, "conv \"odd\" key", 0), SKV_OK);
    assert_int_equal(skv_tune_write(be, folder), SKV_OK);
    assert_int_equal(skv_tune_read(&text, &bytes, folder), SKV_OK);
    skv_tuning_clear(&be->tuning);
    assert_int_equal(skv_tune_parse(be, text, bytes, "tune.json", false), SKV_OK);
    assert_int_equal(be->tuning.n, 2);
    assert_int_equal(skv_tuning_find(&be->tuning, "matmul 1 2 3"), 4);
    assert_int_equal(skv_tuning_find(&be->tuning, "conv \"odd\" key"), 0);
    free(text);
}

static void refused(const char *text, skv_status want, const char *words)
{
    assert_int_equal(skv_tune_parse(be, text, strlen(text), "tune.json", false), want);
    assert_non_null(strstr(skv_message(), "tune.json"));
    assert_non_null(strstr(skv_message(), words));
}

static void tables_of_another_device_or_form_are_refused(void **state)
{
    static const char other[] =
        "{\"version\": 2, \"device\": \"another\", \"choices\": {\"a\": 1}}";
    static const char older[] = "{\"device\": \"another\", \"choices\": {\"a\": 1}}";
    char own[512];

    (void)state;
    refused(other, SKV_E_ARG, "another");
    assert_int_equal(skv_tune_parse(be, other, strlen(other), "tune.json", true), SKV_OK);
    assert_int_equal(skv_tuning_find(&be->tuning, "a"), 1);
    refused("{\"version\": 2}", SKV_E_FORMAT, "device");
    refused(older, SKV_E_ARG, "version 1, this program reads version 2");
    assert_int_equal(skv_tune_parse(be, older, strlen(older), "tune.json", true), SKV_E_ARG);
    refused("[", SKV_E_FORMAT, "");
    snprintf(own, sizeof own, "{\"version\": 2, \"device\": \"%s\"}", skv_backend_describe(be));
    refused(own, SKV_E_FORMAT, "choices");
    snprintf(own, sizeof own, "{\"version\": 2, \"device\": \"%s\", \"choices\": {\"a\": -1}}",
             skv_backend_describe(be));
    refused(own, SKV_E_FORMAT, "\"a\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_replaces_the_older_one_of_its_key),
        cmocka_unit_test(a_key_that_is_too_long_is_refused),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, open_backend, close_backend),
        cmocka_unit_test_setup_teardown(tables_of_another_device_or_form_are_refused, open_backend,
                                        close_backend),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
