#include "core/aside.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

static int is_there(const char *name)
{
    struct stat info;

    return lstat(temp_path(name), &info) == 0;
}

static void put(const char *name)
{
    assert_int_equal(skv_file_write(temp_path(name), "x", 1), SKV_OK);
}

static void the_aside_name_begins_with_the_name_and_is_gone_after_the_commit(void **state)
{
    skv_aside a;
    const char *path = temp_path("run.h5");

    (void)state;
    assert_int_equal(skv_aside_create(&a, path, 1), SKV_OK);
    assert_int_equal(strncmp(a.aside, "run.h5.", 7), 0);
    assert_true(is_there(a.aside));
    assert_false(is_there("run.h5"));
    assert_int_equal(skv_aside_write(&a, "text", 4), SKV_OK);
    assert_int_equal(skv_aside_commit(&a), SKV_OK);
    assert_true(is_there("run.h5"));
    assert_int_equal(temp_count(), 1);
    skv_aside_drop(&a); /* nothing happens */
    assert_int_equal(temp_count(), 1);
}

static void what_is_dropped_leaves_nothing(void **state)
{
    skv_aside a;

    (void)state;
    assert_int_equal(skv_aside_create(&a, temp_path("a"), 1), SKV_OK);
    skv_aside_drop(&a);
    assert_int_equal(temp_count(), 0);
}

static void a_link_or_left_over_of_the_aside_name_is_replaced(void **state)
{
    skv_aside a;
    char name[64];

    (void)state;
    put("victim");
    snprintf(name, sizeof name, "a.%ld.tmp", (long)getpid());
    assert_int_equal(symlink(temp_path("victim"), temp_path(name)), 0);
    assert_int_equal(skv_aside_create(&a, temp_path("a"), 1), SKV_OK);
    assert_int_equal(skv_aside_write(&a, "longer", 6), SKV_OK);
    assert_int_equal(skv_aside_commit(&a), SKV_OK);
    {
        struct stat info;

        assert_int_equal(stat(temp_path("victim"), &info), 0);
        assert_int_equal(info.st_size, 1);
    }
}

static void a_sweep_removes_asides_and_nothing_else(void **state)
{
    static const char *const gone[] = {"run.h5.123.tmp", ".id.png.7.tmp", "a.1.tmp.2.tmp"};
    static const char *const kept[] = {"run.h5", "x.tmp",       "run.h5.12a.tmp",
                                       ".1.tmp", "a.12.tmp.h5", "12.tmp"};

    (void)state;
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        put(gone[i]);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        put(kept[i]);
    assert_int_equal(symlink(temp_path("run.h5"), temp_path("link.5.tmp")), 0);
    assert_int_equal(mkdir(temp_path("folder.5.tmp"), 0777), 0);
    assert_int_equal(skv_aside_sweep(temp_folder(), 0, "run.h5"), SKV_OK);
    assert_false(is_there("run.h5.123.tmp"));
    assert_true(is_there(".id.png.7.tmp"));
    assert_int_equal(skv_aside_sweep(temp_folder(), 0, NULL), SKV_OK);
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        assert_false(is_there(gone[i]));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        assert_true(is_there(kept[i]));
    assert_true(is_there("link.5.tmp"));
    assert_true(is_there("folder.5.tmp"));
    assert_int_equal(skv_aside_sweep(temp_path("none"), 0, NULL), SKV_OK);
}

static void a_sweep_does_not_leave_the_run(void **state)
{
    (void)state;
    assert_int_equal(skv_folder_make(temp_path("out")), SKV_OK);
    assert_int_equal(skv_folder_make(temp_path("run/groups")), SKV_OK);
    put("out/precious.1.tmp");
    assert_int_equal(symlink(temp_path("out"), temp_path("run/groups/full")), 0);
    assert_int_equal(skv_aside_sweep(temp_path("run/groups/full"), 2, NULL), SKV_E_KIND);
    assert_true(is_there("out/precious.1.tmp"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(the_aside_name_begins_with_the_name_and_is_gone_after_the_commit),
        CASE(what_is_dropped_leaves_nothing),
        CASE(a_link_or_left_over_of_the_aside_name_is_replaced),
        CASE(a_sweep_removes_asides_and_nothing_else),
        CASE(a_sweep_does_not_leave_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
