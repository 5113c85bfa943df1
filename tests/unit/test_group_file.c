#include "run/group_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "io/h5_label.h"
#include "failing_io.h"
#include "temp_folder.h"

enum { N = 3, S = 4, L = 2, HEADS = 2, SIDE = 8, BITS = 5, PHASES = 2 };

static const int64_t row[N] = {6, 7, 8};
static const char *const id[N] = {"a", "00007", "b-1"};
static const char *const prompt[N] = {"a cat", "", "çà 😀"};
static const char *const used[N] = {"a cat. smooth", "", "çà 😀"};
static const int32_t sample[N] = {0, 0, 1}, tokens[N] = {4, 0, 9}, status[N] = {0, SKV_E_FORMAT, 0};
static const uint64_t seed[N] = {1, UINT64_MAX, 3};
static const uint8_t truncated[N] = {0, 0, 1};
static const char *const error[N] = {"", "list: line 8: no \xc3", ""};
static const char *const given_id[N] = {"val/1", "val/1", ""};
static const char *const negative[N] = {"", "", "striped fur"};
static const uint64_t offset[N] = {0, 52, 104};
static const char *const phase[PHASES] = {"transformer", "vae"};
static uint8_t bits[N * BITS], image[N * SIDE * SIDE * 3];
static const int64_t bit_offset[S + 1] = {0, 2, 8, 18, 40};
static int64_t length[(S - 1) * L], by_head[(S - 1) * L * HEADS], room_by_head[(S - 1) * L * HEADS];
static float kept[(S - 1) * L * S];
static double seconds[PHASES] = {1.5, 0.25};

static skv_group_record example(void)
{
    for (size_t i = 0; i < sizeof bits; i++)
        bits[i] = (uint8_t)(i * 37 + 1);
    for (size_t i = 0; i < sizeof image; i++)
        image[i] = (uint8_t)(i * i + 3);
    for (int i = 0; i < (S - 1) * L; i++)
        length[i] = 10 * i;
    for (int i = 0; i < (S - 1) * L * HEADS; i++)
        by_head[i] = i, room_by_head[i] = 2 * i;
    for (int i = 0; i < (S - 1) * L * S; i++)
        kept[i] = (float)i / 3;
    return (skv_group_record){
        .path_name = "scalekv-10",
        .config_digest = "c0",
        .path_digest = "p0",
        .version = "0.1.0",
        .budget = "{\"a\": [1, 2]}",
        .device = "CPU",
        .group = 2,
        .n_rows = N,
        .n_scales = S,
        .n_layers = L,
        .n_heads = HEADS,
        .height = SIDE,
        .width = SIDE,
        .first = true,
        .pool_planned = 4096,
        .pool_peak = 4000,
        .row = row,
        .id = id,
        .given_id = given_id,
        .prompt = prompt,
        .prompt_used = used,
        .negative = negative,
        .sample = sample,
        .seed = seed,
        .offset = offset,
        .tokens = tokens,
        .truncated = truncated,
        .status = status,
        .error = error,
        .bits = bits,
        .bit_offset = bit_offset,
        .bits_bytes = BITS,
        .image = image,
        .cache_length = length,
        .cache_capacity = length,
        .cache_bytes = length,
        .length_by_head = by_head,
        .capacity_by_head = room_by_head,
        .kept_by_source = kept,
        .seconds = seconds,
        .phase_names = phase,
        .n_phases = PHASES,
    };
}

static const skv_group_want want = {.config_digest = "c0",
                                    .path_digest = "p0",
                                    .group = 2,
                                    .first_row = 6,
                                    .n_rows = N,
                                    .parts = SKV_GROUP_BITS | SKV_GROUP_IMAGE};

/* As in a run: three parts are below it. */
static const skv_run_name *at(const char *path)
{
    static skv_run_name name = {.n_below = 3};

    snprintf(name.path, sizeof name.path, "%s", path);
    return &name;
}

static const char *write_example(void)
{
    const skv_group_record r = example();
    const char *file = temp_path("000002.h5");

    assert_int_equal(skv_group_file_write(at(file), &r), SKV_OK);
    return file;
}

static skv_group_state state_of(const char *file, const skv_group_want *w)
{
    skv_group_state s = SKV_GROUP_GOOD;

    assert_int_equal(skv_group_file_check(&s, at(file), w), SKV_OK);
    return s;
}

static void assert_texts(const char *const *a, const char *const *b, int n)
{
    for (int i = 0; i < n; i++)
        assert_string_equal(a[i], b[i]);
}

