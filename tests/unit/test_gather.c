#include "run/gather.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "core/flag.h"
#include "core/log.h"
#include "failing_io.h"
#include "run/group_file.h"
#include "run/run_file.h"
#include "run/run_summary.h"
#include "run/schema.h"
#include "temp_folder.h"
#include "write_groups.h"

#define N     TEST_GROUPS_ROWS
#define MANY  ((size_t)1 << 20)
#define CELLS ((TEST_GROUPS_SCALES - 1) * TEST_GROUPS_LAYERS)

static bool exists(const char *file)
{
    struct stat info;

    return lstat(file, &info) == 0;
}

static skv_status gather(bool virtual_images)
{
    int64_t n_failed = -1;
    const skv_status st = skv_gather_alone(temp_folder(), virtual_images, &n_failed);

    assert_true(st != SKV_OK || n_failed == 0);
    assert_int_equal(exists(temp_path("run.h5")), st == SKV_OK);
    return st;
}

static void assert_says(const char *words)
{
    if (!strstr(skv_message(), words))
        fail_msg("\"%s\" does not say \"%s\"", skv_message(), words);
}

/* One byte behind the first block, which a look at that block does not see. */
static void damage_body(const char *file)
{
    char *bytes = NULL;
    size_t n = 0;

    assert_int_equal(skv_file_read(&bytes, &n, file, MANY), SKV_OK);
    bytes[n - n / 4] ^= 16;
    assert_int_equal(skv_file_write(file, bytes, n), SKV_OK);
    free(bytes);
}

static void assert_rows(const skv_run_file *run)
{
    for (int p = 0; p < TEST_GROUPS_PATHS; p++) {
        assert_string_equal(run->path[p].name, test_groups_path[p]);
        assert_int_equal(run->path[p].bits_bytes, TEST_GROUPS_BITS);
        assert_int_equal(run->path[p].scale_offset[TEST_GROUPS_SCALES], 24);
        for (int i = 0; i < N; i++) {
            uint8_t bits[TEST_GROUPS_BITS];
            skv_picture picture;

            assert_int_equal(skv_run_file_bits(bits, run, p, i), SKV_OK);
            for (int k = 0; k < TEST_GROUPS_BITS; k++)
                assert_int_equal(bits[k], group_bits_byte(p, i, k));
            assert_int_equal(skv_run_file_picture(&picture, run, p, i), SKV_OK);
            assert_int_equal(picture.height, TEST_GROUPS_HEIGHT);
            for (int k = 0; k < TEST_GROUPS_SIDES; k++)
                assert_int_equal(picture.rgb[k], group_image_byte(p, i, k));
            free(picture.rgb);
        }
    }
}

static void assert_samples(const skv_run_file *run)
{
    static const char *const ids[N] = {"a", "b", "c", "d", "e"};

    assert_int_equal(run->n, N);
    assert_int_equal(run->reference, 0);
    for (int i = 0; i < N; i++) {
        assert_string_equal(run->id[i], ids[i]);
        assert_string_equal(run->prompt[i], i == 2 ? "" : "a prompt");
        assert_int_equal(run->seed[i], 1000 + i);
        assert_int_equal(run->tokens[i], 3 + i);
    }
}

/* *out = a dataset of scalekv-10, free(). Its CRC-32 is noted and right. */
static void read_set(void *out, skv_h5 *f, skv_set set)
{
    const skv_extents e = {.rows = N,
                           .groups = TEST_GROUPS,
                           .scales = TEST_GROUPS_SCALES,
                           .layers = TEST_GROUPS_LAYERS,
                           .heads = TEST_GROUPS_HEADS,
                           .phases = 2};
    skv_h5_layout want = skv_schema_run_layout(set, &e);

    assert_int_equal(
        skv_h5_read(out, f, skv_schema_in_run(set, "scalekv-10").text, &want, MANY, true), SKV_OK);
}

