/* This program is also the process that looks at files, as the real one is. */
#include "io/h5_probe.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "io/h5.h"
#include "io/h5_probe_serve.h"
#include "temp_folder.h"

static void make_file(const char *path)
{
    const skv_h5_layout l = {.type = SKV_H5_I32, .n_dims = 1, .shape = {3}};
    const int32_t v[3] = {1, 2, 3};
    skv_h5 *f = NULL;

    assert_int_equal(skv_h5_create(&f, path), SKV_OK);
    assert_int_equal(skv_h5_write(f, "/v", &l, v), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
}

static skv_status open_and_close(const char *path)
{
    skv_h5 *f = NULL;
    const skv_status st = skv_h5_open(&f, path);

    skv_h5_close(f);
    return st;
}

static skv_status open_hostile(const char *name)
{
    char path[1024];

    snprintf(path, sizeof path, SKV_TEST_DATA "/hostile/%s", name);
    return open_and_close(path);
}

static void without_the_process_a_command_opens_nothing_but_its_own(void **state)
{
    (void)state;
    make_file(temp_path("a.h5")); /* read back by the writer */
    assert_int_equal(open_and_close(temp_path("a.h5")), SKV_E_UNSUPPORTED);
    assert_non_null(strstr(skv_message(), "a.h5"));
}

static void what_kills_the_process_is_damaged_and_others_are_opened(void **state)
{
    const char *good = temp_path("a.h5");

    (void)state;
    make_file(good);
    assert_int_equal(skv_h5_probe_start(), SKV_OK);
    assert_int_equal(open_and_close(good), SKV_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(open_hostile("runh5_62fec21b.h5"), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "damaged"));
        assert_int_equal(open_and_close(good), SKV_OK);
        assert_int_equal(open_hostile("runh5_d2fc7f3d.h5"), SKV_E_H5);
        assert_int_equal(open_and_close(good), SKV_OK);
    }
    assert_int_equal(open_and_close(temp_path("none.h5")), SKV_E_NOTFOUND);
    skv_h5_probe_stop();
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(without_the_process_a_command_opens_nothing_but_its_own),
        CASE(what_kills_the_process_is_damaged_and_others_are_opened),
    };

    if (argc == 2 && strcmp(argv[1], SKV_H5_PROBE_COMMAND) == 0)
        return skv_h5_probe_serve();
    skv_h5_probe_require();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