static void assert_rows(const skv_group_record *r)
{
    assert_memory_equal(r->row, row, sizeof row);
    assert_texts(r->id, id, N);
    assert_texts(r->prompt, prompt, N);
    assert_texts(r->given_id, given_id, N);
    assert_texts(r->prompt_used, used, N);
    assert_texts(r->negative, negative, N);
    assert_memory_equal(r->offset, offset, sizeof offset);
    assert_memory_equal(r->sample, sample, sizeof sample);
    assert_memory_equal(r->seed, seed, sizeof seed);
    assert_memory_equal(r->tokens, tokens, sizeof tokens);
    assert_memory_equal(r->truncated, truncated, sizeof truncated);
    assert_memory_equal(r->status, status, sizeof status);
}

static void what_is_written_reads_back_equal(void **state)
{
    skv_group_record r;
    const char *file = write_example();

    (void)state;
    assert_int_equal(skv_group_file_read(&r, at(file), SKV_GROUP_ALL), SKV_OK);
    assert_string_equal(r.path_name, "scalekv-10");
    assert_string_equal(r.budget, "{\"a\": [1, 2]}");
    assert_int_equal(r.group, 2);
    assert_true(r.first);
    assert_int_equal(r.pool_planned, 4096);
    assert_int_equal(r.pool_peak, 4000);
    assert_rows(&r);
    assert_string_equal(r.error[1], "list: line 8: no ?"); /* half a character */
    assert_memory_equal(r.bits, bits, sizeof bits);
    assert_memory_equal(r.bit_offset, bit_offset, sizeof bit_offset);
    assert_memory_equal(r.image, image, sizeof image);
    assert_memory_equal(r.cache_length, length, sizeof length);
    assert_memory_equal(r.cache_bytes, length, sizeof length);
    assert_memory_equal(r.length_by_head, by_head, sizeof by_head);
    assert_memory_equal(r.capacity_by_head, room_by_head, sizeof room_by_head);
    assert_memory_equal(r.kept_by_source, kept, sizeof kept);
    assert_memory_equal(r.seconds, seconds, sizeof seconds);
    assert_texts(r.phase_names, phase, PHASES);
    skv_group_record_clear(&r);
    assert_int_equal(state_of(file, &want), SKV_GROUP_GOOD);
    assert_int_equal(temp_count(), 1);
}

static void only_the_wanted_parts_are_read(void **state)
{
    skv_group_record r;

    (void)state;
    assert_int_equal(skv_group_file_read(&r, at(write_example()), SKV_GROUP_BITS), SKV_OK);
    assert_null(r.row);
    assert_null(r.image);
    assert_null(r.seconds);
    assert_memory_equal(r.bits, bits, sizeof bits);
    skv_group_record_clear(&r);
}

static void optional_parts_may_be_left_out(void **state)
{
    skv_group_record r = example(), found;
    const char *file = temp_path("a.h5");
    skv_group_want bits_only = want;

    (void)state;
    r.image = NULL;
    r.length_by_head = r.capacity_by_head = NULL;
    r.cache_length = r.cache_capacity = r.cache_bytes = NULL;
    r.kept_by_source = NULL;
    assert_int_equal(skv_group_file_write(at(file), &r), SKV_OK);
    assert_int_equal(skv_group_file_read(&found, at(file), SKV_GROUP_ALL), SKV_OK);
    assert_null(found.image);
    assert_null(found.cache_length);
    assert_rows(&found);
    skv_group_record_clear(&found);
    assert_int_equal(state_of(file, &want), SKV_GROUP_LACKING);
    assert_non_null(strstr(skv_message(), "image"));
    bits_only.parts = SKV_GROUP_BITS;
    assert_int_equal(state_of(file, &bits_only), SKV_GROUP_GOOD);
}

static void a_record_with_half_of_a_part_is_refused(void **state)
{
    skv_group_record r = example();

    (void)state;
    r.bit_offset = NULL;
    assert_int_equal(skv_group_file_write(at(temp_path("a.h5")), &r), SKV_E_ARG);
    r = example();
    r.cache_bytes = NULL;
    assert_int_equal(skv_group_file_write(at(temp_path("a.h5")), &r), SKV_E_ARG);
    r = example();
    r.path_name = "../x";
    assert_int_equal(skv_group_file_write(at(temp_path("a.h5")), &r), SKV_E_ARG);
    r = example();
    r.status = NULL;
    assert_int_equal(skv_group_file_write(at(temp_path("a.h5")), &r), SKV_E_ARG);
    assert_int_equal(temp_count(), 0);
}