static void every_dataset_comes_from_its_groups(void **state)
{
    static const skv_set heads[] = {SKV_SET_LENGTH_BY_HEAD, SKV_SET_CAPACITY_BY_HEAD};
    const int64_t offset = 20, *table = NULL;
    int64_t peak = 0, *warm = NULL;
    double *seconds = NULL;
    float *kept = NULL;
    skv_run_file run;
    int n = 0;

    (void)state;
    write_groups();
    assert_int_equal(gather(false), SKV_OK);
    assert_int_equal(skv_run_file_open(&run, temp_folder()), SKV_OK);
    assert_samples(&run);
    assert_rows(&run);
    for (int h = 0; h < 2; h++) {
        read_set(&table, run.h5, heads[h]);
        for (int i = 0; i < CELLS * TEST_GROUPS_HEADS; i++)
            assert_int_equal(table[i], offset + i);
        free((void *)(uintptr_t)table);
    }
    read_set(&kept, run.h5, SKV_SET_KEPT_BY_SOURCE);
    for (int i = 0; i < CELLS * TEST_GROUPS_SCALES; i++)
        assert_true(kept[i] == (float)((2 * i + 2 * (1 + i) + (2 + i)) / 5.0)); /* by rows */
    read_set(&seconds, run.h5, SKV_SET_SECONDS);
    assert_true(seconds[4] == 2.5 && seconds[5] == 1.25);
    assert_int_equal(skv_h5_get_ints(&warm, &n, run.h5,
                                     skv_schema_in_run(SKV_SET_SECONDS, "full").text,
                                     SKV_ATTR_FIRST_GROUPS),
                     SKV_OK);
    assert_true(n == 1 && warm[0] == 1);
    assert_int_equal(
        skv_h5_get_int(&peak, run.h5, skv_schema_cache("full").text, SKV_ATTR_POOL_PEAK), SKV_OK);
    assert_int_equal(peak, 92);
    free(kept);
    free(seconds);
    free(warm);
    skv_run_file_close(&run);
}

static void a_path_is_summed_up(void **state)
{
    skv_path_summary p;
    skv_run_file run;

    (void)state;
    write_groups();
    assert_int_equal(gather(false), SKV_OK);
    assert_int_equal(skv_run_file_open(&run, temp_folder()), SKV_OK);
    assert_int_equal(skv_path_summary_read(&p, run.h5, "scalekv-10"), SKV_OK);
    assert_true(p.tokens_kept == 12.5 && p.cache_bytes == 12 + 13);
    assert_true(p.transformer_seconds == 0.5 + 1.5 + 2.5 && p.vae_seconds == 3 * 1.25);
    assert_int_equal(skv_path_summary_read(&p, run.h5, "none"), SKV_E_NOTFOUND);
    skv_run_file_close(&run);
}

static void virtual_pictures_stay_in_the_group_files(void **state)
{
    skv_run_file run;
    skv_picture picture;

    (void)state;
    write_groups();
    assert_int_equal(gather(true), SKV_OK);
    assert_int_equal(skv_run_file_open(&run, temp_folder()), SKV_OK);
    assert_samples(&run);
    assert_rows(&run);
    assert_int_equal(unlink(group_name(1, 1)), 0);
    assert_int_equal(skv_run_file_picture(&picture, &run, 1, 1), SKV_OK);
    free(picture.rgb);
    assert_int_equal(skv_run_file_picture(&picture, &run, 1, 2), SKV_E_NOTFOUND);
    skv_run_file_close(&run);
}

static skv_run_name name_of(const skv_run_place *run, int path, int group)
{
    skv_run_name name;

    assert_int_equal(skv_run_name_group(&name, run, test_groups_path[path], group), SKV_OK);
    return name;
}

/* The same run with its folders divided. */
static void divide(void)
{
    const skv_run_place flat = {temp_folder(), {false, false}};
    const skv_run_place divided = {temp_folder(), {true, true}};
    json_t *root = NULL;

    assert_int_equal(skv_json_read(&root, temp_path("run.json")), SKV_OK);
    assert_int_equal(
        json_object_set_new(root, SKV_BY_HUNDRED, skv_by_hundred_json(&divided.by_hundred)), 0);
    assert_int_equal(skv_json_write(root, temp_path("run.json")), SKV_OK);
    json_decref(root);
    for (int p = 0; p < TEST_GROUPS_PATHS; p++)
        for (int g = 0; g < TEST_GROUPS; g++) {
            const skv_run_name from = name_of(&flat, p, g), to = name_of(&divided, p, g);

            assert_int_equal(skv_run_name_make_folder(&to), SKV_OK);
            assert_int_equal(rename(from.path, to.path), 0);
        }
}

