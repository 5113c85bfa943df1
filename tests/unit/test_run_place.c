#include "run/run_place.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

static const skv_run_place flat = {.folder = "run"};
static const skv_run_place divided = {.folder = "run", .by_hundred = {true, true}};

static void assert_group(const skv_run_place *run, int64_t group, const char *want, int n_below)
{
    skv_run_name name;

    assert_int_equal(skv_run_name_group(&name, run, "snapkv-4", group), SKV_OK);
    assert_string_equal(name.path, want);
    assert_int_equal(name.n_below, n_below);
}

static void assert_image(const skv_run_place *run, int64_t row, const char *want, int n_below)
{
    skv_run_name name;

    assert_int_equal(skv_run_name_image(&name, run, "full", row, "a-cat"), SKV_OK);
    assert_string_equal(name.path, want);
    assert_int_equal(name.n_below, n_below);
}

static void files_are_named_by_path_and_number(void **state)
{
    static const skv_run_place relative = {.by_hundred = {.groups = true}};

    (void)state;
    assert_group(&flat, 123, "run/groups/snapkv-4/000123.h5", 3);
    assert_group(&divided, 99, "run/groups/snapkv-4/0000/000099.h5", 4);
    assert_group(&divided, 1234, "run/groups/snapkv-4/0012/001234.h5", 4);
    assert_group(&divided, 1234567, "run/groups/snapkv-4/12345/1234567.h5", 4);
    assert_group(&relative, 100, "groups/snapkv-4/0001/000100.h5", 4);
    assert_image(&flat, 1234, "run/images/full/a-cat.png", 3);
    assert_image(&divided, 1234, "run/images/full/0012/a-cat.png", 4);
    assert_image(&relative, 1234, "images/full/a-cat.png", 3);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    static char folder[4090];
    const skv_run_place far = {.folder = folder};
    skv_run_name name;

    (void)state;
    memset(folder, 'x', sizeof folder - 1);
    assert_int_equal(skv_run_name_group(&name, &flat, "..", 1), SKV_E_ARG);
    assert_int_equal(skv_run_name_group(&name, &flat, "", 1), SKV_E_ARG);
    assert_int_equal(skv_run_name_group(&name, &flat, "a", -1), SKV_E_ARG);
    assert_int_equal(skv_run_name_group(&name, &far, "a", 1), SKV_E_ARG);
    assert_int_equal(skv_run_name_image(&name, &flat, "../a", 1, "b"), SKV_E_ARG);
    assert_int_equal(skv_run_name_image(&name, &flat, "a", -1, "b"), SKV_E_ARG);
    assert_int_equal(skv_run_name_image(&name, &flat, "a", 1, "../b"), SKV_E_FORMAT);
    assert_int_equal(skv_run_name_image(&name, &far, "a", 1, "b"), SKV_E_ARG);
}

static bool is_folder(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void the_folder_of_a_hundred_is_made_when_it_is_needed(void **state)
{
    skv_run_place run = {.folder = temp_folder(), .by_hundred = {true, true}};
    skv_run_name name;

    (void)state;
    assert_int_equal(skv_run_name_group(&name, &run, "full", 250), SKV_OK);
    assert_int_equal(skv_run_name_make_folder(&name), SKV_E_NOTFOUND); /* the run makes that one */
    assert_int_equal(skv_folder_make(temp_path("groups/full")), SKV_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(skv_run_name_make_folder(&name), SKV_OK);
    assert_true(is_folder(temp_path("groups/full/0002")));
    assert_int_equal(rename(temp_path("groups"), temp_path("elsewhere")), 0);
    assert_int_equal(symlink(temp_path("elsewhere"), temp_path("groups")), 0);
    assert_int_equal(skv_run_name_group(&name, &run, "full", 300), SKV_OK);
    assert_int_equal(skv_run_name_make_folder(&name), SKV_E_KIND);
    assert_false(is_folder(temp_path("elsewhere/full/0003")));
}

static void run_json_says_which_folders_are_divided(void **state)
{
    static const char *const bad[] = {"{\"by_hundred\": 1}", "{\"by_hundred\": {}}",
                                      "{\"by_hundred\": {\"groups\": true, \"images\": 1}}"};
    json_t *root = json_object();
    skv_by_hundred b = {true, true};

    (void)state;
    assert_int_equal(skv_by_hundred_read(&b, root, "run.json"), SKV_OK);
    assert_true(!b.groups && !b.images);
    json_object_set_new(root, SKV_BY_HUNDRED, skv_by_hundred_json(&(skv_by_hundred){true, false}));
    assert_int_equal(skv_by_hundred_read(&b, root, "run.json"), SKV_OK);
    assert_true(b.groups && !b.images);
    json_decref(root);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        root = json_loads(bad[i], 0, NULL);
        assert_int_equal(skv_by_hundred_read(&b, root, "run.json"), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "run.json: \"by_hundred\""));
        json_decref(root);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(files_are_named_by_path_and_number),
        CASE(names_that_lead_elsewhere_are_refused),
        CASE(the_folder_of_a_hundred_is_made_when_it_is_needed),
        CASE(run_json_says_which_folders_are_divided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