static void files_of_another_run_are_told_apart_from_damaged_ones(void **state)
{
    const char *file = write_example();
    skv_group_want other = want;

    (void)state;
    assert_int_equal(state_of(temp_path("none.h5"), &want), SKV_GROUP_ABSENT);
    other.config_digest = "c1";
    assert_int_equal(state_of(file, &other), SKV_GROUP_FOREIGN);
    other = want;
    other.path_digest = "p1";
    assert_int_equal(state_of(file, &other), SKV_GROUP_FOREIGN);
    other = want;
    other.first_row = 5;
    assert_int_equal(state_of(file, &other), SKV_GROUP_FOREIGN);
    other.n_rows = 0; /* any */
    assert_int_equal(state_of(file, &other), SKV_GROUP_GOOD);
    other.group = 1;
    assert_int_equal(state_of(file, &other), SKV_GROUP_FOREIGN);
    other = want;
    other.group = 1;
    assert_int_equal(state_of(file, &other), SKV_GROUP_FOREIGN);
    assert_int_equal(skv_file_write(temp_path("x.h5"), "text", 4), SKV_OK);
    assert_int_equal(state_of(temp_path("x.h5"), &want), SKV_GROUP_DAMAGED);
    assert_int_equal(skv_file_write(temp_path("y.h5"), "", 0), SKV_OK);
    assert_int_equal(state_of(temp_path("y.h5"), &want), SKV_GROUP_DAMAGED);
}

/* But for their first blocks, which tell one file from another. */
static void equal_records_are_equal_files(void **state)
{
    const skv_group_record r = example();
    char *bytes[2];
    size_t n[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *file = temp_path(i ? "a.h5" : "b.h5");

        assert_int_equal(skv_group_file_write(at(file), &r), SKV_OK);
        assert_int_equal(skv_file_read(&bytes[i], &n[i], file, 1 << 20), SKV_OK);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(bytes[0] + SKV_H5_LABEL_BYTES, bytes[1] + SKV_H5_LABEL_BYTES,
                        n[0] - SKV_H5_LABEL_BYTES);
    free(bytes[0]);
    free(bytes[1]);
}

static void a_full_disk_leaves_the_old_file_and_no_other(void **state)
{
    const skv_group_record r = example();
    const char *file = write_example();
    struct stat info;

    (void)state;
    assert_int_equal(stat(file, &info), 0);
    for (long room = 1; room < info.st_size; room += info.st_size / 50) {
        temp_limit_files((unsigned long)room);
        assert_int_equal(skv_group_file_write(at(file), &r), SKV_E_IO);
        temp_limit_files(0);
        assert_int_equal(temp_count(), 1);
        assert_int_equal(state_of(file, &want), SKV_GROUP_GOOD);
    }
    assert_int_equal(skv_group_file_write(at(temp_path("no/a.h5")), &r), SKV_E_KIND);
}

static void one_failed_write_leaves_the_old_file(void **state)
{
    static const int errors[] = {ENOSPC, EIO, EDQUOT};
    const skv_group_record r = example();
    const char *file = write_example();

    (void)state;
    for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++) {
        skv_status st = SKV_E_IO;

        for (long n = 1; st != SKV_OK; n++) {
            failing_write(n, errors[e]);
            st = skv_group_file_write(at(file), &r);
            assert_true(failing_write_came() == (st != SKV_OK) && (n > 1 || st == SKV_E_IO));
            assert_int_equal(state_of(file, &want), SKV_GROUP_GOOD);
            assert_int_equal(temp_count(), 1);
        }
    }
    failing_write(0, 0);
}

/* The linker sends these calls here: the first `failures` of them fail. */
static int look_failures, attribute_failures;

int __real_fstat(int fd, struct stat *info);
int __wrap_fstat(int fd, struct stat *info);
int __wrap_fstat(int fd, struct stat *info)
{
    errno = EIO;
    return look_failures > 0 && look_failures-- ? -1 : __real_fstat(fd, info);
}

int64_t __real_H5Aopen(int64_t object, const char *name, int64_t how);
int64_t __wrap_H5Aopen(int64_t object, const char *name, int64_t how);
int64_t __wrap_H5Aopen(int64_t object, const char *name, int64_t how)
{
    return attribute_failures > 0 && attribute_failures-- ? -1 : __real_H5Aopen(object, name, how);
}