static void groups_in_divided_folders_are_gathered(void **state)
{
    (void)state;
    write_groups();
    divide();
    for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
        skv_run_file run;

        assert_int_equal(gather(is_virtual), SKV_OK);
        assert_int_equal(skv_run_file_open(&run, temp_folder()), SKV_OK);
        assert_samples(&run);
        assert_rows(&run);
        skv_run_file_close(&run);
    }
    assert_int_equal(unlink(temp_path("groups/full/0000/000002.h5")), 0);
    assert_int_equal(skv_gather_alone(temp_folder(), false, &(int64_t){0}), SKV_E_NOTFOUND);
    assert_says("(groups/full/0000/000002.h5)");
    assert_int_equal(truncate(temp_path("groups/full/0000/000001.h5"), 3000), 0);
    assert_int_equal(skv_gather_alone(temp_folder(), false, &(int64_t){0}), SKV_E_STOPPED);
    assert_true(exists(temp_path("groups/full/0000/000001.h5.damaged")));
}

static struct stat stat_of(const char *file)
{
    struct stat info;

    assert_int_equal(lstat(file, &info), 0);
    return info;
}

static void assert_kept(bool kept, const struct stat *before)
{
    const struct stat now = stat_of(temp_path("run.h5"));

    assert_int_equal(now.st_ino == before->st_ino && now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
                         now.st_mtim.tv_nsec == before->st_mtim.tv_nsec,
                     kept);
}

static void a_run_h5_of_the_same_groups_is_left_as_it_is(void **state)
{
    int64_t n_failed = 0;
    struct stat made;

    (void)state;
    write_groups();
    write_group(1, 1, &(test_groups_fault){.row_failed = true});
    assert_int_equal(skv_gather_alone(temp_folder(), false, &n_failed), SKV_OK);
    made = stat_of(temp_path("run.h5"));
    n_failed = -1;
    assert_int_equal(skv_gather_alone(temp_folder(), false, &n_failed), SKV_OK);
    assert_int_equal(n_failed, 1);
    assert_kept(true, &made);
    write_group(1, 1, NULL); /* another content */
    assert_int_equal(skv_gather_alone(temp_folder(), false, &n_failed), SKV_OK);
    assert_int_equal(n_failed, 0);
    assert_kept(false, &made);
    made = stat_of(temp_path("run.h5"));
    assert_int_equal(skv_gather_alone(temp_folder(), true, &n_failed), SKV_OK);
    assert_kept(false, &made);
    assert_int_equal(truncate(temp_path("run.h5"), 5000), 0);
    assert_int_equal(gather(true), SKV_OK);
    assert_true(stat_of(temp_path("run.h5")).st_size > 5000);
}

/* A file that was touched is in doubt: it is read again, though its first block is as before. */
static void damage_is_found_where_run_h5_holds_the_group(void **state)
{
    (void)state;
    write_groups();
    assert_int_equal(gather(false), SKV_OK);
    damage_body(group_name(1, 0));
    assert_int_equal(skv_gather_alone(temp_folder(), false, &(int64_t){0}), SKV_E_STOPPED);
    assert_true(exists(temp_path("groups/scalekv-10/000000.h5.damaged")));
}

static ino_t in_doubt; /* the file that HDF5 must not open */
static bool was_opened;

int64_t __real_H5Fopen(const char *name, unsigned how, int64_t access);
int64_t __wrap_H5Fopen(const char *name, unsigned how, int64_t access);
int64_t __wrap_H5Fopen(const char *name, unsigned how, int64_t access)
{
    struct stat info;
    int fd;

    if (sscanf(name, "/proc/self/fd/%d", &fd) == 1 && fstat(fd, &info) == 0)
        was_opened = was_opened || info.st_ino == in_doubt;
    return __real_H5Fopen(name, how, access);
}

