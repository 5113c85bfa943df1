#include "core/aside.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "core/process.h"
#include "failing_folder.h"
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

static void a_link_of_the_aside_name_is_refused(void **state)
{
    char name[128], process[SKV_PROCESS_BYTES];
    skv_aside a;

    (void)state;
    put("victim");
    snprintf(name, sizeof name, "a.%s.tmp", skv_process_name(process));
    assert_int_equal(symlink(temp_path("victim"), temp_path(name)), 0);
    assert_int_equal(skv_aside_create(&a, temp_path("a"), 1), SKV_E_IO);
}

/* Dead: process 4242. `written` is a file's time. */
static bool is_dead(const void *ctx, const char *process, struct timespec written)
{
    (void)ctx;
    assert_true(written.tv_sec > 0);
    return strstr(process, "-4242-") != NULL;
}

static void a_sweep_removes_asides_of_dead_writers_and_nothing_else(void **state)
{
    static const char *const gone[] = {"run.h5.0123456789ab-4242-7.tmp",
                                       ".id.png.0123456789ax-4242-0.tmp",
                                       "a.1.tmp.0123456789ab-4242-7.tmp"};
    static const char *const kept[] = {"run.h5",
                                       "x.tmp",
                                       "run.h5.4242.tmp",
                                       "run.h5.0123456789ab-4243-7.tmp",
                                       "run.h5.0123456789ab-4242-.tmp",
                                       "run.h5.0123456789ab-4242-7x.tmp",
                                       "run.h5.0123456789a-4242-7.tmp",
                                       ".0123456789ab-4242-7.tmp",
                                       "a.0123456789ab-4242-7.tmp.h5",
                                       "0123456789ab-4242-7.tmp"};
    static const char link[] = "link.0123456789ab-4242-7.tmp";

    (void)state;
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        put(gone[i]);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        put(kept[i]);
    assert_int_equal(symlink(temp_path("run.h5"), temp_path(link)), 0);
    assert_int_equal(mkdir(temp_path("folder.0123456789ab-4242-7.tmp"), 0777), 0);
    assert_int_equal(skv_aside_sweep(temp_folder(), 0, is_dead, NULL), SKV_OK);
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        assert_false(is_there(gone[i]));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        assert_true(is_there(kept[i]));
    assert_true(is_there(link));
    assert_true(is_there("folder.0123456789ab-4242-7.tmp"));
    assert_int_equal(skv_aside_sweep(temp_path("none"), 0, is_dead, NULL), SKV_OK);
}

static void a_sweep_says_when_the_folder_cannot_be_listed(void **state)
{
    (void)state;
    put("a.0123456789ab-4242-7.tmp");
    for (int n = 0; n < 3; n++) {
        failing_folder(n);
        assert_int_equal(skv_aside_sweep(temp_folder(), 0, is_dead, NULL), SKV_E_IO);
        assert_non_null(strstr(skv_message(), "cannot list the folder"));
    }
    failing_folder(-1);
}

static void a_sweep_does_not_leave_the_run(void **state)
{
    (void)state;
    assert_int_equal(skv_folder_make(temp_path("out")), SKV_OK);
    assert_int_equal(skv_folder_make(temp_path("run/groups")), SKV_OK);
    put("out/precious.0123456789ab-4242-7.tmp");
    assert_int_equal(symlink(temp_path("out"), temp_path("run/groups/full")), 0);
    assert_int_equal(skv_aside_sweep(temp_path("run/groups/full"), 2, is_dead, NULL), SKV_E_KIND);
    assert_true(is_there("out/precious.0123456789ab-4242-7.tmp"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(the_aside_name_begins_with_the_name_and_is_gone_after_the_commit),
        CASE(what_is_dropped_leaves_nothing),
        CASE(a_link_of_the_aside_name_is_refused),
        CASE(a_sweep_removes_asides_of_dead_writers_and_nothing_else),
        CASE(a_sweep_says_when_the_folder_cannot_be_listed),
        CASE(a_sweep_does_not_leave_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