static void a_fault_that_passes_is_no_damage(void **state)
{
    const char *file = write_example();
    skv_group_record r;
    skv_group_state what;

    (void)state;
    look_failures = 1;
    assert_int_equal(skv_group_file_check(&what, at(file), &want), SKV_E_IO);
    assert_int_equal(state_of(file, &want), SKV_GROUP_GOOD);
    attribute_failures = 1;
    assert_int_equal(skv_group_file_read(&r, at(file), SKV_GROUP_ALL), SKV_OK);
    skv_group_record_clear(&r);
    attribute_failures = 2;
    assert_true(skv_group_file_is_damage(skv_group_file_read(&r, at(file), SKV_GROUP_ALL)));
    attribute_failures = 0;
}

static void what_is_no_file_is_damaged_and_makes_room(void **state)
{
    const skv_group_record r = example();
    const char *file = temp_path("d.h5"), *aside = temp_path("d.h5.damaged");
    struct stat info;

    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        if (kind == 0)
            assert_int_equal(mkdir(file, 0777), 0);
        else if (kind == 1)
            assert_int_equal(mkfifo(file, 0666), 0);
        else
            assert_int_equal(symlink(kind == 2 ? "nothing" : aside, file), 0);
        assert_int_equal(state_of(file, &want), SKV_GROUP_DAMAGED);
        assert_non_null(strstr(skv_message(), kind < 2 ? "not a regular file" : "is a link"));
        assert_int_equal(skv_group_file_write(at(file), &r), SKV_OK);
        assert_int_equal(state_of(file, &want), SKV_GROUP_GOOD);
        assert_int_not_equal(lstat(aside, &info), 0); /* of no more use */
        assert_int_equal(temp_count(), 1);
        assert_int_equal(unlink(file), 0);
    }
}

static void put(const char *file, const char *bytes, size_t n)
{
    FILE *f = fopen(file, "wb");

    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void assert_refused(const char *file)
{
    skv_group_record r;

    assert_int_equal(skv_group_file_read(&r, at(file), SKV_GROUP_ALL), SKV_E_FORMAT);
    assert_null(r.row);
}

static void a_file_cut_anywhere_is_damaged(void **state)
{
    const char *file = write_example(), *cut = temp_path("cut.h5");
    char *bytes;
    size_t n;

    (void)state;
    assert_int_equal(skv_file_read(&bytes, &n, file, 1 << 20), SKV_OK);
    for (size_t at = 0; at < n; at += n / 300) {
        put(cut, bytes, at);
        assert_int_equal(state_of(cut, &want), SKV_GROUP_DAMAGED);
        assert_refused(cut);
    }
    free(bytes);
}

static long n_opened; /* files, by HDF5 */

int64_t __real_H5Fopen(const char *name, unsigned how, int64_t access);
int64_t __wrap_H5Fopen(const char *name, unsigned how, int64_t access);
int64_t __wrap_H5Fopen(const char *name, unsigned how, int64_t access)
{
    n_opened++;
    return __real_H5Fopen(name, how, access);
}

/* And before HDF5 has it, which may read anywhere in memory on such a file. */
static void a_file_with_a_flipped_bit_is_refused(void **state)
{
    const char *file = write_example(), *bad = temp_path("bad.h5");
    char *bytes;
    size_t n;

    (void)state;
    assert_int_equal(skv_file_read(&bytes, &n, file, 1 << 20), SKV_OK);
    n_opened = 0;
    for (size_t bit = 0; bit < 8 * n; bit += bit < 8 * 2048 ? 3 : 61) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        put(bad, bytes, n);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        assert_refused(bad);
    }
    assert_int_equal(n_opened, 0);
    put(bad, bytes, n);
    assert_int_equal(state_of(bad, &want), SKV_GROUP_GOOD);
    free(bytes);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(what_is_written_reads_back_equal),
        CASE(only_the_wanted_parts_are_read),
        CASE(optional_parts_may_be_left_out),
        CASE(a_record_with_half_of_a_part_is_refused),
        CASE(files_of_another_run_are_told_apart_from_damaged_ones),
        CASE(equal_records_are_equal_files),
        CASE(a_full_disk_leaves_the_old_file_and_no_other),
        CASE(one_failed_write_leaves_the_old_file),
        CASE(a_fault_that_passes_is_no_damage),
        CASE(what_is_no_file_is_damaged_and_makes_room),
        CASE(a_file_cut_anywhere_is_damaged),
        CASE(a_file_with_a_flipped_bit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