/* HDF5 may read anywhere in memory on a damaged file, so it is found without HDF5. */
static void damage_anywhere_is_set_aside_before_hdf5_reads_it(void **state)
{
    char *bytes = NULL;
    size_t n = 0;

    (void)state;
    write_groups();
    assert_int_equal(skv_file_read(&bytes, &n, group_name(0, 1), MANY), SKV_OK);
    for (size_t at = 0; at < n; at += at < 60 ? 3 : n / 150) {
        bytes[at] ^= 1;
        assert_int_equal(skv_file_write(group_name(0, 1), bytes, n), SKV_OK);
        bytes[at] ^= 1;
        in_doubt = stat_of(group_name(0, 1)).st_ino;
        assert_int_equal(gather(at % 2 == 0), SKV_E_STOPPED);
        assert_false(was_opened);
        assert_int_equal(rename(temp_path("groups/full/000001.h5.damaged"), group_name(0, 1)), 0);
    }
    assert_int_equal(skv_file_write(group_name(0, 1), bytes, n), SKV_OK);
    in_doubt = stat_of(group_name(0, 1)).st_ino;
    assert_int_equal(gather(false), SKV_OK);
    assert_true(was_opened);
    free(bytes);
}

/* A picture that run.h5 points at comes from the group's file, which may be damaged by then. */
static void a_virtual_picture_of_a_damaged_file_is_refused_before_hdf5_reads_it(void **state)
{
    skv_picture picture;
    skv_run_file run;

    (void)state;
    write_groups();
    assert_int_equal(gather(true), SKV_OK);
    damage_body(group_name(1, 1));
    in_doubt = stat_of(group_name(1, 1)).st_ino;
    was_opened = false;
    assert_int_equal(skv_run_file_open(&run, temp_folder()), SKV_OK);
    assert_int_equal(skv_run_file_picture(&picture, &run, 1, 2), SKV_E_FORMAT);
    assert_says("000001.h5: the file is damaged");
    assert_false(was_opened);
    skv_run_file_close(&run);
}

/* One byte of the first picture, as a disk may lose it: nobody has written to the file. */
static void damage_picture_unseen(const char *file)
{
    uint8_t picture[TEST_GROUPS_SIDES];
    struct stat info;
    char *bytes = NULL, *at = NULL;
    size_t n = 0;
    const int fd = open(file, O_RDWR);

    for (int k = 0; k < TEST_GROUPS_SIDES; k++)
        picture[k] = group_image_byte(0, 0, k);
    assert_int_equal(skv_file_read(&bytes, &n, file, MANY), SKV_OK);
    for (size_t i = 0; i + sizeof picture <= n && !at; i++)
        at = memcmp(bytes + i, picture, sizeof picture) == 0 ? bytes + i : NULL;
    assert_non_null(at);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    assert_int_equal(pwrite(fd, "X", 1, at - bytes), 1);
    assert_int_equal(futimens(fd, (const struct timespec[]){info.st_atim, info.st_mtim}), 0);
    close(fd);
    free(bytes);
}

/* Where its writer has read it back and nobody wrote to it since. */
static void a_virtual_run_leaves_the_pictures_of_a_known_file_unread(void **state)
{
    (void)state;
    write_groups();
    damage_picture_unseen(group_name(0, 0));
    assert_int_equal(gather(true), SKV_OK);
    assert_int_equal(unlink(temp_path("run.h5")), 0);
    assert_int_equal(utimensat(AT_FDCWD, group_name(0, 0), NULL, 0), 0);
    assert_int_equal(gather(true), SKV_E_STOPPED);
    assert_says("1 of 6 groups is damaged");
}

static skv_flag stop;

