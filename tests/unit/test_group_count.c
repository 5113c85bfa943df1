/* Group files are counted by their names. */
#include "run/group_count.h"

#include <stdio.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/clock.h"
#include "core/file.h"
#include "failing_folder.h"
#include "temp_folder.h"

static void make(const char *name)
{
    assert_int_equal(skv_file_write(temp_path(name), "", 0), SKV_OK);
}

static int64_t count(const char *path, double until, bool *cut)
{
    *cut = false;
    return skv_group_count(temp_folder(), path, &(skv_group_counting){.until = until}, cut);
}

static void group_files_count_and_nothing_else(void **state)
{
    const double later = skv_seconds() + 1000;
    bool cut;

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("groups/full/0012")), SKV_OK);
    make("groups/full/000000.h5");
    make("groups/full/000002.h5");
    make("groups/full/000001.h5.123.tmp");
    make("groups/full/000003.h5.damaged");
    make("groups/full/notes.h5");
    make("groups/full/0012/001200.h5");
    assert_int_equal(count("full", later, &cut), 3);
    assert_false(cut);
    assert_int_equal(count("none", later, &cut), 0);
    assert_false(cut);
}

static void counting_ends_in_time(void **state)
{
    bool cut;

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("groups/full")), SKV_OK);
    make("groups/full/000000.h5");
    (void)count("full", 1e-9, &cut);
    assert_true(cut);
}

static void what_cannot_be_listed_is_at_least_what_was_seen(void **state)
{
    const double later = skv_seconds() + 1000;
    bool cut;

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("groups/full")), SKV_OK);
    make("groups/full/000000.h5");
    failing_folder(3); /* all of it, but not the end */
    assert_int_equal(count("full", later, &cut), 1);
    assert_true(cut);
    failing_folder(-1);
    assert_int_equal(symlink("full", temp_path("groups/link")), 0);
    assert_int_equal(count("link", later, &cut), 0);
    assert_true(cut);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(group_files_count_and_nothing_else),
        CASE(counting_ends_in_time),
        CASE(what_cannot_be_listed_is_at_least_what_was_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
