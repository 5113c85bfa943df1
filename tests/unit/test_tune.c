/* Choices as JSON, and RUN/tune.json. */
#include "sample/tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
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

static void set(const char *key, const char *choice)
{
    assert_int_equal(skv_tuning_set(&be->tuning, key, choice), SKV_OK);
}

static skv_tune_found read_again(void)
{
    skv_tune_found found;

    skv_tuning_clear(&be->tuning);
    assert_int_equal(skv_tune_read(&found, be, temp_folder()), SKV_OK);
    return found;
}

static void what_is_kept_is_read_again(void **state)
{
    (void)state;
    assert_int_equal(read_again(), SKV_TUNE_NONE);
    set("matmul 1 2 3", "id=66 tile=20");
    set("conv \"odd\" key", "ours");
    assert_int_equal(skv_tune_keep(be, temp_folder()), SKV_OK);
    assert_int_equal(read_again(), SKV_TUNE_FOUND);
    assert_int_equal(be->tuning.n, 2);
    assert_string_equal(skv_tuning_find(&be->tuning, "matmul 1 2 3"), "id=66 tile=20");
    assert_string_equal(skv_tuning_find(&be->tuning, "conv \"odd\" key"), "ours");
}

/* As --tune off keeps them: a resumed run does not measure either. */
static void no_choices_are_choices_too(void **state)
{
    (void)state;
    assert_int_equal(skv_tune_keep(be, temp_folder()), SKV_OK);
    assert_int_equal(read_again(), SKV_TUNE_FOUND);
    assert_int_equal(be->tuning.n, 0);
}

static void another_device_has_its_own_beside_the_first(void **state)
{
    static const char other[] = "{\"version\": 3, \"devices\": {\"another\": {\"a\": \"id=1\"}}}";
    char *text = NULL;
    size_t bytes = 0;

    (void)state;
    assert_int_equal(skv_file_write(temp_path("tune.json"), other, strlen(other)), SKV_OK);
    assert_int_equal(read_again(), SKV_TUNE_OTHERS);
    assert_int_equal(be->tuning.n, 0);
    set("a", "id=2");
    assert_int_equal(skv_tune_keep(be, temp_folder()), SKV_OK);
    assert_int_equal(read_again(), SKV_TUNE_FOUND);
    assert_string_equal(skv_tuning_find(&be->tuning, "a"), "id=2");
    assert_int_equal(skv_file_read(&text, &bytes, temp_path("tune.json"), 1 << 20), SKV_OK);
    assert_non_null(strstr(text, "another"));
    assert_non_null(strstr(text, "id=1"));
    free(text);
}

static void only_what_was_measured_here_is_for_others(void **state)
{
    char *text = NULL;

    (void)state;
    set("read", "id=1");
    be->tuning.measuring = true;
    set("measured", "id=2");
    set("refused", "ours");
    be->tuning.measuring = false;
    assert_int_equal(skv_tune_print(&text, be, true), SKV_OK);
    assert_null(strstr(text, "\"read\""));
    assert_null(strstr(text, "\"refused\""));
    assert_non_null(strstr(text, "\"measured\": \"id=2\""));
    free(text);
    assert_int_equal(skv_tune_print(&text, be, false), SKV_OK);
    assert_non_null(strstr(text, "\"read\": \"id=1\""));
    assert_non_null(strstr(text, "\"refused\": \"ours\""));
    free(text);
}

static void refused(const char *text, skv_status want, const char *words)
{
    skv_tune_found found;

    assert_int_equal(skv_tune_parse(&found, be, text, strlen(text), "tune.json"), want);
    assert_non_null(strstr(skv_message(), "tune.json"));
    assert_non_null(strstr(skv_message(), words));
}

static void other_forms_are_refused(void **state)
{
    char own[2048], longest[SKV_TUNING_CHOICE + 1];

    (void)state;
    refused("[", SKV_E_FORMAT, "");
    refused("{\"device\": \"x\", \"choices\": {\"a\": 1}}", SKV_E_ARG,
            "version 1, this program reads version 3");
    refused("{\"version\": 3}", SKV_E_FORMAT, "devices");
    refused("{\"version\": 3, \"devices\": {\"x\": []}}", SKV_E_FORMAT, "\"x\"");
    snprintf(own, sizeof own, "{\"version\": 3, \"devices\": {\"%s\": {\"a\": 1}}}",
             skv_backend_describe(be));
    refused(own, SKV_E_FORMAT, "\"a\"");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    snprintf(own, sizeof own, "{\"version\": 3, \"devices\": {\"%s\": {\"a\": \"%s\"}}}",
             skv_backend_describe(be), longest);
    refused(own, SKV_E_FORMAT, "\"a\"");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_backend, close_backend)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_kept_is_read_again),
        CASE(no_choices_are_choices_too),
        CASE(another_device_has_its_own_beside_the_first),
        CASE(only_what_was_measured_here_is_for_others),
        CASE(other_forms_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
