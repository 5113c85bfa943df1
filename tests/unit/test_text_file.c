/* The file of encoded texts: what comes out is what went in, or it is refused. */
#include "io/text_file.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "failing_io.h"
#include "temp_folder.h"

enum { WIDTH = 4 };

#define T5_A   "000102030405060708090a0b0c0d0e0f"
#define T5_B   "0f0e0d0c0b0a09080706050403020100"
#define T5_OLD "0001020304050607" /* as older versions wrote it */

static const skv_text_origin origin = {.t5 = T5_A, .device = "CPU", .width = WIDTH};
static const int32_t cat[] = {3, 9, 1}, dog[] = {4, 1}, bird[] = {5, 6, 7, 1};

/* Features of n tokens that only this text has. */
static const float *features(const int32_t *ids, int n)
{
    static float f[8 * WIDTH];

    for (int i = 0; i < n * WIDTH; i++)
        f[i] = (float)ids[i / WIDTH] + 0.25F * (float)(i % WIDTH);
    return f;
}

static void add(skv_text_writer *w, const int32_t *ids, int n)
{
    assert_int_equal(skv_text_writer_add(w, ids, n, features(ids, n)), SKV_OK);
}

static void write_two(const char *path)
{
    skv_text_writer *w = NULL;

    assert_int_equal(skv_text_writer_create(&w, path, &origin, NULL, 2, 5), SKV_OK);
    add(w, cat, 3);
    add(w, dog, 2);
    assert_int_equal(skv_text_writer_commit(&w), SKV_OK);
    assert_null(w);
}

static skv_status write_text(void)
{
    skv_text_writer *w = NULL;

    SKV_TRY(skv_text_writer_create(&w, temp_path("t.h5"), &origin, NULL, 2, 5));
    add(w, cat, 3); /* room for two more stays, as where a text came twice */
    return skv_text_writer_commit(&w);
}

static void a_write_lost_without_a_word_is_seen(void **state)
{
    (void)state;
    assert_in_range(lose_each_write(write_text, temp_path("t.h5")), 5, 1000);
}

static void expect(skv_text_file *f, const int32_t *ids, int n)
{
    float out[8 * WIDTH];

    assert_true(skv_text_file_has(f, ids, n));
    assert_int_equal(skv_text_file_read(f, ids, n, out), SKV_OK);
    assert_memory_equal(out, features(ids, n), (size_t)n * WIDTH * sizeof(float));
}

static void what_is_written_is_read_and_nothing_else(void **state)
{
    const char *path = temp_path("t.h5");
    skv_text_file *f = NULL;
    float out[8 * WIDTH];

    (void)state;
    write_two(path);
    assert_int_equal(skv_text_file_open(&f, path, &origin), SKV_OK);
    assert_int_equal(skv_text_file_count(f), 2);
    expect(f, cat, 3);
    expect(f, dog, 2);
    assert_false(skv_text_file_has(f, cat, 2)); /* a beginning is another text */
    assert_int_equal(skv_text_file_read(f, bird, 4, out), SKV_E_NOTFOUND);
    skv_text_file_close(f);
}

static void more_texts_keep_the_old_ones(void **state)
{
    const char *path = temp_path("t.h5");
    skv_text_writer *w = NULL;
    skv_text_file *f = NULL;

    (void)state;
    write_two(path);
    assert_int_equal(skv_text_file_open(&f, path, &origin), SKV_OK);
    assert_int_equal(skv_text_writer_create(&w, path, &origin, f, 1, 4), SKV_OK);
    skv_text_file_close(f);
    add(w, bird, 4);
    assert_int_equal(skv_text_writer_commit(&w), SKV_OK);
    assert_int_equal(skv_text_file_open(&f, path, &origin), SKV_OK);
    assert_int_equal(skv_text_file_count(f), 3);
    expect(f, cat, 3);
    expect(f, bird, 4);
    skv_text_file_close(f);
}

static void a_file_thrown_away_leaves_the_old_one_alone(void **state)
{
    const char *path = temp_path("t.h5");
    skv_text_writer *w = NULL;
    skv_text_file *f = NULL;

    (void)state;
    write_two(path);
    assert_int_equal(skv_text_writer_create(&w, path, &origin, NULL, 1, 4), SKV_OK);
    add(w, bird, 4);
    skv_text_writer_destroy(w);
    assert_int_equal(temp_count(), 1);
    assert_int_equal(skv_text_file_open(&f, path, &origin), SKV_OK);
    expect(f, dog, 2);
    skv_text_file_close(f);
}

static void another_encoder_width_or_device_is_refused(void **state)
{
    const char *path = temp_path("t.h5");
    const skv_text_origin other[] = {{.t5 = T5_B, .device = "CPU", .width = WIDTH},
                                     {.t5 = T5_A, .device = "GPU", .width = WIDTH},
                                     {.t5 = T5_A, .device = "CPU", .width = WIDTH + 1}};
    const skv_status want[] = {SKV_E_SHAPE, SKV_E_FORMAT, SKV_E_SHAPE};
    skv_text_origin any = other[1];
    skv_text_file *f = NULL;

    (void)state;
    write_two(path);
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        assert_int_equal(skv_text_file_open(&f, path, &other[i]), want[i]);
        assert_non_null(strstr(skv_message(), path));
        assert_null(f);
    }
    any.any_device = true;
    assert_int_equal(skv_text_file_open(&f, path, &any), SKV_OK);
    skv_text_file_close(f);
    assert_int_equal(skv_text_file_open(&f, temp_path("none.h5"), &origin), SKV_E_NOTFOUND);
}

static void a_file_of_an_older_version_is_said_to_be_one(void **state)
{
    const char *path = temp_path("t.h5");
    const skv_text_origin old = {.t5 = T5_OLD, .device = "CPU", .width = WIDTH};
    skv_text_writer *w = NULL;
    skv_text_file *f = NULL;

    (void)state;
    assert_int_equal(skv_text_writer_create(&w, path, &old, NULL, 1, 2), SKV_OK);
    add(w, dog, 2);
    assert_int_equal(skv_text_writer_commit(&w), SKV_OK);
    assert_int_equal(skv_text_file_open(&f, path, &origin), SKV_E_SHAPE);
    assert_non_null(strstr(skv_message(), "older version"));
}

/* No byte of the file can be altered so that other features come out. */
static void damage_never_gives_other_features(void **state)
{
    const char *path = temp_path("t.h5");
    long bytes;
    FILE *file;

    (void)state;
    write_two(path);
    file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    bytes = ftell(file);
    fclose(file);
    for (long at = 0; at < bytes; at += 97) {
        skv_text_file *f = NULL;
        float out[8 * WIDTH];
        int c;

        write_two(path);
        file = fopen(path, "r+b");
        assert_non_null(file);
        fseek(file, at, SEEK_SET);
        c = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(c ^ 0x10, file);
        fclose(file);
        if (skv_text_file_open(&f, path, &origin) != SKV_OK)
            continue;
        if (skv_text_file_has(f, cat, 3) && skv_text_file_read(f, cat, 3, out) == SKV_OK)
            assert_memory_equal(out, features(cat, 3), 3 * WIDTH * sizeof(float));
        skv_text_file_close(f);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(what_is_written_is_read_and_nothing_else),
        CASE(more_texts_keep_the_old_ones),
        CASE(a_file_thrown_away_leaves_the_old_one_alone),
        CASE(another_encoder_width_or_device_is_refused),
        CASE(a_file_of_an_older_version_is_said_to_be_one),
        CASE(damage_never_gives_other_features),
        CASE(a_write_lost_without_a_word_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