/* The steps of `size` ranks, one after another; their news are summed up as a communicator does. */
static skv_status gather_as(int size, int64_t *n_failed)
{
    skv_status (*const steps[])(skv_gather *) = {skv_gather_look, skv_gather_check};
    skv_gather *g[2] = {NULL};
    skv_status st = SKV_OK;
    size_t n = 0;

    for (int r = 0; r < size; r++) {
        const skv_gather_setup setup = {
            .run = temp_folder(), .stop = &stop, .rank = r, .size = size};

        assert_int_equal(skv_gather_open(&g[r], &setup), SKV_OK);
    }
    for (int step = 0; step < 2 && st == SKV_OK; step++) {
        for (int r = 0; r < size && st == SKV_OK; r++)
            st = steps[step](g[r]);
        for (size_t i = 0; st == SKV_OK && size > 1 && i < (skv_gather_news(g[0], &n), n); i++)
            skv_gather_news(g[0], &n)[i] = skv_gather_news(g[1], &n)[i] +=
                skv_gather_news(g[0], &n)[i];
    }
    if (st == SKV_OK)
        st = skv_gather_write(g[0], n_failed);
    for (int r = 0; r < size; r++)
        skv_gather_close(g[r]);
    return st;
}

static void ranks_that_share_the_checking_write_the_same(void **state)
{
    int64_t n_failed = -1;
    skv_run_file run;

    (void)state;
    write_groups();
    assert_int_equal(gather_as(2, &n_failed), SKV_OK);
    assert_int_equal(n_failed, 0);
    assert_int_equal(skv_run_file_open(&run, temp_folder()), SKV_OK);
    assert_samples(&run);
    assert_rows(&run);
    skv_run_file_close(&run);
    damage_body(group_name(0, 2));
    assert_int_equal(gather_as(2, &n_failed), SKV_E_STOPPED);
    assert_says("1 of 6 groups is damaged");
}

static void pictures_to_be_copied_are_read_whoever_knows_the_file(void **state)
{
    (void)state;
    write_groups();
    damage_picture_unseen(group_name(0, 0));
    for (int size = 1; size <= 2; size++) {
        assert_int_equal(gather_as(size, &(int64_t){0}), SKV_E_STOPPED);
        assert_says("1 of 6 groups is damaged");
        write_group(0, 0, NULL);
        damage_picture_unseen(group_name(0, 0));
    }
}

static void a_stop_ends_every_step(void **state)
{
    int64_t n_failed = 0;

    (void)state;
    write_groups();
    stop = 1;
    assert_int_equal(gather_as(1, &n_failed), SKV_E_STOPPED);
    stop = 0;
    assert_says("stopped while gathering");
    assert_false(exists(temp_path("run.h5")));
    assert_int_equal(gather_as(1, &n_failed), SKV_OK);
    write_group(1, 1, &(test_groups_fault){.row_failed = true});
    stop = 1;
    assert_int_equal(gather_as(1, &n_failed), SKV_E_STOPPED);
    stop = 0;
    assert_true(exists(temp_path("run.h5"))); /* the older one */
    assert_int_equal(temp_count(), 4);        /* run.json, groups, index, run.h5: nothing aside */
}

static void missing_groups_are_counted_and_the_first_named(void **state)
{
    (void)state;
    write_groups();
    assert_int_equal(unlink(group_name(0, 2)), 0);
    assert_int_equal(gather(false), SKV_E_NOTFOUND);
    assert_says("1 of 6 groups is missing (groups/full/000002.h5)");
    for (int g = 0; g < TEST_GROUPS; g++)
        assert_int_equal(unlink(group_name(1, g)), 0);
    assert_int_equal(gather(false), SKV_E_NOTFOUND);
    assert_says("4 of 6 groups are missing (groups/full/000002.h5, groups/scalekv-10/000000.h5, "
                "groups/scalekv-10/000001.h5, ...)");
}

