#include "run/run_index.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "failing_open.h"
#include "temp_folder.h"
#include "write_groups.h"

static skv_group_state look(skv_group_known *known, const char *path_digest, bool note_whole)
{
    const skv_run_place run = {.folder = temp_folder()};
    const skv_run_index_of of = {&run, "full", "c0", path_digest};
    const skv_group_want want = {.config_digest = "c0",
                                 .path_digest = path_digest,
                                 .group = 1,
                                 .first_row = 2,
                                 .n_rows = 2,
                                 .parts = SKV_GROUP_BITS};
    skv_group_state state = SKV_GROUP_ABSENT;
    skv_run_index *ix = NULL;

    assert_int_equal(skv_run_index_open(&ix, &of, 0), SKV_OK);
    assert_int_equal(skv_run_index_look(ix, &state, known, &want), SKV_OK);
    if (note_whole)
        skv_run_index_note_whole(ix, 1);
    skv_run_index_close(ix);
    return state;
}

/* Damages the first block, as if nobody had written to the file: whoever opens it sees it. */
static void damage_unseen(const char *file)
{
    struct stat info;
    const int fd = open(file, O_RDWR);

    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    assert_int_equal(pwrite(fd, "X", 1, 20), 1);
    assert_int_equal(futimens(fd, (const struct timespec[]){info.st_atim, info.st_mtim}), 0);
    close(fd);
}

static void a_known_file_is_not_opened_until_it_changes(void **state)
{
    skv_group_known first, again;

    (void)state;
    write_groups();
    assert_int_equal(utimensat(AT_FDCWD, group_name(0, 1), NULL, 0), 0);
    assert_int_equal(look(&first, "p0", true), SKV_GROUP_GOOD);
    assert_false(first.whole);
    assert_int_equal(first.seal.first_row, 2);
    assert_int_equal(first.seal.parts, SKV_GROUP_BITS | SKV_GROUP_IMAGE);
    damage_unseen(group_name(0, 1));
    assert_int_equal(look(&again, "p0", false), SKV_GROUP_GOOD);
    assert_true(again.whole);
    assert_memory_equal(&again.seal, &first.seal, sizeof first.seal);
    assert_int_equal(utimensat(AT_FDCWD, group_name(0, 1), NULL, 0), 0);
    assert_int_equal(look(&again, "p0", false), SKV_GROUP_DAMAGED);
}

static void a_file_as_its_writer_left_it_is_whole(void **state)
{
    skv_group_known known;

    (void)state;
    write_groups();
    for (int i = 0; i < 2; i++) { /* from its block, and from the index */
        assert_int_equal(look(&known, "p0", false), SKV_GROUP_GOOD);
        assert_true(known.whole);
    }
}

static void a_file_of_another_size_or_in_its_place_is_opened(void **state)
{
    skv_group_known known;

    (void)state;
    write_groups();
    assert_int_equal(look(&known, "p0", true), SKV_GROUP_GOOD);
    write_group(0, 1, NULL);
    assert_int_equal(utimensat(AT_FDCWD, group_name(0, 1), NULL, 0), 0);
    assert_int_equal(look(&known, "p0", true), SKV_GROUP_GOOD);
    assert_false(known.whole);
    assert_int_equal(truncate(group_name(0, 1), 3000), 0);
    assert_int_equal(look(&known, "p0", false), SKV_GROUP_DAMAGED);
    assert_int_equal(unlink(group_name(0, 1)), 0);
    assert_int_equal(look(&known, "p0", false), SKV_GROUP_ABSENT);
    assert_int_equal(mkfifo(group_name(0, 1), 0666), 0);
    assert_int_equal(look(&known, "p0", false), SKV_GROUP_DAMAGED);
}

static void an_index_that_is_damaged_or_of_another_path_is_none(void **state)
{
    char *text = NULL;
    size_t n = 0;
    skv_group_known known;

    (void)state;
    write_groups();
    assert_int_equal(look(&known, "p0", true), SKV_GROUP_GOOD);
    damage_unseen(group_name(0, 1));
    assert_int_equal(look(&known, "p9", false), SKV_GROUP_DAMAGED);
    assert_int_equal(look(&known, "p0", false), SKV_GROUP_GOOD);
    assert_int_equal(skv_file_read(&text, &n, temp_path("index/full/000000.txt"), (size_t)1 << 20),
                     SKV_OK);
    for (size_t i = 0; i < n; i++) {
        text[i] ^= 1;
        assert_int_equal(skv_file_write(temp_path("index/full/000000.txt"), text, n), SKV_OK);
        assert_int_equal(look(&known, "p0", false), SKV_GROUP_DAMAGED);
        text[i] ^= 1;
    }
    for (size_t i = 0; i < n; i += 7) {
        assert_int_equal(skv_file_write(temp_path("index/full/000000.txt"), text, i), SKV_OK);
        assert_int_equal(look(&known, "p0", false), SKV_GROUP_DAMAGED);
    }
    free(text);
}

/* Otherwise a group that is there would be thought missing, and its pictures not looked for. */
static void a_folder_that_cannot_be_opened_is_no_empty_one(void **state)
{
    const skv_run_place run = {.folder = temp_folder()};
    const skv_run_index_of of = {&run, "full", "c0", "p0"};
    const skv_group_want want = {
        .config_digest = "c0", .path_digest = "p0", .group = 1, .first_row = 2, .n_rows = 2};
    skv_group_state is = SKV_GROUP_ABSENT;
    skv_group_known known;
    skv_run_index *ix = NULL;

    (void)state;
    write_groups();
    assert_int_equal(skv_run_index_open(&ix, &of, 0), SKV_OK);
    failing_open("groups");
    assert_int_equal(skv_run_index_look(ix, &is, &known, &want), SKV_E_IO);
    assert_true(failing_open_came());
    assert_int_equal(skv_run_index_look(ix, &is, &known, &want), SKV_OK);
    assert_int_equal(is, SKV_GROUP_GOOD);
    skv_run_index_close(ix);
}

static void a_name_that_cannot_be_looked_up_is_not_missing(void **state)
{
    skv_stat_folder f = SKV_STAT_FOLDER;
    skv_run_name file = {.n_below = 2};
    struct stat info;
    bool there = true;

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("a")), SKV_OK);
    snprintf(file.path, sizeof file.path, "%s", temp_path("a/b"));
    assert_int_equal(skv_stat_folder_look(&there, &info, &f, &file), SKV_OK);
    assert_false(there);
    close(f.fd);
    assert_int_equal(skv_stat_folder_look(&there, &info, &f, &file), SKV_E_IO);
}

/* An index cannot be written into a run that may only be read: that is no failure. */
static void nothing_outside_the_run_is_written(void **state)
{
    skv_group_known known;

    (void)state;
    write_groups();
    assert_int_equal(skv_folder_make(temp_path("out")), SKV_OK);
    assert_int_equal(symlink("out", temp_path("index")), 0);
    assert_int_equal(look(&known, "p0", true), SKV_GROUP_GOOD);
    assert_int_equal(rmdir(temp_path("out")), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(a_known_file_is_not_opened_until_it_changes),
        CASE(a_file_as_its_writer_left_it_is_whole),
        CASE(a_file_of_another_size_or_in_its_place_is_opened),
        CASE(an_index_that_is_damaged_or_of_another_path_is_none),
        CASE(a_folder_that_cannot_be_opened_is_no_empty_one),
        CASE(a_name_that_cannot_be_looked_up_is_not_missing),
        CASE(nothing_outside_the_run_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