/* Found in one pass, whatever is wrong: a body, a first block, a length, or no file at all. */
static void damaged_groups_are_all_set_aside_at_once(void **state)
{
    const int which[][2] = {{0, 0}, {0, 2}, {1, 0}, {1, 1}};
    const int n = sizeof which / sizeof which[0];

    (void)state;
    write_groups();
    damage_body(group_name(0, 0));
    damage_body(group_name(1, 1));
    assert_int_equal(truncate(group_name(0, 2), 3000), 0);
    assert_int_equal(unlink(group_name(1, 0)), 0);
    assert_int_equal(mkfifo(group_name(1, 0), 0666), 0);
    assert_int_equal(gather(false), SKV_E_STOPPED);
    assert_says("4 of 6 groups are damaged and were set aside");
    for (int i = 0; i < n; i++) {
        char aside[4096];

        snprintf(aside, sizeof aside, "%s.damaged", group_name(which[i][0], which[i][1]));
        assert_true(exists(aside));
        assert_false(exists(group_name(which[i][0], which[i][1])));
    }
    assert_int_equal(gather(false), SKV_E_NOTFOUND);
    assert_says("4 of 6 groups are missing");
    for (int i = 0; i < n; i++)
        write_group(which[i][0], which[i][1], NULL);
    assert_int_equal(gather(false), SKV_OK);
}

static void damage_of_a_last_body_leaves_the_older_run_h5(void **state)
{
    int64_t n_failed;

    (void)state;
    write_groups();
    assert_int_equal(gather(false), SKV_OK);
    damage_body(group_name(1, 2));
    assert_int_equal(skv_gather_alone(temp_folder(), false, &n_failed), SKV_E_STOPPED);
    assert_says("1 of 6 groups");
    assert_true(exists(temp_path("run.h5")));
    assert_int_equal(temp_count(), 4); /* run.json, groups, index, run.h5: nothing aside */
}

static void a_group_of_another_run_or_size_is_refused(void **state)
{
    (void)state;
    write_groups();
    write_group(0, 1, &(test_groups_fault){.config_digest = "c1"});
    assert_int_equal(gather(false), SKV_E_FORMAT);
    assert_says("groups/full/000001.h5: made with another configuration");
    write_group(0, 1, &(test_groups_fault){.other_size = true});
    assert_int_equal(gather(false), SKV_E_FORMAT);
    assert_says("group 1 has other sizes than the first");
}

static void pictures_that_some_groups_lack_are_left_out(void **state)
{
    skv_run_file run;

    (void)state;
    write_groups();
    write_group(1, 2, &(test_groups_fault){.no_image = true});
    assert_int_equal(gather(false), SKV_OK);
    assert_int_equal(skv_run_file_open(&run, temp_folder()), SKV_OK);
    assert_true(run.path[0].in_h5);
    assert_false(run.path[1].in_h5);
    assert_int_equal(run.path[1].bits_bytes, TEST_GROUPS_BITS);
    skv_run_file_close(&run);
}

static void failed_rows_are_counted(void **state)
{
    int64_t n_failed = 0;
    skv_run_file run;

    (void)state;
    write_groups();
    for (int p = 0; p < TEST_GROUPS_PATHS; p++)
        for (int g = 0; g < 2; g++)
            write_group(p, g, &(test_groups_fault){.row_failed = true});
    assert_int_equal(skv_gather_alone(temp_folder(), false, &n_failed), SKV_OK);
    assert_int_equal(n_failed, 2);
    assert_int_equal(skv_run_file_open(&run, temp_folder()), SKV_OK);
    assert_string_equal(run.error[2], "no text");
    assert_int_equal(run.status[2], SKV_E_FORMAT);
    assert_int_equal(run.status[3], SKV_OK);
    skv_run_file_close(&run);
}

static void a_row_that_fails_on_one_path_has_failed(void **state)
{
    int64_t n_failed = 0;
    skv_run_file run;

    (void)state;
    write_groups();
    write_group(1, 1, &(test_groups_fault){.row_failed = true});
    assert_int_equal(skv_gather_alone(temp_folder(), false, &n_failed), SKV_OK);
    assert_int_equal(n_failed, 1);
    assert_int_equal(skv_run_file_open(&run, temp_folder()), SKV_OK);
    assert_string_equal(run.error[2], "path scalekv-10: no text");
    assert_int_equal(run.status[2], SKV_E_FORMAT);
    assert_int_equal(run.status[3], SKV_OK);
    skv_run_file_close(&run);
}

/* In a child, which leaves as the program does: 0 well, 1 with a sentence, 2 with a write that
 * failed unseen or a failure without a word. */
static int gather_with_a_failing_write(long n, int error)
{
    int64_t n_failed;
    skv_status st;

    failing_write(n, error);
    st = skv_gather_alone(temp_folder(), false, &n_failed);
    if (st == SKV_OK)
        return failing_write_came() ? 2 : 0;
    return failing_write_came() && strstr(skv_message(), "run.h5: ") &&
                   strstr(skv_message(), ": cannot ") && strstr(skv_message(), strerror(error)) &&
                   strlen(skv_message()) < 200
               ? 1
               : 2;
}

static void any_one_failing_write_ends_without_run_h5(void **state)
{
    static const int errors[] = {ENOSPC, EIO, EDQUOT};
    char *right = NULL, *found = NULL;
    size_t n_right = 0, n_found = 0;

    (void)state;
    write_groups();
    assert_int_equal(gather(false), SKV_OK);
    assert_int_equal(skv_file_read(&right, &n_right, temp_path("run.h5"), MANY), SKV_OK);
    for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++) {
        int how = 1;

        assert_int_equal(unlink(temp_path("run.h5")), 0);
        for (long n = 1; how != 0; n++) {
            const pid_t child = fork();

            if (child == 0)
                exit(gather_with_a_failing_write(n, errors[e])); /* with all exit handlers */
            assert_true(child > 0 && waitpid(child, &how, 0) == child && WIFEXITED(how));
            how = WEXITSTATUS(how);
            assert_in_range(how, 0, 1);
            assert_int_equal(temp_count(), how == 0 ? 4 : 3);
            assert_true(how == 1 || n > 10);
        }
        assert_int_equal(skv_file_read(&found, &n_found, temp_path("run.h5"), MANY), SKV_OK);
        assert_int_equal(n_found, n_right);
        assert_memory_equal(found, right, n_right);
        free(found);
    }
    free(right);
}

/* The older run.h5, which would be left as it is, comes back after a failure. */
static skv_status gather_anew(void)
{
    int64_t n_failed;
    skv_status st;

    (void)rename(temp_path("run.h5"), temp_path("older.h5"));
    st = skv_gather_alone(temp_folder(), false, &n_failed);
    if (st != SKV_OK)
        (void)rename(temp_path("older.h5"), temp_path("run.h5"));
    return st;
}

static void a_write_lost_without_a_word_is_seen_when_read_back(void **state)
{
    (void)state;
    write_groups();
    assert_in_range(lose_each_write(gather_anew, temp_path("run.h5")), 31, 1000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(every_dataset_comes_from_its_groups),
        CASE(a_path_is_summed_up),
        CASE(virtual_pictures_stay_in_the_group_files),
        CASE(groups_in_divided_folders_are_gathered),
        CASE(a_run_h5_of_the_same_groups_is_left_as_it_is),
        CASE(damage_is_found_where_run_h5_holds_the_group),
        CASE(damage_anywhere_is_set_aside_before_hdf5_reads_it),
        CASE(a_virtual_picture_of_a_damaged_file_is_refused_before_hdf5_reads_it),
        CASE(ranks_that_share_the_checking_write_the_same),
        CASE(a_virtual_run_leaves_the_pictures_of_a_known_file_unread),
        CASE(pictures_to_be_copied_are_read_whoever_knows_the_file),
        CASE(a_stop_ends_every_step),
        CASE(missing_groups_are_counted_and_the_first_named),
        CASE(damaged_groups_are_all_set_aside_at_once),
        CASE(damage_of_a_last_body_leaves_the_older_run_h5),
        CASE(a_group_of_another_run_or_size_is_refused),
        CASE(pictures_that_some_groups_lack_are_left_out),
        CASE(failed_rows_are_counted),
        CASE(a_row_that_fails_on_one_path_has_failed),
        CASE(a_write_lost_without_a_word_is_seen_when_read_back),
        CASE(any_one_failing_write_ends_without_run_h5),
    };

    skv_log_setup(SKV_LOG_ERROR, ""); /* warnings are not failures here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
